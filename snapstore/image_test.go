package snapstore

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// memStore opens a store in memory that is closed at the end of the test.
func memStore(t testing.TB, o Options) (*Store, *vfs.Mem) {
	t.Helper()
	mem := vfs.NewMem()
	o.FS = mem
	s, err := Open(o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s, mem
}

// born returns a content of some pages and its genesis image's ID. The image is
// released.
func born(t testing.TB, s *Store, seed uint64) (content, swing.Hash) {
	t.Helper()
	src := newSource(seed)
	c := content{heap: src.heap("p"), memory: make([]byte, 2*wasmPageBytes)}
	for i := 0; i < 20; i += 3 {
		likeHeap(src.Rand, c.memory[i*swing.PageBytes:(i+1)*swing.PageBytes])
	}
	img, info, err := s.Genesis(c.state(), []Segment{{Data: bytes.Clone(c.memory)}})
	must(t, err)
	img.Release()
	return c, info.ID
}

// deliver changes one page of a content and returns it dirty.
func deliver(c *content, page, at int, value byte) []swing.Page {
	start := page * swing.PageBytes
	c.memory[start+at] = value
	return []swing.Page{{Index: uint32(page), Data: c.memory[start : start+swing.PageBytes]}}
}

// TestIDIsContentAlone: one memory reached by different histories, on different
// stores, with different packs, has one ID; any bit of it, of the globals, the
// size, the clock, the random position or the program makes another.
func TestIDIsContentAlone(t *testing.T) {
	t.Parallel()
	a, _ := memStore(t, Options{})
	b, _ := memStore(t, smallOptions(nil))
	c, whole := born(t, a, 1)
	img, _, err := b.Genesis(swing.Heap{Program: c.heap.Program, Size: wasmPageBytes}, nil)
	must(t, err)
	// Page by page, first wrong, then grown, then right, with commits between.
	for i := range len(c.memory) / swing.PageBytes {
		for _, wrong := range []byte{1, 0} {
			page := bytes.Clone(c.memory[i*swing.PageBytes : (i+1)*swing.PageBytes])
			page[7] ^= wrong
			img, err = b.Pause(img, c.state(), []swing.Page{{Index: uint32(i), Data: page}})
			must(t, err)
			if i%3 == 0 {
				_, err = b.Commit(img)
				must(t, err)
			}
		}
	}
	info, err := b.Commit(img)
	must(t, err)
	if info.ID != whole || info.ID != c.id() {
		t.Fatalf("one content, two IDs: %v, %v, twin %v", whole, info.ID, c.id())
	}
	img.Release()
	seen := map[swing.Hash]bool{whole: true}
	distinct := func(h swing.Heap, memory []byte) {
		h.Size = uint64(len(memory))
		img, info, err := b.Genesis(h, []Segment{{Data: memory}})
		must(t, err)
		img.Release()
		if seen[info.ID] {
			t.Fatalf("%+v has the ID of another", h)
		}
		seen[info.ID] = true
	}
	for bit := 0; bit < 8*len(c.memory); bit += 7919 {
		memory := bytes.Clone(c.memory)
		memory[bit/8] ^= 1 << (bit % 8)
		distinct(c.heap, memory)
	}
	distinct(c.heap, append(bytes.Clone(c.memory), make([]byte, wasmPageBytes)...))
	for _, change := range []func(h *swing.Heap){
		func(h *swing.Heap) { h.Globals = append(slices.Clone(h.Globals), 0) },
		func(h *swing.Heap) { h.Globals = append(slices.Clone(h.Globals), 1) },
		func(h *swing.Heap) { h.Started = !h.Started },
		func(h *swing.Heap) { h.Clock++ },
		func(h *swing.Heap) { h.Random++ },
		func(h *swing.Heap) { h.Program[3] ^= 1 },
	} {
		h := c.heap
		change(&h)
		distinct(h, c.memory)
	}
}

// TestAPausedImageIsNotFoundByItsOldID: written in place, an image is what its
// ID no longer says; who asks for the ID gets another, with the old bytes.
func TestAPausedImageIsNotFoundByItsOldID(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	old, id := born(t, s, 2)
	s.Close()
	s, err := Open(s.o) // without the pinned image
	must(t, err)
	img, err := s.Image(id)
	must(t, err)
	c := old.clone()
	h := c.state()
	h.Pages, h.Globals = swing.Sum("ignored"), []uint64{1}
	c.heap.Globals = []uint64{1}
	same, err := s.Pause(img, h, deliver(&c, 3, 5, 77))
	must(t, err)
	h.Globals[0], img.Heap().Globals[0] = 2, 3 // neither is the image's own
	if same != img {
		t.Fatal("the only user's image was copied")
	}
	other, err := s.Image(id)
	must(t, err)
	if other == img {
		t.Fatal("the old ID still names the image")
	}
	must(t, errors.Join(sameImage(other, old), sameImage(img, c)))
	if h := img.Heap(); !h.Pages.IsZero() {
		t.Errorf("the root of an uncommitted image: %v", h.Pages)
	}
	info, err := s.Commit(img)
	must(t, err)
	found, err := s.Image(info.ID)
	must(t, err)
	if found != img {
		t.Error("the new ID does not name the image")
	}
	if st := s.Stats(); st.Materialised != 2 || st.Images != 2 {
		t.Errorf("stats %+v", st)
	}
}

// TestSharersNeverSeeAByteChange: two vats share an image. One goes on, with
// growth, in several deliveries, then the other does; a reader holds the base
// throughout and reads all of it after every step.
func TestSharersNeverSeeAByteChange(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	base, id := born(t, s, 3)
	reader, err := s.Image(id)
	must(t, err)
	src := newSource(4)
	var vats []*vat
	for range 2 {
		img, err := s.Image(id)
		must(t, err)
		if img != reader {
			t.Fatal("the image is not shared")
		}
		vats = append(vats, &vat{base.clone(), img})
	}
	for step := range 30 {
		v := vats[step/10%2]
		dirty := src.change(&v.content, 6*wasmPageBytes)
		v.img, err = s.Pause(v.img, v.state(), dirty)
		must(t, err)
		if step%4 == 3 {
			info, err := s.Commit(v.img)
			must(t, err)
			if info.ID != v.id() {
				t.Fatalf("step %d: ID %v, want %v", step, info.ID, v.id())
			}
		}
		must(t, errors.Join(sameImage(reader, base), sameImage(vats[0].img, vats[0].content),
			sameImage(vats[1].img, vats[1].content)))
	}
}

// TestImagesOfOneHeap: vats that came to the same heap have an image each. One that pauses
// in place takes nothing from the others, and nobody shares while one is unused.
func TestImagesOfOneHeap(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{UnusedImages: 3})
	base, id := born(t, s, 3)
	first, err := s.Image(id)
	must(t, err)
	first.Pin()
	alone, idAlone := born(t, s, 4)
	same := base.clone()
	dirty := deliver(&same, 3, 5, 77)
	var made []*Image
	for range 3 {
		img, err := s.Image(id)
		must(t, err)
		img, err = s.Pause(img, same.state(), dirty)
		must(t, err)
		_, err = s.Commit(img)
		must(t, err)
		made = append(made, img)
	}
	for _, img := range made {
		img.Release()
	}
	if st := s.Stats(); st.UnusedImages != 3 || st.Images != 4 {
		t.Fatalf("three unused images of a heap and one of another, limit 3: %+v", st)
	}
	other, err := s.Image(idAlone)
	must(t, err)
	must(t, sameImage(other, alone))
	other.Release()
	a, err := s.Image(same.id())
	must(t, err)
	b, err := s.Image(same.id())
	must(t, err)
	shared, err := s.Image(same.id())
	must(t, err)
	if a == b || shared != a && shared != b {
		t.Fatal("three users of two images share another way than must be")
	}
	shared.Release()
	c := same.clone()
	paused, err := s.Pause(a, c.state(), deliver(&c, 4, 0, 1))
	must(t, err)
	if paused != a {
		t.Error("an image's only user did not pause in place")
	}
	other, err = s.Image(same.id())
	must(t, err)
	if other != b {
		t.Error("an image of the heap was left, and not found")
	}
	must(t, errors.Join(sameImage(other, same), sameImage(paused, c)))
	if st := s.Stats(); st.Materialised != 0 {
		t.Errorf("images were made again: %+v", st)
	}
}

