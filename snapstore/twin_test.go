package snapstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// content is the dumb twin of a snapshot: the whole memory, and the rest.
type content struct {
	heap   swing.Heap
	memory []byte
}

func (c content) clone() content {
	c.memory = slices.Clone(c.memory)
	c.heap.Globals = slices.Clone(c.heap.Globals)
	return c
}

// twinRoot computes a Merkle root from a whole memory, level by level, with
// nothing of the product's but the digest.
func twinRoot(memory []byte) swing.Hash {
	var level []swing.Hash
	for page := range slices.Chunk(memory, swing.PageBytes) {
		if bytes.Equal(page, make([]byte, swing.PageBytes)) {
			level = append(level, swing.Hash{})
		} else {
			level = append(level, swing.SumPage(page))
		}
	}
	for range 7 {
		var up []swing.Hash
		for children := range slices.Chunk(level, 8) {
			up = append(up, twinNode(children))
		}
		level = up
	}
	if len(level) == 0 {
		return swing.Hash{}
	}
	return level[0]
}

func twinNode(children []swing.Hash) swing.Hash {
	mask, hashes := 0, []byte{}
	for j, h := range children {
		if !h.IsZero() {
			mask |= 1 << j
			hashes = append(hashes, h[:]...)
		}
	}
	if mask == 0 {
		return swing.Hash{}
	}
	return swing.Sum("heap node", append([]byte{byte(mask)}, hashes...))
}

// id returns the twin's ID.
func (c content) id() swing.Hash {
	h := c.heap
	h.Size, h.Pages = uint64(len(c.memory)), twinRoot(c.memory)
	return h.ID()
}

// source draws contents from a seed.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

// page draws a page: of zeros, of few bytes, compressible or not. Some are drawn
// again and again, so that there is something to find stored.
func (s source) page() []byte {
	page := make([]byte, swing.PageBytes)
	switch s.IntN(5) {
	case 0:
	case 1:
		page[0] = byte(1 + s.IntN(3))
	case 2:
		likeHeap(s.Rand, page)
	case 3:
		page[s.IntN(len(page))] = byte(s.Uint32())
	case 4:
		for i := range page {
			page[i] = byte(s.Uint32())
		}
	}
	return page
}

// heap draws a heap's state for a program.
func (s source) heap(program string) swing.Heap {
	h := swing.Heap{Program: swing.Sum(program), Started: s.IntN(2) == 0, Clock: uint64(s.IntN(9))}
	for range s.IntN(3) {
		h.Globals = append(h.Globals, s.Uint64())
	}
	return h
}

// change draws a delivery: dirty pages, growth, other globals. It returns the
// pages in ascending order.
func (s source) change(c *content, sizeMax int) []swing.Page {
	c.heap.Clock++
	if s.IntN(3) == 0 {
		c.heap.Globals = []uint64{s.Uint64()}
	}
	if len(c.memory) < sizeMax && s.IntN(4) == 0 {
		c.memory = append(c.memory, make([]byte, wasmPageBytes)...)
	}
	pages := len(c.memory) / swing.PageBytes
	if pages == 0 {
		return nil
	}
	set := map[uint32]bool{}
	first := s.IntN(pages)
	for range s.IntN(12) {
		if s.IntN(3) == 0 {
			first = s.IntN(pages)
		}
		set[uint32(first)] = true
		first = (first + 1) % pages
	}
	var dirty []swing.Page
	for _, i := range slices.Sorted(maps.Keys(set)) {
		at := int(i) * swing.PageBytes
		copy(c.memory[at:], s.page())
		dirty = append(dirty, swing.Page{Index: i, Data: c.memory[at : at+swing.PageBytes]})
	}
	return dirty
}

func (c content) state() swing.Heap {
	h := c.heap
	h.Size = uint64(len(c.memory))
	return h
}

