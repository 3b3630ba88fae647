package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
)

// regionsFlags say what is shown of what was measured.
type regionsFlags struct {
	from, table, over string
	regions           []int
	codecs, detectors []string
}

func (a *app) benchRegionsVerb() *cobra.Command {
	var f regionsFlags
	c := &cobra.Command{
		Use:   "regions [WORKLOAD...]",
		Short: "Compare formats of snapshots on real heaps: region size, codec, detector",
		Long: `regions takes the heaps of vats at consecutive snapshots, and keeps what changed in
each format: regions of 512 bytes to 64 KiB, packed by no codec, lz4 or zstd, and found
in pages known to be written (known), by comparing all memory with the last (compare), or
by hashing all memory (hash, which with 512 and lz4 is what Wasmer's journal does). Each
is unpacked again and must give the same memory. Beside them the snapshot store itself
(ours): its pages, digests and tree, written to files. The workloads:

` + listOf(
			bench.RegionWorkloads(),
		) + `
Times are the median of all snapshots, bytes the mean; nothing is synced. Where written
pages are known, asking the system for them is not in the time. Bytes are the same on
every machine. --json prints a line for each format, which --from reads in place of
measuring.

--table prints Markdown: of bytes, pack or unpack (times), with a row for each region size
of one WORKLOAD, or, --over workload, for each workload.`,
		Example: `  swingsim bench regions zipf --json > zipf.jsonl
  swingsim bench regions zipf --table bytes --detector known`,
	}
	l := c.Flags()
	l.SortFlags = false
	l.IntSliceVar(&f.regions, "region", nil, "show regions of so many `BYTES` (default: all)")
	l.StringSliceVar(&f.codecs, "codec", bench.RegionCodecs, "show these `CODECS`")
	l.StringSliceVar(&f.detectors, "detector", bench.RegionDetectors, "show these `DETECTORS`")
	l.StringVar(&f.from, "from", "", "show what `FILE` has, and measure nothing")
	l.StringVar(&f.table, "table", "", "print a table of `MEASURE`: bytes, pack or unpack")
	l.StringVar(
		&f.over,
		"over",
		"region",
		"with --table: a row for each `KIND`: region or workload",
	)
	return a.verb(c, func(ctx context.Context, args []string) error {
		if err := f.check(args); err != nil {
			return err
		}
		all, err := a.regions(ctx, args, f.from)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(m bench.Regions) bool { return !f.shows(m) })
		if f.table != "" {
			return a.regionsTable(all, &f)
		}
		return a.printRegions(all)
	})
}

// check refuses what there is not.
func (f *regionsFlags) check(workloads []string) error {
	names, _ := bench.RegionWorkloads()
	for _, b := range []struct {
		flag       string
		given, all []string
	}{
		{"a workload", workloads, names},
		{"--codec", f.codecs, bench.RegionCodecs},
		{"--detector", f.detectors, bench.RegionDetectors},
		{"--table", []string{f.table}, []string{"", "bytes", "pack", "unpack"}},
		{"--over", []string{f.over}, []string{"region", "workload"}},
	} {
		for _, v := range b.given {
			if !slices.Contains(b.all, v) {
				return usagef("%s %q: there are %s", b.flag, v, strings.Join(b.all, ", "))
			}
		}
	}
	for _, v := range f.regions {
		if !slices.Contains(bench.RegionSizes, v) {
			return usagef("--region %d: there are %v", v, bench.RegionSizes)
		}
	}
	if f.table != "" && f.over == "region" && len(workloads) != 1 {
		return usagef("--table over regions is of one WORKLOAD")
	}
	return nil
}

// shows reports whether a format is asked for.
func (f *regionsFlags) shows(m bench.Regions) bool {
	if m.Detector == bench.FormatOurs {
		return true
	}
	return (f.regions == nil || slices.Contains(f.regions, m.Region)) &&
		slices.Contains(f.codecs, m.Codec) && slices.Contains(f.detectors, m.Detector)
}

// regions measures workloads, or reads what was measured of them; none is all.
func (a *app) regions(
	ctx context.Context,
	workloads []string,
	from string,
) ([]bench.Regions, error) {
	if len(workloads) == 0 {
		workloads, _ = bench.RegionWorkloads()
	}
	if from != "" {
		b, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		all, err := bench.ReadRegions(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		return slices.DeleteFunc(all, func(m bench.Regions) bool {
			return !slices.Contains(workloads, m.Workload)
		}), nil
	}
	bar := a.newProgress(0, "regions")
	defer bar.end()
	var all []bench.Regions
	for _, name := range workloads {
		of, err := bench.MeasureRegions(ctx, &bench.Run{Dir: a.dir, Progress: bar.say}, name)
		if err != nil {
			return nil, fmt.Errorf("measure regions: %w", err)
		}
		all = append(all, of...)
	}
	return all, nil
}

func (a *app) printRegions(all []bench.Regions) error {
	var rows [][]string
	for _, m := range all {
		if a.json {
			if err := a.printJSON(m); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{
			m.Workload, grouped(m.Snapshots), size(int64(m.HeapBytes)), measured(m.Written),
			grouped(m.Region), m.Codec, m.Detector, measured(m.Bytes), measured(m.PackP50),
			present(m.UnpackP50),
		})
	}
	if !a.json {
		a.grid([]string{"workload", ">snapshots", ">heap", ">pages written", ">region", "codec",
			"detector", ">bytes", ">pack p50 µs", ">unpack p50 µs"}, rows)
	}
	return nil
}

// regionsTable prints a table in Markdown.
func (a *app) regionsTable(all []bench.Regions, f *regionsFlags) error {
	head, rows := []string{f.over}, []string(nil)
	cells := map[[2]string]float64{}
	for _, m := range all {
		row, column := m.Workload, fmt.Sprintf("%s, %s", m.Codec, m.Detector)
		switch {
		case m.Detector == bench.FormatOurs:
			column = bench.FormatOurs
		case f.over == "workload":
			column = fmt.Sprintf("%d, %s", m.Region, column)
		}
		if f.over == "region" {
			row = grouped(m.Region)
		}
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
		if !slices.Contains(head, column) {
			head = append(head, column)
		}
		cells[[2]string{row, column}] = map[string]float64{
			"bytes": m.Bytes, "pack": m.PackP50, "unpack": m.UnpackP50,
		}[f.table]
	}
	table := make([][]float64, len(rows))
	for i, row := range rows {
		for _, column := range head[1:] {
			table[i] = append(table[i], cells[[2]string{row, column}])
		}
	}
	a.markdown(head, rows, table)
	return nil
}
