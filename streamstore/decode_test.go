package streamstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// coded is a decoder under test: bytes to a value, and the value to its bytes.
type coded struct {
	name   string
	sample func(rng *rand.Rand) []byte
	// recode decodes, and encodes what it got.
	recode func(b []byte) ([]byte, error)
}

func one(b []byte) (frame.Frame, error) {
	f, err := frame.Decode(b)
	if err == nil && f.Bytes() != len(b) {
		err = errStale
	}
	return f, err
}

// memFile returns a file in memory with the bytes.
func memFile(b []byte) vfs.File {
	f, err := vfs.NewMem().Create("x")
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err != nil {
		panic(err)
	}
	return f
}

var coders = []coded{
	{"segment header", func(rng *rand.Rand) []byte {
		b, _ := segmentHeader{rng.Uint64(), rng.Uint32(), rng.Uint64(), rng.IntN(2) == 0}.append(nil, 7)
		return b
	}, func(b []byte) ([]byte, error) {
		f, err := one(b)
		if err != nil {
			return nil, err
		}
		h, err := decodeSegmentHeader(f)
		b, _ = h.append(nil, f.Seed)
		return b, err
	}},
	{"opening", func(rng *rand.Rand) []byte {
		b, _ := opening{rng.Uint64(), rng.Uint64(), rng.IntN(2) == 0}.append(nil, 7)
		return b
	}, func(b []byte) ([]byte, error) {
		f, err := one(b)
		if err != nil {
			return nil, err
		}
		o, err := decodeOpening(f)
		b, _ = o.append(nil, f.Seed)
		return b, err
	}},
	{"closing", func(rng *rand.Rand) []byte {
		b, _ := closing{rng.Uint64(), rng.Uint32(), rng.Uint64()}.append(nil, 7)
		return b
	}, func(b []byte) ([]byte, error) {
		f, err := one(b)
		if err != nil {
			return nil, err
		}
		c, err := decodeClosing(f)
		b, _ = c.append(nil, f.Seed)
		return b, err
	}},
	{"record", func(rng *rand.Rand) []byte {
		head := appendRecordHead(nil, fmt.Sprintf("s%d", rng.Uint32()), rng.Uint64()>>rng.IntN(64))
		b, _ := frame.Append(nil, kindRecord, 7, head, make([]byte, rng.IntN(50)))
		return b
	}, func(b []byte) ([]byte, error) {
		f, err := one(b)
		if err != nil {
			return nil, err
		}
		c, err := decodeRecord(f)
		head := appendRecordHead(nil, string(c.name), c.position)
		b, _ = frame.Append(nil, kindRecord, f.Seed, head, c.item)
		return b, err
	}},
	{"manifest", func(rng *rand.Rand) []byte { return randomManifest(rng).encode() },
		func(b []byte) ([]byte, error) {
			m, err := readManifest(memFile(b), "x")
			if err != nil {
				return nil, err
			}
			return m.encode(), nil
		}},
	{"mark", func(rng *rand.Rand) []byte {
		return closedMark{rng.Uint64(), rng.Uint32(), rng.Uint64(), rng.Uint32(), rng.Uint64()}.encode()
	}, func(b []byte) ([]byte, error) {
		c, err := readClosedMark(memFile(b), "x")
		return c.encode(), err
	}},
	{"footer", func(rng *rand.Rand) []byte {
		x := randomFooter(rng)
		b, _ := frame.Append(nil, kindFooter, 7, x.append(nil))
		return b
	}, func(b []byte) ([]byte, error) {
		f, err := one(b)
		if err != nil {
			return nil, err
		}
		x, err := decodeFooter(f, footerEnd(f))
		if err != nil {
			return nil, err
		}
		b, _ = frame.Append(nil, kindFooter, f.Seed, x.append(nil))
		return b, nil
	}},
}

func randomManifest(rng *rand.Rand) *manifest {
	through := archivedThrough{50, rng.Uint32(), rng.Uint64()}
	m := &manifest{identity: rng.Uint64(), archivedThrough: through}
	for i := range rng.Uint32N(5) {
		size, check := 1+rng.Int64N(1<<30), rng.Uint32()
		m.archives = append(m.archives, archived{10*i + 1, size, check, "w", rng.Uint64()})
	}
	for i := range rng.IntN(5) {
		start := rng.Uint64() >> 8
		s := standing{fmt.Sprintf("s%d", i), start, start + rng.Uint64N(9), 1 + rng.Uint32N(50)}
		m.streams = append(m.streams, s)
	}
	return m
}

