package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// answered is one message and what became of it.
type answered struct {
	Target  string   `json:"target"`
	Method  string   `json:"method"`
	Promise string   `json:"promise"`
	State   string   `json:"state"`
	Answer  string   `json:"answer"`
	Body    string   `json:"body"` // in hex
	Slots   []string `json:"slots"`
	Held    bool     `json:"held"`
}

// ranOn is how a verb that runs the kernel left it.
type ranOn struct {
	RanCranks     uint64 `json:"ran_cranks"`
	RanDeliveries uint64 `json:"ran_deliveries"`
	Queued        uint64 `json:"queued"`
	Activityhash  string `json:"activityhash"`
}

// sent is what send prints.
type sent struct {
	answered
	ranOn
}

// runDeliveriesMax is how many deliveries end a run that does not come to rest.
const runDeliveriesMax = 1_000_000

// argumentsHelp is said by all verbs that take arguments.
const argumentsHelp = `Each ARG is a value as scenarios write it: 12, text, "12", true, [a, [b]],
{hex: 00ff}; ref:NAME is a reference to a vat's root, by its name or id, or to a kref.`

// goOnFlags are the flags of verbs that run the kernel.
func goOnFlags(c *cobra.Command, o *sim.AskOptions) {
	c.Flags().SortFlags = false
	c.Flags().BoolVar(&o.NoRun, "no-run", false, "leave it in the queue, and run nothing")
	c.Flags().Uint64Var(&o.Deliveries, "deliveries", runDeliveriesMax,
		"end after `N` deliveries, should it not come to rest before")
}

func (a *app) sendVerb() *cobra.Command {
	var o sim.AskOptions
	c := &cobra.Command{
		Use:   "send TARGET METHOD [ARG…]",
		Short: "Send a message to a vat or an object, run, and show the answer",
		Long: `send sends a message, runs until no message is left, and shows the promise and its
answer. The TARGET is a vat, by name or id, or an object or promise, by its kref.

` + argumentsHelp + `

The promise is let go of once it is resolved; until then it stays held, and swingsim
promises shows it. A message is observable: it changes the activityhash.`,
		Example: `  swingsim send mint.0 audit --dir state
  swingsim send trader.0 tick sell 30 4 --dir state --json
  swingsim send trader.1 cancel --dir state --no-run`,
		Args: cobra.MinimumNArgs(2),
	}
	goOnFlags(c, &o)
	return a.verb(c, func(ctx context.Context, args []string) error {
		var s sent
		call := sim.Call{Target: args[0], Method: args[1], Args: args[2:]}
		err := a.with(ctx, &host.Options{}, func(h *host.Host) error {
			answers, ran, err := sim.Ask(ctx, h, []sim.Call{call}, o)
			if err != nil {
				return err
			}
			s.answered = answeredOf(answers[0])
			return s.ranOn.fill(h, ran)
		})
		if err != nil {
			return err
		}
		return a.printSent(&s, o)
	})
}

func answeredOf(one sim.Answer) answered {
	r := answered{
		Target: string(one.Target), Method: one.Method, Promise: string(one.Promise),
		State: one.State, Answer: sim.ShowData(one.Data), Body: hex.EncodeToString(one.Data.Body),
		Slots: []string{}, Held: one.Held,
	}
	for _, s := range one.Data.Slots {
		r.Slots = append(r.Slots, string(s))
	}
	return r
}

// fill asks the host how it was left.
func (r *ranOn) fill(h *host.Host, ran host.Ran) error {
	stats, err := h.Stats()
	*r = ranOn{
		RanCranks: ran.Cranks, RanDeliveries: ran.Deliveries,
		Queued:       stats.Kernel.Accepted + stats.Kernel.Runnable,
		Activityhash: stats.Activityhash.String(),
	}
	return err
}

func (a *app) printSent(s *sent, o sim.AskOptions) error {
	if a.json {
		return a.printJSON(s)
	}
	f := facts{a.out}
	f.fact("promise", "%s", s.Promise)
	f.fact("state", "%s", s.State)
	if !s.Held {
		f.fact("answer", "%s", plain(s.Answer))
	}
	a.printRanOn(&s.ranOn, o)
	if s.Held && !a.quiet {
		fmt.Fprintf(a.err, "swingsim: no answer yet: swingsim promises %s --dir %s shows it\n",
			s.Promise, a.dir)
	}
	return nil
}

// printRanOn says what was run, and what was left.
func (a *app) printRanOn(r *ranOn, o sim.AskOptions) {
	f := facts{a.out}
	f.fact("deliveries", "%s", grouped(r.RanDeliveries))
	if r.Queued > 0 {
		f.fact("queued", "%s", count(r.Queued, "event", "events"))
	}
	fmt.Fprintf(a.out, "\nactivityhash %s\n", r.Activityhash)
	if r.Queued > 0 && !o.NoRun && !a.quiet {
		fmt.Fprintf(a.err, "swingsim: it did not come to rest in %s\n",
			count(o.Deliveries, "delivery", "deliveries"))
	}
}
