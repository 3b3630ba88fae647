package host_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// TestOutlook: while vats send each other messages, whom those are for is said as it is found
// by looking at all of them, though each is looked at once in a block; and who is said to be
// next is, or a crank is nobody's delivery.
func TestOutlook(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h *host.Host
	var next swing.VatID
	long, kept, came := 0, 0, 0
	o := host.Options{MaxVats: 2, Evict: warehouse.EvictQueue, BlockCranks: 50}
	o.Observer.Crank = func(c host.Crank) {
		if c.Kind == kernel.Delivery && next != "" {
			if came++; c.Vat != next {
				t.Errorf("crank %d: %s came, not %s", c.Crank, c.Vat, next)
			}
		}
		said, known, anew := host.Upcoming(h)
		if !slices.Equal(said, anew) {
			t.Errorf("crank %d: %v are said to come, and do not: %v", c.Crank, said, anew)
		}
		if next = ""; len(said) > 0 {
			next = said[0]
		}
		if known > 0 {
			kept++
		}
		long = max(long, len(said))
	}
	h = open(t, vfs.NewMem(), o)
	var ring []swing.KRef
	for range 5 {
		_, root := vat(t, h, "pingpong", "")
		ring = append(ring, root)
	}
	for i, root := range ring {
		next := ring[(i+1)%len(ring)]
		introduce := host.Message{Method: "peer", Body: []byte{0x81, 0xf6}, Slots: []swing.KRef{next}}
		if err := h.SendOnly(ctx, root, introduce); err != nil {
			t.Fatal(err)
		}
	}
	run(t, h)
	for range 10 {
		method := []string{"ping", "volley"}[rng.IntN(2)]
		send(t, h, ring[rng.IntN(len(ring))], method, rng.Uint64N(60))
	}
	run(t, h)
	if long < 5 || kept < 200 || came < 200 {
		t.Errorf("at most %d messages waited, %d times something was known, %d came",
			long, kept, came)
	}
}

// counters opens a host with some counters.
func counters(t *testing.T, n int, o host.Options) (*host.Host, []swing.KRef) {
	t.Helper()
	h := open(t, vfs.NewMem(), o)
	var roots []swing.KRef
	for range n {
		_, root := vat(t, h, "counter", "")
		roots = append(roots, root)
	}
	run(t, h)
	return h, roots
}

// TestEvictQueue: where three vats take turns with two in memory, the least recently used one
// is always the next, and every message pages a vat in; the one that is needed last is not.
func TestEvictQueue(t *testing.T) {
	var hashes []swing.Hash
	for evict, want := range map[warehouse.Eviction]uint64{
		warehouse.EvictLRU: 60, warehouse.EvictQueue: 30,
	} {
		h, roots := counters(t, 3, host.Options{MaxVats: 2, Evict: evict})
		before := pageIns(t, h)
		for i := range 60 {
			send(t, h, roots[i%len(roots)], "incr", 1)
		}
		run(t, h)
		if n := pageIns(t, h) - before; n != want {
			t.Errorf("%s: %d page-ins, want %d", evict, n, want)
		}
		hashes = append(hashes, activityhash(t, h))
	}
	if hashes[0] != hashes[1] {
		t.Error("the way of eviction shows in the activityhash")
	}
}

func pageIns(t *testing.T, h *host.Host) uint64 {
	t.Helper()
	st, err := h.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return st.Vats.PageIns
}
