package snapstore

import (
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/swing"
)

// mark marks what is reachable and not marked yet.
func (c *collection) mark() error {
	images, heaps := c.roots()
	c.stats.Roots = len(images) + len(heaps)
	for _, img := range images {
		c.markImage(img)
	}
	for _, id := range heaps {
		if err := c.markHeap(id); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) roots() (images []*Image, heaps []swing.Hash) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	images, heaps = s.images.sorted(), slices.Clone(c.live)
	s.index.each(func(e *entry) {
		if e.class == classHeap && e.flags&(flagNew|flagAged) != 0 {
			heaps = append(heaps, e.hash)
		}
	})
	return images, heaps
}

// markImage marks what an image's tree names, from memory: its nodes may be
// damaged on disk, and the next commit of the image relies on what is under them.
func (c *collection) markImage(img *Image) {
	img.mu.Lock()
	defer img.mu.Unlock()
	for level := range img.tree.levels {
		cl := classNode
		if level == 0 {
			cl = classPage
		}
		for part := range slices.Chunk(img.tree.levels[level], markChunk) {
			c.markAll(cl, part)
		}
	}
	c.s.mu.Lock()
	id, committed := img.id, img.committed
	c.s.mu.Unlock()
	if committed {
		c.markAll(classHeap, []swing.Hash{id})
	}
}

// markChunk is how many objects are marked while others wait.
const markChunk = 512

func (c *collection) markAll(cl class, hashes []swing.Hash) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for i := range hashes {
		if !hashes[i].IsZero() {
			c.s.markEntry(cl, &hashes[i])
		}
	}
}

// markEntry marks an object. It reports whether the object is stored, and
// whether it was not marked before; mu is held.
func (s *Store) markEntry(cl class, hash *swing.Hash) (stored, fresh bool) {
	e := s.index.find(cl, hash)
	if e == nil {
		return false, false
	}
	fresh = e.flags&flagMarked == 0
	e.flags |= flagMarked
	return true, fresh
}

// visit marks an object and returns its bytes, or nil if there is nothing to
// follow: it was marked before, it is a page, or it is damaged.
func (c *collection) visit(cl class, hash swing.Hash) ([]byte, error) {
	c.s.mu.Lock()
	stored, fresh := c.s.markEntry(cl, &hash)
	c.s.mu.Unlock()
	if !stored {
		return nil, c.note(hash, fmt.Errorf("%v: %w", cl, ErrNotFound))
	}
	if !fresh || cl == classPage {
		return nil, nil
	}
	object, _, err := c.s.read(cl, hash, c.c)
	if err != nil {
		return nil, c.note(hash, err)
	}
	return object, nil
}

func (c *collection) markHeap(id swing.Hash) error {
	object, err := c.visit(classHeap, id)
	if object == nil || err != nil {
		return err
	}
	h, err := swing.DecodeHeap(object)
	if err != nil {
		return err
	}
	return c.markTree(treeDepth, h.Pages)
}

// markTree marks a subtree. It calls itself at most treeDepth deep.
func (c *collection) markTree(level int, hash swing.Hash) error {
	if hash.IsZero() {
		return nil
	}
	cl := classNode
	if level == 0 {
		cl = classPage
	}
	object, err := c.visit(cl, hash)
	if object == nil || err != nil {
		return err
	}
	n, err := decodeNode(object)
	if err != nil {
		return err
	}
	for i := range n {
		if err := c.markTree(level-1, n[i]); err != nil {
			return err
		}
	}
	return nil
}

// note lists damage, and passes on what is not damage but a failure to read.
func (c *collection) note(object swing.Hash, err error) error {
	if !damaged(err) {
		return err
	}
	f := &Fault{Object: object, Problem: err.Error()}
	errors.As(err, &f)
	known := func(other Fault) bool { return other.Object == object }
	if !slices.ContainsFunc(c.faults, known) {
		c.faults.add(f)
	}
	return nil
}
