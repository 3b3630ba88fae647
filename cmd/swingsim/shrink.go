package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/sim"
)

// shrunk is what the verb prints.
type shrunk struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	Fails    bool   `json:"fails"`
	// Before and Events are how many messages and faults there were, and are.
	Before  uint64 `json:"events_before"`
	Events  uint64 `json:"events"`
	Why     string `json:"why"`
	File    string `json:"file"`
	Command string `json:"command"`
}

func (a *app) shrinkVerb() *cobra.Command {
	var o sim.Campaign
	var file string
	c := &cobra.Command{
		Use:   "shrink SEED [SCENARIO]",
		Short: "Make a simulated run that fails smaller, and write it to a file",
		Long: `shrink takes the run of a seed, which sim has found to fail, and leaves out faults,
messages and deliveries, and has faults come earlier, as long as the run still fails. What
is left it writes to a file, which sim --plan simulates again; in
internal/sim/testdata/regress such a file is a test.

The exit code is 0 when a smaller run was written, and 1 if the seed's run does not fail.`,
		Example: `  swingsim shrink 7
  swingsim shrink 7 ./mine.yaml --out mine-7.json`,
		Args: cobra.RangeArgs(1, 2),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&file, "out", "", "write to `FILE`, which must not exist (default sim-SEED.json)")
	f.Uint64Var(&o.Deliveries, "deliveries", 0, "what sim was given as --deliveries (`N`)")
	f.BoolVar(&o.Linked, "linked", false, "the run is of sim --linked")
	return a.verb(c, func(ctx context.Context, args []string) error {
		seed, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return usagef("SEED %q: want a number from 0", args[0])
		}
		if a.dir != "" {
			return usagef("--dir %s: shrink needs none", a.dir)
		}
		if file == "" {
			file = fmt.Sprintf("sim-%d.json", seed)
		}
		s, err := a.simScenario(ctx, args[1:])
		if err != nil {
			return err
		}
		return a.shrink(ctx, s, o.Plan(s, seed), seed, file)
	})
}

// shrink makes the run of a seed smaller, which has that plan.
func (a *app) shrink(
	ctx context.Context, s *sim.Scenario, whole sim.Plan, seed uint64, file string,
) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s: %w: give another name by --out", file, os.ErrExist)
	}
	bar := a.newProgress(0, "runs")
	p, why, err := sim.Shrink(ctx, s, whole, func(tries int) { bar.to(int64(tries)) })
	bar.end()
	if err != nil {
		return err
	}
	out := shrunk{Scenario: s.Name, Seed: seed, Before: whole.Events(), Events: p.Events()}
	if why != nil {
		if err := writePlan(file, p); err != nil {
			return err
		}
		out.Fails, out.Why, out.File = true, why.Error(), file
		out.Command = "swingsim sim --plan " + file
	}
	return a.printShrunk(&out)
}

// writePlan makes a file with a plan.
func writePlan(file string, p sim.Plan) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return sim.WritePlan(f, p)
}

// printShrunk prints it; a run that does not fail is a failure.
func (a *app) printShrunk(s *shrunk) error {
	switch {
	case a.json:
		if err := a.printJSON(s); err != nil {
			return err
		}
	case s.Fails:
		fmt.Fprintf(a.out, "%s, seed %d: of %s %s left\n", s.Scenario, s.Seed,
			count(s.Before, "event", "events"), grouped(s.Events))
		f := facts{a.out}
		f.fact("why", "%s", plain(s.Why))
		f.fact("again", "%s", s.Command)
	}
	if s.Fails {
		return nil
	}
	fmt.Fprintf(a.err, "swingsim: the run of seed %d does not fail\n", s.Seed)
	return errReported
}
