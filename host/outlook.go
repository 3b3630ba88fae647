package host

import (
	"iter"

	"vatwarehouse/swing"
)

// outlook says which vats the events of the run-queue are for. Each event is looked at once,
// so that it may be wrong where a promise was settled since, or a crank undone: until the
// block ends. It decides what is in memory, and nothing else.
type outlook struct {
	first uint64        // the number of the first event that was looked at
	vats  []swing.VatID // whom it is for, and those after it; "" is nobody
}

// move has it begin at an event, and say nothing of those from end on.
func (o *outlook) move(first, end uint64) {
	known := uint64(len(o.vats))
	if first < o.first || first >= o.first+known {
		o.vats = nil
	} else {
		o.vats = o.vats[first-o.first : min(known, end-o.first)]
	}
	o.first = first
}

// waiting returns how many events wait in the run-queue.
func (h *Host) waiting() uint64 {
	first, end, _ := h.kernel.Waiting(h.kv)
	return end - first
}

// evictLook is how many events of the run-queue are looked at, at most, to find which vat is
// needed last.
const evictLook = 1000

// upcoming yields the vats that are delivered to next, as far as is known: each as often as
// something waits for it among so many events of the run-queue.
func (h *Host) upcoming(events uint64) iter.Seq[swing.VatID] {
	return func(yield func(swing.VatID) bool) {
		first, end, known := h.kernel.Waiting(h.kv)
		if !known {
			return
		}
		o := &h.outlook
		o.move(first, end)
		for i := range int(min(end-first, events)) {
			if i == len(o.vats) {
				o.vats = append(o.vats, h.kernel.Receiver(h.kv, first+uint64(i)))
			}
			if vat := o.vats[i]; vat != "" && !yield(vat) {
				return
			}
		}
	}
}
