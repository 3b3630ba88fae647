package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

var errDisk = errors.New("bad disk")

// TestPagingIsInvisible: for random orders to random vats, every limit, policy
// and eviction gives the transcripts of a warehouse that never evicts.
func TestPagingIsInvisible(t *testing.T) {
	never := warehouse.Policy{Initial: warehouse.Never}
	options := []warehouse.Options{
		{MaxPagedIn: 100, Snapshots: never},
		{MaxPagedIn: 1, Snapshots: never},
		{MaxPagedIn: 1, PauseOnEvict: true},
		{MaxPagedIn: 2, Snapshots: warehouse.Policy{Initial: 1, Interval: 1}},
		{MaxPagedIn: 3, Snapshots: warehouse.Policy{Initial: 2, Interval: 5}},
		{MaxPagedIn: 4, MaxBytes: 3 << 17},
		{MaxPagedIn: 2, Yields: everyOther()},
		{MaxPagedIn: 1, Prefetch: true, Snapshots: never},
		{MaxPagedIn: 2, Prefetch: true, Snapshots: warehouse.Policy{Initial: 2, Interval: 5}},
		{MaxPagedIn: 1, Ahead: 1, Snapshots: never},
		{MaxPagedIn: 2, Ahead: 4, Snapshots: warehouse.Policy{Initial: 2, Interval: 5}},
		{MaxPagedIn: 2, Ahead: 2, Evict: warehouse.EvictCost, Snapshots: mustParse(t, "cost")},
		{MaxPagedIn: 2, Ahead: 3, PauseOnEvict: true, Prefetch: true},
		{MaxPagedIn: 3, Evict: warehouse.Evict2Q, Snapshots: mustParse(t, "fuel:3000")},
		{MaxPagedIn: 3, Evict: warehouse.EvictARC, Snapshots: mustParse(t, "bytes:1e3")},
		{MaxPagedIn: 2, Evict: warehouse.EvictCost, Snapshots: mustParse(t, "cost")},
		{
			MaxPagedIn: 4,
			MaxBytes:   3 << 17,
			Evict:      warehouse.EvictCost,
			Snapshots:  mustParse(t, "evict"),
		},
		{
			MaxPagedIn: 4,
			MaxBytes:   3 << 17,
			Evict:      warehouse.Evict2Q,
			Snapshots:  mustParse(t, "idle"),
		},
	}
	for seed := range uint64(4) {
		var want map[swing.VatID][]string
		for i, o := range options {
			h := newHouse(t, o)
			play(h, rand.New(rand.NewPCG(seed, 1)))
			if i == 0 {
				want = h.answers
			}
			for id := range want {
				if !slices.Equal(want[id], h.answers[id]) {
					t.Fatalf("seed %d, %+v: %s answered\n%v\nwant\n%v",
						seed, o, id, h.answers[id], want[id])
				}
			}
			if s := h.w.Stats(); s.PagedIn > o.MaxPagedIn || (i > 0 && s.Evictions == 0) {
				t.Errorf("%+v: stats %+v", o, s)
			} else if (s.Prefetched > 0) != o.Prefetch && o.Ahead == 0 {
				t.Errorf("%+v: %d pages prefetched", o, s.Prefetched)
			} else if s.Ahead > 0 && o.Ahead == 0 {
				t.Errorf("%d page-ins begun ahead", s.Ahead)
			}
		}
	}
}

// everyOther has a vat yield every other time that one is paged in.
func everyOther() func(swing.VatID) bool {
	n := 0
	return func(swing.VatID) bool {
		n++
		return n%2 == 0
	}
}

// play gives random orders to six vats, some of which trap, and takes
// snapshots now and then as a host would.
func play(h *house, rng *rand.Rand) {
	for i := range 6 {
		h.add(swing.VatIDOf(uint64(i + 1)))
	}
	var next []swing.VatID
	for range 150 {
		next = append(next, swing.VatIDOf(1+rng.Uint64N(6)))
	}
	for i, id := range next {
		if rng.IntN(4) > 0 {
			h.w.Ahead(context.Background(), next[i:min(len(next), i+5)])
		}
		if most := h.options.MaxPagedIn + h.options.Ahead; h.open > most {
			h.t.Errorf("%d vats are in memory, at most %d", h.open, most)
		}
		at := 4096 + rng.Uint32N(60_000)
		switch op := []uint32{0, 1, 2, 4, 5, 8, 9, 15, 3}[rng.IntN(9)]; {
		case op == 2:
			h.must(id, order{op, rng.Uint32N(2), 0, 0})
		case op == 3 && rng.IntN(3) > 0: // a trap now and then
		default:
			h.must(id, order{op, 1 + at%5, at, 64})
		}
		if rng.IntN(10) == 0 {
			h.w.Idle()
			h.take()
		}
	}
}

