package snapstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestLimitsAndArguments: what is too large is an error before anything is made;
// what only a bug can ask for panics; absent things are ErrNotFound.
func TestLimitsAndArguments(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{HeapBytesMax: 4 * wasmPageBytes, CodeBytesMax: 10})
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	big := c.state()
	big.Size = 5 * wasmPageBytes
	if _, _, err := s.Genesis(big, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("genesis: %v", err)
	}
	if _, err := s.Pause(img, big, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("pause: %v", err)
	}
	many := c.state()
	many.Globals = make([]uint64, 70_000)
	if _, _, err := s.Genesis(many, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("globals: %v", err)
	}
	if _, err := s.PutCode(make([]byte, 11)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("code: %v", err)
	}
	for _, at := range []uint64{2 * wasmPageBytes, 2*wasmPageBytes - 1, 1<<64 - 1} {
		if _, _, err := s.Genesis(c.state(), []Segment{{Address: at, Data: []byte{1, 2}}}); err == nil {
			t.Errorf("a segment at %d is taken", at)
		}
	}
	absent := swing.Sum("absent")
	if _, err := s.Image(absent); !errors.Is(err, ErrNotFound) {
		t.Errorf("image: %v", err)
	}
	if err := s.VerifyHeap(absent); !errors.Is(err, ErrNotFound) {
		t.Errorf("verify: %v", err)
	}
	if _, err := s.Code(absent); !errors.Is(err, ErrNotFound) {
		t.Errorf("code: %v", err)
	}
	page := make([]byte, swing.PageBytes)
	odd := c.state()
	odd.Size++
	small := c.state()
	small.Size = wasmPageBytes
	panics(t, "odd size", func() { _, _ = s.Pause(img, odd, nil) })
	pause := func(pages ...swing.Page) func() {
		return func() { _, _ = s.Pause(img, c.state(), pages) }
	}
	two := swing.Page{Index: 2, Data: page}
	panics(t, "descending", pause(two, two))
	panics(t, "short page", pause(swing.Page{Index: 2, Data: page[1:]}))
	panics(t, "page outside", pause(swing.Page{Index: 32, Data: page}))
	other, err := s.Image(id)
	must(t, err)
	panics(t, "shrink", func() { _, _ = s.Pause(other, small, nil) })
	img.Release()
	other.Release()
	panics(t, "released too often", func() { other.Release() })
}

func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// TestHeapLimitIsCheckedBeforeMemoryIsTaken: a stored heap that says it is 4 GiB
// is refused by a store with a lower limit, from its heap object alone.
func TestHeapLimitIsCheckedBeforeMemoryIsTaken(t *testing.T) {
	s, _ := memStore(t, Options{HeapBytesMax: wasmPageBytes})
	enc := swing.AppendHeap(nil, swing.Heap{Size: treeBytesMax, Pages: swing.Sum("root")})
	id := swing.Sum(heapDomain, enc)
	_, err := putOne(s, kindHeap, id, enc)
	must(t, err)
	if _, err := s.Image(id); !errors.Is(err, ErrTooLarge) {
		t.Errorf("image: %v", err)
	}
	if allocs := testing.AllocsPerRun(5, func() { _, _ = s.Image(id) }); allocs > 50 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestPagesPastTheEndAreCorrupt: a tree that names a page the heap has no room
// for, at each level, is refused.
func TestPagesPastTheEndAreCorrupt(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	c := borrow()
	page := bytes.Repeat([]byte{1}, swing.PageBytes)
	hash := swing.SumPage(page)
	_, err := putOne(s, kindPageRaw, hash, page)
	must(t, err)
	for far := range treeDepth {
		h := hash
		for level := range treeDepth {
			children := make([]swing.Hash, fanOut)
			children[0] = h
			if level == far {
				children[0], children[1] = swing.Hash{}, h
			}
			n := appendNode(nil, children)
			h = c.digest(classNode, n)
			_, err := putOne(s, kindNode, h, n)
			must(t, err)
		}
		// One page more than the place asked for would do; here there are too few.
		size := min(uint64(1)<<(fanOutBits*far), 1<<12) * swing.PageBytes / wasmPageBytes * wasmPageBytes
		enc := swing.AppendHeap(nil, swing.Heap{Size: size, Pages: h})
		id := swing.Sum(heapDomain, enc)
		_, err := putOne(s, kindHeap, id, enc)
		must(t, err)
		if _, err := s.Image(id); !errors.Is(err, ErrCorrupt) {
			t.Errorf("level %d: %v", far, err)
		}
	}
}

// TestClosedStoreSaysSo: every call after Close returns ErrClosed, and none
// panics; closing again is no fault.
func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{})
	c, id := born(t, s, 1)
	img, err := s.Image(id)
	must(t, err)
	must(t, s.Close())
	must(t, s.Close())
	_, imageErr := s.Image(id)
	_, pauseErr := s.Pause(img, c.state(), nil)
	_, commitErr := s.Commit(img)
	_, _, genesisErr := s.Genesis(c.state(), nil)
	_, collectErr := s.Collect(nil)
	_, codeErr := s.Code(id)
	_, putErr := s.PutCode(nil)
	_, idsErr := s.CodeIDs()
	for i, err := range []error{
		imageErr, pauseErr, commitErr, genesisErr, collectErr, codeErr, putErr, idsErr,
		s.Sync(), s.VerifyHeap(id), s.Verify(func(Fault) {}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	img.Release()
	if names, err := mem.List("heaps/images"); err != nil || len(names) != 0 {
		t.Errorf("images after Close: %q, %v", names, err)
	}
}

// TestOptionsAreChecked: bad options are refused, and zero ones have defaults.
func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for i, o := range []Options{
		{},
		{FS: vfs.NewMem(), HeapBytesMax: -1},
		{FS: vfs.NewMem(), HeapBytesMax: treeBytesMax + 1},
		{FS: vfs.NewMem(), PackBytes: -1},
		{FS: vfs.NewMem(), PackBytes: packBytesMax + 1},
		{FS: vfs.NewMem(), CodeBytesMax: -1},
		{FS: vfs.NewMem(), BufferBytes: -1},
	} {
		if _, err := Open(o); err == nil {
			t.Errorf("options %d are taken", i)
		}
	}
	o := Options{}.withDefaults()
	if o.Dir != "heaps" || o.HeapBytesMax != 256<<20 || o.PackBytes != 64<<20 || o.UnusedImages != 64 {
		t.Errorf("defaults %+v", o)
	}
}

