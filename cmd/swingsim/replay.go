package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// replayed is what the verb prints.
type replayed struct {
	Vat            string  `json:"vat"`
	Name           string  `json:"name"`
	From           uint64  `json:"from"`
	To             uint64  `json:"to"`
	Deliveries     uint64  `json:"deliveries"`
	Snapshots      int     `json:"snapshots_compared"`
	Seconds        float64 `json:"seconds"`
	DeliveriesPerS float64 `json:"deliveries_per_s"`
	Transcript     string  `json:"transcript"`
}

func (a *app) replayVerb() *cobra.Command {
	var from, engine string
	c := &cobra.Command{
		Use:   "replay VAT",
		Short: "Run a vat's recorded deliveries again, and compare everything",
		Long: `replay runs the recorded deliveries of a vat, by name or id, again beside it, and
compares every syscall and outcome, the chain of hashes, and, at the position of
every snapshot that is kept, the whole heap. A divergence says where, and what was
recorded and what came instead. It changes nothing.`,
		Example: `  swingsim replay mint.0 --dir state
  swingsim replay mint.0 --dir state --from snapshot --engine interpreter`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&from, "from", "genesis",
		"start at `PLACE`: genesis or snapshot (the latest)")
	c.Flags().StringVar(&engine, "engine", "compiler",
		"run the program by `WAY`: compiler or interpreter")
	return a.verb(c, func(ctx context.Context, args []string) error {
		var start, runs string
		if err := fill(&start, "from", from, "genesis", "snapshot"); err != nil {
			return err
		}
		if err := fill(&runs, "engine", engine, "compiler", "interpreter"); err != nil {
			return err
		}
		o := &host.Options{Interpreter: runs == "interpreter"}
		return a.with(ctx, o, func(h *host.Host) error {
			v, err := a.vat(h, args[0])
			if err != nil {
				return err
			}
			return a.replay(ctx, h, v, start == "snapshot")
		})
	})
}

// replay replays one vat and prints what came of it; a divergence is the error.
func (a *app) replay(ctx context.Context, h *host.Host, v host.Vat, fromSnapshot bool) error {
	bar := a.newProgress(0, "deliveries")
	done, err := h.Replay(ctx, v.ID, host.ReplayOptions{
		FromSnapshot: fromSnapshot,
		Progress:     func(done, total uint64) { bar.total = int64(total); bar.to(int64(done)) },
	})
	bar.end()
	if err != nil {
		return err
	}
	r := replayed{
		Vat: string(v.ID), Name: v.Name, From: done.From, To: done.To, Deliveries: done.Deliveries,
		Snapshots: done.Snapshots, Seconds: done.Elapsed.Seconds(),
		Transcript: v.Span.Hash.String(),
	}
	if r.Seconds > 0 {
		r.DeliveriesPerS = float64(r.Deliveries) / r.Seconds
	}
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s %s: replayed %s, positions %d to %d, in %.3f s: %s a second\n",
		r.Vat, r.Name, count(r.Deliveries, "delivery", "deliveries"), r.From, r.To, r.Seconds,
		grouped(int64(r.DeliveriesPerS)))
	fmt.Fprintf(a.out, "Everything was as recorded; %s compared.\n",
		count(r.Snapshots, "snapshot was", "snapshots were"))
	return nil
}
