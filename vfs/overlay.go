package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// Overlay returns a FS that holds what base holds, and keeps whatever is done to
// it in memory: reads fall through to base, of which nothing is ever written,
// renamed, removed or locked. It is looked at piece by piece, as it is used, so
// base must not change meanwhile: the caller holds its lock.
//
// All that base holds counts as synced, and Crash says what it does of every
// [Mem]: what was synced is there, be it in base or here.
//
// A file is copied into memory whole when it is first written. One that OpenFile
// opens is copied then, into a file of the machine without a name that nobody
// else can reach (on Linux in memory; elsewhere in the directory for temporary
// files): Crash finds it as it is, synced or not. OpenFile fails with
// errors.ErrUnsupported where base's does. Locks are the overlay's own.
func Overlay(base FS) *Mem {
	return &Mem{
		root: &memNode{memContent: memContent{lower: &lower{base: base, name: Root}}},
		base: base, locks: map[string]bool{},
	}
}

// lower is a file or directory of an overlay's base.
type lower struct {
	base  FS
	name  string
	plain bool // it is known to be a file
	file  File // open while there are users
	users int
}

// node returns a node that nothing has been done to.
func (l *lower) node() *memNode {
	untouched := &lower{base: l.base, name: l.name, plain: l.plain}
	return &memNode{memContent: memContent{lower: untouched}}
}

// look finds out what the base has under a node, once: a file, or a directory,
// whose names are then the node's.
func (n *memNode) look() error {
	l := n.lower
	if l == nil || l.plain {
		return nil
	}
	if l.name != Root {
		f, err := l.base.Open(l.name)
		if err == nil {
			l.plain = true
			return f.Close()
		}
		if !errors.Is(err, ErrNotPlain) {
			return err
		}
	}
	names, err := l.base.List(l.name)
	if err != nil {
		return err
	}
	held := newMemNames()
	for _, name := range names {
		child := (&lower{base: l.base, name: path.Join(l.name, name)}).node()
		held.now[name], held.synced[name] = child, child
	}
	n.names, n.lower = held, nil
	return nil
}

// acquire opens the base's file for one more user.
func (c *memContent) acquire() (err error) {
	l := c.lower
	if l == nil {
		return nil
	}
	if l.users == 0 {
		if l.file, err = l.base.Open(l.name); err != nil {
			return err
		}
	}
	l.users++
	return nil
}

// release ends the use that acquire began, unless the file was copied since.
func (c *memContent) release() error {
	l := c.lower
	if l == nil {
		return nil
	}
	if l.users--; l.users > 0 {
		return nil
	}
	return l.file.Close()
}

// elsewhere returns where the content is, if it is not here.
func (c *memContent) elsewhere() io.ReaderAt {
	switch {
	case c.lower != nil:
		return c.lower.file
	case c.machine != nil:
		return c.machine
	}
	return nil
}

func (c *memContent) size() (int64, error) {
	switch {
	case c.lower != nil:
		return c.lower.file.Size()
	case c.machine != nil:
		return machineSize(c.machine)
	}
	return int64(len(c.now)), nil
}

func machineSize(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// copyUp takes the content out of the base, if it is there: it is about to change.
// The content has a user.
func (c *memContent) copyUp() error {
	l := c.lower
	if l == nil {
		return nil
	}
	size, err := l.file.Size()
	if err != nil {
		return err
	}
	if size > memFileBytesMax {
		return memError("write", l.name, errTooBig)
	}
	b := make([]byte, size)
	if n, err := l.file.ReadAt(b, 0); n < len(b) {
		return errors.Join(err, memError("read", l.name, io.ErrUnexpectedEOF))
	}
	c.lower, c.now, c.synced = nil, b, slices.Clone(b)
	return l.file.Close()
}

// applyTo makes the change in a file of the machine.
func (op writeOp) applyTo(f *os.File) (err error) {
	if op.kind == opWrite {
		_, err = f.WriteAt(op.data, op.at)
		return err
	}
	return f.Truncate(op.at) // the caller of a growth has looked at the size
}

// contentOf reads a file of the machine that is the overlay's own.
func contentOf(f *os.File) []byte {
	size, err := machineSize(f)
	b := make([]byte, size)
	if n, readErr := f.ReadAt(b, 0); err == nil && n < len(b) {
		err = readErr
	}
	if err != nil {
		panic(fmt.Sprintf("vfs: read %s: %v", f.Name(), err))
	}
	return b
}

// openMachine implements OpenFile of an overlay.
func (m *Mem) openMachine(name string, flag int) (*os.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch probe, err := m.base.OpenFile(name, os.O_RDONLY, 0); {
	case err == nil:
		if err := probe.Close(); err != nil {
			return nil, err
		}
	case errors.Is(err, errors.ErrUnsupported):
		return nil, err
	}
	d, base, node, err := m.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case node == nil && flag&os.O_CREATE == 0:
		return nil, memError("open", name, fs.ErrNotExist)
	case node != nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, memError("open", name, fs.ErrExist)
	case node != nil && node.names != nil:
		return nil, memError("open", name, ErrNotPlain)
	case node == nil:
		node = &memNode{}
		d.change(nameOp{name: base, node: node})
	}
	if err := node.toMachine(name); err != nil {
		return nil, err
	}
	if flag&os.O_TRUNC != 0 {
		if err := node.machine.Truncate(0); err != nil {
			return nil, err
		}
	}
	return duplicate(node.machine)
}

// toMachine moves the content into a file of the machine. That file is closed
// when nothing refers to the content any more.
func (c *memContent) toMachine(name string) error {
	if c.machine != nil {
		return nil
	}
	f, err := anonymous(path.Base(name))
	if err != nil {
		return err
	}
	if err := c.copyTo(f); err != nil {
		return errors.Join(err, f.Close())
	}
	l := c.lower
	*c = memContent{machine: f}
	if l != nil && l.users > 0 {
		return l.file.Close()
	}
	return nil
}

// copyTo writes the content into an empty file.
func (c *memContent) copyTo(f *os.File) error {
	if c.lower == nil {
		_, err := f.WriteAt(c.now, 0)
		return err
	}
	from, err := c.lower.base.Open(c.lower.name)
	if err != nil {
		return err
	}
	size, err := from.Size()
	if err == nil {
		_, err = io.Copy(f, io.NewSectionReader(from, 0, size))
	}
	return errors.Join(err, from.Close())
}
