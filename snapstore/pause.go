package snapstore

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"vatwarehouse/swing"
)

// Segment is bytes that a program's memory starts with.
type Segment struct {
	Address uint64
	Data    []byte
}

// Genesis makes and commits the image of a program that is born: zero memory
// with the segments written over it in order. Of h, Pages is ignored. The image
// is pinned; if there is one of that heap already, it is pinned and returned. It
// is not durable before Sync.
func (s *Store) Genesis(h swing.Heap, segments []Segment) (*Image, Info, error) {
	if err := s.boundUnsealed(); err != nil {
		return nil, Info{}, fmt.Errorf("make genesis image of %s…: %w", h.Program.Short(), err)
	}
	s.world.RLock()
	defer s.world.RUnlock()
	img, err := s.genesis(h, segments)
	if err != nil {
		return nil, Info{}, fmt.Errorf("make genesis image of %s…: %w", h.Program.Short(), err)
	}
	info, err := s.commit(img)
	if err != nil {
		img.Release()
		return nil, Info{}, fmt.Errorf("commit genesis image of %s…: %w", h.Program.Short(), err)
	}
	return s.shared(img), info, nil
}

// shared pins an image that was committed just now, or another of its ID if there is one,
// and returns it, acquired, in exchange.
func (s *Store) shared(img *Image) *Image {
	s.mu.Lock()
	if len(s.images.byID[img.id]) > 1 {
		s.images.drop(img)
		defer s.removeImages([]*Image{img})
		img = s.images.acquire(img.id)
	}
	img.pinned = true
	s.mu.Unlock()
	return img
}

func (s *Store) genesis(h swing.Heap, segments []Segment) (*Image, error) {
	if err := errors.Join(s.writable(), s.checkSize(&h)); err != nil {
		return nil, err
	}
	for _, g := range segments {
		if n := uint64(len(g.Data)); n > h.Size || g.Address > h.Size-n {
			return nil, fmt.Errorf(
				"a segment of %d bytes at %d in %d bytes of memory",
				n,
				g.Address,
				h.Size,
			)
		}
	}
	img, err := s.newImage(h)
	if err != nil {
		return nil, err
	}
	for _, g := range segments {
		if err = img.writeSegment(g); err != nil {
			break
		}
	}
	if err == nil {
		err = s.admit(img)
	}
	if err != nil {
		return nil, errors.Join(err, s.removeFile(img.file, img.name))
	}
	return img, nil
}

func (img *Image) writeSegment(g Segment) error {
	const pieceBytes = writePages * swing.PageBytes
	for at, rest := g.Address, g.Data; len(rest) > 0; {
		n := min(uint64(len(rest)), pieceBytes-at%pieceBytes)
		if _, err := img.file.WriteAt(rest[:n], int64(at)); err != nil {
			return err
		}
		for i := at / swing.PageBytes; i*swing.PageBytes < at+n; i++ {
			img.pending.add(uint32(i))
		}
		at, rest = at+n, rest[n:]
	}
	return nil
}

// Pause brings an image up to date: h is the vat's heap now, of which Pages is
// ignored, and dirty the pages that differ from the image, ascending. It keeps
// nothing of dirty. The caller's image is used up, unless Pause fails; the one
// returned takes its place.
//
// The image is written in place if the caller is its only user and it is not
// pinned: then only pages in dirty are written, and the file may become longer.
// Otherwise a copy is made, and no other user sees a byte change. If writing in
// place fails, the image is broken: it can only be released.
//
// Nothing of it is durable, nor found by an ID, before Commit.
func (s *Store) Pause(img *Image, h swing.Heap, dirty []swing.Page) (*Image, error) {
	if err := s.checkSize(&h); err != nil {
		return nil, fmt.Errorf("pause heap: %w", err)
	}
	checkDirty(&h, dirty)
	img.mu.Lock()
	defer img.mu.Unlock()
	if img.broken != nil {
		return nil, fmt.Errorf("pause heap: %w", img.broken)
	}
	c := borrow()
	defer giveBack(c)
	alone, err := s.takeAlone(img, h)
	switch {
	case err != nil:
	case alone:
		if err = img.update(h.Size, dirty, c); err != nil {
			img.broken = fmt.Errorf("image %s is broken: %w", img.name, err)
		}
	default:
		img, err = s.diverge(img, h, dirty, c)
	}
	if err != nil {
		return nil, fmt.Errorf("pause heap: %w", err)
	}
	return img, nil
}

