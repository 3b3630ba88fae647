package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// exported is what export and import print.
type exported struct {
	File         string `json:"file"`
	Of           string `json:"of"` // state, feed or vat
	Vat          string `json:"vat,omitempty"`
	Mode         string `json:"mode"`
	Root         string `json:"root"`
	Activityhash string `json:"activityhash"`
	Block        uint64 `json:"block"`
	Vats         int    `json:"vats"`
	Programs     int    `json:"programs"`
	Entries      uint64 `json:"entries"`
	Snapshots    int    `json:"snapshots"`
	Outputs      uint64 `json:"outputs"`
	Rows         uint64 `json:"rows"`
	Bytes        uint64 `json:"bytes"`
}

// What an export file is of.
const (
	ofState = "state"
	ofFeed  = "feed"
	ofVat   = "vat"
)

func exportedFrom(file, of string, x host.Exported) exported {
	return exported{
		File: file, Of: of, Mode: string(x.Mode), Root: x.Root.String(),
		Activityhash: x.Activityhash.String(), Block: x.Block, Vats: x.Vats,
		Programs: x.Programs, Entries: x.Entries, Snapshots: x.Snapshots,
		Outputs: x.Outputs, Rows: x.Rows, Bytes: x.Bytes,
	}
}

func (a *app) exportVerb() *cobra.Command {
	var mode, vat, since string
	words := texts(host.Modes())
	c := &cobra.Command{
		Use:   "export OUT",
		Short: "Write a directory's state, or one vat's history, to one file",
		Long: `export writes what a directory holds to one new file, every part of which is
verified on the way, for swingsim import to take elsewhere. The root that it prints is
the digest of all that the rest can be checked against. How much of the history goes
along:

  operational   what it takes to go on: newest snapshots, the transcripts since
  replay        every live vat's transcript since its birth, no snapshot
  archival      every vat's whole transcript, dead vats and incarnations before an
                upgrade included, and the newest snapshots
  debug         all that is kept, every snapshot included

With --since it writes a feed: only what has changed since another export or feed.
With --vat it writes the history of one vat, which verifies by itself.`,
		Example: `  swingsim export state.vw --dir state
  swingsim export all.vw --dir state --mode archival
  swingsim export mint.vw --dir state --vat mint.0
  swingsim export more.vw --dir state --since state.vw`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&mode, "mode", words[0], "export by `MODE`: "+strings.Join(words, ", "))
	c.Flags().StringVar(&vat, "vat", "", "only the history of `VAT`, by name or id")
	c.Flags().StringVar(&since, "since", "", "only what has changed since export or feed `FILE`")
	return a.verb(c, func(ctx context.Context, args []string) error {
		var m host.Mode
		if err := fill(&m, "mode", mode, host.Modes()...); err != nil {
			return err
		}
		alone := c.Flags().Changed("mode")
		if vat != "" && (since != "" || alone) || since != "" && alone {
			return usagef("--mode, --vat and --since exclude one another: a feed has its " +
				"base's mode, a vat's history is whole")
		}
		return a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			switch {
			case vat != "":
				return a.exportVat(ctx, h, args[0], vat)
			case since != "":
				return a.exportFeed(ctx, h, args[0], since)
			}
			return a.export(args[0], ofState, "", func(w io.Writer) (host.Exported, error) {
				return h.Export(ctx, m, w)
			})
		})
	})
}

func (a *app) exportVat(ctx context.Context, h *host.Host, out, name string) error {
	v, err := a.vat(h, name)
	if err != nil {
		return err
	}
	return a.export(out, ofVat, string(v.ID), func(w io.Writer) (host.Exported, error) {
		return h.ExportVat(ctx, v.ID, w)
	})
}

func (a *app) exportFeed(ctx context.Context, h *host.Host, out, since string) error {
	f, err := os.Open(since)
	if err != nil {
		return err
	}
	base, err := host.ReadBase(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", since, err)
	}
	return a.export(out, ofFeed, "", func(w io.Writer) (host.Exported, error) {
		return h.Feed(ctx, base, w)
	})
}

// export writes a new file and says what is in it. Until it is whole, and on the
// disk, the file has another name.
func (a *app) export(
	out, of, vat string, do func(w io.Writer) (host.Exported, error),
) (err error) {
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s is there already: give a new name", out)
	}
	f, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".*.part")
	if err != nil {
		return err
	}
	bar := a.newProgress(0, "bytes")
	x, err := do(&counting{w: f, bar: bar})
	bar.end()
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	r := exportedFrom(out, of, x)
	r.Vat = vat
	if a.json {
		return a.printJSON(r)
	}
	a.printExported("exported", &r)
	if of == ofState && !a.quiet {
		fmt.Fprintf(a.err, "swingsim import %s --dir NEW makes a directory of it\n", out)
	}
	return nil
}

// counting is a file that shows how far it has come.
type counting struct {
	w   io.Writer
	n   int64
	bar *progress
}

// Write implements io.Writer.
func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.bar.to(c.n)
	return n, err
}

// printExported says what a file holds.
func (a *app) printExported(done string, r *exported) {
	what := "a state, " + r.Mode
	switch r.Of {
	case ofFeed:
		what = "a feed, " + r.Mode
	case ofVat:
		what = "the history of vat " + r.Vat
	}
	fmt.Fprintf(a.out, "%s: %s, %s, %s\n", r.File, done, what, size(r.Bytes))
	f := facts{a.out}
	f.fact("vats", "%s, %s", grouped(int64(r.Vats)), count(r.Programs, "program", "programs"))
	f.fact("transcripts", "%s", count(r.Entries, "entry", "entries"))
	f.fact("snapshots", "%s", grouped(int64(r.Snapshots)))
	f.fact("outputs", "%s", grouped(r.Outputs))
	if r.Of == ofFeed {
		f.fact("blocks", "%s, to block %s", grouped(r.Rows), grouped(r.Block))
	} else {
		f.fact("rows", "%s, at block %s", grouped(r.Rows), grouped(r.Block))
	}
	fmt.Fprintf(a.out, "\nactivityhash %s\nroot         %s\n", r.Activityhash, r.Root)
}