func randomFooter(rng *rand.Rand) *footer {
	x := &footer{streams: rng.IntN(1000)}
	for i := range 1 + rng.Uint32N(4) {
		x.packs = append(x.packs, packSpan{span{0, 16 + rng.Int64N(1<<20)}, i, rng.Uint64()})
	}
	for i := range 1 + rng.IntN(3) {
		at := span{0, 16 + rng.Int64N(1<<12)}
		x.names = append(x.names, namesSpan{at, uint32(9 * i), fmt.Sprint("n", i)})
	}
	return x
}

// footerEnd returns where a footer must lie for its sizes to add up.
func footerEnd(f frame.Frame) int64 {
	r := fieldReader{b: f.Body}
	end := int64(archiveHeaderBytes)
	r.uvarint()
	for n := r.count(3); n > 0 && r.err == nil; n-- {
		end += int64(r.uvarint())
		r.uvarint()
		r.uvarint()
	}
	for n := r.count(4); n > 0 && r.err == nil; n-- {
		end += int64(r.uvarint())
		r.uvarint()
		r.name()
	}
	return end
}

// TestDecodersRoundTrip: what is encoded decodes to what encodes the same, and
// neither a cut nor a flipped bit gets through.
func TestDecodersRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range coders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(30) {
				rng := rand.New(rand.NewPCG(seed, 0))
				b := c.sample(rng)
				got, err := c.recode(b)
				if err != nil || !bytes.Equal(got, b) {
					t.Fatalf("seed %d: %v\n got %x\nwant %x", seed, err, got, b)
				}
				for n := range b {
					if _, err := c.recode(b[:n]); err == nil {
						t.Fatalf("seed %d: %d of %d bytes accepted", seed, n, len(b))
					}
				}
				for bit := range 8 * len(b) {
					b[bit/8] ^= 1 << (bit % 8)
					if _, err := c.recode(b); err == nil {
						t.Fatalf("seed %d: bit %d of byte %d not found", seed, bit%8, bit/8)
					}
					b[bit/8] ^= 1 << (bit % 8)
				}
			}
		})
	}
}

// TestBodiesAreStrict: with a right check, so that only the decoder stands between
// wrong fields and the store: every body cut short, longer, or of another kind.
func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	for _, c := range coders {
		if c.name == "manifest" {
			continue // several frames
		}
		f, err := one(c.sample(rand.New(rand.NewPCG(1, 0))))
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(f.Body) {
			b, _ := frame.Append(nil, f.Kind, f.Seed, f.Body[:n])
			// A record's item may have any length: only its head must be there.
			if _, err := c.recode(b); err == nil && (c.name != "record" || n < 3) {
				t.Errorf("%s: %d of %d bytes of the body accepted", c.name, n, len(f.Body))
			}
		}
		b, _ := frame.Append(nil, f.Kind, f.Seed, f.Body, []byte{0})
		if _, err := c.recode(b); err == nil && c.name != "record" {
			t.Errorf("%s: a longer body accepted", c.name)
		}
		b, _ = frame.Append(nil, f.Kind+1, f.Seed, f.Body)
		if _, err := c.recode(b); err == nil {
			t.Errorf("%s: another kind accepted", c.name)
		}
	}
}

