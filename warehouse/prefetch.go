package warehouse

import (
	"fmt"

	"vatwarehouse/swing"
)

// A replay writes again what the deliveries wrote the first time. Which pages that is, is
// known when the worker that ran them is given up; if they are made ready all at once
// before the replay, it faults at none of them. They are no guess: what is made ready is
// written, so that nothing counts as written that was not.

// noter is a [Worker] that can say what it has written. One in a process of its own is none.
type noter interface {
	Footprint() ([]uint32, error)
}

// prefetcher is a noter that can make pages ready to be written.
type prefetcher interface {
	noter
	Prefetch(pages []uint32) error
}

// footprint is the pages that a vat had written beyond an image of that position.
type footprint struct {
	saved uint64
	pages []uint32
}

// footprintPagesMax bounds the pages of all footprints together: 4 bytes each.
const footprintPagesMax = 1 << 20

// leaveFootprint keeps what a vat that is evicted has written, if it is to be prefetched.
func (w *Warehouse) leaveFootprint(v *vat) error {
	p, can := v.worker.(prefetcher)
	if !w.options.Prefetch || !can || v.saved == v.at {
		return nil
	}
	pages, err := p.Footprint()
	if err != nil {
		return fmt.Errorf("note what vat %s has written: %w", v.id, err)
	}
	w.forgetFootprint(v.id)
	w.footprints.Add(v.id, footprint{v.saved, pages})
	w.footprintPages += len(pages)
	for w.footprintPages > footprintPagesMax {
		oldest, _, _ := w.footprints.GetOldest()
		w.forgetFootprint(oldest)
	}
	return nil
}

func (w *Warehouse) forgetFootprint(id swing.VatID) {
	if f, ok := w.footprints.Peek(id); ok {
		w.footprintPages -= len(f.pages)
		w.footprints.Remove(id)
	}
}

// prefetch makes ready what a vat's replay from its image will write.
func (w *Warehouse) prefetch(v *vat) error {
	f, ok := w.footprints.Peek(v.id)
	p, can := v.worker.(prefetcher)
	if !ok || !can {
		return nil
	}
	w.forgetFootprint(v.id)
	if f.saved != v.saved {
		return nil // the image has some of it, and a replay would not write that
	}
	w.stats.Prefetched += uint64(len(f.pages))
	return p.Prefetch(f.pages)
}
