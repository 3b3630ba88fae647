package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/snapstore"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
	"vatwarehouse/worker/process"
)

// What callers branch on.
var (
	// ErrClosed is returned by every call after Close.
	ErrClosed = errors.New("host is closed")
	// ErrPoisoned is returned by every call after a write or sync has failed, or after
	// a *[PanicError]. The directory has the state of the last block; reopen it.
	ErrPoisoned = errors.New("host cannot go on after a failure")
	// ErrInUse is returned by Open when another process has the directory open.
	ErrInUse = vfs.ErrInUse
	// ErrNotPrivate is returned for a directory, or a file in it, that others than its
	// owner can write. Nothing of it is used.
	ErrNotPrivate = vfs.ErrNotPrivate
	// ErrFormat is returned by Open for a directory that is not one of ours, or
	// is of a newer version. It is left as it is.
	ErrFormat = errors.New("not a directory this version can open")
	// ErrCorrupt is returned when stored bytes are not the ones written.
	ErrCorrupt = errors.New("stored data is damaged")
	// ErrRefused is returned for an input that breaks a rule. Nothing changed.
	ErrRefused = kernel.ErrInput
	// ErrVats is returned, beside ErrRefused, for a vat beyond Limits.Vats.
	ErrVats = kernel.ErrVats
	// ErrOptions is returned by Open for observable options that are not those
	// the directory was made with.
	ErrOptions = errors.New("options differ from the directory's")
	// ErrNotFound is returned for a name that names nothing.
	ErrNotFound = errors.New("not found")
)

// RowError is why a state from elsewhere is refused: a row of it is none that is ever
// written, or is missing. Errors of Import and Apply wrap it, beside [ErrCorrupt].
type RowError = kernel.RowError

// VatError is a failure of the world that concerns one vat: it could not be
// paged in or run. The block so far is durable, the vat's event is still queued.
type VatError struct {
	Vat swing.VatID
	Err error
}

// Error says which vat, and why.
func (e *VatError) Error() string { return fmt.Sprintf("vat %s: %v", e.Vat, e.Err) }

// Unwrap returns the cause.
func (e *VatError) Unwrap() error { return e.Err }

// PanicError is a panic of ours, or of a device or an observer: the Host cannot go on.
// The directory has the state of the last block; open it again. If it happens again
// at the same place, report it.
type PanicError struct {
	Value any
	Stack []byte
}

// Error says what was panicked with, and what to do.
func (e *PanicError) Error() string {
	return fmt.Sprintf("a fault of the host's own: %v; the directory has the state of the "+
		"last block: open it again, and report this if it repeats", e.Value)
}

// Unwrap returns what was panicked with, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// catch, deferred by what works on the state, turns a panic into an error and poisons
// the Host: what it holds in memory may be half done.
func (h *Host) catch(err *error) {
	r := recover()
	if r == nil {
		return
	}
	p := &PanicError{Value: r, Stack: debug.Stack()}
	if inner, ok := r.(*worker.HostPanic); ok {
		p.Stack = inner.Stack
	}
	h.options.Logger.Error("panic", "error", p, "stack", string(p.Stack))
	*err = h.poison(p)
}

// Host is an open directory: a kernel, its vats, and the stores under them.
type Host struct {
	mu      sync.Mutex
	options Options
	fs      vfs.FS
	dir     *vfs.Dir // to close, unless fs was given
	lock    io.Closer

	log    *streamstore.Store
	kv     *kvstore.Store
	heaps  *snapstore.Store
	engine Engine
	own    *worker.Engine // the engine, if it is this Host's own
	// machine runs programs: the engine, or the process, if there is one.
	machine warehouse.Engine
	process *process.Engine
	vats    *warehouse.Warehouse
	clock   *stopwatch // over vats
	kernel  *kernel.Kernel

	outlook  outlook
	homes    homes
	snaps    snapshots
	archives background

	recovery Recovery
	past     *kvstore.Past // since Watch; nil before
	// unarchived says that archiving has failed, and is not tried again.
	unarchived bool
	block      openBlock
	totals     totals
	failed     error // why the Host is poisoned
	closed     bool
}

// Recovery says what Open found and mended.
type Recovery struct {
	// Blocks is how many blocks the log holds.
	Blocks uint64
	// Redone is how many of them were not in the table yet.
	Redone uint64
	// TornBytes were cut off the end of the log: a block that was being written
	// when the process or the machine stopped, and was never acknowledged.
	TornBytes int64
}

// totals are what Stats adds up since Open.
type totals struct {
	opened        time.Time
	blocks        uint64
	cranks        uint64
	deliveries    uint64
	syscalls      uint64
	entryBytes    uint64
	changeBytes   uint64
	snapshots     uint64
	snapshotBytes int64
	snapshotPages uint64
	pruned        Pruned
}

// ready returns why the Host cannot be used, or nil. The caller holds mu.
func (h *Host) ready() error {
	switch {
	case h.closed:
		return ErrClosed
	case h.failed != nil:
		return fmt.Errorf("%w: %w", ErrPoisoned, h.failed)
	}
	return nil
}

// poison remembers the first failure that leaves memory ahead of the disk.
func (h *Host) poison(err error) error {
	if h.failed == nil {
		h.failed = err
	}
	return err
}

// Close commits what there is and gives everything up. It may be called again,
// to no effect. On a poisoned Host it commits nothing and returns the cause; of
// one that was opened with Options.Scratch nothing is left.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	err := h.failed
	if err == nil && !h.options.Scratch {
		err = h.rest(ctx)
	}
	h.closed = true
	return errors.Join(err, h.release(ctx))
}

// rest commits, waits for the background, and lets the table catch up.
func (h *Host) rest(ctx context.Context) (err error) {
	defer h.catch(&err)
	h.saveRecent()
	if err := h.settle(ctx); err != nil {
		return err
	}
	if h.kv.TablePosition() == h.kv.Position() {
		return nil
	}
	if err := h.kv.Checkpoint(); err != nil {
		return fmt.Errorf("checkpoint the table: %w", err)
	}
	if err := h.kv.Wait(); err != nil {
		return fmt.Errorf("checkpoint the table: %w", err)
	}
	return nil
}

// release closes what is open, in the opposite order of opening.
func (h *Host) release(ctx context.Context) error {
	var errs []error
	h.snaps.stop()
	if _, err := h.archives.wait(); err != nil {
		h.fault(err)
	}
	if h.vats != nil {
		errs = append(errs, h.vats.Close(ctx))
	}
	if h.process != nil {
		errs = append(errs, h.process.Close())
	}
	if h.own != nil {
		errs = append(errs, h.own.Close(ctx))
	}
	if h.heaps != nil {
		errs = append(errs, h.heaps.Close())
	}
	if h.kv != nil {
		errs = append(errs, h.kv.Close())
	}
	if h.log != nil {
		errs = append(errs, h.log.Close())
	}
	if h.lock != nil {
		errs = append(errs, h.lock.Close())
	}
	if h.dir != nil {
		errs = append(errs, h.dir.Close())
	}
	return errors.Join(errs...)
}
