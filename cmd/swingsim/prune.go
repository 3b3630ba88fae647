package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// pruned is what the verb prints.
type pruned struct {
	Directory       string `json:"directory"`
	Vats            int    `json:"vats"`
	Entries         uint64 `json:"entries"`
	Outputs         uint64 `json:"outputs"`
	Skipped         int    `json:"skipped"`
	Repaired        int    `json:"repaired"`
	ArchivesRemoved int    `json:"archives_removed"`
	BytesFreed      int64  `json:"bytes_freed"`
}

func (a *app) pruneVerb() *cobra.Command {
	var o host.PrunePolicy
	var repair bool
	c := &cobra.Command{
		Use:   "prune",
		Short: "Give up transcripts that nothing needs any more",
		Long: `prune gives up the transcript entries of each vat that lie before its oldest kept
snapshot: what remains still brings every vat back. They are gone for good, and for
replay, archival exports and histories of single vats. A vat without a snapshot, or of
which a snapshot is damaged, loses nothing; --repair first drops the records of those.
On disk, space is freed as whole files of the log are not needed any more.`,
		Example: `  swingsim prune --dir state
  swingsim prune --dir state --margin 1000 --dead --repair`,
		Args: cobra.NoArgs,
	}
	c.Flags().SortFlags = false
	c.Flags().Uint64Var(&o.Margin, "margin", 0, "keep `N` entries before each oldest snapshot")
	c.Flags().BoolVar(&o.Dead, "dead", false, "and the transcripts of vats that have ended")
	c.Flags().Uint64Var(&o.Outputs, "outputs", 0, "give up the outputs before number `N`")
	c.Flags().BoolVar(&repair, "repair", false, "first drop records of snapshots that are gone")
	return a.verb(c, func(ctx context.Context, _ []string) error {
		r := pruned{Directory: a.dir}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			if repair {
				dropped, err := h.Repair(ctx)
				for _, d := range dropped {
					fmt.Fprintf(a.err, "swingsim: %s\n", lineOf(d))
				}
				if r.Repaired = len(dropped); err != nil {
					return err
				}
			}
			done, err := h.Prune(ctx, o)
			r.Vats, r.Entries, r.Outputs = done.Vats, done.Entries, done.Outputs
			r.Skipped, r.ArchivesRemoved = done.Skipped, done.ArchivesRemoved
			r.BytesFreed = done.BytesFreed
			return err
		})
		if err != nil {
			return err
		}
		return a.printPruned(&r)
	})
}

func (a *app) printPruned(r *pruned) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %s of %s and %s given up; %s removed, %s freed\n", r.Directory,
		count(r.Entries, "entry", "entries"), count(r.Vats, "vat", "vats"),
		count(r.Outputs, "output", "outputs"),
		count(r.ArchivesRemoved, "archive", "archives"), size(r.BytesFreed))
	if r.Skipped > 0 {
		fmt.Fprintf(a.out, "%s kept everything: a snapshot is damaged, or another engine's\n",
			count(r.Skipped, "vat", "vats"))
	}
	return nil
}
