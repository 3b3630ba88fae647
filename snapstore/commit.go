package snapstore

import (
	"errors"
	"fmt"
	"io"

	"vatwarehouse/swing"
)

// Info says what a commit did.
type Info struct {
	ID          swing.Hash // of the heap
	Pages       int        // pages hashed: those written since the last commit
	NewPages    int        // of these, stored now; the others were there, or are zero
	RawBytes    int64      // what was stored now, pages, nodes and heap, uncompressed
	StoredBytes int64      // what the packs grew by
}

// Commit stores what an image has that the store has not, and makes the image
// the one of the heap's ID. It is durable after Sync.
//
// It may run on another goroutine than calls for other images, and than Image
// calls for any. Calls for the same image wait for each other: a Pause in place
// waits for the Commit. The caller keeps the image acquired until Commit returns.
//
// That an object is stored is taken from the index, not by reading it: see
// "What is trusted" in the package comment.
func (s *Store) Commit(img *Image) (Info, error) {
	if err := s.boundUnsealed(); err != nil {
		return Info{}, fmt.Errorf("commit heap: %w", err)
	}
	s.world.RLock()
	defer s.world.RUnlock()
	info, err := s.commit(img)
	if err != nil {
		return Info{}, fmt.Errorf("commit heap: %w", err)
	}
	return info, nil
}

// boundUnsealed syncs if too many packs wait for it.
func (s *Store) boundUnsealed() error {
	s.mu.Lock()
	n := len(s.unsealed)
	s.mu.Unlock()
	if n < unsealedPacksMax {
		return nil
	}
	return s.Sync()
}

// commit is Commit with the world held.
func (s *Store) commit(img *Image) (Info, error) {
	img.mu.Lock()
	defer img.mu.Unlock()
	s.mu.Lock()
	err := errors.Join(s.usableForWrite(), img.broken)
	heap, id, committed := img.heap, img.id, img.committed
	s.mu.Unlock()
	if err != nil {
		return Info{}, err
	}
	c := s.borrow()
	defer s.giveBack(c)
	job := commitJob{s: s, img: img, c: c, info: Info{ID: id}}
	if err := job.heal(&heap, committed); err != nil || committed {
		return job.info, err
	}
	if err := job.run(&heap); err != nil {
		return Info{}, err
	}
	img.pending.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.commits++
	img.heap = heap
	s.commitAs(img, job.info.ID)
	return job.info, nil
}

// commitJob is the work of one commit. If it fails halfway the pages are still
// pending, so that it can be done again from the start: for this the nodes over
// every pending page are made anew, changed or not.
type commitJob struct {
	s    *Store
	img  *Image
	c    *scratch
	info Info
}

// run stores bottom up: an object is stored after all that it names.
func (j *commitJob) run(heap *swing.Heap) error {
	list := j.img.pending.appendTo(j.c.list[:0])
	j.c.list = list[:0]
	if err := j.storePages(list); err != nil {
		return err
	}
	for level := 1; level <= treeDepth; level++ {
		list = parents(list)
		for _, i := range list {
			if err := j.storeNode(level, i); err != nil {
				return err
			}
		}
	}
	heap.Pages = j.img.tree.root()
	return j.storeHeap(heap)
}

// storePages reads the pages back from the image, contiguous ones together.
func (j *commitJob) storePages(list []uint32) error {
	j.info.Pages = len(list)
	for len(list) > 0 {
		n := 1
		for n < len(list) && n < readPages && list[n] == list[0]+uint32(n) {
			n++
		}
		run := j.c.run[:n*swing.PageBytes]
		at := int64(list[0]) * swing.PageBytes
		if got, err := j.img.file.ReadAt(run, at); got < len(run) {
			return fmt.Errorf(
				"read image %s: %w",
				j.img.name,
				errors.Join(err, io.ErrUnexpectedEOF),
			)
		}
		for k, i := range list[:n] {
			if err := j.storePage(i, run[k*swing.PageBytes:(k+1)*swing.PageBytes]); err != nil {
				return err
			}
		}
		list = list[n:]
	}
	return nil
}

func (j *commitJob) storePage(i uint32, page []byte) error {
	if isZero(page) {
		j.img.tree.setPage(i, swing.Hash{})
		return nil
	}
	hash := swing.SumPage(page)
	j.img.tree.setPage(i, hash)
	if j.s.has(classPage, &hash) {
		return nil
	}
	kind, body := j.c.compress(page)
	stored, err := j.put(kind, hash, body, len(page))
	if stored {
		j.info.NewPages++
	}
	return err
}

// put stores an object and counts it.
func (j *commitJob) put(kind byte, hash swing.Hash, body []byte, raw int) (bool, error) {
	n, err := j.s.put(kind, hash, body)
	if n == 0 {
		return false, err
	}
	j.info.RawBytes += int64(raw)
	j.info.StoredBytes += int64(n)
	return true, nil
}

func (j *commitJob) storeNode(level int, i uint32) error {
	t, c := &j.img.tree, j.c
	c.body = appendNode(c.body[:0], t.children(level, i))
	if len(c.body) == 0 {
		t.levels[level][i] = swing.Hash{}
		return nil
	}
	hash := c.digest(classNode, c.body)
	t.levels[level][i] = hash
	_, err := j.put(kindNode, hash, c.body, len(c.body))
	return err
}

func (j *commitJob) storeHeap(heap *swing.Heap) error {
	c := j.c
	c.body = swing.AppendHeap(c.body[:0], *heap)
	if len(c.body) > heapObjectBytesMax {
		return fmt.Errorf("%w: %d globals in %d bytes, limit %d",
			ErrTooLarge, len(heap.Globals), len(c.body), heapObjectBytesMax)
	}
	j.info.ID = c.digest(classHeap, c.body)
	_, err := j.put(kindHeap, j.info.ID, c.body, len(c.body))
	return err
}
