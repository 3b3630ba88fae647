package snapstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pierrec/lz4/v4"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// benchHeapBytes is the heap of the benchmarks.
const benchHeapBytes = 64 << 20

// likeHeap fills a page with what a heap is made of: pointers that are near each
// other, small numbers, zeros. lz4 makes about a half of it.
func likeHeap(r *rand.Rand, page []byte) {
	for i := 0; i < len(page); i += 8 {
		clear(page[i : i+8])
		switch r.IntN(4) {
		case 0:
			v := 0x10000 + r.Uint32N(1<<16)*8
			page[i], page[i+1], page[i+2] = byte(v), byte(v>>8), byte(v>>16)
		case 1:
			page[i] = byte(r.Uint32N(16))
		}
	}
}

// benchStore returns a store on the disk and the image of a heap without zero pages.
func benchStore(b *testing.B) (*Store, *Image) {
	b.Helper()
	dir, err := vfs.Open(b.TempDir())
	must(b, err)
	s, err := Open(Options{FS: dir})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()); must(b, dir.Close()) })
	r := rand.New(rand.NewPCG(1, 0))
	memory := make([]byte, benchHeapBytes)
	for at := 0; at < len(memory); at += swing.PageBytes {
		likeHeap(r, memory[at:at+swing.PageBytes])
	}
	img, _, err := s.Genesis(swing.Heap{Size: benchHeapBytes}, []Segment{{Data: memory}})
	must(b, err)
	must(b, s.Sync())
	img, err = s.Pause(img, img.Heap(), nil)
	must(b, err)
	_, err = s.Commit(img)
	must(b, err)
	return s, img
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dirtier makes k scattered dirty pages again and again, each new.
type dirtier struct {
	r     *rand.Rand
	pages []swing.Page
	mark  uint64
}

func newDirtier(k int) *dirtier {
	d := &dirtier{r: rand.New(rand.NewPCG(2, 0)), pages: make([]swing.Page, k)}
	for i := range d.pages {
		d.pages[i].Data = make([]byte, swing.PageBytes)
		likeHeap(d.r, d.pages[i].Data)
	}
	return d
}

func (d *dirtier) next() []swing.Page {
	pages := benchHeapBytes / swing.PageBytes
	stride := pages / len(d.pages)
	for i := range d.pages {
		d.mark++
		p := &d.pages[i]
		p.Index = uint32(i*stride + d.r.IntN(stride))
		for j := range 8 {
			p.Data[100+j] = byte(d.mark >> (8 * j))
		}
	}
	return d.pages
}

// BenchmarkPauseCommit brings an image up to date with k scattered pages of a
// 64 MiB heap and commits it, without sync. The plain loop beside it hashes and
// compresses as many pages: the ratio of the two is what the store costs.
func BenchmarkPauseCommit(b *testing.B) {
	for _, k := range []int{1, 16, 256} {
		d := newDirtier(k)
		b.Run(fmt.Sprintf("store/k=%d", k), func(b *testing.B) {
			s, img := benchStore(b)
			h := img.Heap()
			b.ReportAllocs()
			stored := int64(0)
			for b.Loop() {
				dirty := d.next()
				h.Clock++
				var err error
				img, err = s.Pause(img, h, dirty)
				must(b, err)
				info, err := s.Commit(img)
				must(b, err)
				stored += info.StoredBytes
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*k), "µs/page")
			b.ReportMetric(float64(stored)/float64(b.N*k), "B/page")
		})
		b.Run(fmt.Sprintf("plain/k=%d", k), func(b *testing.B) {
			var c lz4.Compressor
			out := make([]byte, lz4.CompressBlockBound(swing.PageBytes))
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range d.next() {
					swing.SumPage(p.Data)
					_, err := c.CompressBlock(p.Data, out)
					must(b, err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*k), "µs/page")
		})
	}
}

// BenchmarkMaterialise makes a 64 MiB image from the packs.
func BenchmarkMaterialise(b *testing.B) {
	s, img := benchStore(b)
	info, err := s.Commit(img)
	must(b, err)
	img.Release()
	s.o.UnusedImages = -1
	gone, err := s.Image(info.ID)
	must(b, err)
	gone.Release()
	b.SetBytes(benchHeapBytes)
	b.ReportAllocs()
	for b.Loop() {
		img, err := s.Image(info.ID)
		must(b, err)
		img.Release()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*benchHeapBytes/swing.PageBytes), "µs/page")
}

// BenchmarkDiverge pauses the second of two vats that share a 64 MiB image.
func BenchmarkDiverge(b *testing.B) {
	s, img := benchStore(b)
	info, err := s.Commit(img)
	must(b, err)
	d := newDirtier(1)
	b.SetBytes(benchHeapBytes)
	b.ReportAllocs()
	for b.Loop() {
		second, err := s.Image(info.ID)
		must(b, err)
		second, err = s.Pause(second, second.Heap(), d.next())
		must(b, err)
		second.Release()
	}
}

