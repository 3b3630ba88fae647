package worker

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// globalAccess reads and sets one mutable global.
type globalAccess struct {
	single         api.MutableGlobal
	low, high, set api.Function // of a v128
}

func (p *Program) accessGlobals(m api.Module) ([]globalAccess, error) {
	globals := make([]globalAccess, len(p.normal.Globals))
	for i, g := range p.normal.Globals {
		if g.Type == instrument.V128 {
			globals[i].low = m.ExportedFunction(g.Low)
			globals[i].high = m.ExportedFunction(g.High)
			globals[i].set = m.ExportedFunction(g.Set)
			continue
		}
		single, ok := m.ExportedGlobal(g.Export).(api.MutableGlobal)
		if !ok {
			return nil, fmt.Errorf("global %d cannot be set", g.Index)
		}
		globals[i].single = single
	}
	return globals, nil
}

// words is how many words of a heap's Globals hold a global of this type.
func words(t instrument.ValType) int {
	if t == instrument.V128 {
		return 2
	}
	return 1
}

// narrow drops what an engine may leave in the upper half of a word that holds
// a 32-bit value.
func narrow(t instrument.ValType, v uint64) uint64 {
	if t == instrument.I32 || t == instrument.F32 {
		return uint64(uint32(v))
	}
	return v
}

// readGlobals returns all mutable globals as words.
func (w *Worker) readGlobals(ctx context.Context) ([]uint64, error) {
	out := make([]uint64, 0, len(w.globals))
	for i, g := range w.program.normal.Globals {
		access := w.globals[i]
		if access.single != nil {
			out = append(out, narrow(g.Type, access.single.Get()))
			continue
		}
		for _, lane := range []api.Function{access.low, access.high} {
			v, err := lane.Call(ctx)
			if err != nil {
				return nil, fmt.Errorf("read global %d: %w", g.Index, err)
			}
			out = append(out, v[0])
		}
	}
	return out, nil
}

// restore sets the globals to the heap's, and drops the passive segments that
// the program had dropped.
func (w *Worker) restore(ctx context.Context) error {
	next := 0
	at := make([]int, len(w.globals)) // where each global's words are
	for i, g := range w.program.normal.Globals {
		at[i] = next
		next += words(g.Type)
	}
	if next != len(w.heap.Globals) {
		return fmt.Errorf("the heap has %d words of globals, the program %d",
			len(w.heap.Globals), next)
	}
	for i, access := range w.globals {
		v := w.heap.Globals[at[i]:]
		if access.single != nil {
			access.single.Set(v[0])
		} else if _, err := access.set.Call(ctx, v[0], v[1]); err != nil {
			return fmt.Errorf("set global %d: %w", i, err)
		}
	}
	for _, d := range w.program.normal.Drops {
		if w.heap.Globals[at[d.Flag]] == 0 {
			continue
		}
		if _, err := w.module.ExportedFunction(d.Export).Call(ctx); err != nil {
			return fmt.Errorf("drop segment %d: %w", d.Segment, err)
		}
	}
	return nil
}

// Capture is a heap and how its memory differs from the worker's image.
type Capture struct {
	// Heap is the heap, but for its Pages hash.
	Heap swing.Heap
	// Written are the pages written since the image, in order. Their data is
	// the worker's memory: it is good until the worker is used again.
	Written []swing.Page
}

// Capture returns the heap as it is between two deliveries.
func (w *Worker) Capture(ctx context.Context) (Capture, error) {
	c := Capture{Heap: w.heap}
	c.Heap.Size = w.Size()
	var err error
	if w.heap.Started {
		if c.Heap.Globals, err = w.readGlobals(ctx); err != nil {
			return Capture{}, fmt.Errorf("capture heap: %w", err)
		}
	}
	if w.pages, err = w.region.written(w.pages[:0], c.Heap.Size); err != nil {
		return Capture{}, fmt.Errorf("capture heap: %w", err)
	}
	w.captured = true
	memory := w.region.Reallocate(c.Heap.Size)
	c.Written = make([]swing.Page, len(w.pages))
	for i, p := range w.pages {
		at := int(p) * swing.PageBytes
		c.Written[i] = swing.Page{Index: p, Data: memory[at : at+swing.PageBytes]}
	}
	return c, nil
}

// Rebase says that img holds the memory as Capture found it, so that the
// private copies of its pages can go. The worker must not have run since.
func (w *Worker) Rebase(img Image) error {
	if uint64(img.Size()) != w.Size() {
		panic(fmt.Sprintf("worker: rebase memory of %d bytes on an image of %d",
			w.Size(), img.Size()))
	}
	if !w.captured {
		panic("worker: rebase memory that has not been captured, or has run since")
	}
	w.captured = false
	if err := w.region.rebase(img, w.pages); err != nil {
		return fmt.Errorf("rebase worker: %w", err)
	}
	return nil
}
