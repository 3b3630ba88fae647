package warehouse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/hashicorp/golang-lru/arc/v2"
	lru "github.com/hashicorp/golang-lru/v2"

	"vatwarehouse/swing"
)

// Eviction says which vat is evicted when one must be. It is private.
type Eviction string

// The ways of eviction. Pinned vats, and the one being run, are passed over by all.
const (
	// EvictLRU evicts the least recently used vat.
	EvictLRU Eviction = "lru"
	// Evict2Q keeps vats that were used twice before those that were used once.
	Evict2Q Eviction = "2q"
	// EvictARC divides the room between vats used once and vats used more often,
	// and moves the bound to where it would have saved a page-in.
	EvictARC Eviction = "arc"
	// EvictCost evicts the vat that is cheapest to page in again, the more so the
	// longer it was not used; for each 64 KiB of its memory if MaxBytes is set.
	EvictCost Eviction = "cost"
	// EvictQueue evicts the vat that the run-queue needs last: of those that it does not
	// name, the least recently used. It is Belady's rule as far as the future is known.
	EvictQueue Eviction = "queue"
)

// Evictions are all there are, the default first.
var Evictions = []Eviction{EvictLRU, Evict2Q, EvictARC, EvictCost, EvictQueue}

// ErrEviction is returned for a way of eviction that there is not.
var ErrEviction = errors.New("want lru, 2q, arc, cost or queue")

// evictor chooses what is evicted.
type evictor interface {
	// use is told that a vat is used: it is paged in, or will be.
	use(id swing.VatID)
	// gone is told that a vat is not paged in any more.
	gone(id swing.VatID)
	// choose returns one of some vats, or nil if there is none. The least recently
	// used one comes first.
	choose(from iter.Seq[*vat]) *vat
}

// newEvictor returns the evictor of the options.
func (w *Warehouse) newEvictor() (evictor, error) {
	o := w.options
	// Less than two are none of which one could be kept longer.
	size := min(max(o.MaxPagedIn, 2), unbounded)
	var kept keeper
	var err error
	switch o.Evict {
	case EvictLRU:
		return oldest{}, nil
	case EvictCost:
		return &cheapest{
			options: o, delay: w.delayOf, used: map[swing.VatID]uint64{},
		}, nil
	case EvictQueue:
		return neededLast{o.Upcoming}, nil
	case Evict2Q:
		kept, err = lru.New2Q[swing.VatID, struct{}](size)
	case EvictARC:
		kept, err = arc.NewARC[swing.VatID, struct{}](size)
	default:
		err = ErrEviction
	}
	if err != nil {
		return nil, fmt.Errorf("evict %q: %w", string(o.Evict), err)
	}
	return unkept{kept}, nil
}

// oldest is EvictLRU.
type oldest struct{}

func (oldest) use(swing.VatID)  {}
func (oldest) gone(swing.VatID) {}

func (oldest) choose(from iter.Seq[*vat]) *vat {
	for v := range from {
		return v
	}
	return nil
}

// neededLast is EvictQueue. It looks at all that are paged in, and at what comes until all of
// them but one have come.
type neededLast struct{ upcoming func() iter.Seq[swing.VatID] }

func (neededLast) use(swing.VatID)  {}
func (neededLast) gone(swing.VatID) {}

func (n neededLast) choose(from iter.Seq[*vat]) *vat {
	vats := slices.Collect(from)
	rest := make(map[swing.VatID]bool, len(vats))
	for _, v := range vats {
		rest[v.id] = true
	}
	if n.upcoming != nil {
		for id := range n.upcoming() {
			if len(rest) < 2 {
				break
			}
			delete(rest, id)
		}
	}
	for _, v := range vats {
		if rest[v.id] {
			return v
		}
	}
	return nil
}

// keeper is a cache of as many names as vats may be paged in, which chooses by itself
// what it gives up.
type keeper interface {
	Add(id swing.VatID, _ struct{})
	Contains(id swing.VatID) bool
	Remove(id swing.VatID)
}

// unkept chooses the vat that a cache of names has given up. Where there is none (the
// cache knows nothing of pins, or bytes) it chooses the least recently used.
type unkept struct{ keeper }