// TestManifestIsStrict: fields that contradict one another, under right checks.
func TestManifestIsStrict(t *testing.T) {
	t.Parallel()
	good := func() *manifest {
		return &manifest{
			identity: 1, archivedThrough: archivedThrough{9, 2, 3},
			archives: []archived{{3, 100, 1, "a", 5}, {5, 100, 1, "b", 5}},
			streams:  []standing{{"a", 1, 4, 3}, {"b", 0, 5, 5}},
		}
	}
	for what, harm := range map[string]func(m *manifest){
		"nothing":                   func(*manifest) {},
		"archive 0":                 func(m *manifest) { m.archives[0].number = 0 },
		"archives out of order":     func(m *manifest) { m.archives[0].number = 5 },
		"archive past the last":     func(m *manifest) { m.archives[1].number = 10 },
		"archive of no bytes":       func(m *manifest) { m.archives[1].size = 0 },
		"archive of too many bytes": func(m *manifest) { m.archives[1].size = -1 },
		"streams out of order":      func(m *manifest) { m.streams[1].name = "a" },
		"stream of no name":         func(m *manifest) { m.streams[0].name = "" },
		"stream past the last":      func(m *manifest) { m.streams[0].archive = 10 },
		"items without an archive":  func(m *manifest) { m.streams[0].archive = 0 },
		"items past the last": func(m *manifest) {
			m.streams[0].start, m.streams[0].end = 1<<64-1, 3
		},
	} {
		m := good()
		harm(m)
		got, err := readManifest(memFile(m.encode()), "x")
		if what == "nothing" {
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("%v: got %+v, want %+v", err, got, m)
			}
		} else if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// fuzzDecoder runs a decoder on any bytes: no panic, and what is accepted encodes
// to the same bytes.
func fuzzDecoder(f *testing.F, c coded) {
	for seed := range uint64(4) {
		f.Add(c.sample(rand.New(rand.NewPCG(seed, 0))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// The check is put right: else nothing gets past it.
		if len(b) >= frame.HeaderBytes && b[4] != 0 {
			b, _ = frame.Append(nil, b[4], 7, b[frame.HeaderBytes:])
		}
		if got, err := c.recode(b); err == nil && !bytes.Equal(got, b) {
			t.Fatalf("accepted %x, encodes to %x", b, got)
		}
	})
}

func FuzzSegmentHeader(f *testing.F) { fuzzDecoder(f, coders[0]) }
func FuzzOpening(f *testing.F)       { fuzzDecoder(f, coders[1]) }
func FuzzClosing(f *testing.F)       { fuzzDecoder(f, coders[2]) }
func FuzzRecord(f *testing.F)        { fuzzDecoder(f, coders[3]) }
func FuzzFooter(f *testing.F)        { fuzzDecoder(f, coders[6]) }

// reframe makes frames of b where its lengths say that they are, with right seeds
// and checks: else nothing gets past these.
func reframe(b []byte) (all []byte) {
	seed := uint32(0)
	for {
		n, err := frame.DecodeLength(b)
		if err != nil || len(b) < frame.HeaderBytes+n {
			return append(all, b...)
		}
		all, seed = frame.Append(all, b[4], seed, b[frame.HeaderBytes:][:n])
		b = b[frame.HeaderBytes+n:]
	}
}

// FuzzManifest: any bytes in frames that are right.
func FuzzManifest(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(coders[4].sample(rand.New(rand.NewPCG(seed, 0))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = reframe(b)
		if m, err := readManifest(memFile(b), "x"); err == nil && !bytes.Equal(m.encode(), b) {
			t.Fatalf("accepted %x, encodes to %x", b, m.encode())
		}
	})
}

// TestNumbersHaveOneForm: a uvarint with a byte more than it needs, or cut, or of
// more than 64 bits, is refused.
func TestNumbersHaveOneForm(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{
		{0x80, 0}, {0x81, 0}, {0xff, 0x80, 0}, {}, {0x80}, {0xff, 0xff},
		bytes.Repeat([]byte{0xff}, 11), append(bytes.Repeat([]byte{0xff}, 9), 2),
	} {
		r := fieldReader{b: b}
		if v := r.uvarint(); v != 0 || !errors.Is(r.err, errBody) {
			t.Errorf("%x: %d, %v", b, v, r.err)
		}
	}
	for _, v := range []uint64{0, 1, 127, 128, 1<<64 - 1} {
		r := fieldReader{b: binary.AppendUvarint(nil, v)}
		if got := r.uvarint(); got != v || r.err != nil || len(r.b) > 0 {
			t.Errorf("%d: %d, %v", v, got, r.err)
		}
	}
}

// TestFaultSticksInABody: after the first fault nothing is taken any more.
func TestFaultSticksInABody(t *testing.T) {
	t.Parallel()
	r := fieldReader{b: []byte{1, 2, 3, 4, 5, 6, 7}}
	r.uint64()
	if r.byte() != 0 || r.uint32() != 0 || r.uvarint() != 0 || r.count(1) != 0 ||
		r.name() != nil || r.flags() {
		t.Error("a field after the fault")
	}
	if err := r.done(frame.Frame{Kind: 3}, 3); !errors.Is(err, errBody) {
		t.Errorf("done: %v", err)
	}
	if err := (&fieldReader{}).done(frame.Frame{Kind: 3}, 4); !errors.Is(err, errBody) {
		t.Errorf("another kind: %v", err)
	}
}

// TestFileNames: the number and only the number, in one form.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, n := range []uint32{1, 9, 10, 0xabc, 1<<32 - 1} {
		if got := numberOf(segmentName(n), suffixSegment); got != n {
			t.Errorf("%s: %d", segmentName(n), got)
		}
		if got := numberOf(archiveName(n), suffixSegment); got != 0 {
			t.Errorf("%s is a segment", archiveName(n))
		}
	}
	for _, name := range []string{
		"0000000A.segment", "+0000001.segment", "0x000001.segment", "00000000.segment", "1.segment",
		"0000_001.segment", " 0000001.segment", "00000001.segment ", ".segment", "",
	} {
		if got := numberOf(name, suffixSegment); got != 0 {
			t.Errorf("%q is segment %d", name, got)
		}
	}
}

