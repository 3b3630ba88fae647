package main

import (
	"context"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// reasonBytesMax bounds what is said of the end of a vat.
const reasonBytesMax = 1000

func (a *app) terminateVerb() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "terminate VAT",
		Short: "End a vat from outside",
		Long: `terminate ends a vat, by name or id. The promises it was to resolve are rejected, and
so are messages to its objects from now on. There is no way back. It runs nothing: what
the end brings about waits in the queue. It is observable: it changes the activityhash.`,
		Example: `  swingsim terminate trader.0 --reason bankrupt --dir state`,
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&reason, "reason", "terminated from outside", "why: a `TEXT`")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if len(reason) > reasonBytesMax || !utf8.ValidString(reason) {
			return usagef("--reason of %d bytes: want text of at most %d",
				len(reason), reasonBytesMax)
		}
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Terminate(ctx, v.ID, reason)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "ended: %s", plain(c.Info))
	})
}
