package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// listedObjects is what the verb prints.
type listedObjects struct {
	Objects []listedObject `json:"objects"`
	More    int            `json:"more"`
}

// listedObject is one object of the list.
type listedObject struct {
	Object       string         `json:"object"`
	Owner        string         `json:"owner"`
	Alive        bool           `json:"owner_alive"`
	Reachable    int            `json:"reachable"`
	Recognizable int            `json:"recognizable"`
	Held         int            `json:"held"` // from outside
	Imports      []listedImport `json:"imports"`
	Cut          bool           `json:"imports_cut"` // there are more
}

// listedImport is a vat that holds an object.
type listedImport struct {
	Vat       string `json:"vat"`
	VRef      string `json:"vref"`
	Reachable bool   `json:"reachable"`
}

func (a *app) objectsVerb() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "objects [KREF…]",
		Short: "List the objects of a directory, or show some, and who imports them",
		Long: `objects lists the objects there are, by number: which vat owns it; how many
references reach it, and recognize it (of vats, queued messages, resolved promises, and
those that are held from outside); and the vats that import it, with the name each has
for it. It changes nothing.`,
		Example: `  swingsim objects --dir state
  swingsim objects ko20 ko21 --dir state --json`,
	}
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, args []string) error {
		if err := checkLimit(limit); err != nil {
			return err
		}
		refs, err := sim.ObjectRefs(args)
		if err != nil {
			return usageError{err}
		}
		list := listedObjects{Objects: []listedObject{}}
		err = a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) (err error) {
			var all []host.Object
			if len(refs) == 0 {
				all, list.More, err = h.Objects(limit)
			}
			for _, ref := range refs {
				o, oneErr := h.Object(ref, limit)
				if oneErr != nil {
					return oneErr
				}
				all = append(all, o)
			}
			for _, o := range all {
				list.Objects = append(list.Objects, listObject(o))
			}
			return err
		})
		if err != nil {
			return err
		}
		return a.printObjects(&list)
	})
}

func listObject(o host.Object) listedObject {
	l := listedObject{
		Object: string(o.Ref), Owner: string(o.Owner), Alive: o.Alive, Reachable: o.Reachable,
		Recognizable: o.Recognizable, Held: o.Pins, Imports: []listedImport{}, Cut: o.Cut,
	}
	for _, i := range o.Imports {
		l.Imports = append(l.Imports, listedImport{string(i.Vat), string(i.VRef), i.Reachable})
	}
	return l
}

func (a *app) printObjects(list *listedObjects) error {
	if a.json {
		return a.printJSON(list)
	}
	var rows [][]string
	for _, o := range list.Objects {
		var imports []string
		for _, i := range o.Imports {
			text := i.Vat + " " + i.VRef
			if !i.Reachable {
				text += " (dropped)"
			}
			imports = append(imports, text)
		}
		if o.Cut {
			imports = append(imports, "…")
		}
		owner := o.Owner
		switch {
		case owner == "":
			owner = "none"
		case !o.Alive:
			owner += " (ended)"
		}
		rows = append(rows, []string{o.Object, owner, grouped(o.Reachable),
			grouped(o.Recognizable), grouped(o.Held), short(strings.Join(imports, ", "))})
	}
	a.grid([]string{"object", "owner", ">reachable", ">recognizable", ">held", "imported by"}, rows)
	a.printMore(list.More, "object", "objects")
	return nil
}
