// Package meta proves that private options are private: whatever they are, and
// however they change from run to run, the activityhash, every transcript and
// every output are the same.
package meta

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// TestMain lets the test's own binary be a worker process.
func TestMain(m *testing.M) {
	if host.ServeWorker() {
		return
	}
	os.Exit(m.Run())
}

// variant is one set of private options.
type variant struct {
	vats        int
	snapshots   warehouse.Policy
	evict       warehouse.Eviction
	memory      worker.Memory
	interpreter bool
	block       int
}

func (v variant) String() string {
	return fmt.Sprintf("vats=%d/snapshots=%s/evict=%s/%s/interpreter=%v/block=%d",
		v.vats, v.snapshots, v.evict, v.memory, v.interpreter, v.block)
}

func (v variant) options() host.Options {
	return host.Options{
		MaxVats: v.vats, Snapshots: v.snapshots, Evict: v.evict, Memory: v.memory, Interpreter: v.interpreter,
		BlockCranks: v.block, NoSync: true,
	}
}

// variants is the whole grid.
func variants() (all []variant) {
	for _, vats := range []int{1, 2, 7, 1000} {
		for _, p := range []struct {
			snapshots string
			evict     warehouse.Eviction
		}{
			{"never", warehouse.EvictLRU}, {"count:1/1", warehouse.EvictARC},
			{"count:2/200", warehouse.EvictQueue}, {"cost", warehouse.EvictCost},
			{"fuel:20e3+first-message+before-device-call+timer:1ms+signal", warehouse.Evict2Q},
		} {
			for _, memory := range []worker.Memory{worker.MemoryMapped, worker.MemoryCopied} {
				for _, interpreter := range []bool{false, true} {
					for _, block := range []int{1, 10, 1000} {
						all = append(all, variant{
							vats, policy(p.snapshots), p.evict, memory, interpreter, block,
						})
					}
				}
			}
		}
	}
	return all
}

// others are private options that the grid leaves out.
func others() map[string]host.Options {
	return map[string]host.Options{
		"pause":    {MaxVats: 2, PauseOnEvict: true},
		"bytes":    {MaxBytes: 300 << 10},
		"programs": {MaxVats: 1, MaxPrograms: 1},
		"pagemap":  {MaxVats: 2, Detector: worker.DetectPagemap},
		"compare":  {MaxVats: 2, Detector: worker.DetectCompare},
		"inline":   {MaxVats: 2, Inline: true},
		"segments": {MaxVats: 2, SegmentBytes: 4 << 10, CheckpointBytes: 4 << 10},
		"packs": {
			MaxVats:   2,
			PackBytes: 8 << 10,
			Snapshots: warehouse.Policy{Initial: 1, Interval: 2},
		},
		"prefetch":      {MaxVats: 2, Prefetch: true},
		"ahead":         {MaxVats: 2, Ahead: 1},
		"further ahead": {MaxVats: 1, Ahead: 4, Prefetch: true, Snapshots: policy("never")},
		"ahead by cost": {
			MaxVats: 3, Ahead: 2, Snapshots: policy("cost"), Evict: warehouse.EvictCost,
		},
		"ahead and paused": {MaxVats: 2, Ahead: 2, PauseOnEvict: true, CheckpointBytes: 4 << 10},
		"plain": {
			MaxVats:      2,
			Uncompressed: true,
			Snapshots:    warehouse.Policy{Initial: 1, Interval: 2},
		},
		"preload":   {MaxVats: 3, Preload: true},
		"keep":      {KeepSnapshots: 5, Snapshots: warehouse.Policy{Initial: 1, Interval: 3}},
		"yields":    {MaxVats: 2, Yields: func(id swing.VatID) bool { return id.Number()%2 == 0 }},
		"in memory": {},
		"by fuel": {
			MaxVats: 3, Snapshots: policy("fuel:20e3"), Evict: warehouse.Evict2Q,
		},
		"by bytes": {
			MaxVats: 3, Snapshots: policy("bytes:2e3"), Evict: warehouse.EvictARC,
		},
		"by cost": {
			MaxVats: 3, Snapshots: policy("cost"), Evict: warehouse.EvictCost,
		},
		"needed last": {
			MaxVats: 3, Snapshots: policy("cost"), Evict: warehouse.EvictQueue,
		},
		"needed last and ahead": {
			MaxVats: 2, Ahead: 2, PauseOnEvict: true, Evict: warehouse.EvictQueue,
		},
		"triggers": {
			MaxVats: 2, Snapshots: policy("first-message+before-device-call+timer:1ns"),
		},
		"on evict": {MaxBytes: 300 << 10, Snapshots: policy("evict"), Evict: warehouse.EvictCost},
		"on idle": {
			MaxVats:      5,
			Snapshots:    policy("idle"),
			Evict:        warehouse.Evict2Q,
			PauseOnEvict: true,
		},
		"isolate": {
			MaxVats:   3,
			Isolate:   true,
			Snapshots: warehouse.Policy{Initial: 1, Interval: 3},
		},
		"isolated copies": {
			MaxVats: 2, Isolate: true, Memory: worker.MemoryCopied, PauseOnEvict: true,
		},
		"isolated interpreter": {
			MaxVats: 2, Isolate: true, Interpreter: true, Detector: worker.DetectPagemap,
		},
	}
}

