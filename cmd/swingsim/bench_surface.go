package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

// surfaceFlags say which points are measured, and how often.
type surfaceFlags struct {
	heaps, dirty, suffixes []int
	ways                   []string
	rounds                 int
}

func (a *app) benchSurfaceVerb() *cobra.Command {
	var f surfaceFlags
	names, about := bench.Ways()
	var list strings.Builder
	for i, name := range names {
		fmt.Fprintf(&list, "  %-10s %s\n", name, about[i])
	}
	c := &cobra.Command{
		Use:   "surface FILE",
		Short: "Measure trade-offs: heap, pages written, suffix, way of keeping a vat",
		Long: `surface measures every combination of heap, pages written by a delivery, deliveries
since the latest snapshot (the suffix), and way of keeping a vat, and adds a line to FILE
for each point. Started again it goes on: what is in FILE is not measured twice. The ways:

` + list.String() + `
A page-in is from when the vat is wanted to the end of its delivery; a snapshot is of
what one more delivery than the suffix has written, and is not synced. The naive way
replays 200 deliveries beside the suffix. resident is what the process has more of
anonymous memory, about. Temporary files are made in --dir, or where the system has them.`,
		Example: `  swingsim bench surface surface.jsonl
  swingsim bench surface small.jsonl --heap 2,16 --dirty 1,16 --suffix 0,20 --rounds 10`,
		Args: cobra.ExactArgs(1),
	}
	l := c.Flags()
	l.SortFlags = false
	l.IntSliceVar(&f.heaps, "heap", []int{2, 16, 64, 256}, "heaps of so many `MIB`, to 256")
	l.IntSliceVar(&f.dirty, "dirty", []int{1, 16, 256}, "so many `PAGES` written by a delivery")
	l.IntSliceVar(&f.suffixes, "suffix", []int{0, 20, 200}, "so many `DELIVERIES` since a snapshot")
	l.StringSliceVar(&f.ways, "way", names, "`WAYS` of keeping a vat")
	l.IntVar(&f.rounds, "rounds", 100, "measure each point `N` times")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if err := f.check(names); err != nil {
			return err
		}
		if a.dir != "" && !isDir(a.dir) {
			return usagef("--dir %s: there is no such directory to measure in", a.dir)
		}
		return a.surface(ctx, args[0], &f)
	})
}

// check refuses points that cannot be.
func (f *surfaceFlags) check(names []string) error {
	for _, b := range []struct {
		flag        string
		list        []int
		least, most int
	}{
		{"heap", f.heaps, 1, 256},
		{"dirty", f.dirty, 1, 256},
		{"suffix", f.suffixes, 0, 100_000},
		{"rounds", []int{f.rounds}, 1, 1_000_000},
	} {
		for _, v := range b.list {
			if v < b.least || v > b.most {
				return usagef("--%s %d: want a number from %d to %d", b.flag, v, b.least, b.most)
			}
		}
	}
	for _, w := range f.ways {
		if !slices.Contains(names, w) {
			return usagef("--way %s: there are %s", w, strings.Join(names, ", "))
		}
	}
	return nil
}

// surface measures the points that the file does not have, and prints all that were
// asked for.
func (a *app) surface(ctx context.Context, path string, f *surfaceFlags) (err error) {
	file, err := bench.OpenSurface(path, bench.ThisMachine(a.dir), f.rounds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	points := bench.Grid(f.heaps, f.dirty, f.suffixes, f.ways)
	var todo []bench.Point
	for _, p := range points {
		if _, ok := file.Has(p); !ok {
			todo = append(todo, p)
		}
	}
	if had := len(points) - len(todo); had > 0 && !a.quiet {
		fmt.Fprintf(a.err, "swingsim: %s of the %d asked for are in %s already\n",
			count(had, "point", "points"), len(points), path)
	}
	if err := a.measureSurface(ctx, file, todo, f.rounds); err != nil {
		return err
	}
	return a.printSurface(file, points)
}

func (a *app) measureSurface(
	ctx context.Context, file *bench.SurfaceFile, todo []bench.Point, rounds int,
) error {
	bar := a.newProgress(uint64(len(todo)), "points")
	defer bar.end()
	r := &bench.Run{Dir: a.dir}
	for i, p := range todo {
		what := p.String()
		if left := bench.Left(file.Done, todo[i:]); left > 0 {
			what = fmt.Sprintf("about %v left; %s", left.Round(time.Second), what)
		}
		bar.describe(what)
		m, err := bench.Surface(ctx, r, p, rounds)
		if err != nil {
			return err
		}
		if err := file.Append(m); err != nil {
			return fmt.Errorf("keep a point: %w", err)
		}
		bar.to(int64(i + 1))
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
			grouped(m.HeapMiB), grouped(m.DirtyPages), grouped(m.Suffix), m.Way,
			measured(m.PageInP50), measured(m.PageInP99), present(m.ReplayRate),
			present(m.SnapshotP50), present(m.SnapshotP99), present(m.SnapshotBytes),
			present(m.Resident / (1 << 20)),
		})
	}
	if !a.json {
		a.grid([]string{">MiB", ">pages", ">suffix", "way", ">page-in p50 µs", ">p99", ">replay/s",
			">snapshot p50 µs", ">p99", ">bytes", ">resident MiB"}, rows)
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
