package trace

import (
	"slices"

	"vatwarehouse/swing"
)

// Curve is how many page-ins the warehouse makes for any number of vats in memory, the
// least recently used being evicted, in one pass over a trace (Mattson's stack distances).
type Curve struct {
	// Accesses are the deliveries, each of which needs its vat in memory.
	Accesses uint64
	// Cold are the page-ins that no number of vats in memory saves: the first delivery to
	// each vat, its birth, and the first after its worker was discarded.
	Cold uint64
	// hits are those at each depth of the stack: hits[d-1] need d vats in memory.
	hits []uint64
}

// PageIns returns how many page-ins there are with so many vats in memory, Cold included.
func (c *Curve) PageIns(vats int) uint64 {
	n := c.Accesses
	for _, hits := range c.hits[:min(vats, len(c.hits))] {
		n -= hits
	}
	return n
}

// Most returns the number of vats in memory from which on more save nothing.
func (c *Curve) Most() int { return max(len(c.hits), 1) }

// hole is a place of the stack whose vat was discarded: every warehouse that is so large
// has room there.
const hole = -1

// discards reports whether a vat's worker, if it has one, is given up at the event, or
// before it: an incarnation begins with a new one.
func (e *Event) discards() bool {
	return e.Kind == Discard || e.Delivery == swing.DeliverStartVat
}

// Curve computes the curve. It takes time for each delivery as its depth in the stack.
func (t *Trace) Curve() *Curve {
	c := &Curve{}
	var stack []int // most recently used first
	for i := range t.Events {
		e := &t.Events[i]
		if !e.Kind.ofVat() {
			continue
		}
		depth := slices.Index(stack, e.Vat)
		if depth >= 0 && e.discards() {
			stack[depth], depth = hole, -1
		}
		if e.Kind == Discard {
			continue
		}
		c.Accesses++
		if depth < 0 {
			c.Cold++
			stack = append(stack, hole)
			depth = len(stack) - 1
		} else {
			for len(c.hits) <= depth {
				c.hits = append(c.hits, 0)
			}
			c.hits[depth]++
		}
		// A vat paged in takes the first free place; the one that it leaves is free.
		stack[depth] = hole
		free := slices.Index(stack, hole)
		copy(stack[1:free+1], stack[:free])
		stack[0] = e.Vat
		for len(stack) > 0 && stack[len(stack)-1] == hole {
			stack = stack[:len(stack)-1]
		}
	}
	return c
}

// Optimum returns how many page-ins there are at least with so many vats in memory: that
// of Belady's rule, which evicts the vat whose next delivery is furthest away, and so has
// to know the future. It takes time for each delivery as the logarithm of vats.
func (t *Trace) Optimum(vats int) (pageIns uint64) {
	next := t.nextUses()
	var paged uses
	for i := range t.Events {
		e := &t.Events[i]
		switch e.Kind {
		case Block, Idle:
		case Discard:
			paged.remove(e.Vat)
		case Deliver:
			if e.discards() {
				paged.remove(e.Vat)
			}
			if !paged.has(e.Vat) {
				pageIns++
				if paged.Len() >= vats {
					paged.removeFurthest()
				}
			}
			paged.set(e.Vat, next[i])
		}
	}
	return pageIns
}

// never is the next use of a vat that has none before it is discarded.
const never = int(^uint(0) >> 1)

// nextUses returns for each delivery the index of the next to its vat, or never if there
// is none, or the vat is discarded first.
func (t *Trace) nextUses() []int {
	next := make([]int, len(t.Events))
	soonest := make([]int, len(t.Vats))
	for v := range soonest {
		soonest[v] = never
	}
	for i := len(t.Events) - 1; i >= 0; i-- {
		switch e := &t.Events[i]; e.Kind {
		case Block, Idle:
		case Discard:
			soonest[e.Vat] = never
		case Deliver:
			next[i], soonest[e.Vat] = soonest[e.Vat], i
			if e.discards() {
				soonest[e.Vat] = never
			}
		}
	}
	return next
}
