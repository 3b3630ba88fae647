package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// adopted is what the verb prints.
type adopted struct {
	Directory string       `json:"directory"`
	Adopted   []adoptedVat `json:"adopted"`
	DryRun    bool         `json:"dry_run"`
}

// adoptedVat is a vat whose history came out as recorded.
type adoptedVat struct {
	Vat        string `json:"vat"`
	Name       string `json:"name"`
	Recorded   string `json:"recorded"` // the meaning it was run under
	Deliveries uint64 `json:"deliveries"`
}

func (a *app) adoptVerb() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "adopt",
		Short: "Take over vats that another version of this program has run",
		Long: `adopt is for a directory that is refused because another version of this program
has run its vats, and might have computed something else. It runs the whole history of each such
vat again, and compares every syscall and outcome. If nothing differs, the vats are taken over:
their old heap snapshots are dropped, and new ones made as they are needed. If anything
does, or a history has been pruned, the vat and the place are named, the exit code is 1, and
nothing has changed; swingsim upgrade gives such a vat a new incarnation.

Adopting does not change the activityhash, but what comes after may depend on the version:
nodes that are to go on alike must adopt at the same point.`,
		Example: `  swingsim adopt --dry-run --dir state
  swingsim adopt --dir state`,
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only run and compare: change nothing")
	return a.verb(c, func(ctx context.Context, _ []string) error {
		r := adopted{Directory: a.dir, Adopted: []adoptedVat{}, DryRun: dry}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			bar := a.newProgress(0, "deliveries")
			list, err := h.Adopt(ctx, host.AdoptOptions{
				Dry: dry,
				Progress: func(_ swing.VatID, done, total uint64) {
					bar.total = int64(total)
					bar.to(int64(done))
				},
			})
			bar.end()
			for _, v := range list {
				r.Adopted = append(r.Adopted,
					adoptedVat{string(v.Vat), v.Name, v.Recorded.String(), v.Deliveries})
			}
			return err
		})
		if err != nil {
			return err
		}
		return a.printAdopted(r)
	})
}

func (a *app) printAdopted(r adopted) error {
	if a.json {
		return a.printJSON(r)
	}
	for _, v := range r.Adopted {
		fmt.Fprintf(a.out, "%s: %s came out as recorded under %s\n",
			strings.TrimSpace(v.Vat+" "+plain(v.Name)),
			count(v.Deliveries, "delivery", "deliveries"), v.Recorded)
	}
	switch {
	case len(r.Adopted) == 0:
		fmt.Fprintln(a.out, "Every vat is this version's; nothing was changed.")
	case r.DryRun:
		fmt.Fprintln(a.out, "Nothing was changed.")
	default:
		fmt.Fprintf(a.out, "Adopted %s.\n", count(len(r.Adopted), "vat", "vats"))
	}
	return nil
}
