package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Modes of what a Dir makes: heaps and transcripts are nobody else's business.
const (
	dirMode  os.FileMode = 0o700
	fileMode os.FileMode = 0o600
)

// Dir is a directory of the machine as a FS.
type Dir struct{ root *os.Root }

var _ FS = (*Dir)(nil)

// Open returns the directory as a FS, making it, but not its parents, if it is
// not there. The directory itself may be reached through symbolic links: what
// leads to it is the caller's choice. One that others can write is made private if it is
// empty, and is otherwise refused with ErrNotPrivate, as all in it are.
func Open(dir string) (*Dir, error) {
	switch err := os.Mkdir(dir, dirMode); {
	case err == nil:
		// Without this a crash could lose the new directory and all in it.
		if err := syncMachineDir(filepath.Dir(filepath.Clean(dir))); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &Dir{root}
	if err := d.makePrivate(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// makePrivate sees that nobody else can write the directory.
func (d *Dir) makePrivate() error {
	err := d.checkOne(Root, aDirectory)
	if !errors.Is(err, ErrNotPrivate) {
		return err
	}
	if names, listing := d.list(Root); listing != nil || len(names) > 0 {
		return errors.Join(err, listing)
	}
	return d.root.Chmod(Root, dirMode)
}

// syncMachineDir makes the names in any directory of the machine durable.
func syncMachineDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(f), f.Close())
}

// Close gives up the directory. Files open in it stay usable.
func (d *Dir) Close() error { return d.root.Close() }

// sorts is a set of what a name may lead to.
type sorts uint8

const (
	aFile sorts = 1 << iota
	aDirectory
	nothing
)

// check refuses a name that leads to something not in want, or there through
// something other than a directory.
func (d *Dir) check(name string, want sorts) error {
	for i, c := range name {
		if c == '/' {
			if err := d.checkOne(name[:i], aDirectory); err != nil {
				return err
			}
		}
	}
	return d.checkOne(name, want)
}

// checkOne is check for one part of a name.
func (d *Dir) checkOne(name string, want sorts) error {
	info, err := d.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && want&nothing != 0:
		return nil
	case err != nil:
		return err
	case info.Mode().IsRegular() && want&aFile != 0, info.IsDir() && want&aDirectory != 0:
		if info.Mode()&othersWrite != 0 {
			return fmt.Errorf("%w: %q is %v", ErrNotPrivate, name, info.Mode())
		}
		return nil
	}
	return fmt.Errorf("%w: %q is %v", ErrNotPlain, name, info.Mode())
}

// open opens a file that is plain, or none yet if flag says to make it.
func (d *Dir) open(name string, flag int, perm os.FileMode) (*os.File, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := d.check(name, aFile|nothing); err != nil {
		return nil, err
	}
	return d.root.OpenFile(name, flag, perm)
}

// Create implements FS.
func (d *Dir) Create(name string) (File, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := d.check(path.Dir(name), aDirectory); err != nil {
		return nil, err
	}
	// Whatever bears the name already, a link too, makes O_EXCL fail.
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return &dirFile{f}, nil
}

// Open implements FS.
func (d *Dir) Open(name string) (File, error) {
	f, err := d.open(name, os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	return &dirFile{f}, nil
}

// Rename implements FS.
func (d *Dir) Rename(from, to string) error {
	if err := checkRename(from, to); err != nil {
		return err
	}
	if err := d.check(from, aFile); err != nil {
		return err
	}
	if err := d.check(to, aFile|nothing); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

// Remove implements FS.
func (d *Dir) Remove(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := d.check(name, aFile|aDirectory); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// checkDir refuses what is no directory to list or sync.
func (d *Dir) checkDir(dir string) error {
	if err := checkDir(dir); err != nil {
		return err
	}
	return d.check(dir, aDirectory)
}

// List implements FS. Names that break the rules of this package are listed
// too, for the stores to refuse.
func (d *Dir) List(dir string) ([]string, error) {
	if err := d.checkDir(dir); err != nil {
		return nil, err
	}
	return d.list(dir)
}

func (d *Dir) list(dir string) ([]string, error) {
	f, err := d.root.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// Mkdir implements FS.
func (d *Dir) Mkdir(dir string) error {
	if err := checkName(dir); err != nil {
		return err
	}
	if err := d.check(path.Dir(dir), aDirectory); err != nil {
		return err
	}
	err := d.root.Mkdir(dir, dirMode)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if why := d.check(dir, aDirectory); why != nil {
		return fmt.Errorf("%w: %w", err, why)
	}
	return nil
}

// SyncDir implements FS.
func (d *Dir) SyncDir(dir string) error {
	if err := d.checkDir(dir); err != nil {
		return err
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(f), f.Close())
}

// Lock implements FS.
func (d *Dir) Lock(name string) (io.Closer, error) {
	f, err := d.open(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f, nil // closing the descriptor gives up the lock
}

// OpenFile implements FS. Of perm only what lets the owner read and write is used.
func (d *Dir) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return d.open(name, flag, perm&fileMode)
}

// dirFile is a plain file of the machine.
type dirFile struct{ *os.File }

func (f *dirFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *dirFile) Preallocate(size int64) error {
	have, err := f.Size()
	if err != nil || have >= size {
		return err
	}
	return preallocate(f.File, size)
}

func (f *dirFile) Sync() error { return syncFile(f.File) }

func (f *dirFile) Fd() (uintptr, bool) { return f.File.Fd(), true }
