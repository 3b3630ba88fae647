package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// created is what the verb prints.
type created struct {
	Vat       string `json:"vat"`
	Name      string `json:"name"`
	Root      string `json:"root"`
	Program   string `json:"program"`
	State     string `json:"state"`
	Info      string `json:"info,omitempty"`
	Directory bool   `json:"created_directory"`
	ranOn
}

// seedDefault is the seed of a directory that create makes.
const seedDefault = "swingsim"

func (a *app) createVerb() *cobra.Command {
	var o sim.AskOptions
	var vat sim.NewVat
	var seed string
	c := &cobra.Command{
		Use:   "create PROGRAM [NAME]",
		Short: "Make a vat, and a directory if there is none",
		Long: `create makes a vat and starts it. The PROGRAM is a built-in one, by name, or a .wasm
file, by its path; the NAME must be new. A directory that is not there is made.

Parameters of the start are given by --arg, again for each.
` + argumentsHelp + `

A new vat is observable: it changes the activityhash.`,
		Example: `  swingsim create counter tally --dir new --seed mine
  swingsim create trader mine --dir state --arg ref:book.0 --arg ref:base.0 --arg ref:quote.0`,
		Args: cobra.RangeArgs(1, 2),
	}
	goOnFlags(c, &o)
	c.Flags().StringArrayVar(&vat.Args, "arg", nil, "a parameter `ARG` of the start (repeatable)")
	c.Flags().StringVar(&seed, "seed", "",
		"the `TEXT` that a new directory draws from (default \""+seedDefault+"\")")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if a.dir == "" {
			return usagef("it needs --dir DIRECTORY: one that is there, or a new one")
		}
		vat.Program = args[0]
		if len(args) > 1 {
			vat.Name = args[1]
		}
		return a.create(ctx, vat, seed, o)
	})
}

// create makes the vat. Where there is no directory, it is first made in memory: what
// is refused must not leave a directory behind.
func (a *app) create(ctx context.Context, vat sim.NewVat, seed string, o sim.AskOptions) error {
	c := created{Name: vat.Name}
	in := func(h *host.Host) error { return c.make(ctx, h, vat, o) }
	err := a.opened(ctx, &host.Options{Seed: seed, Existing: true}, in)
	if errors.As(err, new(noDirectoryError)) {
		if err := vat.Rehearse(ctx); err != nil {
			return err
		}
		if c.Directory = true; seed == "" {
			seed = seedDefault
		}
		err = a.opened(ctx, &host.Options{Seed: seed}, in)
	}
	if err != nil {
		return err
	}
	return a.printCreated(&c, o)
}

// make makes the vat in an open directory.
func (c *created) make(
	ctx context.Context, h *host.Host, vat sim.NewVat, o sim.AskOptions,
) error {
	id, ran, err := vat.Make(ctx, h, o)
	if err != nil {
		return err
	}
	v, err := h.Vat(string(id))
	if err != nil {
		return err
	}
	l := listVat(v)
	c.Vat, c.Root, c.Program, c.State, c.Info = l.ID, l.Root, l.Program, l.State, l.Info
	return c.ranOn.fill(h, ran)
}

func (a *app) printCreated(c *created, o sim.AskOptions) error {
	if a.json {
		return a.printJSON(c)
	}
	f := facts{a.out}
	if c.Directory {
		fmt.Fprintf(a.out, "%s: a new directory\n", a.dir)
	}
	f.fact("vat", "%s", strings.TrimSpace(c.Vat+" "+c.Name))
	f.fact("root", "%s", c.Root)
	f.fact("program", "%s", c.Program[:programDigits])
	f.fact("state", "%s", strings.TrimSpace(c.State+"  "+plain(c.Info)))
	a.printRanOn(&c.ranOn, o)
	return nil
}
