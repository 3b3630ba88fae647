package snapstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// specimen is a small closed store, and what is in it.
type specimen struct {
	mem   *vfs.Mem
	o     Options
	heaps map[swing.Hash]content
	code  map[swing.Hash][]byte
}

// newSpecimen makes a store of two heaps with a few small pages each, and code.
// With small packs all but the last are sealed.
func newSpecimen(t testing.TB, packBytes int64) specimen {
	t.Helper()
	sp := specimen{
		mem: vfs.NewMem(), heaps: map[swing.Hash]content{}, code: map[swing.Hash][]byte{},
	}
	sp.o = Options{FS: sp.mem, PackBytes: packBytes, HeapBytesMax: wasmPageBytes}
	s, err := Open(sp.o)
	must(t, err)
	c := content{heap: swing.Heap{Program: swing.Sum("p")}, memory: make([]byte, wasmPageBytes)}
	img, info, err := s.Genesis(c.state(), nil)
	must(t, err)
	for i := range 2 {
		var dirty []swing.Page
		for j := range 2 {
			at := (5*i + j) * swing.PageBytes
			c.memory[at+j] = byte(1 + i)
			page := c.memory[at : at+swing.PageBytes]
			dirty = append(dirty, swing.Page{Index: uint32(5*i + j), Data: page})
		}
		img, err = s.Pause(img, c.state(), dirty)
		must(t, err)
		info, err = s.Commit(img)
		must(t, err)
		sp.heaps[info.ID] = c.clone()
	}
	code := []byte("the code of a program")
	hash, err := s.PutCode(code)
	must(t, err)
	sp.code[hash] = code
	must(t, s.Close())
	return sp
}

// copy returns a file system with the same content, to be damaged.
func (sp specimen) copy() *vfs.Mem { return sp.mem.Crash(0, 100) }

// files returns the names of the store's files that match.
func (sp specimen) files(t testing.TB, dir, suffix string) (names []string) {
	t.Helper()
	all, err := sp.mem.List(path.Join(dirDefault, dir))
	must(t, err)
	for _, name := range all {
		if strings.HasSuffix(name, suffix) {
			names = append(names, path.Join(dirDefault, dir, name))
		}
	}
	return names
}

func readFile(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	must(t, err)
	b, err := readWhole(f, 1<<30)
	must(t, errors.Join(err, f.Close()))
	return b
}

func replaceFile(t testing.TB, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Open(name)
	must(t, err)
	must(t, f.Truncate(0))
	_, err = f.WriteAt(b, 0)
	must(t, errors.Join(err, f.Sync(), f.Close()))
}

// evidence opens a damaged store and returns every sign of the damage there is.
// It fails if a heap or code comes out other than it was put in.
func (sp specimen) evidence(fs *vfs.Mem) (signs []string, err error) {
	o := sp.o
	o.FS = fs
	s, err := Open(o)
	if err != nil {
		return []string{err.Error()}, nil
	}
	for _, f := range s.Report().Faults {
		signs = append(signs, f.Error())
	}
	for id, want := range sp.heaps {
		switch err := readable(s, id, want); {
		case damaged(err):
			signs = append(signs, err.Error())
		case err != nil:
			return nil, fmt.Errorf("heap %v is silently wrong: %w", id, err)
		}
	}
	for hash, want := range sp.code {
		got, err := s.Code(hash)
		if damaged(err) {
			signs = append(signs, err.Error())
		} else if err != nil || !bytes.Equal(got, want) {
			return nil, fmt.Errorf("code %v is silently wrong: %w", hash, err)
		}
	}
	err = s.Verify(func(f Fault) { signs = append(signs, f.Error()) })
	return signs, errors.Join(err, s.Close())
}

// stride is 1, or with -short larger and odd, so that all bits of a byte are met.
func stride(short int) int {
	if testing.Short() {
		return short
	}
	return 1
}

