// Package tamper changes what transcripts say, one thing at a time: a syscall, an
// answer, an outcome, an order. Then the vat is paged in from what is left: every
// change is found, and what a vat is said to have done, or how it is said to have
// ended, is found at the very position and syscall.
package tamper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// past is one vat and its transcript.
type past struct {
	id      swing.VatID
	program string
	span    transcript.Span
	entries []transcript.Entry
}

// histories runs lives and returns what the vats of them did that are of the program
// they began with. Puppets and counters draw no random numbers.
func histories(t *testing.T, seed uint64) (all []past) {
	t.Helper()
	l := trial.Life{Seed: seed, Rounds: 60}
	h, err := l.Open(t.Context(), "", host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	if err := l.Live(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vats {
		entries, err := h.Transcript(v.ID, v.Span.Start, v.Span.End)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"puppet", "counter"} {
			if code, _ := guest.Program(name); worker.CodeHash(code) == v.Code && len(entries) > 2 {
				all = append(all, past{v.ID, name, v.Span, entries})
			}
		}
	}
	return all
}

// source is where the warehouse finds a vat: one transcript.
type source struct{ past }

// Program implements warehouse.Source.
func (s *source) Program(swing.VatID) (code, seed swing.Hash, err error) {
	b, _ := guest.Program(s.program)
	return worker.CodeHash(b), seed, nil
}

// Code implements warehouse.Source.
func (s *source) Code(swing.Hash) ([]byte, error) {
	b, _ := guest.Program(s.program)
	return b, nil
}

// image is a memory.
type image struct{ *bytes.Reader }

func (image) Fd() (uintptr, bool) { return 0, false }
func (image) Release()            {}

// Life implements warehouse.Source: from the birth on, verified.
func (s *source) Life(
	_ context.Context, _ swing.VatID, p warehouse.Program,
) (warehouse.Life, error) {
	heap, segments := p.Genesis()
	memory := make([]byte, heap.Size)
	for _, seg := range segments {
		copy(memory[seg.Offset:], seg.Bytes)
	}
	base := s.span
	base.End, base.Hash = base.Start, swing.Hash{}
	return warehouse.Life{
		Heap: heap, Image: image{bytes.NewReader(memory)}, Position: s.span.Start,
		Start: s.span.Start, Snapshot: s.span.Start,
		Entries: s.span.Verified(base, s.items()),
	}, nil
}

func (s *source) items() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, e := range s.entries {
			if !yield(e.Append(nil), nil) {
				return
			}
		}
	}
}

// Pause implements warehouse.Source. Nothing is due, and nothing kept.
func (s *source) Pause(
	_ swing.VatID, _ uint64, img warehouse.Image, _ worker.Capture,
) (warehouse.Image, error) {
	return img, nil
}

// replayer pages vats in from what transcripts say.
type replayer struct {
	source source
	w      *warehouse.Warehouse
}

