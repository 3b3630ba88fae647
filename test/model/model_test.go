package model

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/test/faults"
)

var (
	runs  = flag.Int("model.runs", 0, "how many runs; 0 is as many as give the syscalls due")
	steps = flag.Int("model.steps", 1500, "steps of one run")
)

// syscallsEnough is how many syscalls reach every rule.
const syscallsEnough = 2_000_000

// limits are small, so that vats break them.
func limits(rng *rand.Rand) swing.Limits {
	l := swing.Limits{
		BodyBytes: 40, Slots: 8, MethodBytes: 20, KeyBytes: 6, ValueBytes: 20, Syscalls: 64,
		SyscallBytes: 3000, Resolutions: 6, LogBytes: 100, MemoryBytes: 1 << 16,
		Fuel: 3000 + rng.IntN(2000), Depth: 100,
		StoreBytes: 1000, Vats: 5 + rng.IntN(30),
	}
	if rng.IntN(6) == 0 {
		l.StoreBytes = 15 + rng.IntN(25)
	}
	if rng.IntN(8) == 0 {
		l.Slots, l.SyscallBytes = 1024, 1<<20
	}
	return l
}

// newRun is the rules, the vats' habits and the steps that a seed stands for.
func newRun(seed uint64, n int) (rules, weights, []step) {
	rng := rand.New(rand.NewPCG(seed, 19))
	r := rules{limits: limits(rng), reached: map[string]int{}, plantedCount: new(int)}
	r.reap = dirt{3 + rng.Uint64N(40), 1 + rng.Uint64N(12), 5000 + rng.Uint64N(60_000)}
	if rng.IntN(4) == 0 {
		r.reap.fuel = never
	}
	r.cleanup.rows, r.cleanup.every = 1+rng.Uint64N(6), 2+rng.Uint64N(30)
	r.share, r.most = 100, 1000
	if rng.IntN(2) == 0 {
		r.share = 1 + rng.Uint64N(12)
	}
	if rng.IntN(4) == 0 {
		r.most = 10 + rng.Uint64N(60)
	}
	// Comparing everything costs as much as 25 steps: one run in four does so often, and what
	// it would find the others find later.
	r.every = []int{25, 300, 300, 300}[rng.IntN(4)]
	w := randomWeights(rng)
	inputs, most := 4+rng.IntN(10), 5+rng.IntN(20)
	var all []step
	for range n {
		s := step{seed: rng.Uint64(), input: rng.IntN(100) < inputs}
		if !s.input {
			for range rng.IntN(most) {
				s.calls = append(s.calls, rng.Uint64())
			}
		}
		all = append(all, s)
	}
	return r, w, all
}

// TestMain lets garbage pile up: worlds are small, and collecting them often costs
// more than playing them.
func TestMain(m *testing.M) {
	debug.SetGCPercent(3000)
	m.Run()
}

// result is what one run came to.
type result struct {
	seed    uint64
	calls   int
	cranks  uint64
	reached map[string]int
	steps   []step // up to the failure
	f       failure
}

func playSeed(seed uint64, planted string) result {
	r, w, all := newRun(seed, *steps)
	r.planted = planted
	x := newWorld(r, w)
	played, calls, f := x.play(all)
	return result{seed, calls, x.m.cranks, r.reached, all[:played], f}
}

// batch is how many runs are played side by side before their sum is looked at,
// so that the same runs are played on every machine.
const batch = 16

func playBatch(first uint64, n int) []result {
	results := make([]result, n)
	var wg sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				results[i] = playSeed(first+uint64(i), "")
			}
		})
	}
	wg.Wait()
	return results
}

// TestKernelIsTheModel: random vats and a random embedder, on both sides at
// once, until enough syscalls have been made; and every rule was reached.
func TestKernelIsTheModel(t *testing.T) {
	run := faults.Begin(t, "F10")
	if *runs > 0 {
		run.Due = 0
	}
	reached := map[string]int{}
	total, cranks, n := 0, uint64(0), 0
	for n < *runs || run.Left() > 0 {
		size := batch
		if *runs > 0 {
			size = min(batch, *runs-n)
		}
		for _, r := range playBatch(run.Seed+uint64(n), size) {
			if r.f.where != "" {
				t.Fatal(explain(r, ""))
			}
			for rule, k := range r.reached {
				reached[rule] += k
			}
			total += r.calls
			run.Add(r.calls)
			cranks += r.cranks
		}
		n += size
	}
	t.Logf("seeds %d to %d: %d syscalls in %d cranks", run.Seed, run.Seed+uint64(n)-1, total, cranks)
	for _, rule := range slices.Sorted(maps.Keys(reached)) {
		t.Logf("%8d  %s", reached[rule], rule)
		if !slices.Contains(allRules, rule) {
			t.Errorf("%q is in no list of rules", rule)
		}
	}
	for _, rule := range allRules {
		if reached[rule] == 0 && total >= syscallsEnough {
			t.Errorf("never reached: %s", rule)
		}
	}
}

// explain shrinks a failing run and says what happened.
func explain(r result, planted string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, step %d: %s: %s\n", r.seed, len(r.steps), r.f.where, r.f.text)
	fmt.Fprintf(&b, "repeat: go test ./test/model -run 'TestKernelIsTheModel$' -seed %d "+
		"-model.runs 1 -model.steps %d\n", r.seed, *steps)
	short := shrink(r.seed, r.steps, r.f, planted)
	if short.seed != r.seed {
		fmt.Fprintf(&b, "or, shorter: the same with -seed %d -model.steps %d\n",
			short.seed, shortSteps)
	}
	fmt.Fprintf(&b, "of seed %d, %d steps and %d syscalls: %s: %s\n",
		short.seed, len(short.steps), countCalls(short.steps), short.f.where, short.f.text)
	for i, line := range short.log {
		fmt.Fprintf(&b, "%4d  %s\n", i+1, line)
	}
	return b.String()
}
