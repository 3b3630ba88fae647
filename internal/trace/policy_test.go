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
			Delivery: swing.DeliverMessage, Memory: 100, Written: []uint32{9, uint32(10 + i)}}
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
			trace.Work{PageIns: 8, Evictions: 7, Replayed: 12, ReplayedFuel: 120, ReplayedPages: 18, PeakMemory: 100,
				Suffix: 8, SuffixFuel: 80, SuffixPages: 10}},
		{trace.Policy{Vats: 2, Rule: count(warehouse.Never, 0)},
			trace.Work{PageIns: 2, Crowding: 1, PeakMemory: 200, Suffix: 8, SuffixFuel: 80, SuffixPages: 10}},
		// Of 7 evicted, the first of each vat is not due and replays 1; the others are
		// saved, of 2, 1 deliveries, but the last, which the block's end finds in memory. The
		// third and fourth of each write page 9 again.
		{trace.Policy{Vats: 1, Rule: count(2, 1)},
			trace.Work{PageIns: 8, Evictions: 7, Replayed: 2, ReplayedFuel: 20, ReplayedPages: 4, AgainPages: 4,
				Snapshots: 2, SnapshotPages: 9, Pauses: 5, PausedPages: 12, PausedExtents: 11, NewImages: 2, PeakMemory: 100,
				Suffix: 1, SuffixFuel: 10, SuffixPages: 2}},
		{trace.Policy{Vats: 1, Rule: count(warehouse.Never, 0), PauseOnEvict: true},
			trace.Work{PageIns: 8, Evictions: 7, AgainPages: 6, Pauses: 7, PausedPages: 14, PausedExtents: 13, NewImages: 2, PeakMemory: 100,
				Suffix: 8, SuffixFuel: 80, SuffixPages: 10}},
		{trace.Policy{Vats: 2, Rule: count(2, 9)},
			trace.Work{PageIns: 2, Crowding: 1, Snapshots: 2, SnapshotPages: 10, Pauses: 2, PausedPages: 10, PausedExtents: 9, NewImages: 2, PeakMemory: 200}},
	} {
		if got := tr.Simulate(c.policy); got != c.want {
			t.Errorf("%+v:\ngot  %+v\nwant %+v", c.policy, got, c.want)
		}
	}
}

// TestPriceByHand: each kind of work has its own cost, and counts where it should.
func TestPriceByHand(t *testing.T) {
	t.Parallel()
	tr := &trace.Trace{Vats: []string{"a", "b"}}
	for i := range 6 {
		e := trace.Event{Kind: trace.Deliver, Vat: i % 2, Position: uint64(i / 2), OK: true, Fuel: 3,
			Delivery: swing.DeliverMessage, Written: []uint32{7, uint32(64 * i)}}
		tr.Events = append(tr.Events, e)
	}
	// Six page-ins, which replay 0, 1, 2 deliveries of each vat: 0, 2, 3 pages.
	got := tr.Price(trace.Policy{Vats: 1, Rule: count(warehouse.Never, 0)}, trace.Costs{
		PageIn: 1, Replay: 1e3, ReplayFuel: 1e5, PageAgain: 1e8, Snapshot: 1e11, SnapshotPage: 1e11,
	})
	if got.Now != 0 || got.Later != 6+6e3+18e5+10e8 || got.Restart != 6e3+18e5+8e8 {
		t.Errorf("now %.0f, later %.0f, restart %.0f", got.Now, got.Later, got.Restart)
	}
	// One snapshot of each vat at its second eviction, or the end; the third delivery of
	// the first writes page 7 again.
	tr.Events = append(tr.Events, trace.Event{Kind: trace.Block})
	got = tr.Price(trace.Policy{Vats: 1, Rule: count(2, 2)}, trace.Costs{PageAgain: 1})
	if got.Later != 4+2 || got.Restart != 4 {
		t.Errorf("later %.0f, restart %.0f", got.Later, got.Restart)
	}
}

// writes is the dumb twin of what is counted of pages, for no snapshots.
func writes(tr *trace.Trace, vats int, pause bool) (replayed, again uint64) {
	history, mapped := map[int][]uint32{}, map[int]map[uint32]bool{}
	saved := map[int]int{} // deliveries' pages that the image has
	var in []int
	for _, e := range tr.Events {
		if e.Kind != trace.Discard && e.Kind != trace.Deliver {
			continue
		}
		i := slices.Index(in, e.Vat)
		if i >= 0 {
			in = slices.Delete(in, i, i+1)
		}
		if e.Kind == trace.Discard {
			continue
		}
		if i < 0 {
			if len(in) == vats {
				if pause {
					saved[in[0]] = len(history[in[0]])
				}
				in = in[1:]
			}
			mapped[e.Vat] = map[uint32]bool{}
			for _, page := range history[e.Vat][saved[e.Vat]:] {
				mapped[e.Vat][page] = true
			}
			replayed += uint64(len(mapped[e.Vat]))
		}
		for _, page := range e.Written {
			if !mapped[e.Vat][page] && slices.Contains(history[e.Vat], page) {
				again++
			}
			mapped[e.Vat][page] = true
		}
		history[e.Vat], in = append(history[e.Vat], e.Written...), append(in, e.Vat)
	}
	return replayed, again
}

// TestPagesWritten: what replays write, and deliveries write again, is counted as the twin
// does, also where what is evicted is saved.
func TestPagesWritten(t *testing.T) {
	t.Parallel()
	var replays, agains uint64
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		tr := load(rng, 8, 300)
		for i := range tr.Events {
			for j := range tr.Events[i].Written {
				tr.Events[i].Written[j] *= 13
			}
		}
		for vats := 1; vats <= 8; vats += 3 {
			p := trace.Policy{
				Vats: vats, Rule: count(warehouse.Never, 0), PauseOnEvict: seed%2 == 1,
			}
			w := tr.Simulate(p)
			r, a := writes(tr, vats, p.PauseOnEvict)
			if w.ReplayedPages != r || w.AgainPages != a {
				t.Errorf("seed %d, %d vats: %d pages replayed, %d again, the twin has %d and %d",
					seed, vats, w.ReplayedPages, w.AgainPages, r, a)
			}
			replays, agains = replays+r, agains+a
		}
	}
	if replays == 0 || agains == 0 {
		t.Errorf("%d pages replayed, %d again: they prove nothing", replays, agains)
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