func newReplayer(t *testing.T) *replayer {
	t.Helper()
	e, err := worker.NewEngine(context.Background(), worker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &replayer{}
	r.w, err = warehouse.New(warehouse.Local{Engine: e}, &r.source, warehouse.Options{
		Snapshots: warehouse.Policy{Initial: warehouse.Never},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(r.w.Close(context.Background()), e.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return r
}

// replay pages a vat in, and lets it go.
func (r *replayer) replay(p past) error {
	r.source.past = p
	if err := r.w.Preload(context.Background(), []swing.VatID{p.id}); err != nil {
		return err
	}
	return r.w.Evict(context.Background(), p.id)
}

// TestTamperedTranscripts: all that is changed in the transcripts of random lives is
// found.
func TestTamperedTranscripts(t *testing.T) {
	run := faults.Begin(t, "F12")
	kinds := map[string]int{}
	for seed := run.Seed; run.Left() > 0 && !t.Failed(); seed++ {
		rng := rand.New(rand.NewPCG(seed, 12))
		all := histories(t, seed)
		r := newReplayer(t)
		for _, p := range all {
			if err := r.replay(p); err != nil {
				t.Fatalf("seed %d, %s as it was: %v", seed, p.id, err)
			}
		}
		for range min(perLife, run.Left()) {
			c := tamper(rng, all[rng.IntN(len(all))])
			if err := c.judge(r.replay(c.past)); err != nil {
				t.Fatalf("seed %d, %s, position %d, %s at %d: %v",
					seed, c.id, c.position, c.kind, c.syscall, err)
			}
			kinds[c.kind]++
			run.Add(1)
		}
	}
	for _, kind := range tamperings {
		t.Logf("%6d %s", kinds[kind], kind)
		if kinds[kind] == 0 && run.Due >= 1000 {
			t.Errorf("never tried: %s", kind)
		}
	}
}

// perLife is how often the transcripts of one life are tampered with.
const perLife = 500

// tamperings are the kinds of changes.
var tamperings = []string{
	"request", "op", "syscall left out", "syscall doubled", "syscall added", "syscalls exchanged",
	"answer", "problem", "status", "delivery", "entry left out", "entry doubled", "entries exchanged",
}

// changed is a transcript in which one thing was changed.
type changed struct {
	past
	kind string
	// position and syscall are where the replay must find it, if exact.
	position uint64
	syscall  int
	exact    bool
}

// tamper changes one thing.
func tamper(rng *rand.Rand, p past) changed {
	for {
		i := rng.IntN(len(p.entries))
		c := changed{past: p, kind: tamperings[rng.IntN(len(tamperings))]}
		c.position = p.entries[i].Position
		c.entries = slices.Clone(p.entries)
		e := p.entries[i]
		e.Exchanges = slices.Clone(e.Exchanges)
		if !c.entry(rng, i) && !c.inside(rng, &e) {
			continue
		}
		if was := p.entries[i]; !bytes.Equal(was.Append(nil), e.Append(nil)) {
			c.entries[i] = e
			c.locate(was, e)
		}
		return c
	}
}

// entry changes the row of entries, and reports whether the kind is one of that.
func (c *changed) entry(rng *rand.Rand, i int) bool {
	switch c.kind {
	case "entry left out":
		c.entries = slices.Delete(c.entries, i, i+1)
	case "entry doubled":
		c.entries = slices.Insert(c.entries, i, c.entries[i])
	case "entries exchanged":
		j := rng.IntN(len(c.entries) - 1)
		c.entries[j], c.entries[j+1] = c.entries[j+1], c.entries[j]
	default:
		return false
	}
	return true
}

// inside changes one entry, if it has what is to be changed.
func (c *changed) inside(rng *rand.Rand, e *transcript.Entry) bool {
	switch c.kind {
	case "problem":
		e.Outcome.Problem += "!"
		return true
	case "status":
		e.Outcome.Status = (e.Outcome.Status + 1) % (swing.StatusOutOfMemory + 1)
		return e.Outcome.Status.Valid()
	case "delivery":
		e.Delivery = flipped(rng, e.Delivery)
		return true
	}
	n := len(e.Exchanges)
	if n == 0 {
		return false
	}
	k := rng.IntN(n)
	x := &e.Exchanges[k]
	switch c.kind {
	case "request":
		x.Request = flipped(rng, x.Request)
	case "op":
		x.Op ^= 1 << rng.IntN(5)
	case "answer":
		x.Answer = flipped(rng, x.Answer)
	case "syscall left out":
		e.Exchanges = slices.Delete(e.Exchanges, k, k+1)
	case "syscall doubled":
		e.Exchanges = slices.Insert(e.Exchanges, k, *x)
	case "syscall added":
		e.Exchanges = slices.Insert(e.Exchanges, k, transcript.Exchange{Op: swing.OpVatstoreGet, Request: []byte{1, 2}})
	case "syscalls exchanged":
		if n < 2 {
			return false
		}
		k = rng.IntN(n - 1)
		e.Exchanges[k], e.Exchanges[k+1] = e.Exchanges[k+1], e.Exchanges[k]
		x, y := e.Exchanges[k], e.Exchanges[k+1]
		return x.Op != y.Op || !bytes.Equal(x.Request, y.Request) || !bytes.Equal(x.Answer, y.Answer)
	}
	return true
}

// flipped returns bytes of which one bit is another; of none it makes one.
func flipped(rng *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return []byte{byte(rng.Uint32())}
	}
	b = bytes.Clone(b)
	b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	return b
}

// locate finds where a vat that does what it did departs from what it is said to have
// done. Where it would be told something else before that, it may do something else, or,
// if it makes nothing of that, be found by the chain alone; and what is said to have
// failed is not run.
func (c *changed) locate(was, is transcript.Entry) {
	c.exact = was.Outcome.OK() && is.Outcome.OK() && bytes.Equal(was.Delivery, is.Delivery)
	c.syscall = transcript.AtOutcome
	for k := range max(len(was.Exchanges), len(is.Exchanges)) {
		if k == len(was.Exchanges) || k == len(is.Exchanges) {
			c.syscall = k
			return
		}
		a, b := was.Exchanges[k], is.Exchanges[k]
		if a.Op != b.Op || !bytes.Equal(a.Request, b.Request) {
			c.syscall = k
			return
		}
		if !bytes.Equal(a.Answer, b.Answer) {
			c.exact = false
			return
		}
	}
}

// judge says whether the change was found where it must be.
func (c *changed) judge(err error) error {
	var d *transcript.DivergenceError
	switch {
	case err == nil:
		return errors.New("nobody noticed")
	case !c.exact:
		return nil
	case !errors.As(err, &d):
		return fmt.Errorf("no divergence: %w", err)
	case d.Position != c.position || d.Syscall != c.syscall || d.Vat != c.id:
		return fmt.Errorf("found elsewhere: %w", err)
	}
	return nil
}
