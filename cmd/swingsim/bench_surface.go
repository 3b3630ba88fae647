package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

// surfaceFlags say which points are measured and how often, or what of them is shown.
type surfaceFlags struct {
	bench.Sweep
	rounds int
	plan   bool
	cut    bench.Cut
}

func (a *app) benchSurfaceVerb() *cobra.Command {
	var f surfaceFlags
	c := &cobra.Command{
		Use:   "surface FILE",
		Short: "Measure trade-offs: heap, pages written, suffix, way of keeping a vat",
		Long: `surface measures what it costs to keep a vat that is not in memory, and adds a line
to FILE for each point. Started again it goes on: what is in FILE is not measured twice.

A point is a vat (its heap, the pages that a delivery writes, the deliveries since the
latest snapshot, which are the suffix) and how it is kept. The first value of each axis is
the base. --axes names the axes that are varied, each by itself, the others at their base;
dirty+suffix is all combinations of the two. The ways of keeping:

` + listOf(
			bench.Ways(),
		) + `
The points of one vat are measured turn by turn, so that they can be compared. A page-in
is from when the vat is wanted to the end of its delivery; a snapshot is of what one more
delivery than the suffix has written, and is not synced; image is what the first page-in
after a crash does before all else. The naive way replays 200 deliveries beside the suffix.
resident is how much more anonymous memory the process has with the vat in memory.
Temporary files are made in --dir, or where the system has them.

--table measures nothing. It prints a table of FILE in Markdown: of measures, along the
axis --over, the others at their base; with --relative as multiples of the first way's.
The measures:

` + listOf(
			measureNames(),
		),
		Example: `  swingsim bench surface surface.jsonl --plan
  swingsim bench surface surface.jsonl --axes heap,dirty+suffix
  swingsim bench surface surface.jsonl --heap 2,16 --dirty 1,16 --suffix 0,20 --rounds 10
  swingsim bench surface surface.jsonl --table page-in --over suffix`,
		Args: cobra.ExactArgs(1),
	}
	f.register(c)
	return a.verb(c, func(ctx context.Context, args []string) error {
		points, err := f.check()
		if err != nil {
			return err
		}
		if a.dir != "" && !isDir(a.dir) {
			return usagef("--dir %s: there is no such directory to measure in", a.dir)
		}
		if len(f.cut.Measures) > 0 {
			return a.surfaceTable(args[0], &f)
		}
		if f.plan {
			return a.planSurface(args[0], &f, points)
		}
		return a.surface(ctx, args[0], &f, points)
	})
}

// listOf lists names and what they are.
func listOf(names, about []string) string {
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "  %-12s %s\n", name, about[i])
	}
	return b.String()
}

func measureNames() (names, about []string) {
	for _, m := range bench.Measures() {
		names, about = append(names, m.Name), append(about, m.About)
	}
	return names, about
}

func (f *surfaceFlags) register(c *cobra.Command) {
	l := c.Flags()
	l.SortFlags = false
	l.IntSliceVar(&f.HeapsMiB, "heap", []int{64, 2, 16}, "heaps of so many `MIB`, to 256")
	l.IntSliceVar(
		&f.DirtyPages,
		"dirty",
		[]int{16, 1, 256},
		"so many `PAGES` written by a delivery",
	)
	l.IntSliceVar(&f.Suffixes, "suffix", []int{20, 0, 200}, "so many `DELIVERIES` since a snapshot")
	l.StringSliceVar(&f.Ways, "way", nil, "`WAYS` of keeping a vat (default: all)")
	l.StringSliceVar(&f.Detectors, "detector", []string{"scan", "pagemap", "compare"},
		"written pages are found by these `WAYS`")
	l.StringSliceVar(&f.Memories, "memory", []string{"mapped", "copied"},
		"memories come from their images by these `WAYS`")
	l.StringSliceVar(&f.Compressions, "compression", []string{"lz4", "none"},
		"pages of snapshots are compressed by these `WAYS`")
	l.StringSliceVar(&f.Prefetches, "prefetch", []string{"off", "prefetch"},
		"what a replay will write is made ready before it by these `WAYS`")
	l.StringSliceVar(&f.Axes, "axes", nil,
		"vary these `AXES`; + is for all combinations (default: each, and dirty+suffix)")
	l.IntVar(&f.rounds, "rounds", 50, "measure each point `N` times")
	l.BoolVar(
		&f.plan,
		"plan",
		false,
		"only say how many points there are, and about how long it takes",
	)
	l.StringSliceVar(
		&f.cut.Measures,
		"table",
		nil,
		"print a table of `MEASURES`, and measure nothing",
	)
	l.StringVar(&f.cut.Axis, "over", "heap", "with --table: along this `AXIS`")
	l.BoolVar(&f.cut.Relative, "relative", false, "with --table: as multiples of the first way's")
}

