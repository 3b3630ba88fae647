package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

func (a *app) benchVerb() *cobra.Command {
	var scale float64
	var of loadFlags
	var save string
	c := &cobra.Command{
		Use:   "bench [CASE...]",
		Short: "Measure this machine: page-in, snapshots, deliveries, replay, bytes",
		Long: `bench measures the cases named, or all of them, each against a floor that is measured
in the same run: what the same work costs with nothing of ours around it.

` + listCases() + `
ratio is median / floor, or floor / median where the unit is a rate: 1 is perfect,
larger is worse. The floor of a case of growth is its least size: the ratio is how much
more each of many costs than each of few. best is the least time, or the highest rate.
On a machine that others use, trust ratios and the best more than the median.

With --trace it measures none of them, but, once, the load of a trace: a glutton for each
of its vats, with as large a heap, is sent a message for each delivery, in the same order.

It makes temporary directories in --dir, or in the system's directory for them, and
removes them: what is measured is that file system. --json prints one object a line
for each variant, with case, variant, unit, median, min (the best), n, floor, ratio, and
values and floors, which are all measurements. --save also keeps that in a file, with the
machine's fingerprint: compare puts two such files side by side.`,
		Example: `  swingsim bench page-in evict
  swingsim bench snapshot --scale 0.5
  swingsim bench replay --json > replay.jsonl
  swingsim bench --save new.json
  swingsim bench --trace glutton --max-vats 10`,
		ValidArgs: caseNames(),
	}
	c.Flags().Float64Var(&scale, "scale", 1, "measure `F` times as often, or as many")
	c.Flags().StringVar(&save, "save", "", "also write the results to `FILE`, for compare")
	of.register(c)
	c.AddCommand(a.benchCompareVerb(), a.benchSurfaceVerb(), a.benchRegionsVerb())
	return a.verb(c, func(ctx context.Context, args []string) error {
		cases, err := chooseCases(args)
		if err == nil && of != (loadFlags{}) {
			cases, err = of.load(args)
		}
		if err != nil {
			return err
		}
		if !(scale > 0 && scale <= 1000) {
			return usagef("--scale %v: want a number above 0, at most 1000", scale)
		}
		if a.dir != "" && !isDir(a.dir) {
			return usagef("--dir %s: there is no such directory to measure in", a.dir)
		}
		results, err := a.bench(ctx, cases, scale)
		if err != nil || save == "" {
			return err
		}
		file := bench.File{Machine: bench.ThisMachine(a.dir), Scale: scale, Results: results}
		encoded, err := file.Encode()
		if err != nil {
			return err
		}
		return os.WriteFile(save, encoded, 0o644)
	})
}

func listCases() string {
	var b strings.Builder
	for _, c := range bench.Cases() {
		fmt.Fprintf(&b, "  %-13s %s\n", c.Name, c.About)
	}
	return b.String()
}

func caseNames() (names []string) {
	for _, c := range bench.Cases() {
		names = append(names, c.Name)
	}
	return names
}

// chooseCases returns the cases named, or all.
func chooseCases(names []string) (chosen []bench.Case, err error) {
	all := bench.Cases()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		n := slices.IndexFunc(all, func(c bench.Case) bool { return c.Name == name })
		if n < 0 {
			return nil, usagef("no case %q: there are %s", name, strings.Join(caseNames(), ", "))
		}
		if slices.ContainsFunc(chosen, func(c bench.Case) bool { return c.Name == name }) {
			return nil, usagef("case %s is named twice", name)
		}
		chosen = append(chosen, all[n])
	}
	return chosen, nil
}

// bench measures the cases, and prints the results of each as it is done.
func (a *app) bench(
	ctx context.Context, cases []bench.Case, scale float64,
) (all []bench.Result, err error) {
	for _, c := range cases {
		var results []bench.Result
		bar := a.newProgress(0, c.Name)
		err := c.Run(ctx, &bench.Run{
			Dir: a.dir, Scale: scale, Progress: bar.say,
			Emit: func(r bench.Result) { results = append(results, r) },
		})
		bar.end()
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", c.Name, err)
		}
		if err := a.printResults(c, results); err != nil {
			return nil, err
		}
		all = append(all, results...)
	}
	return all, nil
}

func (a *app) printResults(c bench.Case, results []bench.Result) error {
	if a.json {
		for _, r := range results {
			if err := a.printJSON(r); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(a.out, "\n%s: %s\n", c.Name, c.About)
	var rows [][]string
	for _, r := range results {
		floor, ratio := "", ""
		if r.Floor != 0 {
			floor, ratio = measured(r.Floor), strconv.FormatFloat(r.Ratio, 'f', 2, 64)
		}
		rows = append(rows, []string{r.Variant, measured(r.Median), measured(r.Min), r.Unit,
			grouped(r.N), floor, ratio})
	}
	a.grid([]string{"variant", ">median", ">best", "unit", ">n", ">floor", ">ratio"}, rows)
	return nil
}

// measured writes a measurement with about three digits that say something.
func measured(v float64) string {
	switch {
	case v >= 100:
		return grouped(int64(v + 0.5))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
