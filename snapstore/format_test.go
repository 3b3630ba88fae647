package snapstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// goodRecords returns a record of each kind, encoded.
func goodRecords(t testing.TB) [][]byte {
	t.Helper()
	c := newScratch().(*scratch)
	s := newSource(3)
	soft, hard := make([]byte, swing.PageBytes), make([]byte, swing.PageBytes)
	soft[5] = 1
	for i := range hard {
		hard[i] = byte(s.Uint32())
	}
	h := s.heap("p")
	h.Pages = swing.Sum("pages")
	objects := []struct {
		cl     class
		object []byte
	}{
		{classPage, soft}, {classPage, hard},
		{classNode, appendNode(nil, randomHashes(s.Rand, fanOut))},
		{classNode, appendNode(nil, []swing.Hash{{}, swing.Sum("x")})},
		{classHeap, swing.AppendHeap(nil, h)},
	}
	kinds := []byte{kindPageLZ4, kindPageRaw, kindNode, kindNode, kindHeap}
	var records [][]byte
	for i, o := range objects {
		kind, body := kinds[i], o.object
		if o.cl == classPage {
			if kind, body = c.compress(o.object, c.packed); kind != kinds[i] {
				t.Fatalf("page %d is stored as kind %d", i, kind)
			}
		}
		hash := c.digest(o.cl, o.object)
		b, _ := frame.Append(nil, kind, uint32(i), hash[:], body)
		r, err := decodeRecord(b)
		must(t, err)
		object, err := c.content(r)
		if err != nil || !bytes.Equal(object, o.object) || r.bytes() != len(b) {
			t.Fatalf("record %d did not come back: %v", i, err)
		}
		records = append(records, b)
	}
	return records
}

// takeRecord decodes and verifies a record.
func takeRecord(c *scratch, b []byte) error {
	r, err := decodeRecord(b)
	if err == nil {
		_, err = c.content(r)
	}
	return err
}

// sweep feeds a decoder every shorter length and every one-bit change of what it
// takes, and demands an error for each.
func sweep(t *testing.T, name string, good []byte, decode func([]byte) error) {
	t.Helper()
	must(t, decode(good))
	for n := range good {
		if decode(good[:n]) == nil {
			t.Fatalf("%s: %d of %d bytes are taken", name, n, len(good))
		}
	}
	for bit := 0; bit < 8*len(good); bit += stride(13) {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		if decode(b) == nil {
			t.Fatalf("%s: bit %d flipped is taken", name, bit)
		}
	}
}

// TestRecordDecoder: every kind of record comes back; cut or changed by a bit,
// none is taken.
func TestRecordDecoder(t *testing.T) {
	t.Parallel()
	c := newScratch().(*scratch)
	for i, b := range goodRecords(t) {
		sweep(t, fmt.Sprintf("record %d", i), b, func(b []byte) error { return takeRecord(c, b) })
	}
}

// TestRecordsWithSoundFramesAndBadBodies: the frame's check says nothing about
// the body's sense: wrong lengths, kinds, digests and LZ4 bombs are refused.
func TestRecordsWithSoundFramesAndBadBodies(t *testing.T) {
	t.Parallel()
	c := newScratch().(*scratch)
	zeros := make([]byte, 2*swing.PageBytes)
	zeroHash := swing.SumPage(zeroPage[:])
	big := make([]byte, 5000)
	n, err := c.lz4.CompressBlock(zeros, big) // a block that makes two pages
	must(t, err)
	bomb := bytes.Clone(big[:n])
	n, err = c.lz4.CompressBlock(zeros[:swing.PageBytes], big)
	must(t, err)
	zeroBlock := bytes.Clone(big[:n])
	n, err = c.lz4.CompressBlock(zeros[:swing.PageBytes-1], big)
	must(t, err)
	short := bytes.Clone(big[:n])
	badNode := []byte{1, 0}
	sum := func(domain string, b []byte) []byte { h := swing.Sum(domain, b); return h[:] }
	for i, r := range []struct {
		kind byte
		hash []byte
		body []byte
	}{
		{kindPageRaw, zeroHash[:], zeros[:swing.PageBytes-1]},
		{kindPageRaw, zeroHash[:], zeros[:swing.PageBytes+1]},
		{kindPageRaw, zeroHash[:], zeros[:swing.PageBytes]}, // a zero page is not stored
		{kindPageLZ4, zeroHash[:], zeroBlock},
		{kindPageLZ4, zeroHash[:], bomb},
		{kindPageLZ4, zeroHash[:], short},
		{kindPageLZ4, zeroHash[:], nil},
		{kindPageLZ4, zeroHash[:], []byte{0xff, 0xff}},
		{kindNode, sum(nodeDomain, badNode), badNode},
		{kindNode, sum(nodeDomain, zeros[:34]), zeros[:34]},
		{kindNode, sum(nodeDomain, zeros[:nodeBytesMax+1]), zeros[:nodeBytesMax+1]},
		{kindHeap, sum(heapDomain, []byte{0x80}), []byte{0x80}},
		{kindHeap, sum("another domain", []byte{0x80}), []byte{0x80}},
		{kindHeap, zeroHash[:], make([]byte, heapObjectBytesMax+1)},
		{kindPackHeader, zeroHash[:], packHeader(1)},
		{kindEntries, zeroHash[:], nil},
		{kindHeap, zeroHash[:5], nil},
		{kindPageRaw, zeroHash[:], bytes.Repeat([]byte{1}, swing.PageBytes)}, // true but misnamed
		{kindNode, zeroHash[:], appendNode(nil, []swing.Hash{zeroHash})},
		{kindHeap, zeroHash[:], swing.AppendHeap(nil, swing.Heap{})},
	} {
		b, _ := frame.Append(nil, r.kind, 0, r.hash, r.body)
		if takeRecord(c, b) == nil {
			t.Errorf("record %d, of kind %d with %d bytes, is taken", i, r.kind, len(r.body))
		}
	}
}

