package snapstore

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/pierrec/lz4/v4"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// Kinds of frames in packs and index files.
const (
	kindPackHeader  = 1
	kindPageRaw     = 2
	kindPageLZ4     = 3
	kindNode        = 4
	kindHeap        = 5
	kindIndexHeader = 6
	kindEntries     = 7
)

const (
	// recordHeadBytes precede an object's bytes in a record.
	recordHeadBytes = frame.HeaderBytes + swing.HashBytes
	// recordBytesMax bounds a record. Of all objects only a heap with thousands
	// of globals could exceed it.
	recordBytesMax = 1<<16 - 1
	// heapObjectBytesMax bounds an encoded heap.
	heapObjectBytesMax = recordBytesMax - recordHeadBytes
)

// record is one decoded record of a pack. Body aliases the bytes it came from.
type record struct {
	kind  byte
	hash  swing.Hash
	body  []byte
	seed  uint32
	check uint32
}

func (r record) bytes() int { return recordHeadBytes + len(r.body) }

// classOf returns the class of the objects in records of a kind, and whether
// there is one.
func classOf(kind byte) (class, bool) {
	switch kind {
	case kindPageRaw, kindPageLZ4:
		return classPage, true
	case kindNode:
		return classNode, true
	case kindHeap:
		return classHeap, true
	}
	return 0, false
}

// checkBody returns why the length of a record's body is wrong for its kind, or nil.
func checkBody(kind byte, body []byte) error {
	n := len(body)
	ok := false
	switch kind {
	case kindPageRaw:
		ok = n == swing.PageBytes
	case kindPageLZ4:
		ok = n > 0 && n < swing.PageBytes
	case kindNode:
		ok = n > nodeMaskBytes && n <= nodeBytesMax
	case kindHeap:
		ok = n > 0 && n <= heapObjectBytesMax
	default:
		return fmt.Errorf("a frame of kind %d", kind)
	}
	if !ok {
		return fmt.Errorf("a body of %d bytes in a record of kind %d", n, kind)
	}
	return nil
}

// decodeRecord returns the record that b starts with. It checks the frame and
// the length, not the object's digest: see scratch.content.
func decodeRecord(b []byte) (record, error) {
	f, err := frame.Decode(b)
	if err != nil {
		return record{}, err
	}
	if len(f.Body) < swing.HashBytes {
		return record{}, fmt.Errorf("a record of %d bytes without a hash", len(f.Body))
	}
	r := record{
		kind: f.Kind, hash: swing.Hash(f.Body[:swing.HashBytes]), body: f.Body[swing.HashBytes:],
		seed: f.Seed, check: f.Check,
	}
	return r, checkBody(r.kind, r.body)
}

// Digest domains. That of heaps is the one swing.Heap.ID uses, which cannot be
// called here: it makes a hasher for each heap, at the cost of hashing a page.
const (
	nodeDomain = "heap node"
	heapDomain = "vatwarehouse heap"
)

const (
	// writePages is how many are written at once. The page cache keeps what one
	// write brings in one piece, and ext4 goes through all of a piece when a page
	// of it is written again: one page costs 0.8 µs after writes of 1 page, 1.1
	// after 8, 2.6 after 64 and 6.4 after 1024 (64 MiB file, Linux 6.18).
	writePages = 8
)

// scratch is the memory that one call works in, used again by later calls.
type scratch struct {
	lz4    lz4.Compressor
	nodes  *swing.Hasher
	heaps  *swing.Hasher
	packed []byte // compressed pages
	page   []byte // a decompressed page
	record []byte // a record as read
	body   []byte // objects as encoded
	run    []byte // pages of an image, batchPages of them
	list   []uint32
}

func newScratch() any {
	return &scratch{
		nodes:  swing.NewHasher(nodeDomain),
		heaps:  swing.NewHasher(heapDomain),
		packed: make([]byte, batchPages*lz4.CompressBlockBound(swing.PageBytes)),
		page:   make([]byte, swing.PageBytes),
		run:    make([]byte, batchPages*swing.PageBytes),
	}
}

// scratches are those that are lent. They are of no Store: the runtime would keep all that
// a pool is part of until it has collected twice.
var scratches = sync.Pool{New: newScratch}

func borrow() *scratch { return scratches.Get().(*scratch) }

func giveBack(c *scratch) { scratches.Put(c) }

// digest returns the name of an object of the class.
func (c *scratch) digest(cl class, object []byte) swing.Hash {
	h := c.nodes
	switch cl {
	case classPage:
		return swing.SumPage(object)
	case classHeap:
		h = c.heaps
	}
	h.Reset()
	h.Add(object)
	return h.Sum()
}

// compress returns the record kind and body that a page is stored as: the body
// is the start of dst, or the page.
func (c *scratch) compress(page, dst []byte) (kind byte, body []byte) {
	n, err := c.lz4.CompressBlock(page, dst)
	if err != nil {
		panic(fmt.Sprintf("snapstore: %d bytes do not fit %d compressed: %v",
			len(page), len(dst), err))
	}
	if n == 0 || n >= swing.PageBytes {
		return kindPageRaw, page
	}
	return kindPageLZ4, dst[:n]
}

// pack returns what a page is stored as by this store: see compress.
func (s *Store) pack(c *scratch, page, dst []byte) (kind byte, body []byte) {
	if s.o.Uncompressed {
		return kindPageRaw, page
	}
	return c.compress(page, dst)
}

var zeroPage [swing.PageBytes]byte

func isZero(page []byte) bool { return bytes.Equal(page, zeroPage[:]) }

var (
	errDigest   = errors.New("the bytes do not have the digest they are stored under")
	errZeroPage = errors.New("an all-zero page is stored")
)

// content returns the object of a record, verified: the page decompressed, or
// the encoded node or heap. It aliases the record or c.
func (c *scratch) content(r record) ([]byte, error) {
	object := r.body
	if r.kind == kindPageLZ4 {
		n, err := lz4.UncompressBlock(r.body, c.page)
		if err != nil {
			return nil, fmt.Errorf("a compressed page: %w", err)
		}
		if object = c.page[:n]; n != swing.PageBytes {
			return nil, fmt.Errorf("a page of %d bytes", n)
		}
	}
	cl, _ := classOf(r.kind)
	if c.digest(cl, object) != r.hash {
		return nil, errDigest
	}
	return object, checkObject(cl, object)
}

// checkObject returns why an object is not one that a commit stores, or nil.
func checkObject(cl class, object []byte) (err error) {
	switch cl {
	case classPage:
		if isZero(object) {
			err = errZeroPage
		}
	case classNode:
		_, err = decodeNode(object)
	case classHeap:
		_, err = swing.DecodeHeap(object)
	}
	return err
}