// policy reads a policy's text.
func policy(text string) (p warehouse.Policy) {
	if err := p.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return p
}

func baseline(t *testing.T, s *sim.Scenario) trial.Trace {
	t.Helper()
	want, err := trial.Run(context.Background(), t.TempDir(), host.Options{MaxVats: 1000}, s)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// TestPrivateOptions: every variant of the grid, and the other options one by one.
func TestPrivateOptions(t *testing.T) {
	s := trial.Parse(t, trial.Mixed)
	want := baseline(t, s)
	try := func(dir string, o host.Options) (trial.Trace, error) {
		return trial.Run(context.Background(), dir, o, s)
	}
	grid := variants()
	if testing.Short() {
		grid = sample(grid, 12)
	}
	sameEverywhere(t, want, grid, try)
}

// sameEverywhere runs something with each of some variants, and with the options that the
// grid leaves out.
func sameEverywhere(
	t *testing.T, want trial.Trace, grid []variant,
	run func(dir string, o host.Options) (trial.Trace, error),
) {
	t.Helper()
	try := func(name, dir string, o host.Options) error {
		got, err := run(dir, o)
		if d := want.Diff(got); err == nil && d != "" {
			err = errors.New(d)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	err := trial.Each(len(grid), func(i int) error {
		return try(grid[i].String(), t.TempDir(), grid[i].options())
	})
	if err != nil {
		t.Error(err)
	}
	for name, o := range others() {
		dir := t.TempDir()
		if name == "in memory" {
			dir = ""
		}
		if err := try(name, dir, o); err != nil {
			t.Error(err)
		}
	}
}

// sample draws some variants, the same ones every time.
func sample(grid []variant, n int) (some []variant) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range n {
		some = append(some, grid[rng.IntN(len(grid))])
	}
	return some
}

// TestOptionsChangeOnTheFly: a run that is stopped at random blocks, and goes on
// each time with another variant, ends like one that was not.
func TestOptionsChangeOnTheFly(t *testing.T) {
	s := trial.Parse(t, trial.Mixed)
	want := baseline(t, s)
	seeds := 24
	if testing.Short() {
		seeds = 4
	}
	grid := variants()
	var all atomic.Int64
	err := trial.Each(seeds, func(i int) error {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		dir := t.TempDir()
		run := func(ctx context.Context, o host.Options) (trial.Trace, error) {
			return trial.Run(ctx, dir, o, s)
		}
		got, stops, err := restless(run, func() host.Options {
			return grid[rng.IntN(len(grid))].options()
		}, func() int { return 1 + rng.IntN(12) })
		all.Add(int64(stops))
		if d := want.Diff(got); err == nil && d != "" {
			err = errors.New(d)
		}
		if err != nil {
			return fmt.Errorf("seed %d: %w", i, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if all.Load() < int64(2*seeds) {
		t.Errorf("%d stops in %d runs", all.Load(), seeds)
	}
}

// restless runs something that goes on where it was stopped, stopping it after some blocks
// each time.
func restless(
	run func(ctx context.Context, o host.Options) (trial.Trace, error),
	options func() host.Options, blocks func() int,
) (tr trial.Trace, stops int, err error) {
	for {
		ctx, cancel := context.WithCancel(context.Background())
		left := blocks()
		o := options()
		o.Observer.Block = func(host.Block) {
			if left--; left == 0 {
				cancel()
			}
		}
		tr, err = run(ctx, o)
		cancel()
		if !errors.Is(err, context.Canceled) {
			return tr, stops, err
		}
		stops++
	}
}

// TestObservableOptionsAreSeen: the comparison would notice a difference: another
// seed, and another limit that a vat runs into, give another trace.
func TestObservableOptionsAreSeen(t *testing.T) {
	s := trial.Parse(t, trial.Mixed)
	want := baseline(t, s)
	other := trial.Parse(t, trial.Mixed)
	other.Seed = "other"
	got, err := trial.Run(context.Background(), t.TempDir(), host.Options{}, other)
	if err != nil {
		t.Fatal(err)
	}
	if want.Diff(got) == "" {
		t.Error("another seed gives the same trace")
	}
}

// TestVatsComeAhead: with room for few, many of those that come next are begun before.
func TestVatsComeAhead(t *testing.T) {
	s := trial.Parse(t, trial.Mixed)
	ahead := uint64(0)
	_, err := trial.Run(t.Context(), "", host.Options{
		MaxVats: 1, Ahead: 2,
		Observer: host.Observer{Block: func(b host.Block) { ahead = b.Vats.Ahead }},
	}, s)
	if err != nil || ahead < 10 {
		t.Errorf("%d vats were paged in ahead: %v", ahead, err)
	}
}