// TestLRUOrder: the least recently used vat goes first, before the new one comes.
func TestLRUOrder(t *testing.T) {
	h := newHouse(t, warehouse.Options{MaxPagedIn: 2})
	steps := []struct {
		id   swing.VatID
		want string
	}{
		{"v6", "[v6]"}, {"v7", "[v6 v7]"}, {"v8", "[v7 v8]"}, {"v7", "[v8 v7]"}, {"v9", "[v7 v9]"},
	}
	for _, s := range steps {
		h.add(s.id)
		h.must(s.id, order{})
		if got := fmt.Sprint(h.w.PagedIn()); got != s.want {
			t.Errorf("after %s: %s, want %s", s.id, got, s.want)
		}
	}
	if s := h.w.Stats(); s.PageIns != 4 || s.Evictions != 2 || s.Deliveries != 5 {
		t.Errorf("stats %+v", s)
	}
}

// TestPinnedVatsStay: eviction passes over them, and pinning all is no dead end.
func TestPinnedVatsStay(t *testing.T) {
	h := newHouse(t, warehouse.Options{MaxPagedIn: 2})
	for _, id := range []swing.VatID{"v1", "v2", "v3", "v4"} {
		h.add(id)
	}
	h.w.Pin("v1", true)
	for _, id := range []swing.VatID{"v1", "v2", "v3"} {
		h.must(id, order{})
	}
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v1 v3]" {
		t.Errorf("paged in %s", got)
	}
	h.w.Pin("v3", true)
	h.must("v4", order{})
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v1 v3 v4]" {
		t.Errorf("with all pinned: %s", got)
	}
	h.w.Pin("v1", false)
	h.must("v2", order{})
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v3 v2]" {
		t.Errorf("unpinned: %s", got)
	}
}

// TestBytesLimit: memory counts, as it grows; the vat in use is never refused.
func TestBytesLimit(t *testing.T) {
	h := newHouse(t, warehouse.Options{MaxPagedIn: 10, MaxBytes: 10 << 16})
	for _, id := range []swing.VatID{"v1", "v2", "v3"} {
		h.add(id)
	}
	h.must("v1", order{op: 2, a: 3}) // 5 pages
	h.must("v2", order{op: 2, a: 3})
	if s := h.w.Stats(); s.PagedIn != 2 || s.PagedBytes != 10<<16 {
		t.Errorf("stats %+v", s)
	}
	h.must("v3", order{op: 2, a: 40})
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v2 v3]" {
		t.Errorf("paged in %s", got)
	}
	h.must("v1", order{})
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v1]" {
		t.Errorf("with a vat beyond the limit: %s", got)
	}
}

// TestTakeDue: a vat falls due once, resident or evicted, and not again before
// the interval; what its image holds then is the heap.
func TestTakeDue(t *testing.T) {
	h := newHouse(t, warehouse.Options{
		MaxPagedIn: 1, Snapshots: warehouse.Policy{Initial: 2, Interval: 3},
	})
	h.add("v1")
	h.add("v2")
	take := func() string { return fmt.Sprint(h.take()) }
	h.must("v1", order{})
	if got := take(); got != "[]" {
		t.Errorf("after 1 delivery: %s", got)
	}
	h.must("v1", order{})
	h.must("v2", order{}) // evicts v1, which is due
	h.must("v1", order{}) // and is back
	if h.paused["v1"].position != 2 {
		t.Errorf("v1 was paused at %d", h.paused["v1"].position)
	}
	if got := take(); got != "[v1]" {
		t.Errorf("due: %s", got)
	}
	h.must("v1", order{})
	if got := take(); got != "[]" {
		t.Errorf("2 after the snapshot: %s", got)
	}
	h.must("v1", order{})
	if got := take(); got != "[v1]" || h.paused["v1"].position != 5 {
		t.Errorf("3 after the snapshot: %s, paused at %d", got, h.paused["v1"].position)
	}
}

// TestFailedPageInLosesNothing: each way it can fail is an error that names the
// vat; other vats go on, and the vat does once the cause is gone.
func TestFailedPageInLosesNothing(t *testing.T) {
	fail := map[string]func(h *house) (says string, mend func()){
		"source": func(h *house) (string, func()) {
			h.broken["v1"] = errDisk
			return "bad disk", func() { delete(h.broken, "v1") }
		},
		"code": func(h *house) (string, func()) {
			was := h.of["v1"]
			h.of["v1"] = swing.Sum("other")
			return "no such code", func() { h.of["v1"] = was }
		},
		"divergence": func(h *house) (string, func()) {
			was := h.items["v1"][1]
			e, _ := transcript.Decode(was)
			e.Exchanges[0].Request = []byte{1}
			h.items["v1"][1] = e.Append(nil)
			return "replay of vat v1 diverged at position 1, syscall 0", func() { h.items["v1"][1] = was }
		},
		"entry": func(h *house) (string, func()) {
			was := h.items["v1"][1]
			h.items["v1"][1] = []byte{0xff}
			return "not canonical", func() { h.items["v1"][1] = was }
		},
	}
	for name, f := range fail {
		h := newHouse(
			t,
			warehouse.Options{MaxPagedIn: 1, Snapshots: warehouse.Policy{Initial: warehouse.Never}},
		)
		h.add("v1")
		h.add("v2")
		h.must("v1", order{})
		h.must("v1", order{op: 4, a: 1, b: 4096, c: 8})
		h.must("v2", order{})
		says, mend := f(h)
		_, err := h.deliver("v1", order{op: 1, a: 5000, b: 1})
		if err == nil || !strings.Contains(err.Error(), says) ||
			!strings.Contains(err.Error(), "vat v1") {
			t.Errorf("%s: %v", name, err)
		}
		h.must("v2", order{})
		mend()
		h.must("v1", order{op: 1, a: 5000, b: 1})
	}
}

