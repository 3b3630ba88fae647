package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// listedSnapshot is one heap snapshot of the list.
type listedSnapshot struct {
	Vat         string `json:"vat"`
	Name        string `json:"name"`
	Position    uint64 `json:"position"`
	Heap        string `json:"heap"`
	Transcript  string `json:"transcript"`
	Engine      string `json:"engine"`
	Incarnation uint64 `json:"incarnation"`
	StoredBytes int64  `json:"stored_bytes"`
}

func (a *app) snapshotsVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshots [VAT]",
		Short: "List the heap snapshots of a directory, or of one vat",
		Long: `snapshots lists the heap snapshots that are kept: of which vat, after how many of its
deliveries, the heap's hash, which engine made it, and what it added to the store
(equal pages are stored once, zero pages not at all). It changes nothing.`,
		Example: `  swingsim snapshots --dir state
  swingsim snapshots mint.0 --dir state --json`,
		Args: cobra.MaximumNArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		list := []listedSnapshot{}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			vats, err := a.chosen(h, args)
			for _, v := range vats {
				for _, s := range v.Snapshots {
					list = append(list, listSnapshot(v, s))
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(list)
		}
		var rows [][]string
		total := int64(0)
		for _, s := range list {
			total += s.StoredBytes
			rows = append(rows, []string{s.Vat, s.Name, grouped(s.Position), s.Heap[:programDigits],
				grouped(s.StoredBytes), s.Engine})
		}
		a.grid([]string{"vat", "name", ">position", "heap", ">stored bytes", "engine"}, rows)
		fmt.Fprintf(a.out, "%s, %s stored\n",
			count(len(list), "snapshot", "snapshots"), size(total))
		return nil
	})
}

// listSnapshot returns what is listed of a vat's snapshot.
func listSnapshot(v host.Vat, s host.Snapshot) listedSnapshot {
	return listedSnapshot{
		string(v.ID), v.Name, s.Position, s.ID.String(), s.Transcript.String(),
		s.Engine, s.Incarnation, s.StoredBytes,
	}
}

// chosen returns the vat that the arguments name, or all.
func (a *app) chosen(h *host.Host, args []string) ([]host.Vat, error) {
	if len(args) == 0 {
		return h.Vats()
	}
	v, err := a.vat(h, args[0])
	return []host.Vat{v}, err
}
