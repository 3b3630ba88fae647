package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/internal/trace"
	"vatwarehouse/warehouse"
)

// trials runs the scenario of a trace that comes with the program.
type trials struct {
	scenario *sim.Scenario
	trace    *trace.Trace
	runs     int // of each policy
	say      func(string)
}

func newTrials(name string, t *trace.Trace, runs int, say func(string)) (*trials, error) {
	s, err := sim.Builtin(name)
	if err != nil {
		return nil, fmt.Errorf(
			"measure: %w; only the scenario of a trace that comes with the program can be run", err)
	}
	return &trials{s, t, runs, say}, nil
}

// few and fewest are 15 and 5 % of the vats.
func (t *trials) few() int    { return max(1, len(t.trace.Vats)*15/100) }
func (t *trials) fewest() int { return max(1, len(t.trace.Vats)*5/100) }

// calibration returns the policies that costs are measured under: all kinds of work are done
// often, with few deliveries to replay at a time, and with more. policy chooses none of them.
func (t *trials) calibration() []trace.Policy {
	return []trace.Policy{
		{Vats: t.few(), Rule: warehouse.Policy{Initial: 3, Interval: 15}},
		{Vats: t.fewest(), Rule: warehouse.Policy{Initial: 4, Interval: 100}},
	}
}

// measure runs the scenario under the policies of the calibration and under others, between
// each other, so that whatever else the machine does slows all of them down. It returns the
// costs with which what is said of the calibration is what it took, and what the others did.
func (t *trials) measure(
	ctx context.Context, c trace.Costs, others ...trace.Policy,
) (trace.Costs, []host.Stats, error) {
	policies := t.calibration()
	stats, err := t.each(ctx, append(policies, others...))
	if err != nil {
		return c, nil, err
	}
	var runs []trace.Ran
	for i, p := range policies {
		runs = append(runs, trace.Ran{
			Work: t.trace.Simulate(p), Times: timesOf(stats[i].Spent),
		})
	}
	return c.Fit(runs), stats[len(policies):], nil
}

// timesOf returns what is spent that costs are of. Programs are compiled under all policies;
// to sync is to wait for the disk, which is done in the background otherwise.
func timesOf(s warehouse.Spent) trace.Times {
	return trace.Times{
		PageIn: float64(s.PageIn), Replay: float64(s.Replay),
		Pause: float64(s.Pause), Snapshot: float64(s.Snapshot),
	}
}

// each runs the scenario under each policy in turn, again and again, and returns what it did;
// of what it spent on each kind of work, the least.
func (t *trials) each(ctx context.Context, policies []trace.Policy) ([]host.Stats, error) {
	stats := make([]host.Stats, len(policies))
	for n := range t.runs {
		for i, p := range policies {
			t.say(runFlagsOf(p))
			st, err := runUnder(ctx, t.scenario, p)
			if err != nil {
				return nil, err
			}
			if want := uint64(t.trace.Deliveries()); st.Deliveries != want {
				return nil, fmt.Errorf("the scenario makes %d deliveries, and the trace has %d",
					st.Deliveries, want)
			}
			if n > 0 {
				st.Spent = least(st.Spent, stats[i].Spent)
			}
			stats[i] = st
		}
	}
	return stats, nil
}

func least(a, b warehouse.Spent) warehouse.Spent {
	return warehouse.Spent{
		Compile: min(a.Compile, b.Compile), PageIn: min(a.PageIn, b.PageIn),
		Replay: min(a.Replay, b.Replay), Pause: min(a.Pause, b.Pause),
		Snapshot: min(a.Snapshot, b.Snapshot), Sync: min(a.Sync, b.Sync),
	}
}

// runUnder runs a scenario in a temporary directory, with what is otherwise done in the
// background in line.
func runUnder(
	ctx context.Context, s *sim.Scenario, p trace.Policy,
) (st host.Stats, err error) {
	dir, err := os.MkdirTemp("", "swingsim-policy-")
	if err != nil {
		return st, fmt.Errorf("make a directory to run in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := host.Open(ctx, filepath.Join(dir, "state"), &host.Options{
		Seed: s.Seed, Devices: devices.All(), BlockCranks: s.Options.Block,
		MaxVats: p.Vats, Snapshots: p.Rule, Evict: p.Evict, PauseOnEvict: p.PauseOnEvict,
		NoSync: true, Inline: true, Clock: processorTime,
	})
	if err != nil {
		return st, err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{}); err != nil {
		return st, err
	}
	if err := h.Settle(ctx); err != nil {
		return st, err
	}
	return h.Stats()
}

// writeCosts keeps costs in a file.
func writeCosts(path string, c trace.Costs) error {
	b, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write costs: %w", err)
	}
	return nil
}

// readCosts reads what writeCosts wrote, or takes the usual costs for "".
func readCosts(path string) (c trace.Costs, err error) {
	if path == "" {
		return trace.UsualCosts, nil
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return c, fmt.Errorf("read costs %s: %w; policy --measure writes them", path, err)
	}
	return c, nil
}