// BenchmarkImageCached acquires and releases an image that is there.
func BenchmarkImageCached(b *testing.B) {
	s, img := benchStore(b)
	info, err := s.Commit(img)
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		again, err := s.Image(info.ID)
		must(b, err)
		again.Release()
	}
}

// BenchmarkOpen opens a store with a sealed and an unsealed pack.
func BenchmarkOpen(b *testing.B) {
	for _, sealed := range []bool{true, false} {
		b.Run(fmt.Sprintf("sealed=%v", sealed), func(b *testing.B) {
			fs := vfs.NewMem()
			o := Options{FS: fs, PackBytes: packBytesMax}
			if sealed {
				o.PackBytes = 1 << 20
			}
			s, err := Open(o)
			must(b, err)
			fill(b, s, 0, 20_000)
			must(b, s.Sync())
			objects := s.Stats().Objects
			b.ReportAllocs()
			for b.Loop() {
				again, err := Open(o)
				must(b, err)
				if again.Stats().Objects != objects {
					b.Fatalf("%d objects, want %d", again.Stats().Objects, objects)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*objects), "ns/object")
		})
	}
}

// fill stores pages that nobody names, of the numbers [start, end), each another.
func fill(t testing.TB, s *Store, start, end int) {
	t.Helper()
	page := slices.Repeat([]byte{7}, swing.PageBytes)
	c := borrow()
	defer giveBack(c)
	for i := start; i < end; i++ {
		page[0], page[1], page[2], page[3] = byte(i), byte(i>>8), byte(i>>16), 1
		kind, body := c.compress(page, c.packed)
		_, err := putOne(s, kind, swing.SumPage(page), body)
		must(t, err)
	}
}

// BenchmarkVerifyHeap reads and verifies a 64 MiB snapshot from the packs.
func BenchmarkVerifyHeap(b *testing.B) {
	s, img := benchStore(b)
	info, err := s.Commit(img)
	must(b, err)
	b.SetBytes(benchHeapBytes)
	b.ReportAllocs()
	for b.Loop() {
		must(b, s.VerifyHeap(info.ID))
	}
}

// BenchmarkCommitSync commits one page of a 64 MiB heap and syncs, on the disk:
// what a snapshot costs a block.
func BenchmarkCommitSync(b *testing.B) {
	s, img := benchStore(b)
	d, h := newDirtier(1), img.Heap()
	b.ReportAllocs()
	for b.Loop() {
		h.Clock++
		var err error
		img, err = s.Pause(img, h, d.next())
		must(b, err)
		_, err = s.Commit(img)
		must(b, err)
		must(b, s.Sync())
	}
}

// BenchmarkCollect collects after 64 snapshots of 256 pages of a 64 MiB heap, of
// which the last is named, with as many pages that nobody names between them.
func BenchmarkCollect(b *testing.B) {
	s, img := benchStore(b)
	s.o.PackBytes = 4 << 20
	d, h := newDirtier(256), img.Heap()
	moved, removed, n := 0, int64(0), 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		var live []swing.Hash
		for range 64 {
			h.Clock++
			var err error
			img, err = s.Pause(img, h, d.next())
			must(b, err)
			info, err := s.Commit(img)
			must(b, err)
			live = []swing.Hash{info.ID}
			fill(b, s, n, n+256)
			n += 256
		}
		_, err := s.Collect(live) // makes them old
		must(b, err)
		b.StartTimer()
		st, err := s.Collect(live)
		must(b, err)
		moved += st.MovedObjects
		removed += st.BytesRemoved
	}
	b.ReportMetric(float64(moved)/float64(b.N), "moved/op")
	b.ReportMetric(float64(removed)/float64(b.N)/(1<<20), "MiB-removed/op")
}

// BenchmarkIndexFind finds an object among 500,000.
func BenchmarkIndexFind(b *testing.B) {
	var x index
	r := rand.New(rand.NewPCG(1, 0))
	hashes := randomHashes(r, 500_000)
	for i := range hashes {
		x.set(classPage, &hashes[i], place{pack: 1, size: 100}, 0)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if x.find(classPage, &hashes[i%len(hashes)]) == nil {
			b.Fatal("not found")
		}
	}
	b.ReportMetric(float64(x.bytes())/float64(x.count), "B/object")
}

func randomHashes(r *rand.Rand, n int) []swing.Hash {
	hashes := make([]swing.Hash, n)
	for i := range hashes {
		for j := range hashes[i] {
			hashes[i][j] = byte(r.Uint32())
		}
	}
	return hashes
}