func (u unkept) use(id swing.VatID) { u.Add(id, struct{}{}) }

// gone leaves what the cache has given up by itself: it remembers that.
func (u unkept) gone(id swing.VatID) {
	if u.Contains(id) {
		u.Remove(id)
	}
}

func (u unkept) choose(from iter.Seq[*vat]) (first *vat) {
	for v := range from {
		if !u.Contains(v.id) {
			return v
		}
		if first == nil {
			first = v
		}
	}
	return first
}

// cheapest is EvictCost: the GreedyDual rule. A vat's rank is what it would cost to page
// it in again, above the rank that the latest evicted vat had when this one was used.
// It looks at all that are paged in.
type cheapest struct {
	options Options
	delay   func(v *vat) uint64    // what its replay would cost, in fuel
	level   uint64                 // the rank of the latest that was evicted
	used    map[swing.VatID]uint64 // the level when each was used last
	latest  swing.VatID            // the one that is being used
}

func (c *cheapest) use(id swing.VatID)  { c.used[id], c.latest = c.level, id }
func (c *cheapest) gone(id swing.VatID) { delete(c.used, id) }

func (c *cheapest) choose(from iter.Seq[*vat]) (least *vat) {
	var level uint64
	for v := range from {
		if rank := c.used[v.id] + c.price(v); least == nil || rank < level {
			least, level = v, rank
		}
	}
	if least != nil {
		c.level, c.used[c.latest] = level, level
	}
	return least
}

// price returns what it would cost to page a vat in again, in fuel.
func (c *cheapest) price(v *vat) uint64 {
	price := uint64(pageInFuel)
	if !c.options.PauseOnEvict {
		price += c.delay(v)
	}
	if c.options.MaxBytes > 0 {
		price /= v.bytes>>16 + 1
	}
	return price
}

// evictOne evicts a vat that is neither pinned nor the one excepted, and reports
// whether there was one.
func (w *Warehouse) evictOne(ctx context.Context, except swing.VatID) (bool, error) {
	v := w.evictor.choose(w.free(except))
	if v == nil {
		return false, nil
	}
	return true, w.evict(ctx, v)
}

// free yields the vats that can be evicted, the least recently used one first.
func (w *Warehouse) free(except swing.VatID) iter.Seq[*vat] {
	can := func(id swing.VatID) bool { return !w.pins[id] && id != except }
	return func(yield func(*vat) bool) {
		id, v, ok := w.vats.GetOldest()
		if !ok || can(id) && !yield(v) {
			return
		}
		for _, v := range w.vats.Values()[1:] {
			if can(v.id) && !yield(v) {
				return
			}
		}
	}
}

// evict gives a worker up, losing nothing. If a snapshot is due, its image is
// brought up to date first: the host will take the snapshot from there.
func (w *Warehouse) evict(ctx context.Context, v *vat) error {
	if !w.snapShadow(v) {
		w.owe(v)
	}
	again, err := w.noteDue(v, evicted)
	if err != nil {
		return err
	}
	i := w.dueAt(v.id)
	due := again || i >= 0 && w.due[i].paused == 0
	if due || w.options.PauseOnEvict {
		err := w.pause(ctx, v)
		if w.lose(err) {
			return nil // it is given up
		}
		if err != nil {
			return err
		}
	}
	if due {
		if w.due[i].paused > 0 {
			w.allowance.left -= int64(w.priceOf(v) / pauseShare)
		}
		w.due[i].paused = v.at
		w.release(v.account)
	} else {
		w.lend(v)
	}
	w.stats.Evictions++
	if err := errors.Join(w.leaveFootprint(v), w.drop(ctx, v)); err != nil {
		return fmt.Errorf("evict vat %s: %w", v.id, err)
	}
	return nil
}

// Evict gives a vat's worker up, if it has one, losing nothing.
func (w *Warehouse) Evict(ctx context.Context, id swing.VatID) error {
	w.forsake(id)
	if v, ok := w.vats.Peek(id); ok {
		return w.evict(ctx, v)
	}
	return nil
}
