package trace

import (
	"context"
	"errors"
	"iter"
	"math"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// engine is a simulation as a warehouse.Engine: of one program, which does what the event
// says that is being delivered.
type engine struct{ s *simulation }

// Compile implements warehouse.Engine.
func (e engine) Compile(context.Context, []byte) (warehouse.Program, error) {
	return program(e), nil
}

// CompileYielding implements warehouse.Engine.
func (e engine) CompileYielding(context.Context, []byte) (warehouse.Program, error) {
	return program(e), nil
}

// Limits implements warehouse.Engine.
func (engine) Limits() swing.Limits { return swing.Limits{} }

type program struct{ s *simulation }

// ID implements warehouse.Program.
func (program) ID() swing.Hash { return swing.Hash{} }

// Genesis implements warehouse.Program.
func (program) Genesis() (swing.Heap, []worker.Segment) { return swing.Heap{}, nil }

// Close implements warehouse.Program.
func (program) Close(context.Context) error { return nil }

// Start implements warehouse.Program.
func (p program) Start(
	_ context.Context, _ swing.Heap, img worker.Image, _ swing.Hash,
) (warehouse.Worker, error) {
	v := img.(image).vat
	p.s.done.Crowding += math.Log2(float64(1 + p.s.warehouse.Stats().PagedIn))
	return &mimic{s: p.s, vat: v, memory: v.memory, mapped: newPageSet()}, nil
}

// mimic is a worker that uses what the trace says.
type mimic struct {
	s      *simulation
	vat    *vat
	memory uint64
	mapped pageSet // what was written since it was mapped
}

// Deliver implements warehouse.Worker.
func (m *mimic) Deliver(
	_ context.Context, _ []byte, _ uint64, sys swing.Syscaller, _ worker.LogFunc,
) (swing.Outcome, error) {
	e := m.s.event
	if m.s.live && e.Devices > 0 {
		sys.Syscall(swing.OpCall, nil)
	}
	switch {
	case !m.s.live:
		m.s.done.ReplayedFuel += e.Fuel
		m.s.done.ReplayedPages += m.mapped.add(e.Written)
	case e.OK:
		m.memory = e.Memory
		m.s.done.AgainPages += m.mapped.add(e.Written) - m.vat.written.add(e.Written)
	}
	return e.outcome(), nil
}

// silent answers every syscall with nothing.
type silent struct{}

// Syscall implements swing.Syscaller.
func (silent) Syscall(swing.Op, []byte) ([]byte, bool) { return nil, true }

// outcome is how an event ended. Of one that took no effect no more is known.
func (e *Event) outcome() swing.Outcome {
	if !e.OK {
		return swing.Outcome{Status: swing.StatusFailed, Fuel: e.Fuel}
	}
	return swing.Outcome{Status: swing.StatusOK, Fuel: e.Fuel}
}

// Capture implements warehouse.Worker.
func (m *mimic) Capture(context.Context) (worker.Capture, error) {
	var c worker.Capture
	for _, page := range m.mapped.list() {
		c.Written = append(c.Written, swing.Page{Index: page})
	}
	return c, nil
}

// Footprint returns what it has written, as a worker.Worker does.
func (m *mimic) Footprint() ([]uint32, error) { return m.mapped.list(), nil }

// Rebase implements warehouse.Worker.
func (m *mimic) Rebase(worker.Image) error {
	m.mapped.clear()
	return nil
}

// Size implements warehouse.Worker.
func (m *mimic) Size() uint64 { return m.memory }

// Close implements warehouse.Worker.
func (*mimic) Close(context.Context) error { return nil }

// image is what a vat's memory would be mapped from.
type image struct{ vat *vat }

// ReadAt, Size and Fd implement worker.Image: there are no bytes.
func (image) ReadAt([]byte, int64) (int, error) { return 0, errors.New("not a real image") }
func (image) Size() int64                       { return 0 }
func (image) Fd() (uintptr, bool)               { return 0, false }

// Release implements warehouse.Image.
func (image) Release() {}

// source is a simulation as a warehouse.Source: a host that keeps every image.
type source struct{ s *simulation }

// Program implements warehouse.Source.
func (source) Program(swing.VatID) (code, seed swing.Hash, err error) { return code, seed, nil }

// Code implements warehouse.Source.
func (source) Code(swing.Hash) ([]byte, error) { return nil, nil }

// Life implements warehouse.Source.
func (s source) Life(
	_ context.Context, id swing.VatID, _ warehouse.Program,
) (warehouse.Life, error) {
	v := s.s.vats[s.s.numbers[id]]
	return warehouse.Life{
		Image: image{v}, Position: v.image, Start: v.start, Snapshot: v.snapshot,
		Entries: s.s.entries(v),
	}, nil
}

// entries yields those from a vat's image on.
func (s *simulation) entries(v *vat) iter.Seq2[transcript.Entry, error] {
	return func(yield func(transcript.Entry, error) bool) {
		delivered, live := s.event, s.live
		s.live = false
		for n, i := range v.from(v.image) {
			s.event = &s.trace.Events[i]
			entry := transcript.Entry{
				Position: v.image + uint64(n), Delivery: s.delivery(s.event),
				Outcome: s.event.outcome(),
			}
			if !yield(entry, nil) {
				break
			}
		}
		s.event, s.live = delivered, live
	}
}

// Pause implements warehouse.Source.
func (s source) Pause(
	id swing.VatID, position uint64, img warehouse.Image, c worker.Capture,
) (warehouse.Image, error) {
	v := s.s.vats[s.s.numbers[id]]
	if v.image == v.start {
		s.s.done.NewImages++
	}
	for i := range c.Written {
		if i == 0 || c.Written[i].Index != c.Written[i-1].Index+1 {
			s.s.done.PausedExtents++
		}
	}
	v.image = position
	return img, nil
}
