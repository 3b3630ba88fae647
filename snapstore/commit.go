package snapstore

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

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

// Commit stores what an image has that the store has not, and has the image be found
// by the heap's ID. It is durable after Sync.
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
	img.look(int64(heap.Size))
	c := borrow()
	defer giveBack(c)
	job := commitJob{lane{s: s, img: img, c: c, info: Info{ID: id}}}
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
	lane
}

// run stores bottom up: an object is stored after all that it names.
func (j *commitJob) run(heap *swing.Heap) error {
	list := j.img.pending.appendTo(j.c.list[:0])
	j.c.list = list[:0]
	j.info.Pages = len(list)
	if err := j.storeLeaves(list); err != nil {
		return err
	}
	for level := 1; level <= treeDepth; level++ {
		list = parents(list[:0], list)
		if level <= batchLevels {
			continue
		}
		if err := j.storeNodes(level, list); err != nil {
			return err
		}
	}
	heap.Pages = j.img.tree.root()
	return j.storeHeap(heap)
}

// storeLeaves stores pages, and batchLevels of nodes over them: in several lanes
// if there is work for them. That is most of a commit's work, and none of it
// depends on another batch's.
func (j *commitJob) storeLeaves(list []uint32) error {
	batches := batchesOf(list)
	lanes := make([]lane, min(len(batches), runtime.GOMAXPROCS(0), lanesMax))
	var next atomic.Int64
	var all errgroup.Group
	for n := range lanes {
		l := &lanes[n]
		*l = lane{s: j.s, img: j.img, c: j.c, objects: make([]object, 0, batchPages)}
		work := func() error { return l.work(batches, &next) }
		if n == len(lanes)-1 { // this goroutine's
			err := work()
			return errors.Join(err, j.join(lanes, &all))
		}
		l.c = borrow()
		all.Go(work)
	}
	return nil
}

// join waits for the lanes and adds up what they did.
func (j *commitJob) join(lanes []lane, all *errgroup.Group) error {
	err := all.Wait()
	for n := range lanes {
		l := &lanes[n]
		if l.c != j.c {
			giveBack(l.c)
		}
		j.info.NewPages += l.info.NewPages
		j.info.RawBytes += l.info.RawBytes
		j.info.StoredBytes += l.info.StoredBytes
		j.img.tree.present += l.present
	}
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
	return j.storeOne(object{kindHeap, j.info.ID, c.body, len(c.body)})
}
