package worker_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPrefetch: what a worker has written is made ready in another on the same image: it
// counts as written there, unless memory is compared; and when the same deliveries have
// run, both have the same written pages and the same heap.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for seed := range uint64(10) {
		orders := script(rand.New(rand.NewPCG(seed, 5)), 30)
		for _, set := range setups()[:5] {
			s := newStand(t, set, "probe.wasm")
			base := s.genesis()
			first, _ := s.start(base)
			for _, o := range orders {
				s.deliver(first, o)
			}
			footprint, err := first.Footprint()
			if err != nil {
				t.Fatal(err)
			}
			want, err := first.Capture(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var pages []uint32
			for _, p := range want.Written {
				pages = append(pages, p.Index)
			}
			if len(pages) == 0 || !slices.Equal(footprint, pages) {
				t.Fatalf("seed %d, %v: footprint %v, written %v", seed, set, footprint, pages)
			}
			again, _ := s.start(base)
			if err := again.Prefetch(footprint); err != nil {
				t.Fatal(err)
			}
			for _, o := range orders {
				s.deliver(again, o)
			}
			if got, err := again.Footprint(); err != nil || !slices.Equal(got, footprint) {
				t.Errorf("seed %d, %v: %v was written after all, %v: want %v",
					seed, set, got, err, footprint)
			}
			if d := same(s.capture(first, base.memory), s.capture(again, base.memory)); d != "" {
				t.Errorf("seed %d, %v: %s", seed, set, d)
			}
			s.close(first)
			s.close(again)
		}
	}
}
