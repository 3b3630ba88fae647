package snapstore

import (
	"fmt"
	"slices"

	"vatwarehouse/swing"
)

// objectName is what an object is looked up by.
type objectName struct {
	class class
	hash  swing.Hash
}

// walked are the objects that an export has had, or an import. It takes about 60
// bytes for each.
type walked map[objectName]struct{}

// met reports whether an object was met before, and notes it.
func (w walked) met(cl class, hash swing.Hash) bool {
	name := objectName{cl, hash}
	_, known := w[name]
	w[name] = struct{}{}
	return known
}

// Export hands over heaps as objects: of each heap the heap object, then its tree,
// every node before what it names, in order; what was handed over before is left
// out. So who has the heap's ID knows which object is due at every step, and needs
// no names beside them: see [Import]. Objects are as the package comment has them,
// never compressed.
type Export struct {
	s    *Store
	emit func(object []byte) error
	had  walked
}

// NewExport returns an Export that hands objects to emit, which must not keep them.
func (s *Store) NewExport(emit func(object []byte) error) *Export {
	return &Export{s: s, emit: emit, had: walked{}}
}

// Known says that the receiver has a heap: nothing of it is handed over any more.
func (e *Export) Known(id swing.Hash) error {
	emit := e.emit
	defer func() { e.emit = emit }()
	e.emit = func([]byte) error { return nil }
	return e.Heap(id)
}

// Heap hands over what is new of a heap. It fails as Image does.
func (e *Export) Heap(id swing.Hash) error {
	s := e.s
	s.world.RLock()
	defer s.world.RUnlock()
	if err := s.usable(); err != nil {
		return err
	}
	c := borrow()
	defer giveBack(c)
	w := walk{s: s, c: c}
	if e.had.met(classHeap, id) {
		return nil
	}
	h, err := w.heap(id)
	if err == nil {
		err = e.emit(swing.AppendHeap(nil, h))
	}
	if err == nil {
		err = e.tree(&w, treeDepth, 0, h.Pages)
	}
	if err != nil {
		return fmt.Errorf("export snapshot %s…: %w", id.Short(), err)
	}
	return nil
}

// tree hands over a subtree. It calls itself at most treeDepth deep.
func (e *Export) tree(w *walk, level int, i uint32, hash swing.Hash) error {
	cl := classAt(level)
	if hash.IsZero() {
		return nil
	}
	if err := w.inside(level, i, hash); err != nil {
		return err
	}
	if e.had.met(cl, hash) {
		return nil
	}
	object, _, err := w.s.read(cl, hash, w.c)
	if err == nil {
		err = e.emit(object)
	}
	if err != nil || level == 0 {
		return err
	}
	n, err := decodeNode(object)
	if err != nil {
		return err
	}
	for child := range n {
		if err := e.tree(w, level-1, i*fanOut+uint32(child), n[child]); err != nil {
			return err
		}
	}
	return nil
}

// classAt returns the class of objects at a level of the tree.
func classAt(level int) class {
	if level == 0 {
		return classPage
	}
	return classNode
}

// inside returns why a subtree cannot be part of the heap, or nil.
func (w *walk) inside(level int, i uint32, hash swing.Hash) error {
	if uint64(i)<<(fanOutBits*level) < w.pages {
		return nil
	}
	return fmt.Errorf("%w: subtree %d of level %d (%s…) is past the heap's %d pages",
		ErrCorrupt, i, level, hash.Short(), w.pages)
}

// Import stores heaps that an [Export] handed over: it knows which object is due,
// asks next for it, and refuses with ErrCorrupt what has another digest. What it
// stored is durable after Sync.
type Import struct {
	s    *Store
	next func() ([]byte, error)
	had  walked
}

// NewImport returns an Import that takes objects from next. Each is used before
// the next one is asked for.
func (s *Store) NewImport(next func() ([]byte, error)) *Import {
	return &Import{s: s, next: next, had: walked{}}
}

