package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// repaired is what the verb prints.
type repaired struct {
	Directory string            `json:"directory"`
	Dropped   []droppedSnapshot `json:"dropped"`
}

// droppedSnapshot is a snapshot whose record was dropped.
type droppedSnapshot struct {
	Vat      string `json:"vat"`
	Position uint64 `json:"position"`
	Why      string `json:"why"`
}

func (a *app) repairVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "repair",
		Short: "Drop the records of heap snapshots that cannot be used",
		Long: `repair drops the records of heap snapshots that are gone or damaged, or that do not
fit their vat's transcript: what swingsim check names of them, and nothing else. Nothing
is lost by it: a vat comes back from an older snapshot or from its whole transcript, and
nobody tries the bad one again. What else is damaged comes back only from a copy of the
directory. It changes nothing that is observable.`,
		Example: `  swingsim repair --dir state`,
		Args:    cobra.NoArgs,
	}
	return a.verb(c, func(ctx context.Context, _ []string) error {
		r := repaired{Directory: a.dir, Dropped: []droppedSnapshot{}}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			list, err := h.Repair(ctx)
			for _, d := range list {
				s := d.Snapshot
				r.Dropped = append(r.Dropped, droppedSnapshot{string(s.Vat), s.Position, d.Why})
				if !a.json {
					fmt.Fprintln(a.out, lineOf(d))
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(r)
		}
		if len(r.Dropped) == 0 {
			fmt.Fprintln(a.out, "Every snapshot can be used; nothing was changed.")
		}
		return nil
	})
}

// lineOf says which snapshot was dropped, and why.
func lineOf(d host.Repaired) string {
	return fmt.Sprintf("dropped the snapshot of vat %s at %d: %s", d.Snapshot.Vat,
		d.Snapshot.Position, plain(d.Why))
}