// TestFailedDeliveriesArePassedOver: replay skips entries that took no effect,
// and a vat that was discarded comes back without them.
func TestFailedDeliveriesArePassedOver(t *testing.T) {
	h := newHouse(t, warehouse.Options{Snapshots: warehouse.Policy{Initial: warehouse.Never}})
	h.add("v1")
	h.must("v1", order{op: 1, a: 5000, b: 7})
	if out, _ := h.deliver("v1", order{op: 3}); out.Status != swing.StatusTrapped {
		t.Fatal(out)
	}
	h.must("v1", order{op: 4, a: 1, b: 5000, c: 4})
	if got := h.answers["v1"][2]; !strings.Contains(got, "[7 0 0 0]") {
		t.Errorf("after a discard the vat says %s", got)
	}
	if s := h.w.Stats(); s.Discards != 1 || s.Replayed != 2 {
		t.Errorf("stats %+v", s)
	}
}

// TestPreload: as many as fit, in order, and a failure says which.
func TestPreload(t *testing.T) {
	h := newHouse(t, warehouse.Options{MaxPagedIn: 2})
	for _, id := range []swing.VatID{"v1", "v2", "v3"} {
		h.add(id)
	}
	if err := h.w.Preload(context.Background(), []swing.VatID{"v3", "v1", "v2"}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v3 v1]" {
		t.Errorf("paged in %s", got)
	}
	h.broken["v2"] = errDisk
	if err := h.w.Evict(context.Background(), "v3"); err != nil {
		t.Fatal(err)
	}
	err := h.w.Preload(context.Background(), []swing.VatID{"v2"})
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "v2") {
		t.Errorf("got %v", err)
	}
}

// TestProgramsAreBounded: programs nobody runs are dropped beyond the limit.
func TestProgramsAreBounded(t *testing.T) {
	h := newHouse(t, warehouse.Options{MaxPagedIn: 1, MaxPrograms: 1})
	h.add("v1")
	h.add("v2")
	other := append(h.code[h.of["v1"]], 0, 2, 1, 'x') // the same program, with a custom section
	h.of["v2"] = worker.CodeHash(other)
	h.code[h.of["v2"]] = other
	for range 2 {
		h.must("v1", order{})
		h.must("v2", order{})
		if n := h.w.Stats().Programs; n != 1 {
			t.Errorf("%d programs kept", n)
		}
	}
}

// TestRefusedOptions: limits below one are named, and what is no policy.
func TestRefusedOptions(t *testing.T) {
	for _, o := range []warehouse.Options{{MaxPagedIn: -1}, {MaxPrograms: -1}} {
		if _, err := warehouse.New(nil, nil, o); err == nil ||
			!strings.Contains(err.Error(), "want at least 1") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, p := range []warehouse.Policy{
		{Initial: -2}, {Interval: -1}, {Rule: warehouse.ByFuel}, {Rule: "often"},
		{Rule: warehouse.ByBytes, Amount: 1, Initial: 2}, {Rule: warehouse.OnIdle, Amount: 1},
	} {
		_, err := warehouse.New(nil, nil, warehouse.Options{Snapshots: p})
		if !errors.Is(err, warehouse.ErrPolicy) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	_, err := warehouse.New(nil, nil, warehouse.Options{Evict: "mru"})
	if !errors.Is(err, warehouse.ErrEviction) {
		t.Errorf("evict mru: %v", err)
	}
}

// TestLostPositionPanics: a worker that is not where the transcript ends is our fault.
func TestLostPositionPanics(t *testing.T) {
	h := newHouse(t, warehouse.Options{})
	h.add("v1")
	h.must("v1", order{})
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "position 1, to be delivered 7") {
			t.Errorf("panic %q", p)
		}
	}()
	_, err := h.w.Deliver(
		context.Background(),
		"v1",
		7,
		order{}.delivery(),
		swing.Unbounded,
		&recorder{},
	)
	t.Errorf("no panic, %v", err)
}
