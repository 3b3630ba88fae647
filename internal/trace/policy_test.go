package trace_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/internal/trace"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// load makes a trace of deliveries to a few vats, some of which are discarded now and then.
func load(rng *rand.Rand, vats, n int) *trace.Trace {
	tr := &trace.Trace{}
	next := make([]uint64, vats)
	for v := range vats {
		tr.Vats = append(tr.Vats, string(rune('a'+v)))
	}
	for range n {
		v := min(rng.IntN(vats), rng.IntN(vats))
		if rng.IntN(15) == 0 {
			tr.Events = append(tr.Events, trace.Event{Kind: trace.Discard, Vat: v})
			continue
		}
		kind := swing.DeliverMessage
		if next[v] == 0 {
			kind = swing.DeliverStartVat
		}
		tr.Events = append(tr.Events, trace.Event{
			Kind: trace.Deliver, Vat: v, Position: next[v], Delivery: kind, OK: true, Fuel: 10, Memory: 100,
			Written: []uint32{rng.Uint32N(4), 5 + rng.Uint32N(4)},
		})
		if next[v]++; rng.IntN(20) == 0 {
			tr.Events = append(tr.Events, trace.Event{Kind: trace.Block})
		}
	}
	return tr
}

// count is a snapshot after so many deliveries, and then every so many.
func count(initial, interval int) warehouse.Policy {
	return warehouse.Policy{Rule: warehouse.ByCount, Initial: initial, Interval: interval}
}

// pageIns is the dumb twin of the curve: a warehouse, for one number of vats.
func pageIns(tr *trace.Trace, vats int) (n uint64) {
	var in []int
	for _, e := range tr.Events {
		i := slices.Index(in, e.Vat)
		switch {
		case e.Kind == trace.Block:
		case e.Kind == trace.Discard && i >= 0:
			in = slices.Delete(in, i, i+1)
		case e.Kind == trace.Deliver && i >= 0:
			in = append(slices.Delete(in, i, i+1), e.Vat)
		case e.Kind == trace.Deliver:
			if n++; len(in) == vats {
				in = in[1:]
			}
			in = append(in, e.Vat)
		}
	}
	return n
}

// fewest tries every choice of whom to evict.
func fewest(events []trace.Event, vats int, in uint64) uint64 {
	for i, e := range events {
		bit := uint64(1) << e.Vat
		switch {
		case e.Kind == trace.Discard:
			in &^= bit
		case e.Kind == trace.Block || in&bit != 0:
		default:
			rest, best, held := events[i+1:], ^uint64(0), 0
			for v := range 64 {
				held += int(in >> v & 1)
			}
			if held < vats {
				return 1 + fewest(rest, vats, in|bit)
			}
			for v := range 64 {
				if out := uint64(1) << v; in&out != 0 {
					best = min(best, 1+fewest(rest, vats, in&^out|bit))
				}
			}
			return best
		}
	}
	return 0
}

// TestCurve: for every number of vats in memory the curve has as many page-ins as a
// warehouse with so many makes, also where vats are discarded; and so does a simulation.
func TestCurve(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tr := load(rng, 1+rng.IntN(12), 300)
		c := tr.Curve()
		for vats := 1; vats <= 14; vats++ {
			want := pageIns(tr, vats)
			w := tr.Simulate(trace.Policy{Vats: vats, Rule: count(2, 5)})
			if got := c.PageIns(vats); got != want || w.PageIns != want {
				t.Fatalf("seed %d, %d vats: the curve has %d page-ins, a simulation %d, the twin %d",
					seed, vats, got, w.PageIns, want)
			}
		}
		if c.PageIns(c.Most()) != c.Cold || c.Most() > 1 && c.PageIns(c.Most()-1) == c.Cold {
			t.Errorf("seed %d: %d vats are said to be enough", seed, c.Most())
		}
	}
}

