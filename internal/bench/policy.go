package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/warehouse"
)

// policyVats is how many vats of a scenario are in memory, and policyDeliveries how many
// deliveries are measured.
const (
	policyVats       = 20
	policyDeliveries = 5_000
)

// policyVariants are the ways of eviction and the rules of snapshots that are measured:
// each beside the default of the other.
var policyVariants = []struct {
	evict     warehouse.Eviction
	snapshots string
}{
	{warehouse.EvictLRU, "count:2/200"}, {warehouse.EvictLRU, "never"},
	{warehouse.EvictLRU, "fuel:1e6"}, {warehouse.EvictLRU, "bytes:20e3"},
	{warehouse.EvictLRU, "cost"}, {warehouse.EvictLRU, "evict"}, {warehouse.EvictLRU, "idle"},
	{warehouse.Evict2Q, "count:2/200"}, {warehouse.EvictARC, "count:2/200"},
	{warehouse.EvictCost, "count:2/200"}, {warehouse.EvictCost, "cost"},
	{warehouse.EvictQueue, "count:2/200"}, {warehouse.EvictQueue, "cost"},
}

// policy measures scenarios under each policy, with few vats in memory. The floor is
// everything in memory and nothing saved. The note says what each policy did: counts
// that are the same on every machine.
func policy(ctx context.Context, r *Run) error {
	for _, scenario := range []string{"zipf", "exchange"} {
		o := host.Options{MaxVats: 1 << 20}
		o.Snapshots.Initial = warehouse.Never
		floor, _, err := underPolicy(ctx, r, scenario, o)
		if err != nil {
			return err
		}
		for _, v := range policyVariants {
			o := host.Options{MaxVats: policyVats, Evict: v.evict}
			if err := o.Snapshots.UnmarshalText([]byte(v.snapshots)); err != nil {
				return err
			}
			measured, did, err := underPolicy(ctx, r, scenario, o)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s, evict %s, snapshots %s", scenario, v.evict, v.snapshots)
			out := result("policy", name, "ms", measured, floor, false)
			out.Note = did
			r.Emit(out)
		}
	}
	return nil
}

// underPolicy runs a scenario a few times, and says how long it took and what was done.
// What is done in the background is done in line: it is a part of the cost.
func underPolicy(
	ctx context.Context, r *Run, scenario string, o host.Options,
) (s sample, did string, err error) {
	o.Inline, o.NoSync = true, true
	for range max(1, r.times(60)/20) { // once, where it is only tried
		r.say("policy: %s, evict %s, snapshots %s", scenario, o.Evict, o.Snapshots)
		var took time.Duration
		if took, did, err = runScenario(ctx, r, scenario, o); err != nil {
			return nil, "", err
		}
		s = append(s, float64(took.Microseconds())/1e3)
	}
	return s, did, nil
}

func runScenario(
	ctx context.Context, r *Run, name string, o host.Options,
) (took time.Duration, did string, err error) {
	s, err := sim.Builtin(name)
	if err != nil {
		return 0, "", err
	}
	dir, done, err := r.tempDir()
	if err != nil {
		return 0, "", err
	}
	defer done()
	o.Seed = s.Seed
	h, err := host.Open(ctx, dir+"/state", &o)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	started := time.Now()
	until := uint64(r.times(policyDeliveries))
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{Deliveries: until}); err != nil {
		return 0, "", err
	}
	took = time.Since(started)
	st, err := h.Stats()
	did = fmt.Sprintf("%d page-ins, %d replayed, %d snapshots, %d pages, %d bytes",
		st.Vats.PageIns, st.Vats.Replayed, st.Snapshots, st.SnapshotPages, st.SnapshotBytes)
	return took, did, err
}
