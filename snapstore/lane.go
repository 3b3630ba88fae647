package snapstore

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"vatwarehouse/swing"
)

const (
	// batchPages is how many pages a lane takes at a time, at the least: some
	// 0.2 ms of work, against the 10 µs that starting a lane takes.
	batchPages = 48
	// batchLevels is how many levels of nodes a batch has to itself. One more
	// would leave one lane all the work where 512 pages in a row are written.
	batchLevels = 2
	// lanesMax is how many lanes a commit has. Commits run beside deliveries, and
	// one page in 4 µs and lane is as fast as a disk takes them.
	lanesMax = 4
)

// lane is the part of a commit's work that one goroutine does. Of the image's
// tree it writes its own batches' pages and the nodes over them.
type lane struct {
	s       *Store
	img     *Image
	c       *scratch
	info    Info // what this lane stored
	present int  // what the tree's count of pages is to grow by
	objects []object
}

// batchesOf cuts ascending pages into batches, none of which shares a node with
// another.
func batchesOf(list []uint32) (batches [][]uint32) {
	start := 0
	for i := range list {
		const under = fanOutBits * batchLevels
		if i+1 < len(list) && (i+1-start < batchPages || list[i]>>under == list[i+1]>>under) {
			continue
		}
		batches = append(batches, list[start:i+1])
		start = i + 1
	}
	return batches
}

// work stores batches until none is left that no lane has taken.
func (l *lane) work(batches [][]uint32, next *atomic.Int64) error {
	for {
		n := int(next.Add(1)) - 1
		if n >= len(batches) {
			return nil
		}
		if err := l.storeBatch(batches[n]); err != nil {
			next.Store(int64(len(batches))) // the others need not go on
			return err
		}
	}
}

// storeBatch stores pages, and the nodes over them that no other batch has.
func (l *lane) storeBatch(list []uint32) error {
	for part := range slices.Chunk(list, batchPages) {
		l.objects = l.objects[:0]
		if err := l.gatherPages(part); err != nil {
			return err
		}
		l.objects = l.s.absent(l.objects)
		l.compressPages()
		if err := l.store(l.objects); err != nil {
			return err
		}
	}
	above := make([]uint32, 0, len(list)) // the list is needed again
	for level := 1; level <= batchLevels; level++ {
		list = parents(above, list)
		if err := l.storeNodes(level, list); err != nil {
			return err
		}
	}
	return nil
}

// storeNodes stores the nodes of one level.
func (l *lane) storeNodes(level int, list []uint32) error {
	for batch := range slices.Chunk(list, batchPages) {
		l.objects = l.objects[:0]
		for _, i := range batch {
			l.gatherNode(level, i)
		}
		if err := l.store(l.objects); err != nil {
			return err
		}
	}
	return nil
}

// gatherPages reads the pages back from the image, and gathers those that are not
// zero.
func (l *lane) gatherPages(list []uint32) error {
	for n, i := range list {
		page := l.c.run[n*swing.PageBytes : (n+1)*swing.PageBytes]
		at := int64(i) * swing.PageBytes
		if l.img.mapped != nil {
			page = l.img.mapped[at : at+swing.PageBytes]
		} else if got, err := l.img.file.ReadAt(page, at); got < len(page) {
			err = errors.Join(err, io.ErrUnexpectedEOF)
			return fmt.Errorf("read image %s: %w", l.img.name, err)
		}
		l.gatherPage(i, page)
	}
	return nil
}

func (l *lane) gatherPage(i uint32, page []byte) {
	if isZero(page) {
		l.present += l.img.tree.setPage(i, swing.Hash{})
		return
	}
	hash := swing.SumPage(page)
	l.present += l.img.tree.setPage(i, hash)
	l.objects = append(l.objects, object{kindPageRaw, hash, page, len(page)})
}

// compressPages compresses what is gathered, which is pages.
func (l *lane) compressPages() {
	packed := l.c.packed
	for n := range l.objects {
		o := &l.objects[n]
		if o.kind, o.body = l.s.pack(l.c, o.body, packed); o.kind == kindPageLZ4 {
			packed = packed[len(o.body):]
		}
	}
}

func (l *lane) gatherNode(level int, i uint32) {
	t, c := &l.img.tree, l.c
	if len(l.objects) == 0 || l.objects[len(l.objects)-1].kind != kindNode {
		c.body = c.body[:0]
	}
	start := len(c.body)
	c.body = appendNode(slices.Grow(c.body, nodeBytesMax), t.children(level, i))
	body := c.body[start:]
	if len(body) == 0 {
		t.levels[level][i] = swing.Hash{}
		return
	}
	hash := c.digest(classNode, body)
	t.levels[level][i] = hash
	l.objects = append(l.objects, object{kindNode, hash, body, len(body)})
}

// storeOne is store for one object.
func (l *lane) storeOne(o object) error { return l.store([]object{o}) }

// store stores objects and counts them.
func (l *lane) store(objects []object) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.index.warm(objects)
	for _, o := range objects {
		n, err := l.s.put(o)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if cl, _ := classOf(o.kind); cl == classPage {
			l.info.NewPages++
		}
		l.info.RawBytes += int64(o.raw)
		l.info.StoredBytes += int64(n)
	}
	return nil
}