// TestOptimum: no choice of whom to evict has fewer page-ins than Belady's rule, and LRU
// never fewer.
func TestOptimum(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		tr := load(rng, 5, 18)
		for vats := 1; vats <= 4; vats++ {
			if got, want := tr.Optimum(vats), fewest(tr.Events, vats, 0); got != want {
				t.Fatalf("seed %d, %d vats: %d page-ins, the fewest are %d", seed, vats, got, want)
			}
		}
		tr = load(rng, 12, 400)
		c := tr.Curve()
		for vats := 1; vats <= 13; vats++ {
			if tr.Optimum(vats) > c.PageIns(vats) {
				t.Fatalf("seed %d, %d vats: the optimum is worse than LRU", seed, vats)
			}
		}
	}
}

// TestSimulateByHand: two vats that take turns, one in memory, followed delivery by delivery.
func TestSimulateByHand(t *testing.T) {
	t.Parallel()
	tr := &trace.Trace{Vats: []string{"a", "b"}}
	for i := range 8 {
		e := trace.Event{Kind: trace.Deliver, Vat: i % 2, Position: uint64(i / 2), OK: true, Fuel: 10,
			Delivery: swing.DeliverMessage, Memory: 100, Written: []uint32{7, uint32(10 + i)}}
		if i < 2 {
			e.Delivery = swing.DeliverStartVat
		}
		tr.Events = append(tr.Events, e)
	}
	tr.Events = append(tr.Events, trace.Event{Kind: trace.Block})
	for _, c := range []struct {
		policy trace.Policy
		want   trace.Work
	}{
		// Each of 8 deliveries pages in, and replays 0, 1, 2, 3 of its vat's.
		{trace.Policy{Vats: 1, Rule: count(warehouse.Never, 0)},
			trace.Work{PageIns: 8, Evictions: 7, Replayed: 12, ReplayedFuel: 120, PeakMemory: 100, Suffix: 8, SuffixFuel: 80}},
		{trace.Policy{Vats: 2, Rule: count(warehouse.Never, 0)}, trace.Work{PageIns: 2, PeakMemory: 200, Suffix: 8, SuffixFuel: 80}},
		// Of 7 evicted, the first of each vat is not due and replays 1; the others are
		// saved, of 2, 1 deliveries, but the last, which the block's end finds in memory.
		{trace.Policy{Vats: 1, Rule: count(2, 1)},
			trace.Work{PageIns: 8, Evictions: 7, Replayed: 2, ReplayedFuel: 20, Snapshots: 2, SnapshotPages: 9,
				Pauses: 5, PausedPages: 12, PeakMemory: 100, Suffix: 1, SuffixFuel: 10}},
		{trace.Policy{Vats: 1, Rule: count(warehouse.Never, 0), PauseOnEvict: true},
			trace.Work{PageIns: 8, Evictions: 7, Pauses: 7, PausedPages: 14, PeakMemory: 100, Suffix: 8, SuffixFuel: 80}},
		{trace.Policy{Vats: 2, Rule: count(2, 9)},
			trace.Work{PageIns: 2, Snapshots: 2, SnapshotPages: 10, Pauses: 2, PausedPages: 10, PeakMemory: 200}},
	} {
		if got := tr.Simulate(c.policy); got != c.want {
			t.Errorf("%+v:\ngot  %+v\nwant %+v", c.policy, got, c.want)
		}
	}
}

// TestBest: the cheapest within the budget, and none where nothing is.
func TestBest(t *testing.T) {
	t.Parallel()
	costs := []trace.Cost{
		{Now: 5, Later: 5, Bytes: 10, Work: trace.Work{PeakMemory: 10}},
		{Now: 1, Later: 1, Bytes: 90, Work: trace.Work{PeakMemory: 20, Suffix: 4}},
		{Now: 1, Later: 1, Bytes: 20, Work: trace.Work{PeakMemory: 90, Suffix: 4}},
	}
	for _, c := range []struct {
		budget trace.Budget
		want   int
	}{
		{trace.Budget{}, 1}, {trace.Budget{Bytes: 50}, 2}, {trace.Budget{Bytes: 50, Memory: 50}, 0},
		{trace.Budget{Memory: 9}, -1}, {trace.Budget{Suffix: 3}, 0}, {trace.Budget{Bytes: 10, Memory: 10}, 0},
	} {
		if got := trace.Best(costs, c.budget); got != c.want {
			t.Errorf("%+v: %d, want %d", c.budget, got, c.want)
		}
	}
}
