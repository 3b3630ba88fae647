package trace

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// Policy is what is asked about: the warehouse's options.
type Policy struct {
	Vats  int                `json:"vats"`            // in memory, at least 1
	Rule  warehouse.Policy   `json:"rule"`            // of snapshots
	Evict warehouse.Eviction `json:"evict,omitempty"` // "" is the least recently used
	// PauseOnEvict saves an evicted vat's memory: paging it in replays nothing.
	PauseOnEvict bool `json:"pause_on_evict"`
}

// Work is what the warehouse would have done under a policy.
type Work struct {
	PageIns   uint64 `json:"page_ins"`
	Evictions uint64 `json:"evictions"`
	// Crowding is, of all page-ins, how many times the vats then in memory were twice as many
	// as one: log2 of them.
	Crowding float64 `json:"crowding"`
	// Replayed are the deliveries that page-ins replayed, and ReplayedFuel what they used.
	Replayed     uint64 `json:"replayed"`
	ReplayedFuel uint64 `json:"replayed_fuel"`
	// ReplayedPages are the pages that replays wrote, each once a page-in. AgainPages are
	// those that deliveries wrote for the first time since the vat was paged in, or its
	// image brought up to date, having written them before. All pages are 0 without
	// footprints, as is PeakMemory.
	ReplayedPages uint64 `json:"replayed_pages"`
	AgainPages    uint64 `json:"again_pages"`
	Snapshots     uint64 `json:"snapshots"`
	// SnapshotPages are the pages written from one snapshot to the next.
	SnapshotPages uint64 `json:"snapshot_pages"`
	// Pauses are the images brought up to date, PausedPages the pages written for it, and
	// PausedExtents how many times those were one or more in line.
	Pauses        uint64 `json:"pauses"`
	PausedPages   uint64 `json:"paused_pages"`
	PausedExtents uint64 `json:"paused_extents"`
	// NewImages are the pauses that made an image of the vat's own: the first of each
	// incarnation.
	NewImages uint64 `json:"new_images"`
	// Suffix are the deliveries that no snapshot holds at the end, of vats that live, and
	// SuffixFuel what they used, and SuffixPages the pages that each vat's wrote: so much a
	// restart replays, if all of them are used again.
	Suffix      uint64 `json:"suffix"`
	SuffixFuel  uint64 `json:"suffix_fuel"`
	SuffixPages uint64 `json:"suffix_pages"`
	// PeakMemory is the most that the linear memories of vats in memory took together.
	PeakMemory uint64 `json:"peak_memory"`
}

// vat is one vat as the host knows it: where its images are, and its history.
type vat struct {
	id   swing.VatID
	gone bool // it was discarded, and not delivered to since
	// start is where its incarnation began, image how far its image reaches, snapshot how
	// far its latest snapshot does, or start, and at the position of its next delivery.
	// Positions count deliveries that took effect, from 0: the trace may have gaps.
	start, image, snapshot, at uint64
	memory                     uint64
	since                      []int   // events from snapshot on, by index
	written                    pageSet // by the incarnation
}

// from returns the events from a position on, which is not before the snapshot's.
func (v *vat) from(position uint64) []int { return v.since[position-v.snapshot:] }

// simulation is a warehouse at some point of a trace.
type simulation struct {
	trace     *Trace
	vats      []*vat
	numbers   map[swing.VatID]int
	warehouse *warehouse.Warehouse
	at        int    // the number of the event that is taken
	event     *Event // being delivered, or replayed
	live      bool
	input     []byte // the latest delivery
	done      Work
}

// Simulate returns what the warehouse would have done for the trace under a policy: a
// warehouse is run, over vats that use what the trace says, and a host that stores
// nothing. It is exact where snapshots are taken in line, and as near as blocks are long
// to the time that a snapshot takes where they are not.
func (t *Trace) Simulate(p Policy) Work {
	if p.Vats < 1 {
		panic(fmt.Sprintf("trace: simulate %d vats in memory", p.Vats))
	}
	s := &simulation{trace: t, numbers: map[swing.VatID]int{}}
	var err error
	s.warehouse, err = warehouse.New(engine{s}, source{s}, warehouse.Options{
		MaxPagedIn: p.Vats, Snapshots: p.Rule, Evict: p.Evict, Upcoming: s.upcoming,
		PauseOnEvict: p.PauseOnEvict,
	})
	s.must(err)
	for n, name := range t.Vats {
		s.vats = append(s.vats, &vat{id: swing.VatID(name), written: newPageSet()})
		s.numbers[swing.VatID(name)] = n
	}
	for i := range t.Events {
		s.take(i)
	}
	s.count()
	return s.done
}

