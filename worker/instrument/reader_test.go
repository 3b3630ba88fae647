package instrument

import (
	"math/big"
	"slices"
	"strings"
	"testing"
)

// lebTwin decodes a LEB128 of so many bits with unlimited integers, as the
// specification defines it: the value, how many bytes, and whether it is one.
func lebTwin(b []byte, bits uint, signed bool) (*big.Int, int, bool) {
	most := int(bits+6) / 7
	v := new(big.Int)
	for i := 0; i < len(b) && i < most; i++ {
		digit := big.NewInt(int64(b[i] & 0x7f))
		v.Or(v, digit.Lsh(digit, uint(7*i)))
		if b[i] >= 0x80 {
			continue
		}
		low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), bits)
		if signed {
			if b[i]&0x40 != 0 {
				v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(7*(i+1))))
			}
			high.Rsh(high, 1)
			low.Neg(high)
		}
		return v, i + 1, v.Cmp(low) >= 0 && v.Cmp(high) < 0
	}
	return nil, 0, false
}

// TestIntegersAreTheTwins compares the integer decoders with the twin on random
// bytes, and on every last byte of the longest encodings.
func TestIntegersAreTheTwins(t *testing.T) {
	t.Parallel()
	r := newRand(1)
	for range 200_000 {
		b := make([]byte, 1+r.IntN(12))
		for i := range b {
			b[i] = byte(r.Uint32())
			if r.IntN(3) > 0 {
				b[i] |= 0x80
			}
		}
		checkIntegers(t, b)
	}
	for last := range 256 {
		for _, fill := range []byte{0x80, 0xff} {
			for n := range 11 {
				checkIntegers(t, append(slices.Repeat([]byte{fill}, n), byte(last)))
			}
		}
	}
}

func checkIntegers(t *testing.T, b []byte) {
	t.Helper()
	for _, k := range []struct {
		name   string
		bits   uint
		signed bool
		read   func(*reader) int64
	}{
		{"u32", 32, false, func(r *reader) int64 { return int64(r.u32()) }},
		{"s32", 32, true, func(r *reader) int64 { return int64(r.s32()) }},
		{"s64", 64, true, (*reader).s64},
	} {
		r := &reader{b: b, end: len(b)}
		got := k.read(r)
		v, n, ok := lebTwin(b, k.bits, k.signed)
		switch {
		case ok != (r.err == nil):
			t.Fatalf("%s of %x: %v, the twin says %v", k.name, b, r.err, ok)
		case !ok && got != 0:
			t.Fatalf("%s of %x: %d with a fault", k.name, b, got)
		case ok && (r.at != n || got != v.Int64()):
			t.Fatalf("%s of %x: %d in %d bytes, want %v in %d", k.name, b, got, r.at, v, n)
		}
	}
}

// TestUnsignedIntegersRoundTrip encodes random and extreme numbers, and compares
// with the dumb encoder and with what comes back.
func TestUnsignedIntegersRoundTrip(t *testing.T) {
	t.Parallel()
	r := newRand(2)
	numbers := []uint32{0, 0x7f, 0x80, 0x3fff, 0x4000, 1<<21 - 1, 1 << 21}
	numbers = append(numbers, 1<<28-1, 1<<28, 1<<32-1)
	for range 10_000 {
		numbers = append(numbers, r.Uint32()>>r.IntN(32))
	}
	for _, v := range numbers {
		b := appendU32([]byte{0xaa}, v)
		if !slices.Equal(b[1:], leb(uint64(v))) {
			t.Fatalf("%d is %x, want %x", v, b[1:], leb(uint64(v)))
		}
		rd := &reader{b: b, at: 1, end: len(b)}
		if got := rd.u32(); got != v || rd.done() != nil {
			t.Fatalf("%d came back as %d, %v", v, got, rd.done())
		}
	}
}

// TestReaderNeverPassesItsEnd reads everything there is to read from every short
// stretch of bytes: a fault or a value, and never a byte past the end, nor more
// than what is left promised.
func TestReaderNeverPassesItsEnd(t *testing.T) {
	t.Parallel()
	r := newRand(3)
	for range 50_000 {
		b := make([]byte, 24)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		rd := &reader{b: b, at: r.IntN(4), end: 4 + r.IntN(12)}
		for range 6 {
			each := 1 + r.IntN(4)
			if n := rd.count("things", each, 1000); n*each > rd.left() {
				t.Fatalf("%x: count %d of %d bytes each with %d left", b, n, each, rd.left())
			}
			if i := rd.index("thing", 5); i < 0 || i >= 5 {
				t.Fatalf("%x: index %d", b, i)
			}
			rd.name("a name", 3)
			rd.take(r.IntN(5))
			rd.valType()
			if rd.at > rd.end {
				t.Fatalf("%x: at %d of %d", b, rd.at, rd.end)
			}
		}
	}
}

// TestFirstFaultSticks makes one fault, and then others: the first stays.
func TestFirstFaultSticks(t *testing.T) {
	t.Parallel()
	r := &reader{b: []byte{0xff, 0xff}, end: 2, in: place{"thing", 7}}
	r.u32()
	r.refuse(1, "another")
	r.u8()
	err := r.done()
	want := "thing 7 at offset 0: cut short in an integer"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatal(err)
	}
}

// TestTypesAsText writes a signature of every type, and a byte that is none.
func TestTypesAsText(t *testing.T) {
	t.Parallel()
	got := signatureText([]ValType{I32, I64, F32, F64, V128}, []ValType{FuncRef, 0x6f})
	if got != "(i32, i64, f32, f64, v128) -> (funcref, type(0x6f))" {
		t.Error(got)
	}
}

// TestLimitsHaveDefaults resolves limits that are zero, set, and out of range.
func TestLimitsHaveDefaults(t *testing.T) {
	t.Parallel()
	l, err := Limits{Functions: 7}.resolve()
	if err != nil || l.Functions != 7 || l.ModuleBytes != 16<<20 || l.MemoryPages != 4096 {
		t.Fatalf("%+v, %v", l, err)
	}
	for _, bad := range []Limits{{Types: -1}, {MemoryPages: 65_537}, {Nesting: 1 << 20}} {
		_, err := Rewrite(nil, nil, bad)
		if err == nil || !strings.Contains(err.Error(), "want 1 to") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
