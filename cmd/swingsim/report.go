package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/report"
	"vatwarehouse/internal/sim"
)

func (a *app) reportVerb() *cobra.Command {
	title := "swingsim report"
	c := &cobra.Command{
		Use:   "report PAGE FILE...",
		Short: "Show records of runs, and measured surfaces, as one page of HTML",
		Long: `report writes one page of HTML that shows what the files have, in their order:

  run --record FILE        a timeline of the run (vats in memory, page-ins, evictions,
                           replay, snapshots, queue), and what each vat cost
  bench surface FILE       plots over heap, pages written and suffix, by way of keeping
                           a vat, and a table of all points

The page is whole by itself: it needs no network and no other file. Its plots can be
zoomed and saved as PNG or CSV, its tables sorted by a click on a head and saved as CSV.`,
		Example: `  swingsim run exchange --record run.jsonl
  swingsim bench surface surface.jsonl
  swingsim report page.html run.jsonl surface.jsonl`,
		Args: cobra.MinimumNArgs(2),
	}
	c.Flags().StringVar(&title, "title", title, "the page's `TITLE`")
	return a.verb(c, func(_ context.Context, args []string) error {
		return a.report(title, args[0], args[1:])
	})
}

func (a *app) report(title, path string, files []string) error {
	page := report.NewPage(title)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := page.Add(filepath.Base(name), b); err != nil {
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
	if a.json {
		return a.printJSON(map[string]any{
			"page": path, "bytes": len(b),
			"sections": page.Sections,
		})
	}
	fmt.Fprintf(a.out, "%s: %s, %s\n", path, count(len(page.Sections), "section", "sections"),
		size(len(b)))
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
	o.Observer.Crank = recorder.Crank
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
