package snapstore

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"vatwarehouse/swing"
)

// TestRootIsTheTwins: a tree grown and changed in random steps has the root that
// is computed from the whole memory, and knows how many pages are not zero.
func TestRootIsTheTwins(t *testing.T) {
	t.Parallel()
	s := newSource(9)
	c := newScratch().(*scratch)
	for range 30 {
		var tr tree
		var memory []byte
		for range 10 {
			memory = append(memory, make([]byte, s.IntN(4)*wasmPageBytes)...)
			tr.grow(len(memory) / swing.PageBytes)
			if len(memory) == 0 {
				continue
			}
			i := uint32(s.IntN(tr.pages()))
			page := s.page()
			copy(memory[int(i)*swing.PageBytes:], page)
			hash := swing.Hash{}
			if !isZero(page) {
				hash = swing.SumPage(page)
			}
			tr.present += tr.setPage(i, hash)
			list := []uint32{i}
			for level := 1; level <= treeDepth; level++ {
				list = parents(list[:0], list)
				n := appendNode(nil, tr.children(level, list[0]))
				tr.levels[level][list[0]] = swing.Hash{}
				if len(n) > 0 {
					tr.levels[level][list[0]] = c.digest(classNode, n)
				}
			}
		}
		present := 0
		for page := range slices.Chunk(memory, swing.PageBytes) {
			if !isZero(page) {
				present++
			}
		}
		if tr.root() != twinRoot(memory) || tr.present != present {
			t.Fatalf("%d pages: root %v, %d present, want %d", tr.pages(), tr.root(), tr.present, present)
		}
		if other := tr.clone(); other.root() != tr.root() || other.present != tr.present {
			t.Fatal("a clone differs")
		}
	}
}

// TestPageSetIsASet: against a map, and in ascending order.
func TestPageSetIsASet(t *testing.T) {
	t.Parallel()
	s := newSource(10)
	for range 50 {
		var p pageSet
		twin := map[uint32]bool{}
		p.grow(1 + s.IntN(500))
		for range s.IntN(200) {
			i := uint32(s.IntN(64 * len(p.words)))
			p.add(i)
			twin[i] = true
			if !p.has(i) {
				t.Fatalf("page %d is not there", i)
			}
		}
		got := p.appendTo(nil)
		if len(got) != len(twin) || !slices.IsSorted(got) {
			t.Fatalf("%d pages, want %d", len(got), len(twin))
		}
		up := parents(nil, got)
		want := map[uint32]bool{}
		for _, i := range got {
			want[i/fanOut] = true
		}
		if len(up) != len(want) || !slices.IsSorted(up) {
			t.Fatalf("%d parents, want %d", len(up), len(want))
		}
		p.clear()
		if p.count != 0 || len(p.appendTo(nil)) != 0 {
			t.Fatal("not empty after clear")
		}
	}
}

// TestBatchesShareNoNode: of pages scattered and in a row, each is in one batch, in
// order, and so is each node that a batch has to itself.
func TestBatchesShareNoNode(t *testing.T) {
	t.Parallel()
	s := newSource(11)
	for range 200 {
		var list, joined []uint32
		for i := range uint32(s.IntN(4000)) {
			if s.IntN(100) < 1+int(i/100)%4*33 {
				list = append(list, i)
			}
		}
		owner := map[uint32]int{}
		for n, batch := range batchesOf(list) {
			if len(batch) == 0 || len(batch) >= batchPages+1<<(fanOutBits*batchLevels) {
				t.Fatalf("a batch of %d pages", len(batch))
			}
			for _, i := range batch {
				node := i >> (fanOutBits * batchLevels)
				if other, ok := owner[node]; ok && other != n {
					t.Fatalf("batches %d and %d are under node %d", other, n, node)
				}
				owner[node] = n
			}
			joined = append(joined, batch...)
		}
		if !slices.Equal(joined, list) {
			t.Fatalf("%d pages in batches of %d", len(joined), len(list))
		}
	}
}

// TestIndexIsAMap: against a Go map, with two classes of one hash, objects that
// are condemned and stored again, and packs that go.
func TestIndexIsAMap(t *testing.T) {
	t.Parallel()
	type name struct {
		cl   class
		hash swing.Hash
	}
	s := newSource(11)
	var x index
	twin := map[name]place{}
	hashes := randomHashes(s.Rand, 6000)
	for step := range 45_000 {
		n := name{class(1 + s.IntN(2)), hashes[s.IntN(len(hashes))]}
		at, known := twin[n]
		if e := x.find(n.cl, &n.hash); (e != nil) != known || known && e.place != at {
			t.Fatalf("step %d: found %v, want %v %v", step, e, at, known)
		}
		switch s.IntN(10) {
		case 0:
			x.condemn(n.cl, &n.hash, at)
			delete(twin, n)
		case 1:
			x.condemn(n.cl, &n.hash, place{pack: 99}) // another place: nothing happens
		default:
			twin[n] = place{pack: 1 + s.Uint32N(5), offset: s.Uint32(), size: 100}
			x.set(n.cl, &n.hash, twin[n], 0)
		}
		if step%10_000 == 9999 {
			gone := uint32(1 + s.IntN(5))
			x = x.without(map[uint32]bool{gone: true})
			for n, at := range twin {
				if at.pack == gone {
					delete(twin, n)
				}
			}
		}
	}
	left := 0
	x.each(func(e *entry) { left++ })
	if left != len(twin) || x.count-x.condemned != len(twin) {
		t.Errorf("%d entries, %d counted, want %d", left, x.count-x.condemned, len(twin))
	}
}

// TestIndexIsSmall: half a million objects take less than 64 bytes each.
func TestIndexIsSmall(t *testing.T) {
	t.Parallel()
	if got := reflect.TypeFor[entry]().Size(); got != entryBytes {
		t.Fatalf("an entry takes %d bytes, entryBytes is %d", got, entryBytes)
	}
	var x index
	r := rand.New(rand.NewPCG(1, 0))
	for range 500_000 {
		var h swing.Hash
		for i := 0; i < len(h); i += 8 {
			v := r.Uint64()
			for j := range 8 {
				h[i+j] = byte(v >> (8 * j))
			}
		}
		x.set(classPage, &h, place{pack: 1, size: 100}, 0)
	}
	if per := float64(x.bytes()) / float64(x.count); x.count != 500_000 || per > 66 {
		t.Errorf("%d objects at %.1f bytes", x.count, per)
	}
}