// checkDirty panics unless the pages are ascending, whole and inside the heap.
func checkDirty(h *swing.Heap, dirty []swing.Page) {
	least := uint64(0)
	for _, p := range dirty {
		i := uint64(p.Index)
		if i < least || (i+1)*swing.PageBytes > h.Size || len(p.Data) != swing.PageBytes {
			panic(
				fmt.Sprintf(
					"snapstore: dirty page %d of %d bytes, at least %d is due, heap of %d bytes",
					i,
					len(p.Data),
					least,
					h.Size,
				),
			)
		}
		least = i + 1
	}
}

// takeAlone reports whether the image may be written in place, and if so makes
// it the heap h, which no ID finds. The two are one step: between them somebody
// could acquire the image by its ID, and then see the bytes change.
func (s *Store) takeAlone(img *Image, h swing.Heap) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, ErrClosed
	case img.users == 0:
		panic(fmt.Sprintf("snapstore: pause image %s, which is released", img.name))
	case img.users > 1 || img.pinned:
		return false, nil
	}
	if img.committed {
		s.images.forget(img)
	}
	img.heap, img.committed = h, false
	img.heap.Globals = slices.Clone(h.Globals)
	return true, nil
}

// update writes dirty pages in place; img.mu is held.
func (img *Image) update(size uint64, dirty []swing.Page, c *scratch) error {
	if err := img.resize(size); err != nil {
		return err
	}
	for _, p := range dirty {
		img.pending.add(p.Index)
	}
	for len(dirty) > 0 {
		n := 1
		for n < len(dirty) && n < writePages && dirty[n].Index == dirty[0].Index+uint32(n) {
			n++
		}
		run := dirty[0].Data
		if n > 1 {
			run = c.run[:0]
			for _, p := range dirty[:n] {
				run = append(run, p.Data...)
			}
		}
		if _, err := img.file.WriteAt(run, int64(dirty[0].Index)*swing.PageBytes); err != nil {
			return err
		}
		dirty = dirty[n:]
	}
	return nil
}

// diverge returns a new image, base's memory with dirty pages over it, and
// releases base; base.mu is held. A shared image is committed, but a pinned one
// need not be: what is pending in it is pending in the copy.
func (s *Store) diverge(base *Image, h swing.Heap, dirty []swing.Page, c *scratch) (*Image, error) {
	img, err := s.newImage(h)
	if err != nil {
		return nil, err
	}
	img.tree, img.healed = base.tree.clone(), base.healed
	img.tree.grow(int(h.Size / swing.PageBytes))
	img.pending.addAll(&base.pending)
	if err = img.copyFrom(base, c); err == nil {
		err = img.update(h.Size, dirty, c)
	}
	if err == nil {
		err = s.admit(img)
	}
	if err != nil {
		return nil, errors.Join(err, s.removeFile(img.file, img.name))
	}
	base.Release()
	return img, nil
}

// copyFrom copies the pages of base that are not known to be zero.
func (img *Image) copyFrom(base *Image, c *scratch) error {
	pages := base.tree.levels[0]
	zero := func(i int) bool { return pages[i].IsZero() && !base.pending.has(uint32(i)) }
	for i := 0; i < len(pages); {
		n := 0
		for i+n < len(pages) && n < writePages && !zero(i+n) {
			n++
		}
		if n == 0 {
			i++
			continue
		}
		run := c.run[:n*swing.PageBytes]
		if got, err := base.file.ReadAt(run, int64(i)*swing.PageBytes); got < len(run) {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		if _, err := img.file.WriteAt(run, int64(i)*swing.PageBytes); err != nil {
			return err
		}
		i += n
	}
	return nil
}
