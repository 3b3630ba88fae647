package warehouse_test

import (
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// twinPageIns returns how often vats are paged in that come in an order, at most so many in
// memory, if the one goes that comes last of the next known, or else the one that came
// longest ago.
func twinPageIns(order []swing.VatID, room, known int) (pageIns int) {
	var in []swing.VatID // the one that came longest ago first
	for turn, id := range order {
		if i := slices.Index(in, id); i >= 0 {
			in = append(slices.Delete(in, i, i+1), id)
			continue
		}
		if pageIns++; len(in) == room {
			next := order[turn+1 : min(len(order), turn+1+known)]
			goes, comes := 0, -1
			for i, other := range in {
				at := slices.Index(next, other)
				if at < 0 {
					goes = i
					break
				}
				if at > comes {
					goes, comes = i, at
				}
			}
			in = slices.Delete(in, goes, goes+1)
		}
		in = append(in, id)
	}
	return pageIns
}

// TestEvictQueue: the vat goes that is needed last, as far as that is known: page-ins are
// those of a twin which looks for it. If nothing is known that is the least recently used,
// and the more is known the fewer there are.
func TestEvictQueue(t *testing.T) {
	t.Parallel()
	const vats, room, turns = 10, 4, 300
	rng := rand.New(rand.NewPCG(3, 3))
	came := make([]swing.VatID, turns)
	for i := range came {
		came[i] = swing.VatIDOf(1 + uint64(min(rng.IntN(vats), rng.IntN(vats))))
	}
	run := func(evict warehouse.Eviction, known int) int {
		turn := 0
		h := newHouse(t, warehouse.Options{
			MaxPagedIn: room, Evict: evict,
			Upcoming: func() iter.Seq[swing.VatID] {
				return slices.Values(came[turn+1 : min(turns, turn+1+known)])
			},
		})
		for i := range vats {
			h.add(swing.VatIDOf(uint64(i + 1)))
		}
		for turn = range came {
			h.must(came[turn], order{})
		}
		return int(h.w.Stats().PageIns)
	}
	lru := run(warehouse.EvictLRU, 0)
	before := lru
	for _, known := range []int{0, 3, 10, turns} {
		got := run(warehouse.EvictQueue, known)
		if want := twinPageIns(came, room, known); got != want {
			t.Errorf("%d known: %d page-ins, want %d", known, got, want)
		}
		if known == 0 && got != lru || got > before || known == turns && 4*got > 3*lru {
			t.Errorf("%d known: %d page-ins, %d before, lru has %d", known, got, before, lru)
		}
		before = got
	}
}
