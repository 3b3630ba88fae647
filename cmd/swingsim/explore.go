package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/sim"
)

// explored is what the verb prints.
type explored struct {
	Scenario string `json:"scenario"`
	// Orders were run to their end; Alike were left when it was known that they come to
	// the same as another.
	Orders  int     `json:"orders"`
	Alike   int     `json:"alike"`
	Cranks  uint64  `json:"cranks"`
	Seconds float64 `json:"seconds"`
	// All says that there are no others; else all with up to Deviations were run.
	All         bool          `json:"all"`
	Deviations  int           `json:"deviations"`
	Interrupted bool          `json:"interrupted"`
	Failed      *exploredFail `json:"failed"`
	Run         *exploredRun  `json:"run"` // with --order
}

// exploredRun is one order, and what came of it.
type exploredRun struct {
	Order        string          `json:"order"`
	Choices      int             `json:"choices"`
	Deviations   []sim.Deviation `json:"deviations"`
	Activityhash string          `json:"activityhash"`
	Audit        *sim.Audit      `json:"audit"`
}

// exploredFail is an order in which the audit does not hold.
type exploredFail struct {
	exploredRun
	Least   bool   `json:"least"` // none with fewer deviations fails
	Command string `json:"command"`
}

// exploreFlags are the flags of explore.
type exploreFlags struct {
	bound, orders int
	every         bool
	order         string
	length        sim.Length
}

// exploreOrders is how many orders are run if it is not said.
const exploreOrders = 10_000

func (a *app) exploreVerb() *cobra.Command {
	var o exploreFlags
	c := &cobra.Command{
		Use:   "explore SCENARIO",
		Short: "Run a small scenario in every order of deliveries, until its audit fails",
		Long: `explore runs a scenario in memory again and again, each time with its deliveries in
another order, and asks its audit at the end of each. Messages of one sender to one target
keep their order; all others may pass each other. First comes the default order, then those
that deviate from it once, then twice, and so on: what fails is told by as few deviations as
can be. docs/exploration.md says more.

The first order in which the audit does not hold is printed, delivery by delivery where it
deviates, with the command that repeats it, and the exit code is 1. If there is none, it is
said whether all orders were run, or up to where.`,
		Example: `  swingsim explore race
  swingsim explore ./mine.yaml --messages 4 --bound 2
  swingsim explore ./mine.yaml --order 0,0,2,1`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.IntVar(&o.bound, "bound", -1, "run orders with at most `N` deviations (default: any number)")
	f.IntVar(&o.orders, "orders", exploreOrders, "end after `N` orders; 0 is no bound")
	f.BoolVar(&o.every, "every", false, "run also what comes to the same as another order")
	f.StringVar(&o.order, "order", "",
		"run one order only: at each choice take the event of that `INDEX`, then the first")
	f.Uint64Var(&o.length.Messages, "messages", 0,
		"send `N` messages of the workload, in place of the scenario's length")
	f.Uint64Var(&o.length.Deliveries, "deliveries", 0,
		"end after `N` deliveries, in place of the scenario's length")
	return a.verb(c, func(ctx context.Context, args []string) error {
		s, err := a.exploreScenario(ctx, args[0], &o)
		switch {
		case err != nil:
			return err
		case c.Flags().Changed("order"):
			return a.exploreOrder(ctx, s, &o)
		}
		return a.explore(ctx, s, &o)
	})
}

// exploreScenario refuses what makes no sense, and returns the scenario.
func (a *app) exploreScenario(
	ctx context.Context, name string, o *exploreFlags,
) (*sim.Scenario, error) {
	switch {
	case a.dir != "":
		return nil, usagef("--dir %s: explore keeps nothing", a.dir)
	case o.bound < -1 || o.orders < 0:
		return nil, usagef("--bound %d, --orders %d: want numbers from 0", o.bound, o.orders)
	}
	s, err := a.scenario(name)
	if err != nil {
		return nil, err
	}
	if o.length.Messages > 0 {
		s.Length.Messages = o.length.Messages
	}
	if o.length.Deliveries > 0 {
		s.Length.Deliveries = o.length.Deliveries
	}
	return s, s.Admit(ctx)
}

// again returns the command that repeats an order.
func (o *exploreFlags) again(scenario, order string) string {
	command := fmt.Sprintf("swingsim explore %s --order %s", scenario, order)
	if order == "" {
		command = fmt.Sprintf("swingsim explore %s --order ''", scenario)
	}
	if o.length.Messages > 0 {
		command += fmt.Sprintf(" --messages %d", o.length.Messages)
	}
	if o.length.Deliveries > 0 {
		command += fmt.Sprintf(" --deliveries %d", o.length.Deliveries)
	}
	return command
}

// explore runs all orders that are to be run.
func (a *app) explore(ctx context.Context, s *sim.Scenario, o *exploreFlags) error {
	bar := a.newProgress(uint64(o.orders), "orders")
	started := time.Now()
	found, err := s.Explore(ctx, sim.ExploreOptions{
		Deviations: o.bound, Orders: o.orders, Every: o.every,
		Progress: func(orders, deviations int) {
			bar.describe("orders with " + count(deviations, "deviation", "deviations"))
			bar.to(int64(orders))
		},
	})
	bar.end()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	out := explored{
		Scenario: s.Name, Orders: found.Orders, Alike: found.Alike, Cranks: found.Cranks,
		Seconds: time.Since(started).Seconds(), All: found.All, Deviations: found.Deviations,
		Interrupted: err != nil,
	}
	if found.Failed != nil {
		run := exploredRunOf(found.Failed)
		out.Failed = &exploredFail{run, found.Least, o.again(s.Name, run.Order)}
	}
	return a.printExplored(&out)
}

// exploreOrder runs one order.
func (a *app) exploreOrder(ctx context.Context, s *sim.Scenario, o *exploreFlags) error {
	order, err := readOrder(o.order)
	if err != nil {
		return err
	}
	started := time.Now()
	found, err := s.RunOrder(ctx, order)
	if errors.As(err, new(*sim.OrderError)) {
		return usagef("--order %s: %w", o.order, err)
	}
	if err != nil {
		return err
	}
	run := exploredRunOf(&found)
	out := explored{
		Scenario: s.Name, Orders: 1, Seconds: time.Since(started).Seconds(), Run: &run,
	}
	if !found.OK() {
		out.Failed = &exploredFail{exploredRun: run, Command: o.again(s.Name, run.Order)}
	}
	return a.printExplored(&out)
}

// readOrder reads an order as it is printed. None is the default order.
func readOrder(text string) (order []int, err error) {
	if text == "" {
		return nil, nil
	}
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.ParseUint(word, 10, 31)
		if err != nil {
			return nil, usagef("--order: %q: want numbers from 0 with commas between them", word)
		}
		order = append(order, int(n))
	}
	return order, nil
}