// TestCodeIsKept: programs come back by hash, in order, over restarts; one that
// is damaged is named, and stored anew by the next PutCode.
func TestCodeIsKept(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{})
	var want []swing.Hash
	for i := range 20 {
		code := bytes.Repeat([]byte{byte(i)}, i*100)
		hash, err := s.PutCode(code)
		must(t, err)
		again, err := s.PutCode(code)
		must(t, err)
		if got, err := s.Code(hash); err != nil || !bytes.Equal(got, code) || again != hash {
			t.Fatalf("code %d: %d bytes, %v", i, len(got), err)
		}
		want = append(want, hash)
	}
	slices.SortFunc(want, func(a, b swing.Hash) int { return bytes.Compare(a[:], b[:]) })
	must(t, s.Close())
	s, err := Open(Options{FS: mem})
	must(t, err)
	if got, err := s.CodeIDs(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d ids, %v", len(got), err)
	}
	code := []byte("twice")
	hash, err := s.PutCode(code)
	must(t, err)
	replaceFile(t, mem, "heaps/code/"+hash.String(), []byte("other"))
	var f *Fault
	if _, err := s.Code(hash); !errors.As(err, &f) || f.Object != hash {
		t.Errorf("damaged code: %v", err)
	}
	_, err = s.PutCode(code)
	must(t, err)
	if got, err := s.Code(hash); err != nil || !bytes.Equal(got, code) {
		t.Errorf("code stored anew: %q, %v", got, err)
	}
}

// TestReportAndFaultRead: what people see of a fault names file, place, object.
func TestReportAndFaultRead(t *testing.T) {
	t.Parallel()
	f := &Fault{File: "heaps/packs/00000001.pack", Offset: 12, Problem: "torn"}
	if got, want := f.Error(), "corrupt: heaps/packs/00000001.pack at 12: torn"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.Object = swing.Sum("x")
	want := fmt.Sprintf("corrupt: heaps/packs/00000001.pack at 12 (%s…): torn", f.Object.Short())
	if got := f.Error(); got != want || !errors.Is(f, ErrCorrupt) {
		t.Errorf("%q, want %q", got, want)
	}
	var l faultList
	for range faultsMax + 5 {
		l.add(f)
	}
	if len(l) != faultsMax {
		t.Errorf("%d faults are listed", len(l))
	}
	if class(0).String() == "" || classPage.String() != "page" || classHeap.String() != "heap" {
		t.Error("classes have no names")
	}
}

// TestBufferIsBounded: never more is buffered than was asked for, and nothing
// after Sync; no pack is longer than asked for by more than a record.
func TestBufferIsBounded(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{BufferBytes: 10 << 10, PackBytes: 50 << 10})
	src := newSource(1)
	largest := 0
	for range 200 {
		page := randomPage(src.Rand)
		_, err := putOne(s, kindPageRaw, swing.SumPage(page), page)
		must(t, err)
		largest = max(largest, s.Stats().BufferedBytes)
	}
	if largest > 10<<10 || largest < 5<<10 {
		t.Errorf("%d bytes were buffered", largest)
	}
	must(t, s.Sync())
	if n := s.Stats().BufferedBytes; n != 0 {
		t.Errorf("%d bytes are buffered after Sync", n)
	}
	for _, p := range s.packs {
		if p.size > 50<<10 {
			t.Errorf("%s has %d bytes", p.name(), p.size)
		}
	}
	if n := s.Stats().Packs; n < 16 || n > 20 {
		t.Errorf("%d packs", n)
	}
}

// TestUnsealedPacksAreBounded: a host that never syncs is synced for, before
// more packs than the limit would have to be scanned after a crash.
func TestUnsealedPacksAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{PackBytes: 1})
	for seed := range uint64(3) {
		born(t, s, seed)
	}
	unsealed := len(s.unsealed)
	born(t, s, 4)
	if unsealed < unsealedPacksMax || len(s.unsealed) >= 2*unsealed {
		t.Errorf("%d unsealed packs, then %d", unsealed, len(s.unsealed))
	}
}