// TestNodeDecoder: nodes come back, and one node has one encoding.
func TestNodeDecoder(t *testing.T) {
	t.Parallel()
	s := newSource(4)
	for range 300 {
		children := make([]swing.Hash, s.IntN(fanOut+1))
		for i := range children {
			if s.IntN(2) == 0 {
				children[i] = swing.Sum("child", []byte{byte(s.Uint32())})
			}
		}
		b := appendNode(nil, children)
		var want node
		copy(want[:], children)
		if want == (node{}) {
			if len(b) != 0 {
				t.Fatalf("a node without children takes %d bytes", len(b))
			}
			continue
		}
		n, err := decodeNode(b)
		if err != nil || n != want {
			t.Fatalf("%x: %v", b, err)
		}
		for cut := range b {
			if _, err := decodeNode(b[:cut]); !errors.Is(err, errNode) {
				t.Fatalf("%d of %d bytes: %v", cut, len(b), err)
			}
		}
	}
}

// randomPackIndex draws an index file's content.
func randomPackIndex(s source, entries int) packIndex {
	x := packIndex{pack: 1 + s.Uint32N(9), size: 1 << 20, check: s.Uint32()}
	for _, h := range randomHashes(s.Rand, entries) {
		x.entries = append(x.entries, entry{hash: h, class: class(1 + s.IntN(3)), place: place{
			pack: x.pack, offset: s.Uint32N(1 << 19), size: uint16(recordBytesMin + s.IntN(5000)),
		}})
	}
	return x
}

// TestPackIndexDecoder: index files of none to several frames come back; a
// small one, cut or changed by a bit, is never taken.
func TestPackIndexDecoder(t *testing.T) {
	t.Parallel()
	s := newSource(5)
	for _, n := range []int{0, 1, 2, indexFrameEntries, indexFrameEntries + 1, 3000} {
		x := randomPackIndex(s, n)
		b := x.encode()
		if int64(len(b)) != indexBytes(n) {
			t.Fatalf("%d entries take %d bytes, not %d", n, len(b), indexBytes(n))
		}
		got, err := decodePackIndex(b)
		if err != nil || got.check != x.check || got.size != x.size || got.pack != x.pack ||
			!slices.Equal(got.entries, x.entries) {
			t.Fatalf("%d entries: %v", n, err)
		}
	}
	x := randomPackIndex(s, 4)
	sweep(t, "index", x.encode(), func(b []byte) error { _, err := decodePackIndex(b); return err })
}