// TestPinnedImagesAreCopied: the genesis image stays what it is, whoever pauses
// it, and a second genesis of the same heap finds it.
func TestPinnedImagesAreCopied(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	h := swing.Heap{Size: wasmPageBytes}
	segments := []Segment{{Address: 10, Data: []byte{1, 2, 3}}, {Address: 11, Data: []byte{9}}}
	img, info, err := s.Genesis(h, segments)
	must(t, err)
	again, info2, err := s.Genesis(h, segments)
	must(t, err)
	if again != img || info2.ID != info.ID || info2.NewPages != 0 || info2.StoredBytes != 0 {
		t.Errorf("a second genesis: %+v, then %+v", info, info2)
	}
	again.Release()
	c := content{heap: h, memory: make([]byte, wasmPageBytes)}
	copy(c.memory[10:], []byte{1, 9, 3})
	base := c.clone()
	mine, err := s.Pause(img, c.state(), deliver(&c, 1, 0, 1))
	must(t, err)
	if mine == img {
		t.Fatal("a pinned image was written in place")
	}
	if st := s.Stats(); st.UnusedImages != 1 || st.Images != 2 {
		t.Errorf("stats %+v", st)
	}
	found, err := s.Image(info.ID)
	must(t, err)
	must(t, errors.Join(sameImage(found, base), sameImage(mine, c)))
	mine.Pin()
	other, err := s.Pause(mine, c.state(), deliver(&c, 2, 0, 1))
	must(t, err)
	if other == mine {
		t.Error("a pinned image was paused in place")
	}
	must(t, sameImage(other, c)) // what was pending in the pinned one too
	last, err := s.Commit(other)
	must(t, err)
	if last.ID != c.id() {
		t.Errorf("ID %v, want %v", last.ID, c.id())
	}
}

