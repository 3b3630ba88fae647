package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/sim"
)

// simDefault is the scenario that is simulated if none is named.
const simDefault = "mixed"

// simulated is what the verb prints.
type simulated struct {
	Scenario  string     `json:"scenario"`
	First     uint64     `json:"first_seed"`
	Runs      int        `json:"runs"`
	Cranks    uint64     `json:"cranks"`
	Replayed  uint64     `json:"replayed"` // deliveries, by page-ins
	Seconds   float64    `json:"seconds"`
	CranksPS  float64    `json:"cranks_per_s"`
	Faults    []simFault `json:"faults"`
	Marks     []simMark  `json:"marks"`
	Failed    *simFailed `json:"failed"`
	Cancelled bool       `json:"interrupted"`
}

// simFault counts the faults of a kind.
type simFault struct {
	Kind    string `json:"kind"`
	Planned int    `json:"planned"`
	Reached int    `json:"reached"` // came to be before the run was over
}

// simMark counts what came of faults.
type simMark struct {
	Mark    string `json:"mark"`
	Reached int    `json:"reached"`
}

// simFailed is a run that failed.
type simFailed struct {
	Seed    *uint64  `json:"seed"` // null: of a plan
	Why     string   `json:"why"`
	Plan    sim.Plan `json:"plan"`
	Command string   `json:"command"`          // repeats it
	Shrink  string   `json:"shrink,omitempty"` // makes it smaller
}

// simFlags are the flags of sim.
type simFlags struct {
	sim.Campaign
	plan string
}

func (a *app) simVerb() *cobra.Command {
	var o simFlags
	c := &cobra.Command{
		Use:   "sim [SCENARIO]",
		Short: "Simulate runs of a scenario in which things go wrong, and check what is left",
		Long: `sim runs a scenario again and again on files in memory, and has things go wrong:
crashes at any file operation, full disks, errors of writes and reads, damaged files,
memory that is refused, workers that are lost, restarts, other options. The seed of a run
fixes all of it: the workload's draws, its length, the options, and which faults come when.
docs/simulation.md says more.

After each fault what is left must be the state after a whole block, no older than the
last acknowledged one; all that is stored must verify; and no output may have been
released that the same run without faults does not have. At the end activityhash, outputs
and audit must be that run's. The first run that fails ends the simulation: it is told with
the command that repeats it, and the exit code is 1.

With --linked the vats are spread over two kernels, linked by their comms vats. Either has
such faults, and what they say is lost, doubled or delayed, or the link is cut. The
answers to the audit must be those of the two when nothing happens.

Without a SCENARIO it is mixed. A file of your own is simulated as it is.`,
		Example: `  swingsim sim --runs 1000 --jobs 2
  swingsim sim ./mine.yaml --seed 7 --runs 1
  swingsim sim --linked --runs 100
  swingsim sim --plan sim-7.json`,
		Args: cobra.MaximumNArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.Uint64Var(&o.First, "seed", 1, "simulate runs from this seed on (`N`)")
	f.IntVar(&o.Runs, "runs", 100, "simulate `N` runs, each with the next seed")
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "simulate `N` runs at a time")
	f.Uint64Var(&o.Deliveries, "deliveries", 0,
		"draw lengths of at most `N` deliveries (default 150, or the scenario's length if less)")
	f.BoolVar(&o.Linked, "linked", false, "spread the vats over two linked kernels")
	f.StringVar(&o.plan, "plan", "", "simulate the one run that `FILE` says, which shrink wrote")
	return a.verb(c, func(ctx context.Context, args []string) error {
		switch {
		case a.dir != "":
			return usagef("--dir %s: sim keeps nothing", a.dir)
		case o.plan != "" && (len(args) > 0 || o.Linked):
			return usagef("--plan %s says which SCENARIO it is, and how it is run", o.plan)
		case o.Linked && o.Deliveries > 0:
			return usagef("--deliveries %d: runs of --linked are of so many messages", o.Deliveries)
		case o.Runs < 1 || o.Jobs < 1:
			return usagef("--runs %d, --jobs %d: want numbers from 1", o.Runs, o.Jobs)
		case o.plan != "":
			return a.simPlan(ctx, o.plan)
		}
		s, err := a.simScenario(ctx, args)
		if err == nil && o.Linked {
			err = s.Linkable()
		}
		if err != nil {
			return err
		}
		return a.sim(ctx, s, o.Campaign)
	})
}

// simScenario returns the scenario to simulate.
func (a *app) simScenario(ctx context.Context, args []string) (*sim.Scenario, error) {
	name := simDefault
	if len(args) > 0 {
		name = args[0]
	}
	s, err := a.scenario(name)
	if err == nil {
		err = s.Admit(ctx)
	}
	return s, err
}

