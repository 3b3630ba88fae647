package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// ErrCrashed is returned by every operation after a fault that is a crash.
var ErrCrashed = errors.New("crashed")

// Fault is what a Faulty does, and when. The zero value is no fault.
type Fault struct {
	// At is the number of the operation that fails, counted from 1.
	At int
	// Reads makes At count the operations that change nothing: Open, List, Size
	// and ReadAt. Otherwise it counts those that change something.
	Reads bool
	// Err is what the operation returns, wrapped. It does not reach the inner FS.
	Err error
	// Sticky fails every later operation of the same sort too.
	Sticky bool
	// Short makes a failing WriteAt write the first half of its bytes.
	Short bool
	// Crash ends everything: the operation and all later ones of both sorts
	// return ErrCrashed, whatever Err says. Only Close still works.
	Crash bool
}

// Faulty wraps a FS, numbers its operations and fails the one it is told to.
//
// The operations that change something are Create, Rename, Remove, Mkdir,
// SyncDir, OpenFile that may create, and of a File WriteAt, Truncate,
// Preallocate and Sync. Lock and Close are not numbered. What is done through a
// descriptor or a mapping is not seen.
type Faulty struct {
	inner FS

	mu      sync.Mutex
	fault   Fault
	changes int
	reads   int
	fired   string
}

var _ FS = (*Faulty)(nil)

// NewFaulty returns inner, without a fault so far.
func NewFaulty(inner FS) *Faulty { return &Faulty{inner: inner} }

// Arm replaces the fault. Its At counts from the making of the Faulty.
func (f *Faulty) Arm(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.fired = fault, ""
}

// Operations returns how many operations that change something were asked for.
func (f *Faulty) Operations() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changes
}

// Reads returns how many operations that change nothing were asked for.
func (f *Faulty) Reads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

// Fired describes the operation that failed first since Arm, or is "" if none did.
func (f *Faulty) Fired() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// enter numbers one operation and returns the error it fails with.
func (f *Faulty) enter(reads bool, op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault.Crash && f.fired != "" {
		return ErrCrashed
	}
	count := &f.changes
	if reads {
		count = &f.reads
	}
	*count++
	hit := *count == f.fault.At || f.fault.Sticky && *count > f.fault.At && f.fault.At > 0
	if !hit || reads != f.fault.Reads {
		return nil
	}
	err := f.fault.Err
	if f.fault.Crash {
		err = ErrCrashed
	}
	if err == nil {
		panic(fmt.Sprintf("vfs: the fault at operation %d has no error", f.fault.At))
	}
	what := fmt.Sprintf("operation %d, %s %s", *count, op, name)
	if f.fired == "" {
		f.fired = what
	}
	return fmt.Errorf("%s: %w", what, err)
}

// file wraps a file that the inner FS returned.
func (f *Faulty) file(file File, name string, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	if err := f.enter(false, "create", name); err != nil {
		return nil, err
	}
	file, err := f.inner.Create(name)
	return f.file(file, name, err)
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) {
	if err := f.enter(true, "open", name); err != nil {
		return nil, err
	}
	file, err := f.inner.Open(name)
	return f.file(file, name, err)
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.enter(false, "rename", from+" to "+to); err != nil {
		return err
	}
	return f.inner.Rename(from, to)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.enter(false, "remove", name); err != nil {
		return err
	}
	return f.inner.Remove(name)
}

// List implements FS.
func (f *Faulty) List(dir string) ([]string, error) {
	if err := f.enter(true, "list", dir); err != nil {
		return nil, err
	}
	return f.inner.List(dir)
}

// Mkdir implements FS.
func (f *Faulty) Mkdir(dir string) error {
	if err := f.enter(false, "mkdir", dir); err != nil {
		return err
	}
	return f.inner.Mkdir(dir)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.enter(false, "sync directory", dir); err != nil {
		return err
	}
	return f.inner.SyncDir(dir)
}

// Lock implements FS. It fails only after a crash.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	f.mu.Lock()
	crashed := f.fault.Crash && f.fired != ""
	f.mu.Unlock()
	if crashed {
		return nil, ErrCrashed
	}
	return f.inner.Lock(name)
}

// OpenFile implements FS.
func (f *Faulty) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	if err := f.enter(flag&os.O_CREATE == 0, "open file", name); err != nil {
		return nil, err
	}
	return f.inner.OpenFile(name, flag, perm)
}

// faultyFile is a File whose operations a Faulty numbers. Close and Fd, and so
// Map, are the inner file's own.
type faultyFile struct {
	File
	f    *Faulty
	name string
}

func (f *faultyFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.f.enter(true, "read", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, at)
}

func (f *faultyFile) WriteAt(p []byte, at int64) (int, error) {
	err := f.f.enter(false, "write", f.name)
	if err == nil {
		return f.File.WriteAt(p, at)
	}
	if !f.f.short(err) {
		return 0, err
	}
	n, werr := f.File.WriteAt(p[:len(p)/2], at)
	return n, errors.Join(err, werr)
}

// short reports whether a write that fails with err writes half its bytes.
func (f *Faulty) short(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault.Short && !errors.Is(err, ErrCrashed)
}

func (f *faultyFile) Size() (int64, error) {
	if err := f.f.enter(true, "size", f.name); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.f.enter(false, "truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) Preallocate(size int64) error {
	if err := f.f.enter(false, "preallocate", f.name); err != nil {
		return err
	}
	return f.File.Preallocate(size)
}

func (f *faultyFile) Sync() error {
	if err := f.f.enter(false, "sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}
