package swing_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/zeebo/blake3"

	"vatwarehouse/swing"
)

// twinSum hashes length-prefixed pieces in one buffer, in one call.
func twinSum(domain string, parts ...[]byte) swing.Hash {
	var b []byte
	for _, p := range append([][]byte{[]byte(domain)}, parts...) {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(p))), p...)
	}
	return blake3.Sum256(b)
}

// TestSumIsLengthPrefixed: Sum and a reused Hasher equal the twin, for pieces
// around the size of the gathering buffer.
func TestSumIsLengthPrefixed(t *testing.T) {
	sizes := []int{0, 1, 7, 8, 1000, 1015, 1016, 1017, 1023, 1024, 1025, 5000, 16 << 10, 16<<10 + 1, 40_000}
	h := swing.NewHasher("test")
	for _, a := range sizes {
		for _, b := range sizes {
			pa, pb := bytes.Repeat([]byte{1}, a), bytes.Repeat([]byte{2}, b)
			want := twinSum("test", pa, pb)
			if got := swing.Sum("test", pa, pb); got != want {
				t.Fatalf("%d, %d: Sum %v, want %v", a, b, got, want)
			}
			h.Reset()
			h.AddString(string(pa))
			h.Add(pb)
			if got := h.Sum(); got != want {
				t.Fatalf("%d, %d: Hasher %v, want %v", a, b, got, want)
			}
		}
	}
	if swing.Sum("d", []byte("ab"), []byte("c")) == swing.Sum("d", []byte("a"), []byte("bc")) {
		t.Error("two lists of pieces share a digest")
	}
}

// TestParseHash: String and ParseHash are inverse, and nothing else parses.
func TestParseHash(t *testing.T) {
	h := swing.Sum("x")
	if got, err := swing.ParseHash(h.String()); err != nil || got != h {
		t.Errorf("got %v, %v", got, err)
	}
	upper := bytes.ToUpper([]byte(h.String()))
	for _, s := range []string{"", h.Short(), h.String() + "0", string(upper), "zz" + h.String()[2:]} {
		if _, err := swing.ParseHash(s); err == nil {
			t.Errorf("%q parsed", s)
		}
	}
}

// TestStreamIsOneStream: reading in pieces gives the bytes of reading at once.
func TestStreamIsOneStream(t *testing.T) {
	seed := swing.Sum("seed")
	whole := make([]byte, 1000)
	swing.Stream(seed, 0, whole)
	for _, at := range []int{0, 1, 63, 64, 65, 500, 999} {
		piece := make([]byte, len(whole)-at)
		swing.Stream(seed, uint64(at), piece)
		if !bytes.Equal(piece, whole[at:]) {
			t.Fatalf("offset %d: %x, want %x", at, piece[:8], whole[at:at+8])
		}
	}
	other := make([]byte, 1000)
	swing.Stream(swing.Sum("other"), 0, other)
	if bytes.Equal(whole, other) {
		t.Error("two seeds give one stream")
	}
}

func BenchmarkSumPage(b *testing.B) {
	page := bytes.Repeat([]byte{7}, swing.PageBytes)
	b.SetBytes(swing.PageBytes)
	for b.Loop() {
		swing.SumPage(page)
	}
}

func BenchmarkHasherCrank(b *testing.B) {
	h, key, value := swing.NewHasher("crank"), "v17.c.ko4711", make([]byte, 40)
	b.ReportAllocs()
	for b.Loop() {
		h.Reset()
		for range 15 {
			h.AddString(key)
			h.Add(value)
		}
		h.Sum()
	}
}
