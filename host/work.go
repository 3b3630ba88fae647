package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Work is one thing that the warehouse was asked for: a delivery, or to discard a vat; or
// it was told that nothing is left to deliver.
type Work struct {
	// Idle says that nothing was left to deliver. Nothing else is said then.
	Idle bool

	Vat swing.VatID
	// Discard says that the vat's worker, if it had one, was given up: the vat ended, or
	// what it had done was undone. All that follows is of deliveries.
	Discard  bool
	Position uint64 // in the vat's transcript
	Time     uint64 // block time, in nanoseconds since the Unix epoch
	Delivery swing.DeliveryKind
	OK       bool // it took effect
	PagedIn  bool // the vat had to be paged in first
	Fuel     uint64
	Syscalls int
	// Bytes are those of the delivery, and of its syscalls with their answers; Devices is
	// how many of them called a device.
	Bytes   uint64
	Devices int
	Took    time.Duration // paging in, if that had to be, and running
	// Waiting is how many events waited in the run-queue when it began.
	Waiting uint64
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

// weigh notes what is known from the transcript's entry.
func (w *Work) weigh(item []byte) {
	if item == nil {
		return // a delivery that was undone has none
	}
	e, err := transcript.Decode(item)
	if err == nil {
		w.Time, err = swing.DeliveryTime(e.Delivery)
	}
	if err != nil {
		panic(fmt.Sprintf("host: the entry of a delivery to vat %s: %v", w.Vat, err))
	}
	w.Bytes = uint64(len(e.Delivery))
	for _, x := range e.Exchanges {
		w.Bytes += uint64(len(x.Request) + len(x.Answer))
		if x.Op == swing.OpCall {
			w.Devices++
		}
	}
}

// tellWork tells the Observer what the warehouse did for a crank. The vat's image is
// brought up to date after each delivery: that is how its footprint is found.
func (h *Host) tellWork(ctx context.Context, r kernel.Report) error {
	if !h.clock.work.on {
		return nil
	}
	for i := range h.clock.work.list {
		if one := &h.clock.work.list[i]; !one.Discard && !one.Idle && one.Vat == r.Vat {
			one.Delivery, one.Syscalls = r.Delivery, r.Syscalls
			one.OK, one.Fuel = r.Outcome.OK(), r.Outcome.Fuel
			one.weigh(r.Item)
		}
	}
	if r.Kind == kernel.Idle {
		h.clock.work.add(Work{Idle: true})
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
