package host_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/warehouse"
)

// reaper kills processes beside the Host that uses them.
type reaper struct {
	victims chan *os.Process
	done    chan error
}

func newReaper() *reaper {
	r := &reaper{make(chan *os.Process), make(chan error)}
	go func() {
		var errs error
		for p := range r.victims {
			if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				errs = errors.Join(errs, err)
			}
		}
		r.done <- errs
	}()
	return r
}

// kill has a process killed some time soon, unless another is about to be.
func (r *reaper) kill(t *testing.T, pid int) {
	if pid == 0 {
		return
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Error(err)
		return
	}
	select {
	case r.victims <- p:
	default:
	}
}

// TestKilledAtRandom: a scenario whose worker process is killed again and again, at
// moments that nobody knows, ends with the activityhash of one that ran without.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	s := trial.Parse(t, trial.Mixed)
	runs := 4
	if testing.Short() {
		runs = 2
	}
	var want swing.Hash
	lost := uint64(0)
	for i := range runs + 1 {
		rng, r := rand.New(rand.NewPCG(uint64(i), 9)), newReaper()
		var h *host.Host
		o := host.Options{
			Seed: s.Seed, Isolate: i > 0, MaxVats: 1 + rng.IntN(8), BlockCranks: 1 + rng.IntN(40),
			PauseOnEvict: rng.IntN(2) == 0, Snapshots: warehouse.Policy{Initial: 1, Interval: 3},
		}
		o.Observer.Crank = func(host.Crank) {
			if o.Isolate && rng.IntN(60) == 0 {
				r.kill(t, host.WorkerPID(h))
			}
		}
		h, err := host.Open(ctx, filepath.Join(t.TempDir(), "state"), &o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.Run(ctx, h, s, sim.RunOptions{}); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
		close(r.victims)
		if err := <-r.done; err != nil {
			t.Error(err)
		}
		if got := activityhash(t, h); i == 0 {
			want = got
		} else if got != want {
			t.Errorf("run %d: activityhash %v, want %v", i, got, want)
		}
		check(t, h)
		stats, err := h.Stats()
		if err != nil {
			t.Fatal(err)
		}
		lost += stats.Vats.Lost
		closeHost(t, h)
	}
	if lost < uint64(2*runs) {
		t.Errorf("in %d runs %d processes died", runs, lost)
	}
	t.Logf("in %d runs %d processes died", runs, lost)
}
