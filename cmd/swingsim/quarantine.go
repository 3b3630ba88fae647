package main

import (
	"context"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

func (a *app) quarantineVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine VAT",
		Short: "Keep back what goes to a vat, in order, while all else goes on",
		Long: `quarantine keeps back, from now on, every event for a vat, by name or id, in order,
while everything else goes on; swingsim queue lists what waits, and swingsim release
lets the vat go on. It is meant for a vat that cannot be run. It is observable: it
changes the activityhash.`,
		Example: `  swingsim quarantine book.0 --dir state`,
		Args:    cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Hold(ctx, v.ID)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "held, %s waiting", count(c.Waiting, "event", "events"))
	})
}