// flipAll flips every bit of a file, one at a time, and demands a sign that
// names the file for each.
func (sp specimen) flipAll(t *testing.T, name string) {
	t.Helper()
	whole := readFile(t, sp.mem, name)
	flips := 0
	for bit := 0; bit < 8*len(whole); bit += stride(11) {
		fs := sp.copy()
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		replaceFile(t, fs, name, b)
		signs, err := sp.evidence(fs)
		if err != nil {
			t.Fatalf("%s, bit %d: %v", name, bit, err)
		}
		if !strings.Contains(strings.Join(signs, "\n"), path.Base(name)) {
			t.Fatalf("%s, bit %d is silent; signs: %q", name, bit, signs)
		}
		flips++
	}
	t.Logf("%s: %d flips, none silent", name, flips)
}

// TestEveryBitFlipIsNamed: each bit of a pack with an index file, of one
// without, of an index file and of a code file, flipped: the file is named by
// Open's report, a read, or Verify, and nothing wrong is ever returned.
func TestEveryBitFlipIsNamed(t *testing.T) {
	t.Parallel()
	sealed, active := newSpecimen(t, 400), newSpecimen(t, 0)
	if n := len(sealed.files(t, packsDir, ".index")); n < 2 {
		t.Fatalf("%d sealed packs", n)
	}
	for _, c := range []struct {
		sp   specimen
		name string
	}{
		{sealed, sealed.files(t, packsDir, ".pack")[0]},
		{sealed, sealed.files(t, packsDir, ".pack")[1]},
		{sealed, sealed.files(t, packsDir, ".index")[0]},
		{active, active.files(t, packsDir, ".pack")[0]},
		{active, active.files(t, codeDir, "")[0]},
	} {
		t.Run(path.Base(c.name), func(t *testing.T) {
			t.Parallel()
			c.sp.flipAll(t, c.name)
		})
	}
}

// TestEveryLengthIsNamed: each file cut to every shorter length, or longer by
// zeros or noise. A pack that ends where a record does has lost it without a
// trace in itself: then the heap is missing, which is a sign too.
func TestEveryLengthIsNamed(t *testing.T) {
	t.Parallel()
	for _, packBytes := range []int64{400, 0} {
		sp := newSpecimen(t, packBytes)
		names := append(sp.files(t, packsDir, ""), sp.files(t, codeDir, "")...)
		for _, name := range names {
			whole := readFile(t, sp.mem, name)
			var variants [][]byte
			for n := 0; n < len(whole); n += stride(7) {
				variants = append(variants, whole[:n])
			}
			for _, more := range [][]byte{make([]byte, 1), make([]byte, 5000), {1}, whole} {
				variants = append(variants, append(bytes.Clone(whole), more...))
			}
			for _, b := range variants {
				fs := sp.copy()
				replaceFile(t, fs, name, b)
				signs, err := sp.evidence(fs)
				if err != nil || len(signs) == 0 {
					t.Fatalf("%s of %d bytes, %d: signs %q, %v", name, len(whole), len(b), signs, err)
				}
			}
		}
	}
}

// TestVerifySeesAnOpenPackCut: a pack is cut behind the store's back, where a
// record ends. Verify says where, and what is lost.
func TestVerifySeesAnOpenPackCut(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{})
	born(t, s, 1)
	must(t, s.Sync())
	name := "heaps/packs/00000001.pack"
	whole := readFile(t, mem, name)
	last := 0
	for at := 0; at < len(whole); {
		f, err := frame.Decode(whole[at:])
		must(t, err)
		last, at = at, at+f.Bytes()
	}
	f, err := mem.Open(name)
	must(t, errors.Join(err, f.Truncate(int64(last))))
	var faults []Fault
	must(t, s.Verify(func(f Fault) { faults = append(faults, f) }))
	if len(faults) != 2 || faults[0].Offset != int64(last) || faults[1].Offset != int64(last) {
		t.Errorf("%+v", faults)
	}
}

