package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// listedCList is what the verb prints.
type listedCList struct {
	Vat     string        `json:"vat"`
	Name    string        `json:"name"`
	Entries []listedEntry `json:"entries"`
	More    int           `json:"more"`
}

// listedEntry is one entry of a c-list: the two names of one thing.
type listedEntry struct {
	KRef      string `json:"kref"`
	VRef      string `json:"vref"`
	Exported  bool   `json:"exported"` // the vat allocated it
	Reachable bool   `json:"reachable"`
}

func (a *app) clistVerb() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "clist VAT",
		Short: "List a vat's c-list: what it can reach, under which name",
		Long: `clist lists the references that a vat, by name or id, holds: the kernel's name and
the vat's, whether the vat has exported or imported it, and whether it still reaches it
(what it has dropped, it only recognizes). Objects come before promises. It changes
nothing.`,
		Example: `  swingsim clist mint.0 --dir state
  swingsim clist v1 --limit 10 --dir state --json`,
		Args: cobra.ExactArgs(1),
	}
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, args []string) error {
		if err := checkLimit(limit); err != nil {
			return err
		}
		list := listedCList{Entries: []listedEntry{}}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			v, err := a.vat(h, args[0])
			if err != nil {
				return err
			}
			list.Vat, list.Name = string(v.ID), v.Name
			entries, more, err := h.CList(v.ID, limit)
			for _, e := range entries {
				list.Entries = append(list.Entries, listEntry(e))
			}
			list.More = more
			return err
		})
		if err != nil {
			return err
		}
		return a.printCList(&list)
	})
}

func listEntry(e host.Entry) listedEntry {
	return listedEntry{string(e.KRef), string(e.VRef), e.VRef.Exported(), e.Reachable}
}

func (a *app) printCList(list *listedCList) error {
	if a.json {
		return a.printJSON(list)
	}
	var rows [][]string
	for _, e := range list.Entries {
		rows = append(rows, []string{e.KRef, e.VRef, e.side(), e.reach()})
	}
	fmt.Fprintln(a.out, strings.TrimSpace(list.Vat+" "+list.Name))
	a.grid([]string{"kernel", "vat", "side", "reach"}, rows)
	a.printMore(list.More, "entry", "entries")
	return nil
}

func (e listedEntry) side() string {
	if e.Exported {
		return "export"
	}
	return "import"
}

func (e listedEntry) reach() string {
	if e.Reachable {
		return "reachable"
	}
	return "dropped"
}
