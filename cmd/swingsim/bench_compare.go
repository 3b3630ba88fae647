package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

func (a *app) benchCompareVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two files of bench --save: medians, confidence, ratios",
		Long: `compare puts the results of two runs of bench --save side by side, as benchstat does:
the median of what was measured, its 95 % confidence interval, and how much it changed, or
~ if the samples are not told apart (Mann-Whitney U test, p < 0.05).

Against its floor is the change of the ratio to the floor of the same run: + is worse. It
means something between machines, and on one that is busy; the floor's own noise is not
in its p. It informs: whatever it finds, the exit code is 0.`,
		Example: `  swingsim bench --save old.json
  swingsim bench --save new.json
  swingsim bench compare old.json new.json`,
		Args: cobra.ExactArgs(2),
	}
	return a.verb(c, func(_ context.Context, args []string) error {
		before, err := readResults(args[0])
		if err != nil {
			return err
		}
		after, err := readResults(args[1])
		if err != nil {
			return err
		}
		compared := bench.Compare(before, after)
		if a.json {
			return a.printJSON(compared)
		}
		a.printCompared(compared)
		return nil
	})
}

func readResults(path string) (*bench.File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := bench.DecodeFile(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: bench --save writes one", path, err)
	}
	return f, nil
}

func (a *app) printCompared(c bench.Compared) {
	var rows [][]string
	for _, d := range c.Differences {
		m := d.Measured
		row := []string{d.Case, d.Variant, d.Unit, middle(m.Old), middle(m.New), change(m), odds(m),
			"", ""}
		if d.Ratio != nil {
			row[7], row[8] = change(*d.Ratio), odds(*d.Ratio)
		}
		rows = append(rows, row)
	}
	a.grid([]string{"case", "variant", "unit", ">old", ">new", ">change", "p, n",
		">against its floor", "p, n"}, rows)
	for _, l := range []struct {
		what string
		list []string
	}{{"only in the old file", c.Gone}, {"only in the new file", c.New}} {
		if len(l.list) > 0 {
			fmt.Fprintf(a.out, "%s: %s\n", l.what, strings.Join(l.list, "; "))
		}
	}
	if !c.SameMachine {
		fmt.Fprintln(a.out, "The machines differ: only what is against the floor can be compared.")
	}
}

// middle writes a median and its confidence interval.
func middle(c bench.Center) string { return measured(c.Median) + " ± " + c.Range }

// change writes by how much the median changed, or that it is not known to have.
func change(c bench.Contrast) string {
	if !c.Changed {
		return "~"
	}
	return fmt.Sprintf("%+.1f%%", 100*(c.Times-1))
}

// odds writes what says how sure a change is.
func odds(c bench.Contrast) string {
	if c.Old.N == c.New.N {
		return fmt.Sprintf("p=%.3f n=%d", c.P, c.Old.N)
	}
	return fmt.Sprintf("p=%.3f n=%d+%d", c.P, c.Old.N, c.New.N)
}