func exploredRunOf(o *sim.OrderRun) exploredRun {
	var words []string
	for _, n := range o.Order {
		words = append(words, strconv.Itoa(n))
	}
	out := exploredRun{
		Order: strings.Join(words, ","), Choices: o.Choices, Audit: o.Audit,
		Deviations: []sim.Deviation{}, Activityhash: o.Activityhash.String(),
	}
	out.Deviations = append(out.Deviations, o.Deviations...)
	return out
}

// printExplored prints it; an order that fails is a failure.
func (a *app) printExplored(e *explored) error {
	if a.json {
		if err := a.printJSON(e); err != nil {
			return err
		}
	} else {
		a.showExplored(e)
	}
	switch {
	case e.Failed != nil:
		fmt.Fprintln(a.err, "swingsim: the audit does not hold in this order")
		return errReported
	case e.Interrupted:
		return errInterrupted
	}
	return nil
}

// showExplored prints it for people.
func (a *app) showExplored(e *explored) {
	switch {
	case e.Run != nil:
		fmt.Fprintf(a.out, "%s, in one order\n", e.Scenario)
		a.showOrder(e.Run)
	default:
		fmt.Fprintf(a.out, "%s: %s run in %.1f s, %s left that come to the same\n", e.Scenario,
			count(e.Orders, "order", "orders"), e.Seconds, grouped(e.Alike))
	}
	switch {
	case e.Failed != nil:
		if e.Run == nil {
			a.showOrder(&e.Failed.exploredRun)
		}
		fmt.Fprintf(a.out, "\nagain: %s\n", e.Failed.Command)
		if e.Run == nil && e.Failed.Least {
			fmt.Fprintln(a.out, "No order with fewer deviations fails.")
		}
	case e.Run != nil:
		fmt.Fprintln(a.out, "\nThe audit holds in this order.")
	case e.All:
		fmt.Fprintln(a.out, "The audit holds in all orders that there are.")
	default:
		in := "the default order"
		if e.Deviations > 0 {
			in = "all orders with up to " + count(e.Deviations, "deviation", "deviations")
		}
		fmt.Fprintf(a.out, "The audit holds in %s, and in all others that were run. "+
			"There are more.\n", in)
	}
}

// showOrder prints where an order deviates, and what the audit found.
func (a *app) showOrder(o *exploredRun) {
	f := facts{a.out}
	f.heading("order")
	f.fact("deviations", "%s, at %s", grouped(len(o.Deviations)),
		count(o.Choices, "choice", "choices"))
	f.fact("activityhash", "%s", o.Activityhash)
	if len(o.Deviations) > 0 {
		fmt.Fprintln(a.out)
		var rows [][]string
		for _, d := range o.Deviations {
			rows = append(rows, []string{
				grouped(d.Delivery), showMove(d.Taken), showMove(d.Instead),
			})
		}
		a.grid([]string{">delivery", "taken", "instead of"}, rows)
	}
	a.printAudit(o.Audit)
}

// showMove prints an event: to whom it goes, what it is, and from whom.
func showMove(m sim.Move) string {
	text := short(m.What)
	if m.From != "" {
		text += " from " + m.From
	}
	return plain(m.Vat) + ": " + text
}
