package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"vatwarehouse/internal/frame"
)

// twin makes a frame by the table in the package's comment, field by field.
func twin(kind byte, seed uint32, body []byte) []byte {
	head := make([]byte, 16)
	binary.LittleEndian.PutUint32(head[0:4], uint32(len(body)))
	head[4] = kind
	binary.LittleEndian.PutUint32(head[8:12], seed)
	covered := append(append([]byte{}, head[:12]...), body...)
	check := crc32.Checksum(covered, crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(head[12:16], check)
	return append(head, body...)
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestRoundTrip: random frames are what the twin makes, decode to what was put
// in, wherever they start and whatever follows them.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 0))
		body := randomBytes(rng, []int{0, 1, 15, 16, 17, 300, 70000}[rng.IntN(7)])
		kind, chain := byte(1+rng.IntN(255)), rng.Uint32()
		cut := rng.IntN(len(body) + 1)
		before := randomBytes(rng, rng.IntN(20))
		b, check := frame.Append(bytes.Clone(before), kind, chain, body[:cut], body[cut:])
		if want := append(before, twin(kind, chain, body)...); !bytes.Equal(b, want) {
			t.Fatalf("seed %d: not the bytes of the table", seed)
		}
		b = append(b, randomBytes(rng, rng.IntN(20))...)
		f, err := frame.Decode(b[len(before):])
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if f.Kind != kind || f.Seed != chain || f.Check != check || !bytes.Equal(f.Body, body) {
			t.Fatalf("seed %d: changed on the way", seed)
		}
		if f.Bytes() != frame.HeaderBytes+len(body) || cap(f.Body) != len(body) {
			t.Fatalf("seed %d: %d bytes, capacity %d", seed, f.Bytes(), cap(f.Body))
		}
	}
}

// TestTruncatedFrameIsCut: at every length.
func TestTruncatedFrameIsCut(t *testing.T) {
	t.Parallel()
	b, _ := frame.Append(nil, 3, 99, []byte("a body of some bytes"))
	for n := range b {
		if _, err := frame.Decode(b[:n]); !errors.Is(err, frame.ErrCut) {
			t.Errorf("%d of %d bytes: %v, want ErrCut", n, len(b), err)
		}
	}
}

// TestEveryFlippedBitIsFound: each bit of frames of several sizes, with more
// bytes behind them, so that a longer length does not run off the end.
func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 0))
	for _, size := range []int{0, 1, 16, 100, 1000} {
		b, _ := frame.Append(nil, 3, 99, randomBytes(rng, size))
		n := len(b)
		b = append(b, randomBytes(rng, 1<<16)...)
		for bit := range 8 * n {
			b[bit/8] ^= 1 << (bit % 8)
			if _, err := frame.Decode(b); err == nil {
				t.Errorf("body of %d bytes: bit %d of byte %d not found", size, bit%8, bit/8)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// TestEveryShortBurstIsFound: errors within 32 bits of seed or body, random
// patterns at every offset.
func TestEveryShortBurstIsFound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 0))
	b, _ := frame.Append(nil, 3, 99, randomBytes(rng, 200))
	for at := range len(b) - 4 {
		if at < 4 || at > 8 && at < frame.HeaderBytes && at != 12 {
			continue // the length, and what straddles the check
		}
		for range 200 {
			flip := rng.Uint32() | 1
			word := binary.LittleEndian.Uint32(b[at:])
			binary.LittleEndian.PutUint32(b[at:], word^flip)
			if _, err := frame.Decode(b); err == nil {
				t.Errorf("burst %08x at byte %d not found", flip, at)
			}
			binary.LittleEndian.PutUint32(b[at:], word)
		}
	}
}

