package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// Mem is a FS in memory that knows what a crash would leave of it: it keeps
// every file's synced content and each write since, and every directory's synced
// names and each change since. See [Mem.Crash]. It is empty at first, or holds
// what another FS holds: see [Overlay].
type Mem struct {
	// mu guards the whole tree. A crash is one moment for all files: were they
	// locked one by one, it could show a later write and not an earlier sync.
	mu    sync.RWMutex
	root  *memNode
	base  FS // of an overlay
	locks map[string]bool
}

var _ FS = (*Mem)(nil)

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{root: &memNode{names: newMemNames()}, locks: map[string]bool{}}
}

// memNode is a file or, if names is set, a directory.
type memNode struct {
	memContent
	names *memNames
}

// memNames is what a directory holds.
type memNames struct {
	now    map[string]*memNode
	synced map[string]*memNode
	ops    []nameOp // lead from synced to now
}

// nameOp binds a name to a node, or to nothing. A rename also unbinds from.
type nameOp struct {
	name, from string
	node       *memNode
}

// nameOpsMax bounds the unsynced changes kept of one directory. Older ones count
// as written back: a removed file's content is held until its removal is.
const nameOpsMax = 64

func newMemNames() *memNames {
	return &memNames{now: map[string]*memNode{}, synced: map[string]*memNode{}}
}

// change makes a change and keeps it until it is synced.
func (d *memNames) change(op nameOp) {
	op.apply(d.now)
	d.ops = append(d.ops, op)
	if len(d.ops) > nameOpsMax {
		d.ops[0].apply(d.synced)
		d.ops = slices.Delete(d.ops, 0, 1)
	}
}

// sync makes every change durable.
func (d *memNames) sync() {
	for _, op := range d.ops {
		op.apply(d.synced)
	}
	d.ops = nil
}

// apply makes the change in a directory. A rename that is kept without what led
// to it still takes the old name away only if that leads to the same node.
func (op nameOp) apply(names map[string]*memNode) {
	if op.from != "" && names[op.from] == op.node {
		delete(names, op.from)
	}
	if op.node == nil {
		delete(names, op.name)
		return
	}
	names[op.name] = op.node
}

// memError names the operation and the file, as the os package does.
func memError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// dir returns the directory of that name.
func (m *Mem) dir(op, name string) (*memNames, error) {
	at := m.root
	if err := at.look(); err != nil {
		return nil, err
	}
	if name != Root {
		for part := range strings.SplitSeq(name, "/") {
			if at = at.names.now[part]; at == nil {
				return nil, memError(op, name, fs.ErrNotExist)
			}
			if err := at.look(); err != nil {
				return nil, err
			}
			if at.names == nil {
				return nil, memError(op, name, ErrNotPlain)
			}
		}
	}
	return at.names, nil
}

// find returns the directory that name is in, its last part, and what bears it.
func (m *Mem) find(op, name string) (d *memNames, base string, node *memNode, err error) {
	if err := checkName(name); err != nil {
		return nil, "", nil, err
	}
	if d, err = m.dir(op, path.Dir(name)); err != nil {
		return nil, "", nil, err
	}
	base = path.Base(name)
	if node = d.now[base]; node != nil {
		err = node.look()
	}
	return d, base, node, err
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, node, err := m.find("create", name)
	if err != nil {
		return nil, err
	}
	if node != nil {
		return nil, memError("create", name, fs.ErrExist)
	}
	node = &memNode{}
	d.change(nameOp{name: base, node: node})
	return &memFile{m: m, name: name, c: &node.memContent}, nil
}

// plainFile is find for a name that must be a file's.
func (m *Mem) plainFile(op, name string) (d *memNames, base string, node *memNode, err error) {
	d, base, node, err = m.find(op, name)
	switch {
	case err != nil:
	case node == nil:
		err = memError(op, name, fs.ErrNotExist)
	case node.names != nil:
		err = memError(op, name, ErrNotPlain)
	}
	return d, base, node, err
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _, node, err := m.plainFile("open", name)
	if err != nil {
		return nil, err
	}
	if err := node.acquire(); err != nil {
		return nil, err
	}
	return &memFile{m: m, name: name, c: &node.memContent}, nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	if err := checkRename(from, to); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, node, err := m.plainFile("rename", from)
	if err != nil || from == to {
		return err
	}
	target := path.Base(to)
	if old := d.now[target]; old != nil && old.names != nil {
		return memError("rename", to, ErrNotPlain)
	}
	d.change(nameOp{name: target, from: base, node: node})
	return nil
}

// errNotEmpty is returned for the removal of a directory with names in it.
var errNotEmpty = fmt.Errorf("directory not empty: %w", fs.ErrExist)

// Remove implements FS. A removed file stays usable where it is open.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, node, err := m.find("remove", name)
	switch {
	case err != nil:
		return err
	case node == nil:
		return memError("remove", name, fs.ErrNotExist)
	case node.names != nil && len(node.names.now) > 0:
		return memError("remove", name, errNotEmpty)
	}
	d.change(nameOp{name: base})
	return nil
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := m.dir("list", dir)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(d.now)), nil
}

// Mkdir implements FS.
func (m *Mem) Mkdir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, node, err := m.find("mkdir", dir)
	switch {
	case err != nil:
		return err
	case node == nil:
		d.change(nameOp{name: base, node: &memNode{names: newMemNames()}})
	case node.names == nil:
		return memError("mkdir", dir, fs.ErrExist)
	}
	return nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(dir string) error {
	if err := checkDir(dir); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := m.dir("sync", dir)
	if err != nil {
		return err
	}
	d.sync()
	return nil
}

// Lock implements FS. A crash gives up every lock.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, node, err := m.find("lock", name)
	switch {
	case err != nil:
		return nil, err
	case node == nil:
		d.change(nameOp{name: base, node: &memNode{}})
	case node.names != nil:
		return nil, memError("lock", name, ErrNotPlain)
	}
	if m.locks[name] {
		return nil, fmt.Errorf("lock %s: %w", name, ErrInUse)
	}
	m.locks[name] = true
	return &memLock{m, name}, nil
}

// memLock is a lock that is held until it is closed.
type memLock struct {
	m    *Mem
	name string
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.name == "" {
		return memError("close", "lock", fs.ErrClosed)
	}
	delete(l.m.locks, l.name)
	l.name = ""
	return nil
}

// OpenFile implements FS: there is no file of the operating system, but in an
// overlay of a FS that has some.
func (m *Mem) OpenFile(name string, flag int, _ os.FileMode) (*os.File, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if m.base == nil {
		return nil, memError("open", name, errors.ErrUnsupported)
	}
	return m.openMachine(name, flag)
}
