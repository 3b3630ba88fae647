package warehouse_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// shelf is the dumbest Source: whole transcripts and whole memories in maps.
type shelf struct {
	t      *testing.T
	code   map[swing.Hash][]byte
	of     map[swing.VatID]swing.Hash
	items  map[swing.VatID][][]byte
	paused map[swing.VatID]state
	// taken is how far the latest snapshot of each vat reaches.
	taken map[swing.VatID]uint64
	// forget makes Life start from the genesis, as if no image were left.
	forget bool
	broken map[swing.VatID]error
	// met, unless nil, is called before each entry of a replay, by whoever replays.
	met   func(swing.VatID)
	lives int
	open  int // images handed out and not released
	meter *meter
}

// state is a heap with its memory, at a position.
type state struct {
	heap     swing.Heap
	memory   []byte
	position uint64
}

// image is a memory in memory.
type image struct {
	*bytes.Reader
	shelf *shelf
}

func (image) Fd() (uintptr, bool) { return 0, false }
func (i image) Release()          { i.shelf.open-- }

func newShelf(t *testing.T) *shelf {
	return &shelf{
		t: t, code: map[swing.Hash][]byte{}, of: map[swing.VatID]swing.Hash{},
		items: map[swing.VatID][][]byte{}, paused: map[swing.VatID]state{},
		taken: map[swing.VatID]uint64{}, broken: map[swing.VatID]error{},
	}
}

func (s *shelf) Program(id swing.VatID) (code, seed swing.Hash, err error) {
	if err := s.broken[id]; err != nil {
		return code, seed, err
	}
	return s.of[id], swing.Sum("seed", []byte(id)), nil
}

func (s *shelf) Code(h swing.Hash) ([]byte, error) {
	s.meter.pass(codeTakes)
	if c, ok := s.code[h]; ok {
		return c, nil
	}
	return nil, errors.New("no such code")
}

func (s *shelf) Life(
	_ context.Context,
	id swing.VatID,
	p warehouse.Program,
) (warehouse.Life, error) {
	s.lives++
	s.meter.pass(lifeTakes)
	st, ok := s.paused[id]
	if !ok || s.forget {
		heap, segments := p.Genesis()
		st = state{heap: heap, memory: make([]byte, heap.Size)}
		for _, seg := range segments {
			copy(st.memory[seg.Offset:], seg.Bytes)
		}
	}
	s.open++
	return warehouse.Life{
		Heap: st.heap, Image: image{bytes.NewReader(bytes.Clone(st.memory)), s},
		Position: st.position, Snapshot: s.taken[id], Entries: s.entries(id, st.position),
	}, nil
}

func (s *shelf) entries(id swing.VatID, from uint64) iter.Seq2[transcript.Entry, error] {
	items, met := s.items[id][from:], s.met
	return func(yield func(transcript.Entry, error) bool) {
		for _, item := range items {
			if met != nil {
				met(id)
			}
			s.meter.pass(entryTakes)
			e, err := transcript.Decode(item)
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *shelf) Pause(
	id swing.VatID, position uint64, img warehouse.Image, c worker.Capture,
) (warehouse.Image, error) {
	s.meter.pass(pauseTakes)
	memory := make([]byte, c.Heap.Size)
	if _, err := img.ReadAt(memory[:img.Size()], 0); err != nil {
		s.t.Fatal(err)
	}
	for _, p := range c.Written {
		copy(memory[int(p.Index)*swing.PageBytes:], p.Data)
	}
	s.paused[id] = state{c.Heap, memory, position}
	return image{bytes.NewReader(bytes.Clone(memory)), s}, nil
}

// house is a warehouse over a shelf, with probes in it.
type house struct {
	*shelf
	t       *testing.T
	w       *warehouse.Warehouse
	options warehouse.Options
	answers map[swing.VatID][]string // what each delivery asked, for comparison
}

func newHouse(t *testing.T, o warehouse.Options) *house {
	t.Helper()
	ctx := context.Background()
	e, err := worker.NewEngine(ctx, worker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(t)
	if o.Meter != nil {
		s.meter = o.Meter.(*meter)
	}
	w, err := warehouse.New(warehouse.Local{Engine: e}, s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Close(ctx), e.Close(ctx)); err != nil {
			t.Error(err)
		}
		if s.open != 0 {
			t.Errorf("%d images were never released", s.open)
		}
	})
	return &house{s, t, w, o, map[swing.VatID][]string{}}
}

func (h *house) add(id swing.VatID) {
	code, err := os.ReadFile("../worker/testdata/probe.wasm")
	if err != nil {
		h.t.Fatal(err)
	}
	h.of[id] = worker.CodeHash(code)
	h.code[h.of[id]] = code
}

// take takes the snapshots that are due, as a host would.
func (h *house) take() []swing.VatID {
	h.t.Helper()
	ids, err := h.w.TakeDue(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range ids {
		h.taken[id] = h.paused[id].position
	}
	return ids
}

// recorder keeps what a delivery asks, and answers with the request.
type recorder struct {
	kept []transcript.Exchange
	end  bool
}

func (r *recorder) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	answer := append([]byte{byte(op)}, request...)
	r.kept = append(
		r.kept,
		transcript.Exchange{Op: op, Request: bytes.Clone(request), Answer: answer},
	)
	return answer, !r.end
}

// order tells the probe what to do: see worker/testdata/probe.wat.
type order struct{ op, a, b, c uint32 }

func (o order) delivery() []byte {
	var body []byte
	for _, word := range []uint32{o.op, o.a, o.b, o.c} {
		body = binary.LittleEndian.AppendUint32(body, word)
	}
	return swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Time: 1, Params: swing.CapData[swing.VRef]{Body: body},
	})
}

// deliver runs an order as the kernel would: a delivery that fails is discarded.
func (h *house) deliver(id swing.VatID, o order) (swing.Outcome, error) {
	r := &recorder{}
	position := uint64(len(h.items[id]))
	out, err := h.w.Deliver(context.Background(), id, position, o.delivery(), swing.Unbounded, r)
	if err != nil {
		return out, err
	}
	if !out.OK() {
		h.w.Discard(id)
	}
	e := transcript.Entry{
		Position: position, Delivery: o.delivery(), Exchanges: r.kept, Outcome: out,
	}
	h.items[id] = append(h.items[id], e.Append(nil))
	h.answers[id] = append(h.answers[id], fmt.Sprint(out, out.Fuel, r.kept))
	return out, nil
}

func (h *house) must(id swing.VatID, o order) {
	h.t.Helper()
	if _, err := h.deliver(id, o); err != nil {
		h.t.Fatal(err)
	}
}
