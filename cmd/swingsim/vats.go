package main

import (
	"context"
	"fmt"

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
}

func (a *app) vatsVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "vats",
		Short: "List the vats of a directory",
		Long: `vats lists all vats that were ever made in a directory: id, name, program, whether it
is alive, its position (the number of its deliveries), its heap snapshots, and the
references it holds. It changes nothing.`,
		Example: `  swingsim vats --dir state`,
		Args:    cobra.NoArgs,
	}
	return a.verb(c, func(ctx context.Context, _ []string) error {
		list := []listedVat{}
		err := a.with(ctx, &host.Options{}, func(h *host.Host) error {
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
			rows = append(rows, v.row())
		}
		a.grid([]string{"id", "name", "program", "state", ">position", ">snapshots", ">latest",
			">references"}, rows)
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
		l.State = "held"
	}
	return l
}

// programDigits of a program's hash tell it from others, for people.
const programDigits = 12

func (l listedVat) row() []string {
	state, latest := l.State, "-"
	if l.State == "held" {
		state = fmt.Sprintf("held, %d waiting", l.Waiting)
	}
	if l.Snapshots > 0 {
		latest = grouped(l.Latest)
	}
	return []string{l.ID, l.Name, l.Program[:programDigits], state, grouped(l.Position),
		grouped(l.Snapshots), latest, grouped(l.References)}
}