// TestPackIndexRefusesSenselessEntries: sound frames with entries out of order,
// doubled, outside the pack, of no class, or more than a pack can hold.
func TestPackIndexRefusesSenselessEntries(t *testing.T) {
	t.Parallel()
	for i, spoil := range []func(x *packIndex){
		func(x *packIndex) { x.entries[1] = x.entries[0] },
		func(x *packIndex) { x.entries[0].class = 0 },
		func(x *packIndex) { x.entries[0].class = 4 },
		func(x *packIndex) { x.entries[0].size = recordBytesMin - 1 },
		func(x *packIndex) { x.entries[0].offset = uint32(x.size) },
		func(x *packIndex) { x.size = 10 },
		func(x *packIndex) { x.size = packFileBytesMax + 1 },
	} {
		x := randomPackIndex(newSource(6), 3)
		spoil(&x)
		if _, err := decodePackIndex(x.encode()); !errors.Is(err, errIndex) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	x := randomPackIndex(newSource(7), 2)
	b := x.encode()
	swapped := bytes.Clone(b)
	body := swapped[frame.HeaderBytes+indexHeaderBytes+frame.HeaderBytes:]
	copy(body, b[len(b)-indexEntryBytes:])
	copy(body[indexEntryBytes:], b[len(b)-2*indexEntryBytes:len(b)-indexEntryBytes])
	f, err := frame.Decode(b)
	must(t, err)
	swapped, _ = frame.Append(swapped[:f.Bytes()], kindEntries, f.Check, bytes.Clone(body))
	if _, err := decodePackIndex(swapped); !errors.Is(err, errIndex) {
		t.Errorf("entries out of order: %v", err)
	}
}

// TestDigestsAreThoseOfSwing: the digests made with kept hashers equal those of
// swing, and a committed heap's ID is swing's.
func TestDigestsAreThoseOfSwing(t *testing.T) {
	t.Parallel()
	c, s := newScratch().(*scratch), newSource(8)
	for range 50 {
		h := s.heap("p")
		h.Size = uint64(s.IntN(5)) * wasmPageBytes
		if got := c.digest(classHeap, swing.AppendHeap(nil, h)); got != h.ID() {
			t.Fatalf("%+v: %v, want %v", h, got, h.ID())
		}
		n := appendNode(nil, randomHashes(s.Rand, 1+s.IntN(fanOut)))
		if got, want := c.digest(classNode, n), swing.Sum(nodeDomain, n); got != want {
			t.Fatalf("node: %v, want %v", got, want)
		}
		page := s.page()
		if got, want := c.digest(classPage, page), swing.SumPage(page); got != want {
			t.Fatalf("page: %v, want %v", got, want)
		}
	}
}

// TestFormatIsFrozen: the files of a fixed store have the bytes they always had.
// Where this fails, FormatVersion is due to change, or LZ4 makes other blocks,
// which is no fault: then the digests here are brought up to date.
func TestFormatIsFrozen(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 400)
	want := map[string]string{
		"heaps/packs/00000001.pack":  "c24b691905ae",
		"heaps/packs/00000001.index": "d0d7d05e3bf1",
	}
	for name, digest := range want {
		if got := swing.Sum("file", readFile(t, sp.mem, name)).Short(); got != digest {
			t.Errorf("%s: %s, want %s", name, got, digest)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, b := range goodRecords(f) {
		f.Add(b)
	}
	f.Add([]byte{})
	c := newScratch().(*scratch)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		object, err := c.content(r)
		if err != nil {
			return
		}
		cl, _ := classOf(r.kind)
		whole := cl != classPage || len(object) == swing.PageBytes
		if c.digest(cl, bytes.Clone(object)) != r.hash || !whole {
			t.Fatalf("an object of %d bytes is taken for %v", len(object), r.hash)
		}
	})
}

func FuzzNode(f *testing.F) {
	f.Add(appendNode(nil, []swing.Hash{swing.Sum("a"), {}, swing.Sum("b")}))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := decodeNode(b)
		if err == nil && !bytes.Equal(appendNode(nil, n[:]), b) {
			t.Fatalf("%x is taken and is not what would be written", b)
		}
	})
}

func FuzzPackIndex(f *testing.F) {
	x := randomPackIndex(newSource(1), 3)
	f.Add(x.encode())
	x = randomPackIndex(newSource(2), 0)
	f.Add(x.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decodePackIndex(b)
		if err == nil && !bytes.Equal(x.encode(), b) {
			t.Fatal("an index file is taken that would not be written")
		}
	})
}

// FuzzOpenPack opens a store whose only pack is the fuzzer's. It must open, and
// be sound from then on, unless the pack is of a later format.
func FuzzOpenPack(f *testing.F) {
	var whole []byte
	check := uint32(0)
	whole, check = frame.Append(whole, kindPackHeader, 0, packHeader(1))
	for _, b := range goodRecords(f) {
		r, err := decodeRecord(b)
		must(f, err)
		whole, check = frame.Append(whole, r.kind, check, r.hash[:], r.body)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-10])
	f.Add(append(bytes.Clone(whole[:300]), whole[200:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		mem := vfs.NewMem()
		must(t, errors.Join(mem.Mkdir("heaps"), mem.Mkdir("heaps/packs")))
		pack, err := mem.Create("heaps/packs/00000001.pack")
		must(t, err)
		_, err = pack.WriteAt(b, 0)
		must(t, err)
		s, err := Open(Options{FS: mem})
		if errors.Is(err, ErrVersion) {
			return
		}
		must(t, err)
		must(t, verifyButContent(s))
		must(t, s.Close())
		s, err = Open(Options{FS: mem})
		must(t, err)
		if n := len(s.Report().Faults); n != 0 {
			t.Fatalf("%d faults at the second opening", n)
		}
	})
}

// verifyButContent is verify for packs of sound frames whose digests may lie:
// Verify names those objects and forgets them, and then finds no more to forget.
func verifyButContent(s *Store) error {
	if err := s.Verify(func(Fault) {}); err != nil {
		return err
	}
	objects := s.Stats().Objects
	err := s.Verify(func(Fault) {})
	if got := s.Stats().Objects; got != objects {
		return fmt.Errorf("%d objects, then %d", objects, got)
	}
	return err
}

// putOne stores one object, as a commit does.
func putOne(s *Store, kind byte, hash swing.Hash, body []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(object{kind, hash, body, len(body)})
}