// TestFooterAccountsForEveryByte: the frames it lists fill the space up to it.
func TestFooterAccountsForEveryByte(t *testing.T) {
	t.Parallel()
	x := randomFooter(rand.New(rand.NewPCG(1, 0)))
	b, _ := frame.Append(nil, kindFooter, 0, x.append(nil))
	f, err := one(b)
	if err != nil {
		t.Fatal(err)
	}
	end := footerEnd(f)
	for _, d := range []int64{-100, -1, 0, 1, 100} {
		if _, err := decodeFooter(f, end+d); (err == nil) != (d == 0) {
			t.Errorf("%d bytes off: %v", d, err)
		}
	}
	for what, harm := range map[string]func(*footer){
		"no pack":          func(x *footer) { x.packs = nil },
		"no table":         func(x *footer) { x.names = nil },
		"a table too late": func(x *footer) { x.names[0].stream = 1 },
		"a tiny pack":      func(x *footer) { x.packs[0].size = 15 },
		"a nameless table": func(x *footer) { x.names[0].first = "" },
	} {
		x := randomFooter(rand.New(rand.NewPCG(1, 0)))
		harm(x)
		b, _ := frame.Append(nil, kindFooter, 0, x.append(nil))
		f, err := one(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeFooter(f, footerEnd(f)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// TestManifestOfOneHistory: a frame of another manifest, of equal size and in
// order, does not fit between those of this one; nor does an empty frame.
func TestManifestOfOneHistory(t *testing.T) {
	t.Parallel()
	of := func(start uint64) []byte {
		m := &manifest{identity: 1, archivedThrough: archivedThrough{9, 2, 3}}
		for i := range 9000 { // some frames
			m.streams = append(m.streams, standing{fmt.Sprintf("s%05d", i), start, start + 1, 3})
		}
		return m.encode()
	}
	one, two := of(100), of(101)
	if len(one) != len(two) {
		t.Fatalf("%d and %d bytes", len(one), len(two))
	}
	head, err := frame.Decode(one)
	if err != nil {
		t.Fatal(err)
	}
	at := head.Bytes()
	second, err := frame.Decode(one[at:])
	if err != nil {
		t.Fatal(err)
	}
	at += second.Bytes()
	third, err := frame.Decode(one[at:])
	if err != nil {
		t.Fatal(err)
	}
	mixed := append([]byte{}, one...)
	copy(mixed[at:at+third.Bytes()], two[at:])
	if _, err := readManifest(memFile(mixed), "x"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("mixed: %v", err)
	}
	empty, _ := frame.Append(nil, kindStreams, head.Check)
	longer := append(append(append([]byte{}, one[:head.Bytes()]...), empty...), one[head.Bytes():]...)
	if _, err := readManifest(memFile(reframe(longer)), "x"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("with an empty frame: %v", err)
	}
	if _, err := readManifest(memFile(reframe(one)), "x"); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}
