package warehouse

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/swing"
)

// wrote returns the pages, in order, of a vat that writes hot ones and draws others of so
// many in all.
func wrote(rng *rand.Rand, hot, draws, room uint32) (pages []uint32) {
	for page := range hot {
		pages = append(pages, page)
	}
	for range draws {
		pages = append(pages, hot+rng.Uint32N(room-hot))
	}
	slices.Sort(pages)
	return slices.Compact(pages)
}

// both returns how many pages two lists share, counted.
func both(one, other []uint32) (n uint64) {
	for _, page := range one {
		if slices.Contains(other, page) {
			n++
		}
	}
	return n
}

// TestSketch: of few pages it is exact which are shared, and of many it is told within
// a fifth of them.
func TestSketch(t *testing.T) {
	t.Parallel()
	if n, known := (sketch{}).shared([]uint32{1}); n != 0 || known {
		t.Errorf("of no set %d are shared, known %v", n, known)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	far := 0
	for range 300 {
		room := []uint32{20, 100, 4000}[rng.IntN(3)]
		one := wrote(rng, rng.Uint32N(room/2), 1+rng.Uint32N(room), room)
		other := wrote(rng, rng.Uint32N(room/2), 1+rng.Uint32N(room), room)
		want := both(other, one)
		got, known := sketchOf(one).shared(other)
		if !known || len(one) <= sketchKeys && got != want {
			t.Fatalf("%d and %d pages share %d, known %v, want %d", len(one), len(other), got, known, want)
		}
		if 5*max(got-min(got, want), want-min(got, want)) > uint64(len(other)) {
			far++
		}
	}
	if far > 15 {
		t.Errorf("%d of 300 are far off", far)
	}
}

// TestHabit: what a vat writes in so many deliveries is foretold from two times that it was
// seen, other numbers of deliveries too, whether its pages are hot or drawn.
func TestHabit(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 1))
	for _, c := range []struct{ hot, each, room uint32 }{
		{2, 0, 32}, {30, 0, 1000}, {0, 16, 16384}, {0, 16, 512}, {10, 1, 4096}, {100, 8, 4096},
	} {
		times := []uint32{}
		for n := range uint32(40) {
			times = append(times, uint32(len(wrote(rng, c.hot, c.each*n, c.room))))
		}
		one, other := wrote(rng, c.hot, c.each*10, c.room), wrote(rng, c.hot, c.each*10, c.room)
		seen := habitOf(uint64(len(one)), uint64(len(other)), both(one, other), 10, uint64(c.room))
		for n, want := range times[1:] {
			got := seen.hotPages() + seen.drawnPages(uint64(n)+1, uint64(c.room)-seen.hotPages())
			if off := max(got, uint64(want)) - min(got, uint64(want)); off > 3+uint64(want)/5 {
				t.Errorf("%+v: %d deliveries write %d pages, foretold %d", c, n+1, want, got)
			}
		}
	}
	// All of memory was written, or far more the time before: nothing is taken to be hot.
	if h := habitOf(500, 500, 490, 10, 512); h.hotPages() != 0 {
		t.Errorf("all written: %+v", h)
	}
	if h := habitOf(50, 400, 50, 10, 4096); h.hotPages() != 0 {
		t.Errorf("much longer before: %+v", h)
	}
}

// TestLook: a vat is looked at when nothing is known of it that says something of what it
// did, and at most so often; a look that fails is said.
func TestLook(t *testing.T) {
	t.Parallel()
	w, err := New(nil, nil, Options{Snapshots: Policy{Rule: ByCost}})
	if err != nil {
		t.Fatal(err)
	}
	looker := &writer{pages: 5}
	v := &vat{id: "v1", worker: looker, account: w.account("v1"), at: 10, unsaved: work{deliveries: 10}}
	v.account.room = 100
	check := func(when string, unknown, outgrown bool) {
		t.Helper()
		if w.unknown(v) != unknown || v.outgrown() != outgrown {
			t.Errorf("%s: unknown %v, outgrown %v", when, w.unknown(v), v.outgrown())
		}
	}
	look := func() {
		t.Helper()
		if err := w.look(v); err != nil {
			t.Fatal(err)
		}
	}
	check("born", true, false)
	look()
	check("its birth seen", false, false)
	v.saved = 5
	check("saved", true, false)
	w.learn(v, make([]swing.Page, 3))
	check("saved and seen", false, false)
	v.unsaved.deliveries = 2
	check("far fewer deliveries", false, true)
	look()
	check("looked at", false, false)
	looker.err = errors.New("no")
	if _, err := w.noteDue(v, evicted); err != nil {
		t.Errorf("it was looked at for nothing: %v", err)
	}
	v.unsaved.deliveries, v.account.habit.deliveries = 2, 100*grain
	if _, err := w.noteDue(v, evicted); !errors.Is(err, looker.err) {
		t.Errorf("a look that failed: %v", err)
	}
	looker.err = nil
	for range looksMax {
		look()
	}
	if v.account.looks != looksMax {
		t.Errorf("%d looks", v.account.looks)
	}
}

// TestEvictCostCountsPages: of two vats that are cheap to replay otherwise, the one whose
// replay writes pages stays.
func TestEvictCostCountsPages(t *testing.T) {
	t.Parallel()
	w, err := New(nil, nil, Options{Evict: EvictCost})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []swing.VatID{"v1", "v2"} {
		v := &vat{
			id: id, account: w.account(id), start: 0, saved: 2, at: 9, unsaved: work{7, 100, 0},
		}
		v.account.room = 1000
		v.account.habit = drawing(2, 0, 7, 1000)
		w.vats.Add(id, v)
	}
	v1, _ := w.vats.Peek("v1")
	if got := w.evictor.choose(w.free("")); got != v1 {
		t.Fatalf("of equal vats %s is evicted", got.id)
	}
	v1.account.habit = drawing(2, 60, 7, 1000)
	if got := w.evictor.choose(w.free("")); got == v1 {
		t.Error("the vat that writes pages is evicted")
	}
}