// check refuses points that cannot be, and returns the others.
func (f *surfaceFlags) check() ([]bench.Point, error) {
	for _, b := range []struct {
		flag        string
		list        []int
		least, most int
	}{
		{"heap", f.HeapsMiB, 1, 256},
		{"dirty", f.DirtyPages, 1, 256},
		{"suffix", f.Suffixes, 0, 100_000},
		{"rounds", []int{f.rounds}, 1, 1_000_000},
	} {
		for _, v := range b.list {
			if v < b.least || v > b.most {
				return nil, usagef(
					"--%s %d: want a number from %d to %d",
					b.flag,
					v,
					b.least,
					b.most,
				)
			}
		}
		if len(b.list) == 0 {
			return nil, usagef("--%s: want one value at the least", b.flag)
		}
	}
	ways, _ := bench.Ways()
	if f.Ways == nil {
		f.Ways = ways
	}
	if f.Axes == nil {
		f.Axes = append(bench.AxisNames(), "dirty+suffix")
	}
	for _, b := range []struct {
		flag      string
		list, all []string
	}{
		{"way", f.Ways, ways},
		{"detector", f.Detectors, []string{"scan", "pagemap", "compare"}},
		{"memory", f.Memories, []string{"mapped", "copied"}},
		{"prefetch", f.Prefetches, []string{bench.PrefetchOff, bench.PrefetchOn}},
		{"compression", f.Compressions, []string{bench.CompressionLZ4, bench.CompressionNone}},
	} {
		for _, v := range b.list {
			if !slices.Contains(b.all, v) {
				return nil, usagef("--%s %s: there are %s", b.flag, v, strings.Join(b.all, ", "))
			}
		}
		if len(b.list) == 0 {
			return nil, usagef("--%s: want one value at the least", b.flag)
		}
	}
	points, err := f.Points()
	if err != nil {
		return nil, usagef("--axes: %v", err)
	}
	return points, nil
}

// surface measures the points that the file does not have, and prints all that were
// asked for.
func (a *app) surface(
	ctx context.Context, path string, f *surfaceFlags, points []bench.Point,
) (err error) {
	file, err := bench.OpenSurface(path, bench.ThisMachine(a.dir), f.rounds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	todo := file.Missing(points)
	if had := len(points) - len(todo); had > 0 && !a.quiet {
		fmt.Fprintf(a.err, "swingsim: %s of the %d asked for are in %s already\n",
			count(had, "point", "points"), len(points), path)
	}
	if len(todo) > 0 && !a.quiet {
		fmt.Fprintf(a.err, "swingsim: %s\n", toMeasure(file.Done, todo, f.rounds))
	}
	if err := a.measureSurface(ctx, file, todo, f.rounds); err != nil {
		return err
	}
	return a.printSurface(file, points)
}

// planSurface says what would be measured.
func (a *app) planSurface(path string, f *surfaceFlags, points []bench.Point) error {
	file := &bench.SurfaceFile{}
	b, err := os.ReadFile(path)
	if err == nil {
		file, _, err = bench.ReadSurface(b)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintln(a.out, toMeasure(file.Done, file.Missing(points), f.rounds))
	return nil
}

// toMeasure says how many points there are to measure, and about how long it will take.
func toMeasure(done []bench.Measured, todo []bench.Point, rounds int) string {
	left := bench.Left(done, todo, rounds).Round(time.Second)
	return fmt.Sprintf("%s to measure, %s each, about %v",
		count(len(todo), "point", "points"), count(rounds, "time", "times"), left)
}

func (a *app) measureSurface(
	ctx context.Context, file *bench.SurfaceFile, todo []bench.Point, rounds int,
) error {
	bar := a.newProgress(uint64(len(todo)*rounds), "points")
	defer bar.end()
	r := &bench.Run{Dir: a.dir}
	for len(todo) > 0 {
		n := 1
		for n < len(todo) && todo[n].Vat() == todo[0].Vat() {
			n++
		}
		left := bench.Left(file.Done, todo, rounds)
		bar.describe(fmt.Sprintf("about %v left", left.Round(time.Second)))
		all, err := bench.Surface(ctx, r, todo[:n], rounds, func() { bar.to(bar.done + 1) })
		if err != nil {
			return err
		}
		for _, m := range all {
			if err := file.Append(m); err != nil {
				return fmt.Errorf("keep a point: %w", err)
			}
		}
		todo = todo[n:]
	}
	return nil
}

func (a *app) printSurface(file *bench.SurfaceFile, points []bench.Point) error {
	var rows [][]string
	for _, p := range points {
		m, _ := file.Has(p)
		if a.json {
			if err := a.printJSON(m); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{
			grouped(m.HeapMiB), grouped(m.DirtyPages), grouped(m.Suffix), m.Keeping(),
			measured(
				m.PageInP50,
			), measured(m.PageInP99), grouped(m.Replayed), present(m.ReplayRate),
			present(m.EvictP50), present(m.SnapshotP50), present(m.SnapshotP99),
			present(m.SnapshotBytes), present(m.ImageP50), present(m.Resident / (1 << 20)),
		})
	}
	if !a.json {
		a.grid([]string{">MiB", ">pages", ">suffix", "way", ">page-in p50 µs", ">p99",
			">replayed", ">replay/s", ">evict µs", ">snapshot p50 µs", ">p99", ">bytes",
			">image µs", ">resident MiB"}, rows)
	}
	return nil
}

// present writes a measurement, or nothing for what a way does not have.
func present(v float64) string {
	if v == 0 {
		return ""
	}
	return measured(v)
}

// surfaceTable prints a part of a measured surface in Markdown.
func (a *app) surfaceTable(path string, f *surfaceFlags) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, _, err := bench.ReadSurface(b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	t, err := f.Table(file, f.cut)
	if err != nil {
		return usagef("--table: %v", err)
	}
	a.markdown(t.Head, t.Rows, t.Cells)
	return nil
}

// markdown prints a table of measurements: the first column says what a row is.
func (a *app) markdown(head, rows []string, cells [][]float64) {
	fmt.Fprintf(
		a.out,
		"| %s |\n|%s\n",
		strings.Join(head, " | "),
		strings.Repeat("---|", len(head)),
	)
	for i, row := range rows {
		line := "| " + row + " |"
		for _, v := range cells[i] {
			line += strings.TrimRight(" "+present(v), " ") + " |"
		}
		fmt.Fprintln(a.out, line)
	}
}