// TestFilesInEachOthersPlaceAreNamed: two packs, two index files, or two
// programs change names.
func TestFilesInEachOthersPlaceAreNamed(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 400)
	other, err := Open(Options{FS: sp.mem})
	must(t, err)
	hash, err := other.PutCode([]byte("more"))
	must(t, err)
	sp.code[hash] = []byte("more")
	must(t, other.Close())
	for _, names := range [][]string{
		sp.files(t, packsDir, ".pack"), sp.files(t, packsDir, ".index"), sp.files(t, codeDir, ""),
	} {
		fs := sp.copy()
		a, b := readFile(t, fs, names[0]), readFile(t, fs, names[1])
		replaceFile(t, fs, names[0], b)
		replaceFile(t, fs, names[1], a)
		signs, err := sp.evidence(fs)
		if err != nil || !strings.Contains(strings.Join(signs, "\n"), path.Base(names[0])) {
			t.Errorf("%s: signs %q, %v", names[0], signs, err)
		}
	}
}

// TestRecordsMovedInAPackAreNamed: two records change places, one is doubled, or
// one is left out. Each is sound in itself: the seeds show it.
func TestRecordsMovedInAPackAreNamed(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 0)
	name := sp.files(t, packsDir, ".pack")[0]
	whole := readFile(t, sp.mem, name)
	var frames [][]byte
	for rest := whole; len(rest) > 0; {
		f, err := frame.Decode(rest)
		must(t, err)
		frames = append(frames, rest[:f.Bytes()])
		rest = rest[f.Bytes():]
	}
	join := func(order ...int) []byte {
		var b []byte
		for _, i := range order {
			b = append(b, frames[i]...)
		}
		for _, f := range frames[4:] {
			b = append(b, f...)
		}
		return b
	}
	if !bytes.Equal(join(0, 1, 2, 3), whole) {
		t.Fatal("the frames do not make the pack")
	}
	for _, b := range [][]byte{join(0, 2, 1, 3), join(0, 1, 1, 2, 3), join(0, 1, 3), join(1, 2, 3)} {
		fs := sp.copy()
		replaceFile(t, fs, name, b)
		signs, err := sp.evidence(fs)
		if err != nil || !strings.Contains(strings.Join(signs, "\n"), path.Base(name)) {
			t.Errorf("signs %q, %v", signs, err)
		}
	}
}

// TestRecordsBehindDamageAreSaved: a record in the middle of a pack without an
// index is destroyed. Open names it, stores what lies behind it anew, and the
// next Open and Verify find a sound store.
func TestRecordsBehindDamageAreSaved(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 0)
	name := sp.files(t, packsDir, ".pack")[0]
	whole := readFile(t, sp.mem, name)
	damageAt := len(packHeaderFrame(1)) + frame.HeaderBytes + 40
	whole[damageAt] ^= 1
	replaceFile(t, sp.mem, name, whole)
	s, err := Open(sp.o)
	must(t, err)
	r := s.Report()
	if len(r.Faults) != 1 || r.Scanned != 1 || r.Salvaged < 5 {
		t.Errorf("report %+v", r)
	}
	objects := s.Stats().Objects
	must(t, verify(s))
	must(t, s.Close())
	s, err = Open(sp.o)
	must(t, err)
	if r := s.Report(); len(r.Faults) != 0 || s.Stats().Objects != objects {
		t.Errorf("report of the second opening %+v, %d objects, want %d", r, s.Stats().Objects, objects)
	}
	must(t, verify(s))
}

func packHeaderFrame(number uint32) []byte {
	b, _ := frame.Append(nil, kindPackHeader, 0, packHeader(number))
	return b
}

