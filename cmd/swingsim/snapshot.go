package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

func (a *app) snapshotVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot VAT",
		Short: "Save a vat's heap now, whatever the rule of run was",
		Long: `snapshot saves the heap of a vat as it is after its latest delivery, so that the vat
comes back without replay. If the vat has done nothing since its latest snapshot, that
one is named. It is private: the activityhash stays the same.`,
		Example: `  swingsim snapshot mint.0 --dir state`,
		Args:    cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		var l listedSnapshot
		err := a.with(ctx, &host.Options{}, func(h *host.Host) error {
			v, err := a.vat(h, args[0])
			if err != nil {
				return err
			}
			s, err := h.TakeSnapshot(ctx, v.ID)
			l = listSnapshot(v, s)
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(l)
		}
		fmt.Fprintf(a.out, "%s: heap %s after %s, %s stored\n", l.Vat, l.Heap[:programDigits],
			count(l.Position, "delivery", "deliveries"), size(l.StoredBytes))
		return nil
	})
}