// sameImage returns how an image differs from the twin, or nil.
func sameImage(img *Image, want content) error {
	h, w := img.Heap(), want.state()
	h.Pages, w.Pages = swing.Hash{}, swing.Hash{}
	if h.ID() != w.ID() {
		return fmt.Errorf("the image is of %+v, want %+v", h, w)
	}
	got := make([]byte, len(want.memory))
	if _, err := img.ReadAt(got, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for at := 0; at < len(got); at += swing.PageBytes {
		if !bytes.Equal(got[at:at+swing.PageBytes], want.memory[at:at+swing.PageBytes]) {
			return fmt.Errorf("page %d of the image differs", at/swing.PageBytes)
		}
	}
	return nil
}

// readable returns why a stored heap cannot be had as it was, or nil. It reads
// the packs, also where there is an image.
func readable(s *Store, id swing.Hash, want content) error {
	s.mu.Lock()
	cached := s.images.byID[id] != nil
	s.mu.Unlock()
	if cached {
		if err := s.VerifyHeap(id); err != nil {
			return err
		}
	}
	img, err := s.Image(id)
	if err != nil {
		return err
	}
	defer img.Release()
	if got := img.Heap().ID(); got != id {
		return fmt.Errorf("the image of %v is of %v", id, got)
	}
	return sameImage(img, want)
}

// options are small, so that packs are closed, sealed and rewritten all the time.
func smallOptions(fs vfs.FS) Options {
	return Options{
		FS: fs, PackBytes: 24 << 10, BufferBytes: 6 << 10, UnusedImages: 2,
		HeapBytesMax: 8 * wasmPageBytes,
	}
}

// vat is a vat of the twin: what its memory is now, and its image.
type vat struct {
	content
	img *Image
}

// twin is a store beside what it should hold.
type twin struct {
	source
	o     Options
	s     *Store
	vats  []*vat
	known map[swing.Hash]content // committed, and not given up
	safe  map[swing.Hash]bool    // of these, synced
	code  map[swing.Hash][]byte
	// plant, if set, breaks a Pause: see TestPlantedFaultsAreCaught.
	plant func(v *vat, dirty []swing.Page) []swing.Page
}

func newTwin(seed uint64, o Options) (*twin, error) {
	w := &twin{
		source: newSource(seed), o: o, known: map[swing.Hash]content{},
		safe: map[swing.Hash]bool{}, code: map[swing.Hash][]byte{},
	}
	return w, w.open()
}

func (w *twin) open() (err error) {
	w.s, err = Open(w.o)
	return err
}

// ids returns what is known, in a fixed order.
func (w *twin) ids() []swing.Hash {
	return slices.SortedFunc(maps.Keys(w.known), func(a, b swing.Hash) int {
		return bytes.Compare(a[:], b[:])
	})
}

// step does one thing that is drawn.
func (w *twin) step() error {
	switch n := w.IntN(100); {
	case n < 8:
		return w.genesis()
	case n < 20:
		return w.birth()
	case n < 50:
		return w.pause()
	case n < 72:
		return w.commit()
	case n < 80:
		return w.sync()
	case n < 88:
		return w.release()
	case n < 92:
		return w.collect()
	case n < 95:
		return w.putCode()
	}
	return w.check()
}

func (w *twin) genesis() error {
	c := content{heap: w.heap("program"), memory: make([]byte, w.IntN(4)*wasmPageBytes)}
	var segments []Segment
	for range w.IntN(4) {
		if n := len(c.memory); n > 0 {
			at := w.IntN(n)
			data := bytes.Repeat([]byte{byte(w.Uint32())}, w.IntN(min(n-at, 40_000)+1))
			copy(c.memory[at:], data)
			segments = append(segments, Segment{Address: uint64(at), Data: data})
		}
	}
	img, info, err := w.s.Genesis(c.state(), segments)
	if err != nil {
		return err
	}
	if want := c.id(); info.ID != want {
		return fmt.Errorf("genesis %v, want %v", info.ID, want)
	}
	w.known[info.ID] = c.clone()
	w.vats = append(w.vats, &vat{c, img})
	return nil
}

// birth starts a vat from a snapshot, beside whoever uses it.
func (w *twin) birth() error {
	if len(w.known) == 0 {
		return nil
	}
	ids := w.ids()
	id := ids[w.IntN(len(ids))]
	img, err := w.s.Image(id)
	if err != nil {
		return err
	}
	w.vats = append(w.vats, &vat{w.known[id].clone(), img})
	return nil
}

func (w *twin) vat() *vat {
	if len(w.vats) == 0 {
		return nil
	}
	return w.vats[w.IntN(len(w.vats))]
}

func (w *twin) pause() error {
	v := w.vat()
	if v == nil {
		return nil
	}
	next := v.content.clone()
	dirty := w.change(&next, int(w.o.HeapBytesMax))
	if w.plant != nil {
		dirty = w.plant(v, dirty)
	}
	img, err := w.s.Pause(v.img, next.state(), dirty)
	if err != nil {
		return err
	}
	v.content, v.img = next, img
	return nil
}

func (w *twin) commit() error {
	v := w.vat()
	if v == nil {
		return nil
	}
	info, err := w.s.Commit(v.img)
	if err != nil {
		return err
	}
	if want := v.id(); info.ID != want {
		return fmt.Errorf("commit %v, want %v", info.ID, want)
	}
	w.known[info.ID] = v.content.clone()
	return nil
}

func (w *twin) sync() error {
	if err := w.s.Sync(); err != nil {
		return err
	}
	for id := range w.known {
		w.safe[id] = true
	}
	return nil
}

// release takes a vat out and releases its image.
func (w *twin) release() error {
	if len(w.vats) == 0 {
		return nil
	}
	i := w.IntN(len(w.vats))
	w.vats[i].img.Release()
	w.vats = slices.Delete(w.vats, i, i+1)
	return nil
}

// collect gives some snapshots up.
func (w *twin) collect() error {
	var live []swing.Hash
	for _, id := range w.ids() {
		if w.IntN(3) > 0 {
			live = append(live, id)
			continue
		}
		delete(w.known, id)
		delete(w.safe, id)
	}
	st, err := w.s.Collect(live)
	if err == nil && len(st.Faults) > 0 {
		err = fmt.Errorf("collect found %v", st.Faults[0].Error())
	}
	return err
}

func (w *twin) putCode() error {
	code := bytes.Repeat([]byte{byte(w.IntN(20))}, w.IntN(3000))
	hash, err := w.s.PutCode(code)
	if err == nil {
		w.code[hash] = code
	}
	return err
}

// check reads everything: all vats' images, all that is known.
func (w *twin) check() error {
	for i, v := range w.vats {
		if err := sameImage(v.img, v.content); err != nil {
			return fmt.Errorf("vat %d: %w", i, err)
		}
	}
	for _, id := range w.ids() {
		if err := readable(w.s, id, w.known[id]); err != nil {
			return fmt.Errorf("known %s: %w", id.Short(), err)
		}
	}
	return w.checkCode()
}

func (w *twin) checkCode() error {
	for hash, want := range w.code {
		if got, err := w.s.Code(hash); err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("code %s: %d bytes, %w", hash.Short(), len(got), err)
		}
	}
	return nil
}

// reopen opens the store again in a file system, after which only what is in
// kept is known.
func (w *twin) reopen(fs vfs.FS, kept map[swing.Hash]bool) error {
	w.o.FS, w.vats = fs, nil
	for id := range w.known {
		if !kept[id] {
			delete(w.known, id)
		}
	}
	w.safe = maps.Clone(kept)
	return w.open()
}

// verify reports the first fault that Verify finds.
func verify(s *Store) error {
	var first error
	err := s.Verify(func(f Fault) {
		if first == nil {
			first = &f
		}
	})
	return errors.Join(err, first)
}

// repeat says how to run one seed again.
func repeat(t testing.TB, seed uint64, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("seed %d: %v\nrepeat: go test ./snapstore -run '%s$'", seed, err, t.Name())
	}
}
