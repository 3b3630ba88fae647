package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/internal/trace"
	"vatwarehouse/warehouse"
)

// trialRun is one policy: what was said of it, beside a run under it.
type trialRun struct {
	Policy trace.Policy   `json:"policy"`
	Counts []checkedCount `json:"counts"`
	// Predicted and Ran are how much longer it takes than with all vats in memory and no
	// snapshots, in nanoseconds.
	Predicted float64 `json:"predicted_ns"`
	Ran       float64 `json:"ran_ns"`
}

// checkedCount is one figure.
type checkedCount struct {
	What      string `json:"what"`
	Predicted uint64 `json:"predicted"`
	Ran       uint64 `json:"ran"`
}

// holds reports whether what was said is within a fifth of what is.
func (c checkedCount) holds() bool {
	return 5*c.Predicted >= 4*c.Ran && 5*c.Predicted <= 6*c.Ran
}

// errCheck is returned when a prediction is further off than it may be.
var errCheck = errors.New("a prediction is more than a fifth away from what ran")

// check runs the scenario of a trace that comes with the program, under the default and
// under the policy that was chosen.
func (w *weighed) check(
	ctx context.Context, name string, t *trace.Trace, say func(string),
) error {
	s, err := sim.Builtin(name)
	if err != nil {
		return fmt.Errorf("check: %w; only a trace that comes with the program can be", err)
	}
	policies := []trace.Policy{{Vats: warehouse.DefaultMaxPagedIn}}
	if w.Best != nil {
		policies = append(policies, w.Best.Policy)
	}
	all := trace.Policy{
		Vats: len(t.Vats), Rule: warehouse.Policy{Initial: warehouse.Never},
	}
	say("with all vats in memory")
	_, floor, err := runUnder(ctx, s, all)
	if err != nil {
		return err
	}
	least := t.Price(all, w.Costs)
	for _, p := range policies {
		say(runFlagsOf(p))
		ran, took, err := runUnder(ctx, s, p)
		if err != nil {
			return err
		}
		if n := uint64(t.Deliveries()); ran.Deliveries != n {
			return fmt.Errorf("check: the scenario makes %d deliveries, and the trace has %d",
				ran.Deliveries, n)
		}
		says := t.Price(p, w.Costs)
		w.Checks = append(w.Checks, trialRun{
			Policy: p, Ran: float64(took - floor),
			Predicted: says.Now + says.Later - least.Now - least.Later,
			Counts: []checkedCount{
				{"page-ins", says.PageIns, ran.Vats.PageIns},
				{"replayed", says.Replayed, ran.Vats.Replayed},
				{"snapshots", says.Snapshots, ran.Snapshots},
				{"pages", says.SnapshotPages, ran.SnapshotPages},
			},
		})
	}
	return nil
}

// runUnder runs a scenario in a temporary directory, with what is otherwise done in the
// background in line, and returns what it did and how long it took.
func runUnder(
	ctx context.Context, s *sim.Scenario, p trace.Policy,
) (st host.Stats, took time.Duration, err error) {
	dir, err := os.MkdirTemp("", "swingsim-policy-")
	if err != nil {
		return st, 0, fmt.Errorf("make a directory to run in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := host.Open(ctx, filepath.Join(dir, "state"), &host.Options{
		Seed: s.Seed, Devices: devices.All(), BlockCranks: s.Options.Block,
		MaxVats: p.Vats, Snapshots: p.Rule, Evict: p.Evict, PauseOnEvict: p.PauseOnEvict,
		NoSync: true, Inline: true,
	})
	if err != nil {
		return st, 0, err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	started := time.Now()
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{}); err != nil {
		return st, 0, err
	}
	if err := h.Settle(ctx); err != nil {
		return st, 0, err
	}
	took = time.Since(started)
	st, err = h.Stats()
	return st, took, err
}

// verdict returns errCheck unless all counts hold.
func (w *weighed) verdict() error {
	for _, c := range w.Checks {
		for _, count := range c.Counts {
			if !count.holds() {
				return fmt.Errorf("%w: %s with %s", errCheck, count.What, runFlagsOf(c.Policy))
			}
		}
	}
	return nil
}

// printChecks prints what was said beside what ran.
func (a *app) printChecks(w *weighed) {
	for _, c := range w.Checks {
		fmt.Fprintf(a.out, "\nRun with %s:\n\n", runFlagsOf(c.Policy))
		var rows [][]string
		for _, n := range c.Counts {
			rows = append(rows, []string{
				n.What, grouped(n.Predicted), grouped(n.Ran),
				ratioText(float64(n.Predicted), float64(n.Ran)),
			})
		}
		rows = append(rows, []string{
			"time", took(c.Predicted), took(c.Ran), ratioText(c.Predicted, c.Ran),
		})
		a.grid([]string{"", ">predicted", ">ran", ">ratio"}, rows)
	}
	if len(w.Checks) > 0 {
		fmt.Fprintf(a.out, "\nTime is how much longer it takes than with all vats in memory "+
			"and no snapshots.\n")
	}
}

// ratioText writes how many times one figure is another.
func ratioText(one, other float64) string {
	if other == 0 {
		if one == 0 {
			return "1.00"
		}
		return "-"
	}
	return strconv.FormatFloat(one/other, 'f', 2, 64)
}