// sim simulates many runs.
func (a *app) sim(ctx context.Context, s *sim.Scenario, c sim.Campaign) error {
	bar := a.newProgress(uint64(c.Runs), "runs")
	c.Progress = func(runs int) { bar.to(int64(runs)) }
	started := time.Now()
	found, err := s.Campaign(ctx, c)
	bar.end()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	out := simulated{Scenario: s.Name, First: c.First, Cancelled: err != nil}
	out.fill(&found, c.Linked, time.Since(started))
	if failed := found.Failed; failed != nil {
		more := ""
		if c.Deliveries > 0 {
			more = fmt.Sprintf(" --deliveries %d", c.Deliveries)
		}
		if c.Linked {
			more = " --linked"
		}
		out.Failed = &simFailed{
			Seed: &failed.Seed, Why: failed.Err.Error(), Plan: failed.Plan,
			Command: fmt.Sprintf("swingsim sim %s --seed %d --runs 1%s", s.Name, failed.Seed, more),
			Shrink:  fmt.Sprintf("swingsim shrink %d %s%s", failed.Seed, s.Name, more),
		}
	}
	return a.printSimulated(&out)
}

// simPlan simulates the run of a plan.
func (a *app) simPlan(ctx context.Context, file string) error {
	p, err := readPlan(file)
	if err != nil {
		return err
	}
	s, err := a.simScenario(ctx, []string{p.Scenario})
	if err != nil {
		return err
	}
	started := time.Now()
	done, err := sim.Simulate(ctx, s, p)
	if err != nil {
		return err
	}
	found := sim.Campaigned{
		Runs: 1, Cranks: done.Cranks, Replayed: done.Replayed,
		Reached: done.Reached, Marks: done.Marks, Planned: p.Kinds(),
	}
	out := simulated{Scenario: s.Name}
	out.fill(&found, p.Linked, time.Since(started))
	if done.Failure != nil {
		out.Failed = &simFailed{
			Why: done.Failure.Error(), Plan: p, Command: "swingsim sim --plan " + file,
		}
	}
	return a.printSimulated(&out)
}

func readPlan(file string) (p sim.Plan, err error) {
	f, err := os.Open(file)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if p, err = sim.ReadPlan(f); err != nil {
		return p, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

func (s *simulated) fill(found *sim.Campaigned, linked bool, took time.Duration) {
	s.Runs, s.Cranks, s.Replayed = found.Runs, found.Cranks, found.Replayed
	s.Seconds = took.Seconds()
	if s.Seconds > 0 {
		s.CranksPS = float64(s.Cranks) / s.Seconds
	}
	kinds := sim.FaultKinds
	if linked {
		kinds = sim.LinkedKinds
	}
	for _, k := range kinds {
		s.Faults = append(s.Faults, simFault{string(k), found.Planned[k], found.Reached[k]})
	}
	for _, m := range sim.Marks {
		s.Marks = append(s.Marks, simMark{string(m), found.Marks[m]})
	}
}

// printSimulated prints it; a run that failed is a failure.
func (a *app) printSimulated(s *simulated) error {
	if a.json {
		if err := a.printJSON(s); err != nil {
			return err
		}
	} else {
		a.showSimulated(s)
	}
	switch {
	case s.Failed != nil:
		fmt.Fprintln(a.err, "swingsim: a simulated run failed")
		return errReported
	case s.Cancelled:
		return errInterrupted
	}
	return nil
}

// showSimulated prints it for people.
func (a *app) showSimulated(s *simulated) {
	fmt.Fprintf(a.out, "%s, %s from seed %d: %s in %.1f s, %s a second; %s replayed\n\n",
		s.Scenario, count(s.Runs, "run", "runs"), s.First, count(s.Cranks, "crank", "cranks"),
		s.Seconds, grouped(int64(s.CranksPS)), count(s.Replayed, "delivery", "deliveries"))
	var rows [][]string
	for _, f := range s.Faults {
		rows = append(rows, []string{f.Kind, grouped(f.Planned), grouped(f.Reached)})
	}
	a.grid([]string{"fault", ">planned", ">reached"}, rows)
	fmt.Fprintln(a.out)
	rows = nil
	for _, m := range s.Marks {
		rows = append(rows, []string{m.Mark, grouped(m.Reached)})
	}
	a.grid([]string{"what came of it", ">times"}, rows)
	if s.Failed == nil {
		fmt.Fprintln(a.out, "\nEvery run ended as it would have without faults.")
		return
	}
	f := facts{a.out}
	f.heading("failed")
	if s.Failed.Seed != nil {
		f.fact("seed", "%d", *s.Failed.Seed)
	}
	f.fact("why", "%s", plain(s.Failed.Why))
	f.fact("again", "%s", s.Failed.Command)
	if s.Failed.Shrink != "" {
		f.fact("smaller", "%s", s.Failed.Shrink)
	}
	fmt.Fprintln(a.out, "\nplan")
	if err := sim.WritePlan(a.out, s.Failed.Plan); err != nil {
		fmt.Fprintf(a.err, "swingsim: %v\n", err)
	}
}