// TestUnusedImagesAreBounded: by count and by bytes, oldest first; an image in
// use is never dropped, and a dropped one's file is gone.
func TestUnusedImagesAreBounded(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{UnusedImages: 3, UnusedImageBytes: 15 * swing.PageBytes})
	files := func() int {
		names, err := mem.List("heaps/images")
		must(t, err)
		return len(names)
	}
	held, id := born(t, s, 5) // 7 pages each
	img, err := s.Image(id)
	must(t, err)
	for seed := uint64(6); seed < 12; seed++ {
		born(t, s, seed)
		st := s.Stats()
		if want := min(int(seed-5), 2); st.UnusedImages != want || files() != want+1 ||
			st.UnusedBytes != int64(want)*7*swing.PageBytes {
			t.Fatalf("%+v, %d files, want %d unused", st, files(), want)
		}
	}
	must(t, sameImage(img, held))
	s.o.UnusedImageBytes = 1 << 30
	for seed := uint64(12); seed < 20; seed++ {
		_, id = born(t, s, seed)
	}
	if st := s.Stats(); st.UnusedImages != 3 {
		t.Errorf("%d unused images, want 3", st.UnusedImages)
	}
	again, err := s.Image(id)
	must(t, err)
	again.Release()
	again, err = s.Image(id)
	must(t, err)
	if st := s.Stats(); st.Materialised != 0 || st.UnusedImages != 2 {
		t.Errorf("the latest image was not found: %+v", st)
	}
	again.Release()
	img.Release()
	s.o.UnusedImages = -1
	born(t, s, 20)
	if st := s.Stats(); st.UnusedImages != 0 || files() != 0 {
		t.Errorf("%d unused images, %d files, want none", st.UnusedImages, files())
	}
}

// TestUncommittedImagesGoWithTheirUser: what Pause returned and nobody committed
// is lost when it is released, its file too.
func TestUncommittedImagesGoWithTheirUser(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	img, err = s.Pause(img, c.state(), deliver(&c, 0, 0, 1))
	must(t, err)
	img.Release()
	if st := s.Stats(); st.Images != 1 || st.UnusedImages != 1 {
		t.Errorf("stats %+v", st)
	}
}

