package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"vatwarehouse/host"
	"vatwarehouse/internal/trace"
	"vatwarehouse/warehouse"
)

// trialRun is one policy: what was said of it, beside a run under it.
type trialRun struct {
	Policy trace.Policy   `json:"policy"`
	Counts []checkedCount `json:"counts"`
	Times  []checkedTime  `json:"times"` // of each kind of work, and then of all
}

// checkedCount is one figure. It holds if what was said is within a fifth of what ran.
type checkedCount struct {
	What      string `json:"what"`
	Predicted uint64 `json:"predicted"`
	Ran       uint64 `json:"ran"`
	Holds     bool   `json:"holds"`
}

// checkedTime is what one kind of work takes, in nanoseconds.
type checkedTime struct {
	What      string  `json:"what"`
	Predicted float64 `json:"predicted_ns"`
	Ran       float64 `json:"ran_ns"`
	Holds     bool    `json:"holds"`
}

// holds reports whether what was said is within a fifth of what is.
func holds[T uint64 | float64](predicted, ran T) bool {
	return 5*predicted >= 4*ran && 5*predicted <= 6*ran
}

// errCheck is returned when a prediction is further off than it may be.
var errCheck = errors.New("a prediction is more than a fifth away from what ran")

// check runs the scenario of the trace under the default, under the policy that was chosen,
// and under the default and the rule cost with few vats in memory. Times are said by costs
// that are measured meanwhile.
func (w *weighed) check(ctx context.Context, t *trials) error {
	policies := []trace.Policy{
		{Vats: warehouse.DefaultMaxPagedIn}, {Vats: t.few()},
		{Vats: t.fewest(), Rule: warehouse.Policy{Rule: warehouse.ByCost}},
	}
	if w.Best != nil {
		policies = append(policies, w.Best.Policy)
	}
	costs, ran, err := t.measure(ctx, w.Costs, policies...)
	if err != nil {
		return err
	}
	w.CheckCosts = &costs
	for i, p := range policies {
		says := t.trace.Simulate(p)
		w.Checks = append(w.Checks, trialRun{
			Policy: p, Counts: countsBeside(says, ran[i]),
			Times: timesBeside(costs.Times(says), timesOf(ran[i].Spent)),
		})
	}
	return nil
}

func countsBeside(says trace.Work, ran host.Stats) []checkedCount {
	count := func(what string, predicted, ran uint64) checkedCount {
		return checkedCount{what, predicted, ran, holds(predicted, ran)}
	}
	return []checkedCount{
		count("page-ins", says.PageIns, ran.Vats.PageIns),
		count("replayed", says.Replayed, ran.Vats.Replayed),
		count("snapshots", says.Snapshots, ran.Snapshots),
		count("pages", says.SnapshotPages, ran.SnapshotPages),
	}
}

func timesBeside(says, ran trace.Times) []checkedTime {
	time := func(what string, predicted, ran float64) checkedTime {
		return checkedTime{what, predicted, ran, holds(predicted, ran)}
	}
	return []checkedTime{
		time("paging in", says.PageIn, ran.PageIn),
		time("replay", says.Replay, ran.Replay),
		time("pauses", says.Pause, ran.Pause),
		time("snapshots", says.Snapshot, ran.Snapshot),
		time("all", says.All(), ran.All()),
	}
}

// verdict returns errCheck unless all counts hold. Times do not always, where something
// else runs at the same time.
func (w *weighed) verdict() error {
	for _, c := range w.Checks {
		for _, count := range c.Counts {
			if !count.Holds {
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
		row := func(what, predicted, ran, ratio string, holds bool) {
			mark := ""
			if !holds {
				mark = "more than a fifth"
			}
			rows = append(rows, []string{what, predicted, ran, ratio, mark})
		}
		for _, n := range c.Counts {
			row(n.What, grouped(n.Predicted), grouped(n.Ran),
				ratioText(float64(n.Predicted), float64(n.Ran)), n.Holds)
		}
		for _, n := range c.Times {
			row("time: "+n.What, took(n.Predicted), took(n.Ran), ratioText(n.Predicted, n.Ran),
				n.Holds)
		}
		a.grid([]string{"", ">predicted", ">ran", ">ratio", "off"}, rows)
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
