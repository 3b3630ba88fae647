package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Work is one thing that the warehouse was asked for: a delivery, or to discard a vat.
type Work struct {
	Vat swing.VatID
	// Discard says that the vat's worker, if it had one, was given up: the vat ended, or
	// what it had done was undone. All that follows is of deliveries.
	Discard  bool
	Position uint64 // in the vat's transcript
	Delivery swing.DeliveryKind
	OK       bool // it took effect
	PagedIn  bool // the vat had to be paged in first
	Fuel     uint64
	Syscalls int
	Took     time.Duration // paging in, if that had to be, and running
	// Memory is the size of the vat's linear memory after it, and Written the pages that
	// it wrote, by number, ascending; nothing is known of a delivery that took no effect.
	Memory  uint64
	Written []uint32
}

// works are what an Observer of work is still to be told.
type works struct {
	on   bool
	list []Work
}

// add notes a piece of work.
func (w *works) add(one Work) {
	if w.on {
		w.list = append(w.list, one)
	}
}

// latest returns the latest piece of work if it is a delivery that took effect, and
// after which its vat was not discarded.
func (w *works) latest() *Work {
	if len(w.list) == 0 {
		return nil
	}
	if last := &w.list[len(w.list)-1]; last.OK && !last.Discard {
		return last
	}
	return nil
}

// footprint notes what pages a vat wrote, as its image is brought up to date.
func (w *works) footprint(vat swing.VatID, c worker.Capture) {
	last := w.latest()
	if last == nil || last.Vat != vat {
		return
	}
	last.Memory = c.Heap.Size
	for _, page := range c.Written {
		last.Written = append(last.Written, page.Index)
	}
}

// tellWork tells the Observer what the warehouse did for a crank. The vat's image is
// brought up to date after each delivery: that is how its footprint is found.
func (h *Host) tellWork(ctx context.Context, r kernel.Report) error {
	if !h.clock.work.on {
		return nil
	}
	for i := range h.clock.work.list {
		if one := &h.clock.work.list[i]; !one.Discard && one.Vat == r.Vat {
			one.Delivery, one.Syscalls = r.Delivery, r.Syscalls
			one.OK, one.Fuel = r.Outcome.OK(), r.Outcome.Fuel
		}
	}
	if last := h.clock.work.latest(); last != nil && last.Vat == r.Vat {
		err := h.vats.Refresh(ctx, r.Vat)
		if err != nil && !errors.As(err, new(*warehouse.LostError)) { // that one is met again
			return h.poison(fmt.Errorf("find what vat %s wrote: %w", r.Vat, err))
		}
	}
	for _, one := range h.clock.work.list {
		h.options.Observer.Work(one)
	}
	h.clock.work.list = h.clock.work.list[:0]
	return nil
}
