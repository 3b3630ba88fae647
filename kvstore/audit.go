package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
)

// treeDepthMax bounds the pages from a root to a leaf. bbolt's have at least two
// children each, so no file reaches it.
const treeDepthMax = 48

// auditMeta verifies what bbolt reads when it opens the file: one meta page and
// the freelist, and that the file has all the pages they speak of.
func auditMeta(o Options) error {
	f, err := o.FS.OpenFile(o.Name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = auditFile(f)
	return errors.Join(err, f.Close())
}

func auditFile(f *os.File) (*audit, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return newAudit(f, info.Size())
}

// audit verifies the whole table, and learns its head.
func (t *boltTable) audit() error {
	a, err := auditFile(t.file)
	if err == nil {
		err = a.verify()
	}
	if err == nil {
		t.at, t.lost = a.head, a.lost
	}
	return err
}

// audit is a walk over a bbolt file by plain reads. It verifies what a checksum
// of the pairs cannot: that every search by key finds what a walk finds (the
// keys of branches), and that no page in use counts as free (the freelist),
// where a later checkpoint would overwrite it.
type audit struct {
	file io.ReaderAt
	meta meta
	lost bool // one meta page is unreadable
	// used has a bit for each page that was met, in the tree or in the freelist.
	used []uint64
	// pages has the page at each depth of the walk.
	pages  [treeDepthMax]page
	visit  func(key, stored []byte, offset int64) error
	head   head
	headAt int64
}

// newAudit verifies the meta pages and the freelist.
func newAudit(f io.ReaderAt, size int64) (a *audit, err error) {
	a = &audit{file: f}
	if a.meta, a.lost, err = readMeta(f, size); err != nil {
		return nil, err
	}
	a.used = make([]uint64, a.meta.pages/64+1)
	if err := a.mark(0, 2); err != nil {
		return nil, err
	}
	return a, a.freelist()
}

// mark notes that pages are in use or free. No page is met twice, so the walk
// ends, whatever the file says.
func (a *audit) mark(id, n uint64) error {
	if id >= a.meta.pages || n > a.meta.pages-id {
		return corrupt(0, "a reference to pages %d to %d of %d", id, id+n, a.meta.pages)
	}
	for i := id; i < id+n; i++ {
		if a.used[i/64]>>(i%64)&1 != 0 {
			return corrupt(int64(i)*pageBytes, "page %d in use twice, or both in use and free", i)
		}
		a.used[i/64] |= 1 << (i % 64)
	}
	return nil
}

// read reads a page, with those that continue it, into p and marks them.
func (a *audit) read(p page, id uint64) (page, error) {
	if err := a.mark(id, 1); err != nil {
		return nil, err
	}
	p = p.sized(pageBytes)
	offset := int64(id) * pageBytes
	if err := readPage(a.file, p, offset); err != nil {
		return nil, err
	}
	more := uint64(p.overflow())
	if p.id() != id {
		return nil, corrupt(offset, "page %d where page %d is due", p.id(), id)
	}
	if more == 0 {
		return p, nil
	}
	if err := a.mark(id+1, more); err != nil {
		return nil, err
	}
	p = p.sized(int(more+1) * pageBytes)
	return p, readPage(a.file, p, offset)
}

func (a *audit) freelist() error {
	offset := int64(a.meta.freelist) * pageBytes
	p, err := a.read(nil, a.meta.freelist)
	if err != nil {
		return err
	}
	ids, ok := p.freelist()
	if !ok {
		return corrupt(offset, "a page of flags %04x and count %d where the freelist is due",
			p.flags(), p.count())
	}
	for id := range ids {
		if err := a.mark(id, 1); err != nil {
			return err
		}
	}
	return nil
}

// verify walks the table and compares its pairs with its head.
func (a *audit) verify() error {
	sums := newPairs()
	var got head
	err := a.run(func(key, stored []byte, offset int64) error {
		value, err := verifyValue(key, stored)
		if err != nil {
			return fmt.Errorf("page at offset %d: %w", offset, err)
		}
		got.insert(sums.sum(key, value))
		return nil
	})
	if err != nil {
		return err
	}
	if want := a.head; got.count != want.count || got.digest != want.digest {
		return corrupt(a.headAt, "a head of %d keys and digest %x, over pages with %d and %x",
			want.count, want.digest, got.count, got.digest)
	}
	return nil
}

// run walks the two buckets and calls visit with each pair, in order.
func (a *audit) run(visit func(key, stored []byte, offset int64) error) error {
	root, err := a.read(nil, a.meta.root)
	if err != nil {
		return err
	}
	offset := int64(a.meta.root) * pageBytes
	buckets := [2][]byte{}
	ours := root.is(leafPage) && root.count() == len(buckets)
	for i, name := range [][]byte{headBucket, pairBucket} {
		e, ok := root.leaf(i)
		if !ours || !ok || !e.bucket || !bytes.Equal(e.key, name) {
			return corrupt(offset, "no bucket %q: the file is not a table of ours", name)
		}
		buckets[i] = e.value
	}
	a.visit = a.visitHead
	if err := a.bucket(buckets[0], offset); err != nil {
		return err
	}
	if a.headAt == 0 {
		return corrupt(offset, "no head in bucket %q", headBucket)
	}
	a.visit = visit
	if err := a.bucket(buckets[1], offset); err != nil {
		return err
	}
	return a.complete()
}

func (a *audit) visitHead(key, stored []byte, offset int64) (err error) {
	if !bytes.Equal(key, headKey) || a.headAt != 0 {
		return corrupt(offset, "key %.40q in bucket %q", key, headBucket)
	}
	a.headAt = offset
	a.head, err = decodeHead(stored, offset)
	return err
}

// bucket walks a bucket, given what the root page says of it: a page elsewhere,
// or a small page in place.
func (a *audit) bucket(b []byte, offset int64) error {
	root, inline, ok := readBucket(b)
	switch {
	case !ok:
		return corrupt(offset, "a bucket of %d bytes", len(b))
	case root == 0:
		return a.leaf(inline, offset, nil, nil)
	}
	return a.walk(root, 0, nil, nil)
}

// walk visits the tree under a page. Its first key must be low and all of them
// below high, as the branch above says; nil is no bound. The first must be equal,
// not only within bounds: bbolt finds a changed page's place in its branch by
// that key, and would give it a second one.
func (a *audit) walk(id uint64, depth int, low, high []byte) error {
	offset := int64(id) * pageBytes
	if depth == treeDepthMax {
		return corrupt(offset, "a page %d levels deep", depth)
	}
	p, err := a.read(a.pages[depth], id)
	if err != nil {
		return err
	}
	a.pages[depth] = p
	if !p.is(branchPage) {
		return a.leaf(p, offset, low, high)
	}
	if p.count() == 0 {
		return corrupt(offset, "a branch without children")
	}
	e, ok := p.branch(0)
	for i := range p.count() {
		next, more := branchElement{key: high}, i+1 < p.count()
		if ok && more {
			next, ok = p.branch(i + 1)
		}
		if !ok || !a.inOrder(i, e.key, low, next.key) {
			return corrupt(offset, "child %d of a branch, %.40q before %.40q", i, e.key, next.key)
		}
		if err := a.walk(e.child, depth+1, e.key, next.key); err != nil {
			return err
		}
		e, low = next, e.key
	}
	return nil
}

// inOrder reports whether the i-th key of a page may stand between the bound or
// key before it and the one after it.
func (a *audit) inOrder(i int, key, before, after []byte) bool {
	if after != nil && bytes.Compare(key, after) >= 0 {
		return false
	}
	if i == 0 {
		return before == nil || bytes.Equal(key, before)
	}
	return bytes.Compare(key, before) > 0
}

func (a *audit) leaf(p page, offset int64, low, high []byte) error {
	if !p.is(leafPage) {
		return corrupt(offset, "a page of flags %04x where a branch or leaf is due", p.flags())
	}
	if p.count() == 0 && low != nil {
		return corrupt(offset, "a leaf without keys under a branch")
	}
	for i := range p.count() {
		e, ok := p.leaf(i)
		switch {
		case !ok:
			return corrupt(offset, "element %d of %d beyond the page", i, p.count())
		case e.bucket:
			return corrupt(offset, "a bucket of name %.40q among the keys", e.key)
		case !a.inOrder(i, e.key, low, high):
			return corrupt(offset, "key %.40q after %.40q, before %.40q", e.key, low, high)
		}
		if err := a.visit(e.key, e.value, offset); err != nil {
			return err
		}
		low = e.key
	}
	return nil
}

// complete verifies that every page was met: what is neither in use nor free is
// a sign that a reference was lost.
func (a *audit) complete() error {
	met := 0
	for _, w := range a.used {
		met += bits.OnesCount64(w)
	}
	if uint64(met) != a.meta.pages {
		return corrupt(0, "%d pages, of which %d are in use or free", a.meta.pages, met)
	}
	return nil
}
