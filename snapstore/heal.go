package snapstore

import (
	"errors"
	"fmt"
	"io"

	"vatwarehouse/swing"
)

// heal stores anew what the tree of an image names and the store has forgotten,
// because it was found damaged. It does nothing unless something was forgotten
// since the image was last looked at; img.mu is held. Without it every later
// snapshot of the vat would rest on bytes that nobody can read.
func (j *commitJob) heal(heap *swing.Heap, committed bool) error {
	s, img := j.s, j.img
	s.mu.Lock()
	forgotten := s.index.forgotten
	s.mu.Unlock()
	if img.healed == forgotten {
		return nil
	}
	for level := range img.tree.levels {
		for i, hash := range img.tree.levels[level] {
			if err := j.healObject(level, uint32(i), hash); err != nil {
				return err
			}
		}
	}
	if committed {
		if err := j.storeHeap(heap); err != nil {
			return err
		}
	}
	img.healed = forgotten
	return nil
}

func (j *commitJob) healObject(level int, i uint32, hash swing.Hash) error {
	if hash.IsZero() {
		return nil
	}
	if level == 0 {
		return j.healPage(i, hash)
	}
	if j.s.has(classNode, &hash) {
		return nil
	}
	// A node over a pending page may not be that of its children: it is about to
	// be made anew.
	c := j.c
	c.body = appendNode(c.body[:0], j.img.tree.children(level, i))
	if c.digest(classNode, c.body) != hash {
		return nil
	}
	return j.storeOne(object{kindNode, hash, c.body, len(c.body)})
}

// healPage stores one page from the image, if the image still has it.
func (j *commitJob) healPage(i uint32, hash swing.Hash) error {
	if j.img.pending.has(i) || j.s.has(classPage, &hash) {
		return nil
	}
	page := j.c.run[:swing.PageBytes]
	at := int64(i) * swing.PageBytes
	if got, err := j.img.file.ReadAt(page, at); got < len(page) {
		return fmt.Errorf("read image %s: %w", j.img.name, errors.Join(err, io.ErrUnexpectedEOF))
	}
	if swing.SumPage(page) != hash {
		return &Fault{File: j.img.name, Offset: at, Object: hash, Problem: errDigest.Error()}
	}
	kind, body := j.s.pack(j.c, page, j.c.packed)
	return j.storeOne(object{kind, hash, body, len(page)})
}
