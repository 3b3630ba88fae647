package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// many measures a Host with 100,000 vats, of which 50 are in memory: opening it,
// its memory, and a delivery to a vat chosen by chance, against 1,000 vats.
func many(ctx context.Context, r *Run) error {
	var floor sample
	for _, vats := range []int{1000, max(2000, r.times(100_000))} {
		m, err := crowd(ctx, r, vats)
		if err != nil {
			return err
		}
		name := func(what string) string { return fmt.Sprintf("%d vats, %s", vats, what) }
		r.Emit(result("many", name("open"), "ms", m.open, nil, false))
		r.Emit(result("many", name("resident"), "MiB", m.resident, nil, false))
		r.Emit(result("many", name("delivery"), "µs", m.deliver, floor, false))
		floor = m.deliver
	}
	return nil
}

type crowded struct{ open, resident, deliver sample }

func crowd(ctx context.Context, r *Run, vats int) (m crowded, err error) {
	g, err := newRig(ctx, r, host.Options{NoSync: true, BlockCranks: 20_000})
	if err != nil {
		return m, err
	}
	roots, err := g.populate(ctx, r, vats)
	if err != nil {
		return m, errors.Join(err, g.close(ctx))
	}
	for range r.times(3) {
		if err := g.Close(ctx); err != nil {
			return m, err
		}
		debug.FreeOSMemory()
		r.say("many: opening %d vats", vats)
		started := time.Now()
		if err := g.open(ctx, host.Options{NoSync: true}); err != nil {
			return m, err
		}
		m.open = append(m.open, float64(time.Since(started).Microseconds())/1e3)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range r.times(500) {
		root := roots[random.IntN(len(roots))]
		if err := g.deliver(ctx, root, "incr", list(1)); err != nil {
			return m, errors.Join(err, g.close(ctx))
		}
		m.deliver = append(m.deliver, microseconds(g.last.Delivering))
	}
	runtime.GC()
	m.resident = sample{residentMiB()}
	return m, g.close(ctx)
}

// populate makes vats and starts them.
func (g *rig) populate(ctx context.Context, r *Run, vats int) (roots []swing.KRef, err error) {
	code, err := program("counter")
	if err != nil {
		return nil, err
	}
	hash, err := g.Install(ctx, code)
	if err != nil {
		return nil, err
	}
	for i := range vats {
		_, root, err := g.CreateVat(ctx, host.VatSpec{Code: hash})
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
		if len(roots)%1000 == 0 || i == vats-1 {
			r.say("many: %d of %d vats made", len(roots), vats)
			if _, err := g.Run(ctx, host.Policy{}); err != nil {
				return nil, err
			}
		}
	}
	return roots, nil
}

// residentMiB returns the process's memory that is nobody else's, or 0 where
// the system does not tell.
func residentMiB() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}