// Known says that a heap that the store has is not part of what is handed over.
func (m *Import) Known(id swing.Hash) error {
	known := m.s.NewExport(func([]byte) error { return nil })
	known.had = m.had
	return known.Heap(id)
}

// Heap stores a heap, and every part of it before what names it.
func (m *Import) Heap(id swing.Hash) error {
	if err := m.s.boundUnsealed(); err != nil {
		return fmt.Errorf("import snapshot %s…: %w", id.Short(), err)
	}
	s := m.s
	s.world.RLock()
	defer s.world.RUnlock()
	if m.had.met(classHeap, id) {
		return nil
	}
	c := borrow()
	defer giveBack(c)
	if err := m.heap(id, c); err != nil {
		return fmt.Errorf("import snapshot %s…: %w", id.Short(), err)
	}
	return nil
}

func (m *Import) heap(id swing.Hash, c *scratch) error {
	object, err := m.take(classHeap, id, c)
	if err != nil {
		return err
	}
	h, err := swing.DecodeHeap(object)
	if err == nil && len(object) > heapObjectBytesMax {
		err = fmt.Errorf("%w: a heap object of %d bytes", ErrTooLarge, len(object))
	}
	if err == nil {
		err = m.s.checkSize(&h)
	}
	if err != nil {
		return err
	}
	w := walk{s: m.s, c: c, pages: h.Size / swing.PageBytes}
	if err := m.tree(&w, treeDepth, 0, h.Pages); err != nil {
		return err
	}
	return m.store(kindHeap, id, swing.AppendHeap(nil, h))
}

// tree stores a subtree. It calls itself at most treeDepth deep.
func (m *Import) tree(w *walk, level int, i uint32, hash swing.Hash) error {
	cl := classAt(level)
	if hash.IsZero() {
		return nil
	}
	if err := w.inside(level, i, hash); err != nil {
		return err
	}
	if m.had.met(cl, hash) {
		return nil
	}
	object, err := m.take(cl, hash, w.c)
	if err != nil {
		return err
	}
	if level == 0 {
		kind, body := w.c.compress(object, w.c.packed)
		return m.store(kind, hash, body)
	}
	object = slices.Clone(object) // the next one takes its place
	n, err := decodeNode(object)
	if err != nil {
		return err
	}
	for child := range n {
		if err := m.tree(w, level-1, i*fanOut+uint32(child), n[child]); err != nil {
			return err
		}
	}
	return m.store(kindNode, hash, object)
}

// take asks for the object that is due, and verifies it.
func (m *Import) take(cl class, hash swing.Hash, c *scratch) ([]byte, error) {
	object, err := m.next()
	if err != nil {
		return nil, err
	}
	if cl == classPage && len(object) != swing.PageBytes {
		return nil, fmt.Errorf("%w: a page of %d bytes", ErrCorrupt, len(object))
	}
	if c.digest(cl, object) != hash {
		return nil, fmt.Errorf("%w: %v %s…: %w", ErrCorrupt, cl, hash.Short(), errDigest)
	}
	if err := checkObject(cl, object); err != nil {
		return nil, fmt.Errorf("%w: %v %s…: %w", ErrCorrupt, cl, hash.Short(), err)
	}
	return object, nil
}

func (m *Import) store(kind byte, hash swing.Hash, body []byte) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if err := m.s.usableForWrite(); err != nil {
		return err
	}
	_, err := m.s.put(object{kind: kind, hash: hash, body: body})
	return err
}

// Stored returns the heap of that ID as it is stored. Of its memory it reads nothing.
func (s *Store) Stored(id swing.Hash) (swing.Heap, error) {
	s.world.RLock()
	defer s.world.RUnlock()
	if err := s.usable(); err != nil {
		return swing.Heap{}, err
	}
	c := borrow()
	defer giveBack(c)
	w := walk{s: s, c: c}
	return w.heap(id)
}
