package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hashicorp/golang-lru/arc/v2"
	lru "github.com/hashicorp/golang-lru/v2"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
)

func mustParse(t *testing.T, text string) warehouse.Policy {
	t.Helper()
	var p warehouse.Policy
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPolicyText: each text is one policy, whose text it is; all else is refused.
func TestPolicyText(t *testing.T) {
	for _, r := range []struct{ text, want string }{
		{"count:2/200", "count:2/200"}, {"count:1/1", "count:1/1"}, {"never", "never"},
		{"fuel:50e6", "fuel:50000000"}, {"fuel:1", "fuel:1"}, {"bytes:4096", "bytes:4096"},
		{"cost", "cost"}, {"evict", "evict"}, {"idle", "idle"},
		{"count:2/200+timer:60s", "count:2/200+timer:1m0s"}, {"signal", "signal"}, {"never+signal", "signal"},
		{"signal+first-message", "first-message+signal"}, {"timer:1ns", "timer:1ns"},
		{"fuel:1e3+before-device-call+timer:2h+first-message", "fuel:1000+first-message+before-device-call+timer:2h0m0s"},
	} {
		if got := mustParse(t, r.text).String(); got != r.want ||
			mustParse(t, got).String() != got {
			t.Errorf("%q is %q, want %q", r.text, got, r.want)
		}
	}
	if got := (warehouse.Policy{}).String(); got != "count:2/200" {
		t.Errorf("the zero policy is %q", got)
	}
	for _, text := range []string{
		"", "count", "count:", "count:2", "count:2/", "count:0/1", "count:1/0", "count:-1/5", "count:2/200/3",
		"fuel", "fuel:", "fuel:0", "fuel:1.5", "fuel:-4", "fuel:nan", "fuel:inf", "fuel:1e300", "bytes:x",
		"+", "cost+", "+cost", "cost+cost", "signal+cost", "cost+evict", "signal+signal", "signal:1", "timer", "timer:",
		"timer:0s", "timer:-1s", "timer:60", "timer:1s+timer:1s", "first-message:1", "cost+weekly",
		"cost:1", "evict:", "idle:2", "never:", "Never", "weekly",
	} {
		p := warehouse.Policy{Rule: warehouse.OnIdle}
		err := p.UnmarshalText([]byte(text))
		if !errors.Is(err, warehouse.ErrPolicy) || p.Rule != warehouse.OnIdle {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

// TestSnapshotsByWork: with whatever paging, a vat falls due when the entries since its
// latest snapshot come to the amount, as they are added up from its transcript.
func TestSnapshotsByWork(t *testing.T) {
	for _, text := range []string{"fuel:2000", "bytes:700"} {
		for _, o := range []warehouse.Options{
			{MaxPagedIn: 1}, {MaxPagedIn: 2, PauseOnEvict: true}, {MaxPagedIn: 100},
		} {
			o.Snapshots = mustParse(t, text)
			h := newHouse(t, o)
			rng := rand.New(rand.NewPCG(1, 2))
			fell := 0
			for i := range 300 {
				id := swing.VatIDOf(1 + rng.Uint64N(4))
				if i < 4 {
					id = swing.VatIDOf(uint64(i + 1))
					h.add(id)
				}
				h.must(
					id,
					order{[]uint32{0, 1, 3, 4, 5}[rng.IntN(5)], 1, 4096, 64 * rng.Uint32N(9)},
				)
				if rng.IntN(20) == 0 {
					if err := h.w.Refresh(context.Background(), id); err != nil {
						t.Fatal(err)
					}
				}
				due := h.since(id, o.Snapshots.Rule) >= o.Snapshots.Amount
				got := h.take()
				if want := map[bool][]swing.VatID{true: {id}}[due]; !slices.Equal(got, want) {
					t.Fatalf("%s, %+v, step %d: %v fell due, want %v", text, o, i, got, want)
				}
				fell += len(got)
			}
			if fell < 10 {
				t.Errorf("%s, %+v: %d snapshots", text, o, fell)
			}
		}
	}
}

// since adds up what a vat has done since its latest snapshot.
func (h *house) since(id swing.VatID, rule warehouse.Rule) (n uint64) {
	for _, item := range h.items[id][h.taken[id]:] {
		e, err := transcript.Decode(item)
		if err != nil {
			h.t.Fatal(err)
		}
		switch {
		case !e.Outcome.OK():
		case rule == warehouse.ByFuel:
			n += e.Outcome.Fuel
		default:
			n += uint64(len(e.Delivery))
			for _, x := range e.Exchanges {
				n += uint64(len(x.Request) + len(x.Answer))
			}
		}
	}
	return n
}

// TestSnapshotsByMoment: on eviction, when idle, and when asked for; never of a vat that
// has done nothing since its latest.
func TestSnapshotsByMoment(t *testing.T) {
	start := func(rule string) *house {
		h := newHouse(t, warehouse.Options{MaxPagedIn: 2, Snapshots: mustParse(t, rule)})
		for _, id := range []swing.VatID{"v1", "v2", "v3"} {
			h.add(id)
		}
		h.must("v1", order{})
		h.must("v2", order{})
		return h
	}
	check := func(h *house, when, want string) {
		t.Helper()
		if got := fmt.Sprint(h.take()); got != want {
			t.Errorf("%s: %s fell due, want %s", when, got, want)
		}
	}
	evict := func(h *house, id swing.VatID) {
		if err := h.w.Evict(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	h := start("evict")
	h.w.Idle()
	check(h, "evict, nothing evicted", "[]")
	h.must("v3", order{})
	check(h, "evict", "[v1]")
	h.must("v1", order{})
	evict(h, "v1")
	h.must("v1", order{})
	evict(h, "v1")
	check(h, "evict twice", "[v2 v1]")
	if h.taken["v1"] != 3 {
		t.Errorf("v1 was taken at %d", h.taken["v1"])
	}

	h = start("idle")
	evict(h, "v1")
	check(h, "not yet idle", "[]")
	h.w.Idle()
	check(h, "idle", "[v2]")
	h.w.Idle()
	check(h, "idle again", "[]")
	h.must("v2", order{})
	h.w.Idle()
	evict(h, "v2")
	check(h, "idle, then evicted", "[v2]")
	if h.taken["v2"] != 2 {
		t.Errorf("v2 was taken at %d", h.taken["v2"])
	}

	h = start("never")
	for range 2 {
		if err := h.w.Want(context.Background(), "v1"); err != nil {
			t.Fatal(err)
		}
	}
	check(h, "wanted", "[v1]")
	if err := h.w.Want(context.Background(), "v1"); err != nil {
		t.Fatal(err)
	}
	check(h, "wanted again", "[]")
}

// TestKeepers: with nothing pinned, what is paged in is what the library's own cache,
// told of every use, has in it.
func TestKeepers(t *testing.T) {
	const size = 5
	twins := map[warehouse.Eviction]interface {
		Add(swing.VatID, struct{})
		Keys() []swing.VatID
	}{}
	var err error
	if twins[warehouse.Evict2Q], err = lru.New2Q[swing.VatID, struct{}](size); err != nil {
		t.Fatal(err)
	}
	if twins[warehouse.EvictARC], err = arc.NewARC[swing.VatID, struct{}](size); err != nil {
		t.Fatal(err)
	}
	for evict, twin := range twins {
		h := newHouse(t, warehouse.Options{MaxPagedIn: size, Evict: evict})
		rng := rand.New(rand.NewPCG(3, 1))
		differs := 0
		var lately []swing.VatID // as LRU would have it
		for i := range 400 {
			id := swing.VatIDOf(1 + min(rng.Uint64N(12), rng.Uint64N(12)))
			h.add(id)
			h.must(id, order{})
			twin.Add(id, struct{}{})
			got, want := slices.Sorted(
				slices.Values(h.w.PagedIn()),
			), slices.Sorted(
				slices.Values(twin.Keys()),
			)
			if !slices.Equal(got, want) {
				t.Fatalf("%s, step %d: paged in %v, want %v", evict, i, got, want)
			}
			lately = append(
				slices.DeleteFunc(lately, func(v swing.VatID) bool { return v == id }),
				id,
			)
			lately = lately[max(0, len(lately)-size):]
			if !slices.Equal(got, slices.Sorted(slices.Values(lately))) {
				differs++
			}
		}
		if differs == 0 {
			t.Errorf("%s is the same as lru", evict)
		}
	}
}

// TestEvictCost: what costs much to replay stays, until long unused; what takes much
// memory goes, if memory is what is short.
func TestEvictCost(t *testing.T) {
	h := newHouse(t, warehouse.Options{
		MaxPagedIn: 2, Evict: warehouse.EvictCost, Snapshots: mustParse(t, "never"),
	})
	for i := range 12 {
		h.add(swing.VatIDOf(uint64(i + 1)))
	}
	for range 1000 { // 4 million units and more: 8 times a page-in
		h.must("v1", order{})
	}
	gone := 0
	for i := 2; i <= 12 && gone == 0; i++ {
		h.must(swing.VatIDOf(uint64(i)), order{})
		if !slices.Contains(h.w.PagedIn(), "v1") {
			gone = i
		}
	}
	if gone < 8 || gone > 12 {
		t.Errorf("v1 was evicted when v%d came (0: never)", gone)
	}

	h = newHouse(
		t,
		warehouse.Options{MaxPagedIn: 9, MaxBytes: 60 << 16, Evict: warehouse.EvictCost},
	)
	for _, id := range []swing.VatID{"v1", "v2", "v3"} {
		h.add(id)
	}
	h.must("v1", order{})
	h.must("v2", order{op: 2, a: 50})
	h.must("v3", order{op: 2, a: 20})
	h.add("v4")
	h.must("v4", order{})
	if got := fmt.Sprint(h.w.PagedIn()); got != "[v1 v3 v4]" {
		t.Errorf("paged in %s", got)
	}
}

// TestPinnedStay: whatever the way of eviction, pins are minded, and all pinned is no
// dead end.
func TestPinnedStay(t *testing.T) {
	for _, evict := range warehouse.Evictions {
		h := newHouse(t, warehouse.Options{MaxPagedIn: 3, Evict: evict})
		h.w.Pin("v1", true)
		for i := range 9 {
			id := swing.VatIDOf(uint64(i + 1))
			h.add(id)
			h.must(id, order{})
			if in := h.w.PagedIn(); !slices.Contains(in, "v1") || len(in) > 3 {
				t.Fatalf("%s: paged in %v", evict, in)
			}
		}
		for _, id := range h.w.PagedIn() {
			h.w.Pin(id, true)
		}
		h.must("v2", order{})
		if n := len(h.w.PagedIn()); n != 4 {
			t.Errorf("%s: %d paged in, all but one pinned", evict, n)
		}
	}
}
