package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/report"
	"vatwarehouse/internal/sim"
	"vatwarehouse/internal/trace"
)

// reportFlags are the flags of report.
type reportFlags struct {
	title, costs  string
	png, svg, csv string // directories; "" is none
}

func (a *app) reportVerb() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report PAGE FILE...",
		Short: "Show records of runs, traces and measured surfaces as one page of HTML",
		Long: `report writes one page of HTML that shows what the files have, in their order. What a
file is, is seen from what it has:

  run --record FILE        a timeline of the run (vats in memory, page-ins, evictions,
                           replay, snapshots, queue), and what each vat cost
  run --trace FILE         page-ins for each number of vats in memory, and the fewest there
                           can be; what rules of snapshots would have cost, as policy says;
                           so of slogs, and of the traces that come with the program
  policy --check --json    a table of what was predicted, beside what ran
  bench surface FILE       plots over heap, pages written and suffix, by way of keeping
                           a vat, and a table of all points

The page is whole by itself: it needs no network and no other file. Its plots can be
zoomed and saved as PNG or CSV, its tables sorted by a click on a head and saved as CSV.
--png, --svg and --csv write the same, as it is shown first, for papers and for other
programs: a file for each plot, of the width of a column, or for each plot and table.
With --json what is printed has all that the page shows. docs/reports.md says more.`,
		Example: `  swingsim run exchange --record run.jsonl --trace run.trace
  swingsim bench surface surface.jsonl
  swingsim report page.html run.jsonl --svg plots --csv data
  swingsim report page.html run.jsonl run.trace surface.jsonl`,
		Args: cobra.MinimumNArgs(2),
	}
	l := c.Flags()
	l.SortFlags = false
	l.StringVar(&f.title, "title", "swingsim report", "the page's `TITLE`")
	l.StringVar(&f.costs, "costs", "",
		"price the work in traces as a `FILE` of policy --measure says")
	l.StringVar(&f.png, "png", "", "also write each plot as PNG, 300 dots an inch, into `DIR`")
	l.StringVar(&f.svg, "svg", "", "also write each plot as SVG into `DIR`")
	l.StringVar(&f.csv, "csv", "", "also write each plot and table as CSV into `DIR`")
	return a.verb(c, func(_ context.Context, args []string) error {
		return a.report(&f, args[0], args[1:])
	})
}

func (a *app) report(f *reportFlags, path string, names []string) error {
	costs, err := readCosts(f.costs)
	if err != nil {
		return err
	}
	page := report.NewPage(f.title)
	for _, name := range names {
		if err := a.addFile(page, name, costs); err != nil {
			return err
		}
	}
	b, err := page.HTML()
	if err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	files, err := f.write(page)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{
			"page": path, "bytes": len(b), "files": files, "sections": page.Sections,
		})
	}
	fmt.Fprintf(a.out, "%s: %s, %s\n", path, count(len(page.Sections), "section", "sections"),
		size(len(b)))
	for _, name := range files {
		fmt.Fprintln(a.out, name)
	}
	return nil
}

// write writes what a page shows into the directories asked for, and returns the files.
func (f *reportFlags) write(page *report.Page) (files []string, err error) {
	files = []string{}
	into := func(dir, ending string, all func(write func(string, []byte) error) error) {
		if dir == "" || err != nil {
			return
		}
		if err = os.MkdirAll(dir, 0o755); err != nil {
			return
		}
		err = all(func(name string, b []byte) error {
			path := filepath.Join(dir, name+ending)
			files = append(files, path)
			return os.WriteFile(path, b, 0o644)
		})
	}
	into(f.png, ".png", func(write func(string, []byte) error) error {
		return page.Pictures(page.PNG, write)
	})
	into(f.svg, ".svg", func(write func(string, []byte) error) error {
		return page.Pictures(page.SVG, write)
	})
	into(f.csv, ".csv", page.CSV)
	return files, err
}

// addFile adds a file to a page, or a trace that comes with the program.
func (a *app) addFile(page *report.Page, name string, costs trace.Costs) error {
	if _, builtin := trace.Builtin(name); !builtin {
		b, err := os.ReadFile(name)
		if err == nil {
			err = page.Add(filepath.Base(name), b)
		}
		if !errors.Is(err, report.ErrUnknown) {
			return err
		}
	}
	t, err := readTrace(name)
	if err != nil {
		return fmt.Errorf("not a record, a surface, predictions or a trace: %w", err)
	}
	if t.Deliveries() == 0 {
		return fmt.Errorf("trace %s has no deliveries", name)
	}
	bar := a.newProgress(0, "policies")
	w := weigh(t, costs, &policyFlags{}, bar.say)
	bar.end()
	page.AddWeighed(filepath.Base(name), weighedFor(w))
	return nil
}

// recording is a record that is being written, or none.
type recording struct {
	file     *os.File
	recorder *report.Recorder
}

// startRecord has a run recorded, if that was asked for.
func (r *runFlags) startRecord(o *host.Options, s *sim.Scenario) (*recording, error) {
	if r.record == "" {
		return &recording{}, nil
	}
	f, err := os.Create(r.record)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	recorder := report.NewRecorder(f, s.Name, s.Seed)
	block := o.Observer.Block
	o.Observer.Crank, o.Observer.Upkeep = recorder.Crank, recorder.Upkeep
	o.Observer.Block = func(b host.Block) {
		block(b)
		recorder.Block(b)
	}
	return &recording{f, recorder}, nil
}

// end writes what the host has at the end of the run.
func (r *recording) end(h *host.Host) error {
	if r.recorder == nil {
		return nil
	}
	vats, err := h.Vats()
	if err != nil {
		return err
	}
	return r.recorder.End(vats)
}

// close closes the file.
func (r *recording) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
