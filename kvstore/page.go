package kvstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"slices"
)

// What bbolt's file format says (its version 2), so far as the audit needs it.
// bbolt writes its structures as they lie in memory, hence in native order.
const (
	// pageBytes is the size of a page in the files we make, on every machine.
	pageBytes       = 4096
	pageHeaderBytes = 16
	elementBytes    = 16
	bucketBytes     = 16

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	bucketElement = 0x01
	// countInBody is the count of a freelist whose true count is its first id.
	countInBody = 0xffff

	metaMagic   = 0xed0cdaed
	metaVersion = 2
	// metaBytes is the size of a meta page's record, check included.
	metaBytes = 64
	// metaPages is how many pages the smallest file has: two metas, freelist, root.
	metaPages = 4
)

var native = binary.NativeEndian

// page is a page and those that continue it.
type page []byte

func (p page) id() uint64       { return native.Uint64(p) }
func (p page) flags() uint16    { return native.Uint16(p[8:]) }
func (p page) count() int       { return int(native.Uint16(p[10:])) }
func (p page) overflow() uint32 { return native.Uint32(p[12:]) }

// is reports whether p is of the given kind, and large enough to be asked more.
func (p page) is(kind uint16) bool { return len(p) >= pageHeaderBytes && p.flags() == kind }

// sized returns p with n bytes, its content kept so far as it fits.
func (p page) sized(n int) page { return slices.Grow(p[:0], n)[:n] }

// cut returns size bytes of p at an offset, and false if they are not all there.
func (p page) cut(at, size uint64) ([]byte, bool) {
	if n := uint64(len(p)); at > n || size > n-at {
		return nil, false
	}
	return p[at : at+size : at+size], true
}

// leafElement is one element of a leaf.
type leafElement struct {
	bucket     bool
	key, value []byte
}

// leaf returns an element of a leaf, and false if it is not all in the page.
func (p page) leaf(i int) (e leafElement, ok bool) {
	at := uint64(pageHeaderBytes + i*elementBytes)
	b, ok := p.cut(at, elementBytes)
	if !ok || native.Uint32(b) > bucketElement {
		return e, false
	}
	e.bucket = native.Uint32(b) == bucketElement
	at += uint64(native.Uint32(b[4:]))
	keySize, valueSize := uint64(native.Uint32(b[8:])), uint64(native.Uint32(b[12:]))
	kv, ok := p.cut(at, keySize+valueSize)
	if !ok {
		return e, false
	}
	e.key, e.value = kv[:keySize:keySize], kv[keySize:]
	return e, true
}

// branchElement is one element of a branch.
type branchElement struct {
	key   []byte
	child uint64
}

// branch returns an element of a branch, and false if it is not all in the page.
func (p page) branch(i int) (e branchElement, ok bool) {
	at := uint64(pageHeaderBytes + i*elementBytes)
	b, ok := p.cut(at, elementBytes)
	if !ok {
		return e, false
	}
	e.key, ok = p.cut(at+uint64(native.Uint32(b)), uint64(native.Uint32(b[4:])))
	e.child = native.Uint64(b[8:])
	return e, ok
}

// freelist iterates over the ids in a freelist, and returns false if p is none
// or they are not all in it.
func (p page) freelist() (ids iter.Seq[uint64], ok bool) {
	if !p.is(freelistPage) {
		return nil, false
	}
	at, n := uint64(pageHeaderBytes), uint64(p.count())
	if n == countInBody {
		b, ok := p.cut(at, 8)
		if !ok {
			return nil, false
		}
		at, n = at+8, native.Uint64(b)
	}
	if n > uint64(len(p))/8 {
		return nil, false
	}
	list, ok := p.cut(at, 8*n)
	return func(yield func(uint64) bool) {
		for i := range n {
			if !yield(native.Uint64(list[8*i:])) {
				return
			}
		}
	}, ok
}

// readBucket returns the root page of a bucket, or 0 and the page itself where
// the bucket is small.
func readBucket(b []byte) (root uint64, inline page, ok bool) {
	if len(b) < bucketBytes {
		return 0, nil, false
	}
	root, inline = native.Uint64(b), b[bucketBytes:]
	return root, inline, root != 0 || len(inline) >= pageHeaderBytes
}

func readPage(f io.ReaderAt, p page, offset int64) error {
	if n, err := f.ReadAt(p, offset); n < len(p) {
		if errors.Is(err, io.EOF) {
			return corrupt(offset, "%d bytes where %d are due: cut short", n, len(p))
		}
		return fmt.Errorf("read at offset %d: %w", offset, err)
	}
	return nil
}

// meta is what a meta page says.
type meta struct {
	root     uint64 // page of the root bucket
	freelist uint64 // page of the freelist
	pages    uint64 // all pages lie below
	tx       uint64 // transaction that wrote it
}

// readMeta returns the newer of the two meta pages that can be read, as bbolt
// does, and whether one cannot. The file must have all the pages it speaks of.
func readMeta(f io.ReaderAt, size int64) (m meta, lost bool, err error) {
	if size < metaPages*pageBytes {
		return m, false, corrupt(size, "the end: no table is shorter than %d bytes",
			metaPages*pageBytes)
	}
	first, err0 := readOneMeta(f, 0)
	second, err1 := readOneMeta(f, pageBytes)
	switch {
	case err0 != nil && err1 != nil:
		return m, false, errors.Join(err0, err1)
	case err0 != nil, err1 == nil && second.tx > first.tx:
		m = second
	default:
		m = first
	}
	if m.pages < metaPages || m.pages > uint64(size)/pageBytes {
		return m, false, corrupt(size, "the end: cut short, the table has %d pages of %d bytes",
			m.pages, pageBytes)
	}
	return m, err0 != nil || err1 != nil, nil
}

func readOneMeta(f io.ReaderAt, offset int64) (m meta, err error) {
	p := make(page, pageBytes)
	if err := readPage(f, p, offset); err != nil {
		return m, err
	}
	b := p[pageHeaderBytes : pageHeaderBytes+metaBytes]
	if magic := native.Uint32(b); magic != metaMagic {
		return m, corrupt(offset, "% x, not bbolt's mark: a foreign file", b[:4])
	}
	h := fnv.New64a()
	h.Write(b[:metaBytes-8]) // never fails, as hash.Hash says
	version, size := native.Uint32(b[4:]), native.Uint32(b[8:])
	switch {
	case h.Sum64() != native.Uint64(b[metaBytes-8:]):
		return m, corrupt(offset, "a meta page that fails its check")
	case version != metaVersion || size != pageBytes:
		return m, corrupt(offset, "bbolt version %d with pages of %d bytes, not %d and %d",
			version, size, metaVersion, pageBytes)
	}
	return meta{
		root:     native.Uint64(b[16:]),
		freelist: native.Uint64(b[32:]),
		pages:    native.Uint64(b[40:]),
		tx:       native.Uint64(b[48:]),
	}, nil
}
