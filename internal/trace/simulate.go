package trace

import (
	"fmt"
	"slices"

	"vatwarehouse/swing"
)

// Policy is what is asked about: the warehouse's.
type Policy struct {
	Vats     int `json:"vats"`     // in memory, at least 1; the least recently used is evicted
	Initial  int `json:"initial"`  // deliveries before a vat's first snapshot; Never is none
	Interval int `json:"interval"` // deliveries between snapshots, at least 1
	// PauseOnEvict saves an evicted vat's memory: paging it in replays nothing.
	PauseOnEvict bool `json:"pause_on_evict"`
}

// Never as a Policy's Initial turns snapshots off.
const Never = -1

// Work is what the warehouse would have done under a policy.
type Work struct {
	PageIns   uint64 `json:"page_ins"`
	Evictions uint64 `json:"evictions"`
	// Replayed are the deliveries that page-ins replayed, and ReplayedFuel what they used.
	Replayed     uint64 `json:"replayed"`
	ReplayedFuel uint64 `json:"replayed_fuel"`
	Snapshots    uint64 `json:"snapshots"`
	// SnapshotPages are the pages written from one snapshot to the next; 0 without
	// footprints, as are PausedPages and PeakMemory.
	SnapshotPages uint64 `json:"snapshot_pages"`
	// Pauses are the images brought up to date, and PausedPages the pages written for it.
	Pauses      uint64 `json:"pauses"`
	PausedPages uint64 `json:"paused_pages"`
	// Suffix are the deliveries that no snapshot holds at the end, of vats that live: so many
	// are replayed after a restart.
	Suffix uint64 `json:"suffix"`
	// PeakMemory is the most that the linear memories of vats in memory took together.
	PeakMemory uint64 `json:"peak_memory"`
}

// vat is one vat, as the warehouse and the host together know it.
type vat struct {
	in       bool
	gone     bool   // it was discarded, and not delivered to since
	start    uint64 // where its incarnation began
	at       uint64 // position of its next delivery
	image    uint64 // position of its image: from there on a page-in replays
	snapshot uint64 // how far its latest snapshot reaches; start is none
	known    uint64 // likewise, as far as the warehouse knows
	paused   uint64 // position at which it was evicted while a snapshot was due, or 0
	memory   uint64
	// since are the events that are not in the latest snapshot, by index.
	since []int
}

// simulation is a warehouse at some point of a trace.
type simulation struct {
	trace  *Trace
	policy Policy
	vats   []*vat
	lru    []int // those in memory, least recently used first
	due    []int
	memory uint64
	pages  map[uint32]struct{} // for counting
	done   Work
}

// Simulate returns what the warehouse would have done for the trace under a policy. It is
// exact where snapshots are taken in line, and as near as blocks are long to the time that
// a snapshot takes where they are not.
func (t *Trace) Simulate(p Policy) Work {
	if p.Vats < 1 || p.Interval < 1 || p.Initial < Never || p.Initial == 0 {
		panic(fmt.Sprintf("trace: no such policy: %+v", p))
	}
	s := &simulation{trace: t, policy: p, pages: map[uint32]struct{}{}}
	for range t.Vats {
		s.vats = append(s.vats, &vat{})
	}
	for i := range t.Events {
		switch e := &t.Events[i]; e.Kind {
		case Deliver:
			s.deliver(i, e)
		case Discard:
			s.discard(e.Vat)
		case Block:
			s.takeDue()
		}
	}
	for _, v := range s.vats {
		if !v.gone {
			s.done.Suffix += uint64(len(v.since))
		}
	}
	return s.done
}

