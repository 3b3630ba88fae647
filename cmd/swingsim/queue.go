package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// listedQueue is one queue, and the events at its head.
type listedQueue struct {
	Queue  string        `json:"queue"` // acceptance, gc, reap, run, cleanup or held
	Vat    string        `json:"vat"`   // for which it is held back
	Length uint64        `json:"length"`
	Events []listedEvent `json:"events"`
	More   uint64        `json:"more"`
}

// listedEvent is one event of a queue.
type listedEvent struct {
	Kind   string   `json:"kind"`
	Vat    string   `json:"vat"`
	Target string   `json:"target"`
	Method string   `json:"method"`
	Args   string   `json:"args"`
	Body   string   `json:"body"` // in hex
	Slots  []string `json:"slots"`
	Result string   `json:"result"`
}

func (a *app) queueVerb() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "queue",
		Short: "List what waits: events, GC actions, reaps, cleanups, what is held back",
		Long: `queue lists what waits: the acceptance queue, whose events have not been routed
and come first; GC actions, which tell vats what became of objects, and vats to be
reaped, that is, asked what they dropped, which take turns with the run-queue; vats that
have ended and are to be cleaned up; the outbox of each vat that has sent more than its
share of the run-queue; and what is held back for each vat that is held, whose GC
actions and reaps wait, too. It changes nothing.`,
		Example: `  swingsim queue --dir state
  swingsim queue --limit 10 --dir state --json`,
		Args: cobra.NoArgs,
	}
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, _ []string) error {
		if err := checkLimit(limit); err != nil {
			return err
		}
		list := []listedQueue{}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			queues, err := h.Queues(limit)
			for _, q := range queues {
				l := listedQueue{Queue: q.Name, Vat: string(q.Vat), Length: q.Length,
					Events: []listedEvent{}, More: q.Length - uint64(len(q.Events))}
				for _, e := range q.Events {
					one := listedEvent{Kind: e.Kind, Vat: string(e.Vat), Target: string(e.Target),
						Method: e.Method, Args: sim.ShowData(e.Data), Slots: []string{},
						Body: hex.EncodeToString(e.Data.Body), Result: string(e.Result)}
					for _, s := range e.Data.Slots {
						one.Slots = append(one.Slots, string(s))
					}
					l.Events = append(l.Events, one)
				}
				list = append(list, l)
			}
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(list)
		}
		a.printQueues(list)
		return nil
	})
}

func (a *app) printQueues(list []listedQueue) {
	for i, q := range list {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		name := map[string]string{
			"acceptance": "acceptance queue", "run": "run queue", "gc": "GC actions",
			"reap": "to be reaped", "cleanup": "to be cleaned up",
			"held": "held back for " + q.Vat, "outbox": "outbox of " + q.Vat,
		}[q.Queue]
		fmt.Fprintf(a.out, "%s: %s\n", name, count(q.Length, "event", "events"))
		var rows [][]string
		for _, e := range q.Events {
			rows = append(rows, []string{e.Kind, e.Vat, e.Target, short(e.Method), short(e.Args),
				e.Result})
		}
		if len(rows) > 0 {
			a.grid([]string{"kind", "vat", "target", "method", "args", "result"}, rows)
		}
		a.printMore(int(q.More), "event", "events")
	}
}
