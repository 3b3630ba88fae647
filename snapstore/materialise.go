package snapstore

import (
	"errors"
	"fmt"

	"vatwarehouse/swing"
)

// walk reads a stored heap whole and verifies it. The functions, if set, see
// what it finds.
type walk struct {
	s     *Store
	c     *scratch
	pages uint64 // of the heap's memory
	node  func(level int, i uint32, hash swing.Hash)
	page  func(i uint32, hash swing.Hash, content []byte) error
}

// heap reads the heap object and checks it against the limits, before anything
// is allocated on its word.
func (w *walk) heap(id swing.Hash) (swing.Heap, error) {
	object, _, err := w.s.read(classHeap, id, w.c)
	if err != nil {
		return swing.Heap{}, err
	}
	h, err := swing.DecodeHeap(object)
	if err != nil {
		return swing.Heap{}, fmt.Errorf("%w: heap %s…: %w", ErrCorrupt, id.Short(), err)
	}
	w.pages = h.Size / swing.PageBytes
	return h, w.s.checkSize(&h)
}

// tree reads the subtree at a position of a level. It calls itself at most
// treeDepth deep.
func (w *walk) tree(level int, i uint32, hash swing.Hash) error {
	if hash.IsZero() {
		return nil
	}
	if err := w.inside(level, i, hash); err != nil {
		return err
	}
	if level == 0 {
		return w.leaf(i, hash)
	}
	object, _, err := w.s.read(classNode, hash, w.c)
	if err != nil {
		return err
	}
	n, err := decodeNode(object)
	if err != nil {
		return fmt.Errorf("%w: node %s…: %w", ErrCorrupt, hash.Short(), err)
	}
	if w.node != nil {
		w.node(level, i, hash)
	}
	for child := range n {
		if err := w.tree(level-1, i*fanOut+uint32(child), n[child]); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(i uint32, hash swing.Hash) error {
	content, _, err := w.s.read(classPage, hash, w.c)
	if err != nil {
		return fmt.Errorf("page %d: %w", i, err)
	}
	if w.page == nil {
		return nil
	}
	return w.page(i, hash, content)
}

// VerifyHeap reads every byte of one snapshot from the packs and verifies it.
// It fails as Image does.
func (s *Store) VerifyHeap(id swing.Hash) error {
	s.world.RLock()
	defer s.world.RUnlock()
	if err := s.usable(); err != nil {
		return err
	}
	c := borrow()
	defer giveBack(c)
	w := walk{s: s, c: c}
	h, err := w.heap(id)
	if err == nil {
		err = w.tree(treeDepth, 0, h.Pages)
	}
	if err != nil {
		return fmt.Errorf("verify snapshot %s…: %w", id.Short(), err)
	}
	return nil
}

// materialise makes the image of a heap from the packs; the world is held.
func (s *Store) materialise(id swing.Hash) (*Image, error) {
	c := borrow()
	defer giveBack(c)
	w := walk{s: s, c: c}
	h, err := w.heap(id)
	if err != nil {
		return nil, err
	}
	img, err := s.newImage(h)
	if err != nil {
		return nil, err
	}
	out := newPageWriter(img, c)
	w.node = func(level int, i uint32, hash swing.Hash) { img.tree.levels[level][i] = hash }
	w.page = func(i uint32, hash swing.Hash, content []byte) error {
		img.tree.present += img.tree.setPage(i, hash)
		return out.write(i, content)
	}
	err = w.tree(treeDepth, 0, h.Pages)
	if err == nil {
		err = out.flush()
	}
	if err == nil {
		err = s.admit(img)
	}
	if err != nil {
		return nil, errors.Join(err, s.removeFile(img.file, img.name))
	}
	return s.settleMade(img, id), nil
}

// settleMade makes a materialised image the one of its ID, or returns the one
// that somebody else made meanwhile.
func (s *Store) settleMade(img *Image, id swing.Hash) *Image {
	s.mu.Lock()
	s.counts.materialised++
	other := s.images.acquire(id)
	if other == nil {
		s.commitAs(img, id)
		s.mu.Unlock()
		return img
	}
	s.images.drop(img)
	s.mu.Unlock()
	s.removeImages([]*Image{img})
	return other
}

// commitAs notes that an image is the committed heap id; mu is held.
func (s *Store) commitAs(img *Image, id swing.Hash) {
	img.id, img.committed = id, true
	img.bytes = int64(img.tree.present) * swing.PageBytes
	s.images.remember(img)
}

// pageWriter writes ascending pages to an image, contiguous ones together.
type pageWriter struct {
	img   *Image
	buf   []byte
	start int64 // the address of buf
}

func newPageWriter(img *Image, c *scratch) *pageWriter {
	return &pageWriter{img: img, buf: c.run[: 0 : writePages*swing.PageBytes]}
}

func (w *pageWriter) write(i uint32, content []byte) error {
	at := int64(i) * swing.PageBytes
	if at != w.start+int64(len(w.buf)) || len(w.buf) == cap(w.buf) {
		if err := w.flush(); err != nil {
			return err
		}
		w.start = at
	}
	w.buf = append(w.buf, content...)
	return nil
}

func (w *pageWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.img.file.WriteAt(w.buf, w.start)
	w.buf = w.buf[:0]
	return err
}