// take takes one event.
func (s *simulation) take(i int) {
	s.at = i
	switch e := &s.trace.Events[i]; e.Kind {
	case Deliver:
		s.deliver(i, e)
	case Discard:
		s.vats[e.Vat].gone = true
		s.warehouse.Discard(s.vats[e.Vat].id)
	case Block:
		s.takeDue()
	case Idle:
		s.warehouse.Idle()
	}
}

// upcoming yields the vats that what waits in the run-queue is for: those of the next
// deliveries, as many as wait. The few events that are delivered to none are taken for others.
func (s *simulation) upcoming() iter.Seq[swing.VatID] {
	return func(yield func(swing.VatID) bool) {
		waiting := s.trace.Events[s.at].Waiting
		for i := s.at + 1; i < len(s.trace.Events) && waiting > 0; i++ {
			e := &s.trace.Events[i]
			if e.Kind != Deliver || !e.queued() {
				continue
			}
			if waiting--; !yield(s.vats[e.Vat].id) {
				return
			}
		}
	}
}

// queued reports whether a delivery waited in the run-queue.
func (e *Event) queued() bool {
	return e.Delivery == swing.DeliverMessage || e.Delivery == swing.DeliverNotify ||
		e.Delivery == swing.DeliverStartVat
}

// deliver pages a vat in, if need be, and has it go on by one delivery.
func (s *simulation) deliver(i int, e *Event) {
	v := s.vats[e.Vat]
	v.gone = false
	before := *v
	if e.discards() {
		s.warehouse.Discard(v.id)
	}
	if e.starts(v.at) { // it is upgraded
		*v = vat{
			id: v.id, start: v.at, image: v.at, snapshot: v.at, at: v.at, written: newPageSet(),
		}
	}
	s.event, s.live = e, true
	_, err := s.warehouse.Deliver(context.Background(), v.id, v.at, s.delivery(e), e.Fuel, silent{})
	s.live = false
	s.must(err)
	if !e.OK {
		if e.starts(before.at) {
			// The upgrade failed: the old incarnation goes on from its snapshot.
			before.image = before.snapshot
			*v = before
		}
		return
	}
	v.at++
	v.memory = e.Memory
	v.since = append(v.since, i)
	s.done.PeakMemory = max(s.done.PeakMemory, s.warehouse.Stats().PagedBytes)
}

// starts reports whether a delivery begins another incarnation of a vat that has so many
// deliveries behind it.
func (e *Event) starts(deliveries uint64) bool {
	return e.Delivery == swing.DeliverStartVat && deliveries > 0
}

// takeDue takes the snapshots that have fallen due, of the images, as the host does.
func (s *simulation) takeDue() {
	due, err := s.warehouse.TakeDue(context.Background())
	s.must(err)
	for _, id := range due {
		v := s.vats[s.numbers[id]]
		if v.image == v.snapshot {
			continue
		}
		held := v.since[:v.image-v.snapshot]
		s.done.Snapshots++
		s.done.SnapshotPages += s.distinct(held)
		v.since = slices.Clone(v.since[len(held):])
		v.snapshot = v.image
	}
}

// count adds what is known at the end.
func (s *simulation) count() {
	w := s.warehouse.Stats()
	s.done.PageIns, s.done.Evictions, s.done.Replayed = w.PageIns, w.Evictions, w.Replayed
	s.done.Pauses, s.done.PausedPages = w.Pauses, w.PagesPaused
	for _, v := range s.vats {
		if v.gone {
			continue
		}
		for _, i := range v.since {
			s.done.Suffix++
			s.done.SuffixFuel += s.trace.Events[i].Fuel
		}
		s.done.SuffixPages += s.distinct(v.since)
	}
}

// distinct returns how many pages some events wrote.
func (s *simulation) distinct(events []int) uint64 {
	pages := newPageSet()
	for _, i := range events {
		pages.add(s.trace.Events[i].Written)
	}
	return pages.count
}

// delivery returns an event as a delivery, which has the bytes of its syscalls, too. It is
// good until the next.
func (s *simulation) delivery(e *Event) []byte {
	b := swing.AppendUint(swing.AppendArray(s.input[:0], 3), swing.DeliveryVersion)
	b = swing.AppendUint(swing.AppendUint(b, uint64(e.Delivery)), e.Time)
	if more := int(min(e.Bytes, bytesMax)) - len(b); more > 0 {
		b = slices.Grow(b, more)[:len(b)+more]
	}
	s.input = b
	return b
}

// bytesMax bounds the bytes of a delivery.
const bytesMax = 1 << 30

// must panics: neither the engine nor the source of a simulation fails.
func (s *simulation) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("trace: simulate: %v", err))
	}
}
