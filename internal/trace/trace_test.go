package trace_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/internal/trace"
	"vatwarehouse/swing"
)

// some is a small trace with everything in it.
func some() *trace.Trace {
	return &trace.Trace{
		Head: trace.Head{About: "a test, é", Footprints: true},
		Vats: []string{"v1", "v2", "v10"},
		Events: []trace.Event{
			{Kind: trace.Deliver, Position: 0, Delivery: swing.DeliverStartVat, OK: true, PagedIn: true,
				Time: 9, Bytes: 77, Devices: 2, Fuel: 1000, Syscalls: 3, Nanoseconds: 12345, Memory: 65536, Written: []uint32{0, 1, 15}},
			{Kind: trace.Deliver, Vat: 1, Position: 7, Delivery: swing.DeliverMessage, Fuel: math.MaxUint64},
			{Kind: trace.Discard, Vat: 1}, {Kind: trace.Block}, {Kind: trace.Discard, Vat: 2}, {Kind: trace.Idle},
			{Kind: trace.Deliver, Vat: 2, OK: true, Written: []uint32{math.MaxUint32}},
		},
	}
}

func encode(t *testing.T, tr *trace.Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tr.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// random makes a trace of n events of a few vats.
func random(rng *rand.Rand, n int) *trace.Trace {
	tr := &trace.Trace{Head: trace.Head{Footprints: true}}
	for range n {
		e := trace.Event{Kind: trace.Kind(1 + rng.IntN(4))}
		if e.Kind == trace.Deliver || e.Kind == trace.Discard {
			if e.Vat = rng.IntN(len(tr.Vats) + 1); e.Vat == len(tr.Vats) {
				tr.Vats = append(tr.Vats, string(rune('a'+e.Vat)))
			}
		}
		if e.Kind == trace.Deliver {
			e.Position, e.Fuel, e.Nanoseconds = uint64(len(tr.Events)), rng.Uint64(), rng.Uint64()
			e.Time, e.Bytes, e.Devices = rng.Uint64(), rng.Uint64(), rng.Uint64()
			e.OK, e.PagedIn = rng.IntN(2) == 0, rng.IntN(2) == 0
			for page := rng.Uint32N(9); rng.IntN(4) > 0; page += 1 + rng.Uint32N(300) {
				e.Written = append(e.Written, page)
			}
		}
		tr.Events = append(tr.Events, e)
	}
	return tr
}

// TestRoundTrip: what was written is what is read, and what is read is written the same;
// also where it takes several chunks.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tr := range []*trace.Trace{some(), {}, random(rng, 300), random(rng, 60_000)} {
		b := encode(t, tr)
		got, err := trace.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, tr) {
			t.Errorf("%d events come back otherwise", len(tr.Events))
		}
		if !bytes.Equal(encode(t, got), b) {
			t.Error("written otherwise")
		}
	}
}

// TestCutShort: a trace cut anywhere is refused as one.
func TestCutShort(t *testing.T) {
	t.Parallel()
	b := encode(t, some())
	for n := range b {
		if _, err := trace.Decode(b[:n]); !errors.Is(err, trace.ErrCut) {
			t.Errorf("the first %d of %d bytes: %v", n, len(b), err)
		}
	}
	if _, err := trace.Decode(append(b, 0)); !errors.Is(err, trace.ErrFormat) {
		t.Errorf("a byte more: %v", err)
	}
}

// TestEveryBitMatters: no bit can be changed unnoticed.
func TestEveryBitMatters(t *testing.T) {
	t.Parallel()
	b := encode(t, some())
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		_, err := trace.Decode(b)
		if !errors.Is(err, trace.ErrFormat) && !errors.Is(err, trace.ErrCut) {
			t.Errorf("bit %d: %v", i, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

// TestFramesHaveTheirPlace: two frames of events that changed places, each whole, are
// refused.
func TestFramesHaveTheirPlace(t *testing.T) {
	t.Parallel()
	b := encode(t, random(rand.New(rand.NewPCG(3, 4)), 90_000))
	var frames [][]byte
	rest := b[bytes.IndexByte(b, '\n')+1:]
	swapped := bytes.Clone(b[:len(b)-len(rest)])
	for len(rest) > 0 {
		f, err := frame.Decode(rest)
		if err != nil {
			t.Fatal(err)
		}
		frames, rest = append(frames, rest[:f.Bytes()]), rest[f.Bytes():]
	}
	if len(frames) < 4 {
		t.Fatalf("%d frames", len(frames))
	}
	frames[1], frames[2] = frames[2], frames[1]
	for _, f := range frames {
		swapped = append(swapped, f...)
	}
	if _, err := trace.Decode(swapped); !errors.Is(err, frame.ErrCheck) {
		t.Error(err)
	}
}

// full fails after some bytes.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("full")
	}
	return len(b), nil
}

// TestWriteFails: a write that fails at any byte is told of at the end.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	n := len(encode(t, some()))
	for left := range n {
		if some().Write(&full{left}) == nil {
			t.Errorf("room for %d of %d bytes, and no error", left, n)
		}
	}
	if err := some().Write(&full{n}); err != nil {
		t.Error(err)
	}
}

// FuzzDecode: whatever the bytes, they are refused, or are a trace that can be written.
func FuzzDecode(f *testing.F) {
	for _, tr := range []*trace.Trace{some(), {}} {
		var b bytes.Buffer
		if err := tr.Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := trace.Decode(b)
		if err != nil {
			if !errors.Is(err, trace.ErrFormat) && !errors.Is(err, trace.ErrCut) {
				t.Fatal(err)
			}
			return
		}
		var again bytes.Buffer
		if err := tr.Write(&again); err != nil {
			t.Fatal(err)
		}
		// Vats are written where they are first named, so only those that are count.
		back, err := trace.Decode(again.Bytes())
		if err != nil || len(back.Events) != len(tr.Events) {
			t.Fatalf("%d events come back as %d: %v", len(tr.Events), len(back.Events), err)
		}
	})
}

// TestPositionsAscend: a trace in which a vat goes back is refused.
func TestPositionsAscend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		positions []uint64
		ok        bool // whether they take effect
		want      error
	}{
		{[]uint64{3, 4, 9}, true, nil}, {[]uint64{3, 3}, true, trace.ErrFormat}, {[]uint64{3, 2}, true, trace.ErrFormat},
		{[]uint64{3, 3, 2}, false, nil}, {[]uint64{math.MaxUint64}, true, trace.ErrFormat},
	} {
		tr := &trace.Trace{Vats: []string{"v1"}}
		for _, p := range c.positions {
			tr.Events = append(tr.Events, trace.Event{Kind: trace.Deliver, Position: p, OK: c.ok})
		}
		if _, err := trace.Decode(encode(t, tr)); !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", c.positions, err, c.want)
		}
	}
}
