package main

import (
	"context"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

func (a *app) releaseVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "release VAT",
		Short: "Let a vat go on that is kept in quarantine",
		Long: `release ends the quarantine of a vat, by name or id: what was kept back for it
returns, in order, to the head of the run-queue. It runs nothing: swingsim run and swingsim send
do. It is observable: it changes the activityhash.`,
		Example: `  swingsim quarantine book.0 --dir state
  swingsim release book.0 --dir state`,
		Args: cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Unhold(ctx, v.ID)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "released, %s back at the head of the queue",
			count(c.Returned, "event", "events"))
	})
}