// deliver pages a vat in, if need be, and has it go on by one delivery.
func (s *simulation) deliver(i int, e *Event) {
	v := s.vats[e.Vat]
	v.gone = false
	before := *v
	if e.Delivery == swing.DeliverStartVat || v.at == 0 && e.Position > 0 {
		// It is born, or what came before is not in the trace.
		*v = vat{
			in: v.in, start: e.Position, at: e.Position, image: e.Position,
			snapshot: e.Position, known: e.Position, memory: v.memory,
		}
	}
	s.pageIn(e.Vat, v)
	if !e.OK {
		if e.Delivery == swing.DeliverStartVat && before.at > before.start {
			// An upgrade that failed: the old incarnation goes on from its snapshot.
			before.in, before.memory, before.image = v.in, v.memory, before.snapshot
			*v = before
		}
		return
	}
	v.at = e.Position + 1
	v.since = append(v.since, i)
	s.memory += e.Memory - v.memory
	v.memory = e.Memory
	s.done.PeakMemory = max(s.done.PeakMemory, s.memory)
	s.noteDue(e.Vat, v)
}

// pageIn brings a vat to the end of its transcript.
func (s *simulation) pageIn(n int, v *vat) {
	if v.in {
		i := slices.Index(s.lru, n)
		s.lru = append(slices.Delete(s.lru, i, i+1), n)
		return
	}
	for len(s.lru) >= s.policy.Vats {
		s.evict(s.lru[0])
	}
	s.done.PageIns++
	for _, i := range v.since {
		if e := &s.trace.Events[i]; e.Position >= v.image {
			s.done.Replayed++
			s.done.ReplayedFuel += e.Fuel
		}
	}
	v.in = true
	v.known = max(v.snapshot, v.paused)
	s.lru = append(s.lru, n)
	s.memory += v.memory
	s.noteDue(n, v)
}

func (s *simulation) isDue(v *vat) bool {
	switch {
	case s.policy.Initial == Never:
		return false
	case v.known == v.start:
		return v.at-v.start >= uint64(s.policy.Initial)
	}
	return v.at-v.known >= uint64(s.policy.Interval)
}

func (s *simulation) noteDue(n int, v *vat) {
	if s.isDue(v) && !slices.Contains(s.due, n) {
		s.due = append(s.due, n)
	}
}

func (s *simulation) evict(n int) {
	v := s.vats[n]
	due := s.isDue(v)
	if due || s.policy.PauseOnEvict {
		s.pause(v)
	}
	if due && slices.Contains(s.due, n) {
		v.paused = v.at
	}
	s.done.Evictions++
	s.leave(n, v)
}

// leave gives a vat's worker up.
func (s *simulation) leave(n int, v *vat) {
	i := slices.Index(s.lru, n)
	s.lru = slices.Delete(s.lru, i, i+1)
	s.memory -= v.memory
	v.in = false
}

func (s *simulation) discard(n int) {
	v := s.vats[n]
	v.gone = true
	if !v.in {
		return
	}
	s.due = slices.DeleteFunc(s.due, func(d int) bool { return d == n })
	v.paused = 0
	s.leave(n, v)
}

// pause brings a vat's image up to date.
func (s *simulation) pause(v *vat) {
	if v.image == v.at {
		return
	}
	s.done.Pauses++
	s.done.PausedPages += s.written(v, v.image, v.at)
	v.image = v.at
}

// takeDue takes the snapshots that have fallen due, of the images.
func (s *simulation) takeDue() {
	for _, n := range s.due {
		v := s.vats[n]
		if v.in && v.paused == 0 {
			s.pause(v)
			v.known = v.at
		}
		v.paused = 0
		if v.image > v.snapshot {
			s.done.Snapshots++
			s.done.SnapshotPages += s.written(v, v.snapshot, v.image)
			v.snapshot = v.image
			v.since = slices.DeleteFunc(v.since, func(i int) bool {
				return s.trace.Events[i].Position < v.snapshot
			})
		}
	}
	s.due = s.due[:0]
}

// written returns how many pages a vat wrote in its deliveries from one position to another.
func (s *simulation) written(v *vat, from, to uint64) uint64 {
	clear(s.pages)
	for _, i := range v.since {
		if e := &s.trace.Events[i]; e.Position >= from && e.Position < to {
			for _, page := range e.Written {
				s.pages[page] = struct{}{}
			}
		}
	}
	return uint64(len(s.pages))
}