// TestChain: frames seeded by one another verify alone wherever they lie, and
// one that is left out, moved or stale shows in the seeds.
func TestChain(t *testing.T) {
	t.Parallel()
	const frames, first = 20, 7
	var b []byte
	var at []int
	seed := uint32(first)
	for i := range byte(frames) {
		at = append(at, len(b))
		b, seed = frame.Append(b, 1, seed, bytes.Repeat([]byte{i}, int(i)))
	}
	decoded := make([]frame.Frame, frames)
	for i := frames - 1; i >= 0; i-- { // alone, in no order
		f, err := frame.Decode(b[at[i]:])
		if err != nil {
			t.Fatalf("frame %d alone: %v", i, err)
		}
		decoded[i] = f
	}
	for i := range frames {
		for j := range frames {
			due := uint32(first)
			if j > 0 {
				due = decoded[j-1].Check
			}
			if (decoded[i].Seed == due) != (i == j) {
				t.Errorf("frame %d in place of frame %d: seed %08x, due %08x", i, j, decoded[i].Seed, due)
			}
		}
	}
}

// TestEqualBodiesDifferInTheChain: the check depends on the seed, so the same
// records written again after another history are not taken for the old ones.
func TestEqualBodiesDifferInTheChain(t *testing.T) {
	t.Parallel()
	_, one := frame.Append(nil, 1, 1, []byte("same"))
	_, two := frame.Append(nil, 1, 2, []byte("same"))
	if one == two {
		t.Error("one check for two seeds")
	}
}

// TestEmptySpaceIsNoFrame: preallocated zeros are a fault, not a frame.
func TestEmptySpaceIsNoFrame(t *testing.T) {
	t.Parallel()
	if _, err := frame.Decode(make([]byte, 64)); !errors.Is(err, frame.ErrCheck) {
		t.Errorf("zeros: %v", err)
	}
	if _, err := frame.Decode(nil); !errors.Is(err, frame.ErrCut) {
		t.Errorf("nothing: %v", err)
	}
}

// TestLengthIsBounded: a length past the limit is refused before it is believed.
func TestLengthIsBounded(t *testing.T) {
	t.Parallel()
	b, _ := frame.Append(nil, 1, 1)
	binary.LittleEndian.PutUint32(b, frame.BodyBytesMax+1)
	if _, err := frame.DecodeLength(b); !errors.Is(err, frame.ErrCheck) {
		t.Errorf("length past the limit: %v", err)
	}
	binary.LittleEndian.PutUint32(b, frame.BodyBytesMax)
	if n, err := frame.DecodeLength(b); err != nil || n != frame.BodyBytesMax {
		t.Errorf("length at the limit: %d, %v", n, err)
	}
	if _, err := frame.Decode(b); !errors.Is(err, frame.ErrCut) {
		t.Errorf("length at the limit, no body: %v", err)
	}
}

// TestOurFaultsPanic: kind 0, and a body past the limit.
func TestOurFaultsPanic(t *testing.T) {
	t.Parallel()
	part := make([]byte, frame.BodyBytesMax/2+1)
	for what, f := range map[string]func(){
		"kind 0":    func() { frame.Append(nil, 0, 1) },
		"long body": func() { frame.Append(nil, 1, 1, part, part) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}

// TestNoAllocation: neither way, where the buffer is large enough.
func TestNoAllocation(t *testing.T) {
	head, body := make([]byte, 10), make([]byte, 200)
	buf := make([]byte, 0, 4096)
	n := testing.AllocsPerRun(100, func() {
		b, _ := frame.Append(buf, 1, 1, head, body)
		if _, err := frame.Decode(b); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzDecode: whatever the bytes, no panic; what decodes is what the twin makes.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{"", "x", "a body of some bytes"} {
		b, _ := frame.Append(nil, 3, 99, []byte(body))
		f.Add(b)
		f.Add(append(b, 0, 0, 0))
		f.Add(b[:len(b)-1])
	}
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := frame.Decode(b)
		if err != nil {
			if !errors.Is(err, frame.ErrCut) && !errors.Is(err, frame.ErrCheck) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if want := twin(got.Kind, got.Seed, got.Body); !bytes.Equal(b[:got.Bytes()], want) {
			t.Fatalf("decoded %x, encodes to %x", b[:got.Bytes()], want)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	head, body := make([]byte, 10), make([]byte, 200)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(frame.HeaderBytes + len(head) + len(body)))
	for b.Loop() {
		frame.Append(buf, 1, 1, head, body)
	}
}

func BenchmarkDecode(b *testing.B) {
	buf, _ := frame.Append(nil, 1, 1, make([]byte, 210))
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := frame.Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}
