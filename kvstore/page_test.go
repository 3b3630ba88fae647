package kvstore

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// TestPartsOfAPageAreInIt: whatever bytes a page has, and however few, what it
// hands out lies in it, and nothing panics.
func TestPartsOfAPageAreInIt(t *testing.T) {
	t.Parallel()
	_, _, _, b := boltImage(t, 150)
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range len(b) / pageBytes * 20 {
		id := i % (len(b) / pageBytes)
		p := page(bytes.Clone(b[id*pageBytes:][:pageBytes]))
		for range i % 30 {
			p[rng.IntN(128)] = byte(rng.Uint32())
		}
		p = p[:rng.IntN(len(p)+1)]
		for j := range 70 {
			if e, ok := p.leaf(j); ok && len(e.key)+len(e.value) > len(p) {
				t.Fatalf("page %d of %d bytes has element %d of %d", id, len(p), j, len(e.key))
			}
			if e, ok := p.branch(j); ok && len(e.key) > len(p) {
				t.Fatalf("page %d of %d bytes has child %d of %d", id, len(p), j, len(e.key))
			}
		}
		readBucket(p)
		if ids, ok := p.freelist(); ok {
			n := 0
			for range ids {
				n++
			}
			if n > len(p)/8 {
				t.Fatalf("page %d of %d bytes has %d free ones", id, len(p), n)
			}
		}
	}
}

// TestLargeFreelist: a freelist of 65,535 pages or more has its count in front;
// one that claims more than it has is refused, however its size is reckoned.
func TestLargeFreelist(t *testing.T) {
	t.Parallel()
	const n = countInBody + 5
	p := make(page, pageHeaderBytes+8*(n+1))
	native.PutUint16(p[8:], freelistPage)
	native.PutUint16(p[10:], countInBody)
	for i := range n {
		native.PutUint64(p[pageHeaderBytes+8*(i+1):], uint64(i))
	}
	for _, claimed := range []uint64{n, n + 1, 1 << 61, math.MaxUint64} {
		native.PutUint64(p[pageHeaderBytes:], claimed)
		ids, ok := p.freelist()
		if ok != (claimed == n) {
			t.Fatalf("%d ids claimed of %d: %v", claimed, n, ok)
		}
		if !ok {
			continue
		}
		next := uint64(0)
		for id := range ids {
			if id != next {
				t.Fatalf("id %d, want %d", id, next)
			}
			next++
		}
		if next != n {
			t.Errorf("%d ids of %d", next, n)
		}
	}
	short := page(p[:pageHeaderBytes+4])
	if _, ok := short.freelist(); ok {
		t.Error("a freelist without its count is taken")
	}
	if _, _, ok := readBucket(make([]byte, bucketBytes+pageHeaderBytes-1)); ok {
		t.Error("a small bucket without a page is taken")
	}
}
