package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

const (
	// memFileBytesMax bounds a file in memory.
	memFileBytesMax = 8 << 30
	// unsyncedBytesMax bounds the unsynced writes kept of one file, the cost of
	// keeping each included. Older ones count as written back.
	unsyncedBytesMax = 4 << 20
	writeOpBytes     = 64
)

var (
	errOffset = errors.New("negative offset or size")
	errTooBig = errors.New("file too large")
)

// memContent is a file's content: in the base of an overlay, in a file of the
// machine, or here.
type memContent struct {
	lower    *lower
	machine  *os.File
	now      []byte
	synced   []byte
	ops      []writeOp // lead from synced to now
	opsBytes int
}

// writeOp is a write of data, or a change of the length.
type writeOp struct {
	kind writeKind
	at   int64 // the write's offset, or the length
	data []byte
}

// writeKind is what a writeOp does.
type writeKind uint8

const (
	opWrite writeKind = iota
	opTruncate
	opGrow // a truncation that never shortens
)

// apply makes the change in a content, which it may overwrite.
func (op writeOp) apply(b []byte) []byte {
	switch op.kind {
	case opWrite:
		b = grown(b, op.at+int64(len(op.data)))
		copy(b[op.at:], op.data)
		return b
	case opTruncate:
		return grown(b[:min(op.at, int64(len(b)))], op.at)
	case opGrow:
		return grown(b, op.at)
	}
	panic("vfs: no such kind of write")
}

// grown returns b with at least size bytes, the new ones zero.
func grown(b []byte, size int64) []byte {
	have := len(b)
	if size <= int64(have) {
		return b
	}
	b = slices.Grow(b, int(size)-have)[:size]
	clear(b[have:]) // there may be bytes from before a truncation
	return b
}

// change makes a change and keeps it until it is synced.
func (c *memContent) change(op writeOp) {
	c.now = op.apply(c.now)
	c.ops = append(c.ops, op)
	c.opsBytes += writeOpBytes + len(op.data)
	if c.opsBytes > unsyncedBytesMax {
		c.writeBack()
	}
}

// writeBack counts the older half of the unsynced bytes as synced: half, so that
// a long row of small writes moves the list seldom.
func (c *memContent) writeBack() {
	done := 0
	for ; c.opsBytes > unsyncedBytesMax/2; done++ {
		c.opsBytes -= writeOpBytes + len(c.ops[done].data)
		c.synced = c.ops[done].apply(c.synced)
	}
	c.ops = slices.Delete(c.ops, 0, done)
}

// sync makes every change durable: at a cost of what changed, not of the file.
func (c *memContent) sync() {
	for _, op := range c.ops {
		c.synced = op.apply(c.synced)
	}
	clear(c.ops)
	c.ops, c.opsBytes = c.ops[:0], 0
}

// memFile is an open file of a Mem.
type memFile struct {
	m      *Mem
	name   string
	c      *memContent
	closed bool
}

// check refuses what is closed, and offsets out of bounds.
func (f *memFile) check(op string, offset int64) error {
	switch {
	case f.closed:
		return memError(op, f.name, fs.ErrClosed)
	case offset < 0:
		return memError(op, f.name, errOffset)
	case offset > memFileBytesMax:
		return memError(op, f.name, errTooBig)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, at int64) (int, error) {
	f.m.mu.RLock()
	defer f.m.mu.RUnlock()
	if err := f.check("read", at); err != nil {
		return 0, err
	}
	if from := f.c.elsewhere(); from != nil {
		return from.ReadAt(p, at)
	}
	n := copy(p, f.c.now[min(at, int64(len(f.c.now))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// change makes a change that may end beyond the bounds.
func (f *memFile) change(name string, op writeOp) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check(name, op.at); err != nil {
		return err
	}
	if err := f.check(name, op.at+int64(len(op.data))); err != nil {
		return err
	}
	if err := f.c.copyUp(); err != nil {
		return err
	}
	if f.c.machine != nil {
		return op.applyTo(f.c.machine)
	}
	f.c.change(op)
	return nil
}

func (f *memFile) WriteAt(p []byte, at int64) (int, error) {
	if len(p) == 0 {
		return 0, f.check("write", at)
	}
	if err := f.change("write", writeOp{opWrite, at, slices.Clone(p)}); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *memFile) Truncate(size int64) error {
	return f.change("truncate", writeOp{opTruncate, size, nil})
}

func (f *memFile) Preallocate(size int64) error {
	if have, err := f.Size(); err != nil || have >= size {
		return err
	}
	return f.change("preallocate", writeOp{opGrow, size, nil})
}

func (f *memFile) Size() (int64, error) {
	f.m.mu.RLock()
	defer f.m.mu.RUnlock()
	if err := f.check("size", 0); err != nil {
		return 0, err
	}
	return f.c.size()
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("sync", 0); err != nil {
		return err
	}
	f.c.sync()
	return nil
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("close", 0); err != nil {
		return err
	}
	f.closed = true
	return f.c.release()
}

func (f *memFile) Fd() (uintptr, bool) { return 0, false }