// TestInfoCounts: a commit says what it hashed and stored; zero pages and pages
// met before cost nothing, and a commit of what is committed does nothing.
func TestInfoCounts(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	page := bytes.Repeat([]byte{1, 2, 3, 4}, swing.PageBytes/4)
	dirty := []swing.Page{
		{Index: 1, Data: page}, {Index: 2, Data: page}, {Index: 9, Data: zeroPage[:]},
	}
	for _, p := range dirty {
		copy(c.memory[int(p.Index)*swing.PageBytes:], p.Data)
	}
	before := s.Stats()
	img, err = s.Pause(img, c.state(), dirty)
	must(t, err)
	info, err := s.Commit(img)
	must(t, err)
	after := s.Stats()
	if info.ID != c.id() || info.Pages != 3 || info.NewPages != 1 {
		t.Errorf("%+v", info)
	}
	if grown := after.PackBytes - before.PackBytes; grown != info.StoredBytes {
		t.Errorf("stored %d bytes, the packs grew by %d", info.StoredBytes, grown)
	}
	if n := after.Objects - before.Objects; n != 1+treeDepth+1+1 { // a page, its path, the node that lost a page, a heap
		t.Errorf("%d new objects", n)
	}
	if info.RawBytes < swing.PageBytes || info.StoredBytes > 3000 {
		t.Errorf("%+v", info)
	}
	again, err := s.Commit(img)
	must(t, err)
	if again != (Info{ID: info.ID}) {
		t.Errorf("a second commit: %+v", again)
	}
	if got := img.Heap().ID(); got != info.ID {
		t.Errorf("the image's heap is %v, want %v", got, info.ID)
	}
}

// TestImagesAreOnlyMadeLonger: over any history no image file is truncated to
// less than it has: a mapping past the end would kill the process.
func TestImagesAreOnlyMadeLonger(t *testing.T) {
	t.Parallel()
	fs := &lengths{FS: vfs.NewMem()}
	w, err := newTwin(27, smallOptions(fs))
	must(t, err)
	for range 300 {
		must(t, w.step())
	}
	if fs.truncations < 10 || fs.shorter > 0 {
		t.Errorf("%d of %d truncations made a file shorter", fs.shorter, fs.truncations)
	}
}

// lengths is a file system that counts truncations of images.
type lengths struct {
	vfs.FS
	truncations, shorter int
}

func (l *lengths) Create(name string) (vfs.File, error) {
	f, err := l.FS.Create(name)
	return lengthsFile{f, l}, err
}

type lengthsFile struct {
	vfs.File
	l *lengths
}

func (f lengthsFile) Truncate(size int64) error {
	have, err := f.File.Size()
	f.l.truncations++
	if have > size {
		f.l.shorter++
	}
	return errors.Join(err, f.File.Truncate(size))
}

// TestABrokenImageCanOnlyBeReleased: a write in place fails: the image says so
// from then on, the store goes on, and the snapshot is still to be had.
func TestABrokenImageCanOnlyBeReleased(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s, err := Open(Options{FS: mem})
	must(t, err)
	c, id := born(t, s, 1)
	must(t, s.Close())
	f := vfs.NewFaulty(mem)
	s, err = Open(Options{FS: f})
	must(t, err)
	img, err := s.Image(id)
	must(t, err)
	next := c.clone()
	f.Arm(vfs.Fault{At: f.Operations() + 1, Err: errDisk, Short: true})
	_, err = s.Pause(img, next.state(), deliver(&next, 0, 0, 99))
	_, again := s.Pause(img, next.state(), nil)
	_, commit := s.Commit(img)
	for i, err := range []error{err, again, commit} {
		if !errors.Is(err, errDisk) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	img.Release()
	must(t, errors.Join(readable(s, id, c), s.Sync(), s.Close()))
}

// TestCommitCanBeRepeated: reading an image fails in the middle of a commit. The
// store is not broken by it; the commit done again gives the right ID, whatever
// part of the tree the first had reached.
func TestCommitCanBeRepeated(t *testing.T) {
	t.Parallel()
	for k := 1; ; k++ {
		f := vfs.NewFaulty(vfs.NewMem())
		s, err := Open(Options{FS: f})
		must(t, err)
		c, id := born(t, s, 1)
		img, err := s.Image(id)
		must(t, err)
		img, err = s.Pause(img, c.state(), deliver(&c, 0, 0, 1))
		must(t, err)
		for i := range 10 {
			img, err = s.Pause(img, c.state(), deliver(&c, 3*i, 5, 7))
			must(t, err)
		}
		f.Arm(vfs.Fault{At: f.Reads() + k, Err: errDisk, Reads: true})
		info, err := s.Commit(img)
		if err == nil {
			if k < 10 {
				t.Errorf("only %d reads", k-1)
			}
			return
		}
		if !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		info, err = s.Commit(img)
		must(t, err)
		if info.ID != c.id() {
			t.Fatalf("read %d: ID %v, want %v", k, info.ID, c.id())
		}
		must(t, readable(s, info.ID, c))
	}
}
