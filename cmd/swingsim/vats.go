package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// listedVat is one vat of the list.
type listedVat struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Program     string `json:"program"`
	State       string `json:"state"`
	Info        string `json:"info,omitempty"`
	Waiting     uint64 `json:"waiting,omitempty"`
	Incarnation uint64 `json:"incarnation"`
	Position    uint64 `json:"position"`
	Transcript  string `json:"transcript"`
	Snapshots   int    `json:"snapshots"`
	Latest      uint64 `json:"latest_snapshot"`
	References  int    `json:"references"`
	Root        string `json:"root"`

	Options vatOptions `json:"options"`
}

// vatOptions are options of a vat.
type vatOptions struct {
	Pipelining     bool   `json:"pipelining"`
	Critical       bool   `json:"critical"`
	Quarantine     bool   `json:"quarantine"` // whether it is kept there when it fails
	ReapDeliveries uint64 `json:"reap_deliveries"`
	ReapReferences uint64 `json:"reap_references"`
	ReapFuel       uint64 `json:"reap_fuel"`
	Meter          string `json:"meter"`
}

// words names the options that are not the usual ones.
func (o vatOptions) words(usual host.VatOptions) string {
	var all []string
	for _, flag := range []struct {
		word string
		on   bool
	}{{"pipelining", o.Pipelining}, {"critical", o.Critical}, {"quarantine", o.Quarantine}} {
		if flag.on {
			all = append(all, flag.word)
		}
	}
	if o.ReapDeliveries != usual.ReapDeliveries || o.ReapReferences != usual.ReapRefs ||
		o.ReapFuel != usual.ReapFuel {
		all = append(all, fmt.Sprintf("reaped after %s, %s, %s of fuel",
			often(o.ReapDeliveries, "delivery", "deliveries"),
			often(o.ReapReferences, "reference", "references"),
			often(o.ReapFuel, "unit", "units")))
	}
	if o.Meter != "" {
		all = append(all, "meter "+o.Meter)
	}
	return strings.Join(all, ", ")
}

// often says after how many something happens.
func often(n uint64, one, many string) string {
	if n >= host.Never {
		return "no " + many
	}
	return count(n, one, many)
}

func (a *app) vatsVerb() *cobra.Command {
	var limits bool
	var most int
	c := &cobra.Command{
		Use:   "vats",
		Short: "List the vats of a directory",
		Long: `vats lists all vats that were ever made in a directory: id, name, program, whether it
is alive, its position (the number of its deliveries), its heap snapshots, the references
it holds, which of its options are not the usual ones, and why it ended or is held. It
changes nothing.

With --limits it lists instead what the limits are, what comes of going beyond each, and
how much of them each vat that lives has used: of its memory, its vatstore, its share of
the run-queue, and, by its latest delivery, of fuel and syscalls.`,
		Example: `  swingsim vats --dir state
  swingsim vats --limits --dir state`,
		Args: cobra.NoArgs,
	}
	c.Flags().SortFlags = false
	c.Flags().BoolVar(&limits, "limits", false, "list what the limits are, and how much is used")
	c.Flags().IntVar(&most, "limit", 100, "with --limits: list at most `N` vats")
	return a.verb(c, func(ctx context.Context, _ []string) error {
		if limits {
			return a.limits(ctx, most)
		}
		list := []listedVat{}
		var usual host.VatOptions
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			o := h.Options()
			usual.ReapDeliveries, usual.ReapRefs = o.ReapDeliveries, o.ReapRefs
			usual.ReapFuel = o.ReapFuel
			vats, err := h.Vats()
			for _, v := range vats {
				list = append(list, listVat(v))
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
		for _, v := range list {
			rows = append(rows, v.row(usual))
		}
		a.grid([]string{"id", "name", "program", "state", ">position", ">snapshots", ">latest",
			">references", "options", "why"}, rows)
		return nil
	})
}

// listVat turns what the host knows of a vat into a row.
func listVat(v host.Vat) listedVat {
	l := listedVat{
		ID: string(v.ID), Name: v.Name, Program: v.Code.String(), State: "alive",
		Waiting: v.Waiting, Incarnation: v.Span.Incarnation, Position: v.Span.End,
		Transcript: v.Span.Hash.String(), Snapshots: len(v.Snapshots), References: v.References,
		Root: string(v.Root),
		Options: vatOptions{
			Pipelining: v.Options.Pipelining, Critical: v.Options.Critical,
			Quarantine: v.Options.Quarantine, ReapDeliveries: v.Options.ReapDeliveries,
			ReapReferences: v.Options.ReapRefs, ReapFuel: v.Options.ReapFuel,
			Meter: string(v.Options.Meter),
		},
	}
	if len(v.Snapshots) > 0 {
		l.Latest = v.Snapshots[0].Position
	}
	switch {
	case !v.Alive && v.End.Failure:
		l.State, l.Info = "failed", sim.Show(v.End.Info.Body)
	case !v.Alive:
		l.State, l.Info = "exited", sim.Show(v.End.Info.Body)
	case v.Held:
		l.State, l.Info = "held", v.Quarantine
	}
	return l
}

// programDigits of a program's hash tell it from others, for people.
const programDigits = 12

func (l listedVat) row(usual host.VatOptions) []string {
	state, latest, options := l.State, "-", ""
	if l.State == "alive" || l.State == "held" {
		options = l.Options.words(usual)
	}
	if l.State == "held" {
		state = fmt.Sprintf("held, %d waiting", l.Waiting)
	}
	if l.Snapshots > 0 {
		latest = grouped(l.Latest)
	}
	return []string{l.ID, l.Name, l.Program[:programDigits], state, grouped(l.Position),
		grouped(l.Snapshots), latest, grouped(l.References), options, short(l.Info)}
}
