package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

func (a *app) scenariosVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "scenarios",
		Short: "List the built-in scenarios, or show one",
		Long: `scenarios lists the scenarios that come with swingsim.

scenarios show NAME prints the file of one: a scenario of your own begins well as a
copy of it. docs/scenarios.md says what can stand in one.`,
		Example: `  swingsim scenarios
  swingsim scenarios show exchange > mine.yaml`,
		Args: cobra.NoArgs,
	}
	show := &cobra.Command{
		Use:   "show NAME",
		Short: "Print the file of a built-in scenario",
		Args:  cobra.ExactArgs(1),
	}
	c.AddCommand(a.verb(show, func(_ context.Context, args []string) error {
		text, ok := sim.BuiltinText(args[0])
		if !ok {
			return fmt.Errorf("scenario %q: %w: swingsim scenarios lists them",
				args[0], host.ErrNotFound)
		}
		if a.json {
			return a.printJSON(map[string]string{"name": args[0], "text": string(text)})
		}
		_, err := a.out.Write(text)
		return err
	}))
	return a.verb(c, func(context.Context, []string) error { return a.listScenarios() })
}

// listed is one scenario of the list.
type listed struct {
	Name  string `json:"name"`
	Vats  int    `json:"vats"`
	About string `json:"about"`
}

func (a *app) listScenarios() error {
	list := []listed{}
	var rows [][]string
	for _, name := range sim.BuiltinNames() {
		s, err := sim.Builtin(name)
		if err != nil {
			return err
		}
		list = append(list, listed{name, s.Vats(), s.About})
		rows = append(rows, []string{name, grouped(s.Vats()), s.About})
	}
	if a.json {
		return a.printJSON(list)
	}
	a.grid([]string{"scenario", ">vats", "about"}, rows)
	if !a.quiet {
		fmt.Fprintln(a.err,
			"\nswingsim run SCENARIO runs one; scenarios show SCENARIO prints its file.")
	}
	return nil
}