// TestAPageCannotForgeRecords: a guest writes records into its pages, which are
// stored as they are. When the page's own record is damaged, the scan meets them:
// the one with a false digest is not taken, and nothing is read wrong.
func TestAPageCannotForgeRecords(t *testing.T) {
	t.Parallel()
	s := newSource(1)
	page := make([]byte, swing.PageBytes)
	for i := range page {
		page[i] = byte(s.Uint32())
	}
	target := swing.Sum(heapDomain, []byte("a heap that never was"))
	forged, _ := frame.Append(nil, kindHeap, 7, target[:], []byte("anything"))
	copy(page[100:], forged)
	mem := vfs.NewMem()
	store, err := Open(Options{FS: mem})
	must(t, err)
	_, info, err := store.Genesis(swing.Heap{Size: wasmPageBytes}, []Segment{{Data: page}})
	must(t, err)
	must(t, store.Close())
	name := path.Join(dirDefault, packsDir, "00000001.pack")
	b := readFile(t, mem, name)
	at := bytes.Index(b, forged)
	if at < 0 {
		t.Fatal("the page is not stored as it is")
	}
	b[at-1] ^= 1
	replaceFile(t, mem, name, b)
	store, err = Open(Options{FS: mem})
	must(t, err)
	if _, err := store.Image(target); !errors.Is(err, ErrNotFound) {
		t.Errorf("the forged heap: %v", err)
	}
	if _, err := store.Image(info.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the damaged heap: %v", err)
	}
	must(t, verify(store))
}

// TestObjectsOfTwoClassesMayShareADigest: a page is made that has the very bytes
// a heap's digest is made of. Both are stored, and both come back.
func TestObjectsOfTwoClassesMayShareADigest(t *testing.T) {
	t.Parallel()
	h, page := heapOfAPage(t)
	if swing.SumPage(page) != h.ID() {
		t.Fatal("the page does not have the heap's digest")
	}
	for _, pageFirst := range []bool{true, false} {
		s, err := Open(Options{FS: vfs.NewMem()})
		must(t, err)
		store := func(h swing.Heap, segments []Segment) swing.Hash {
			_, info, err := s.Genesis(h, segments)
			must(t, err)
			return info.ID
		}
		withPage := func() swing.Hash {
			return store(swing.Heap{Size: wasmPageBytes}, []Segment{{Data: page}})
		}
		var a, b swing.Hash
		if pageFirst {
			a, b = withPage(), store(h, nil)
		} else {
			b, a = store(h, nil), withPage()
		}
		must(t, errors.Join(s.VerifyHeap(a), s.VerifyHeap(b), verify(s)))
	}
}

// heapOfAPage returns a heap whose digest is made from exactly one page of bytes.
func heapOfAPage(t *testing.T) (swing.Heap, []byte) {
	t.Helper()
	h := swing.Heap{}
	for len(swing.AppendHeap(nil, h)) < swing.PageBytes {
		enc := swing.AppendHeap(nil, h)
		page := binary.LittleEndian.AppendUint64(nil, uint64(len(heapDomain)))
		page = append(page, heapDomain...)
		page = binary.LittleEndian.AppendUint64(page, uint64(len(enc)))
		page = append(page, enc...)
		missing := swing.PageBytes - len(page)
		switch {
		case missing == 0:
			return h, page
		case missing > 20:
			h.Globals = append(h.Globals, 1<<40)
		default:
			h.Globals = append(h.Globals, 1)
		}
	}
	t.Fatal("no heap has the right size")
	return h, nil
}

// TestStrangersAreNamedAndLeftAlone: files that are none of the store's keep it
// from nothing; Verify names them.
func TestStrangersAreNamedAndLeftAlone(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 0)
	for _, name := range []string{"packs/readme", "packs/1.pack", "packs/00000000.pack", "code/x"} {
		f, err := sp.mem.Create(path.Join(dirDefault, name))
		must(t, errors.Join(err, f.Close()))
	}
	signs, err := sp.evidence(sp.mem)
	if err != nil || len(signs) != 4 {
		t.Errorf("signs %q, %v", signs, err)
	}
}

// TestLaterFormatsAreRefused: a pack of a later format is not read, nor cut.
func TestLaterFormatsAreRefused(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 0)
	name := sp.files(t, packsDir, ".pack")[0]
	header := packHeader(1)
	header[len(packMagic)]++
	b, _ := frame.Append(nil, kindPackHeader, 0, header)
	replaceFile(t, sp.mem, name, b)
	if _, err := Open(sp.o); !errors.Is(err, ErrVersion) {
		t.Errorf("open: %v", err)
	}
	if got := readFile(t, sp.mem, name); !bytes.Equal(got, b) {
		t.Error("the pack was changed")
	}
}
