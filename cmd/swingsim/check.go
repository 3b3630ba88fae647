package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// checked is what the verb prints.
type checked struct {
	Directory string      `json:"directory"`
	OK        bool        `json:"ok"`
	Vats      int         `json:"vats"`
	Entries   int         `json:"entries"`
	Snapshots int         `json:"snapshots"`
	Outputs   int         `json:"outputs"`
	Keys      int         `json:"keys"`
	Faults    []faultLine `json:"faults"`
}

// faultLine is one thing that is wrong.
type faultLine struct {
	Where      string `json:"where"`
	What       string `json:"what"`
	Repairable bool   `json:"repairable"` // by swingsim repair
}

func (a *app) checkVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Verify a whole directory: every byte, hash, reference and count",
		Long: `check verifies a whole directory: every checksum of the log, the table and the
snapshots; every vat's chain of hashes; that every c-list is a bijection; reference
counts and queues by recount; that every snapshot can be reached and is whole. Each
fault is named, and the exit code is then 1. It changes nothing that is recorded; what
swingsim repair can do something about is said in the end.`,
		Example: `  swingsim check --dir state`,
		Args:    cobra.NoArgs,
	}
	return a.verb(c, func(ctx context.Context, _ []string) error {
		r := checked{Directory: a.dir, Faults: []faultLine{}}
		err := a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			done, err := h.Check(ctx, func(f host.Fault) {
				r.Faults = append(r.Faults, faultLine{f.Where, f.What, f.Repairable})
				if !a.json {
					fmt.Fprintf(a.out, "FAULT  %s\n", f)
				}
			})
			r.Vats, r.Entries, r.Snapshots = done.Vats, done.Entries, done.Snapshots
			r.Outputs, r.Keys = done.Outputs, done.Keys
			return err
		})
		if errors.Is(err, host.ErrCorrupt) {
			// So damaged that it does not open, or cannot be read on: a fault too.
			r.Faults = append(r.Faults, faultLine{Where: "directory", What: err.Error()})
			if !a.json {
				fmt.Fprintf(a.out, "FAULT  directory: %v\n", err)
			}
			err = nil
		}
		if err != nil {
			return err
		}
		return a.printChecked(&r)
	})
}

// printChecked says how many things were looked at, and whether all were well.
func (a *app) printChecked(r *checked) error {
	r.OK = len(r.Faults) == 0
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else if r.Keys > 0 {
		fmt.Fprintf(a.out, "%s, %s, %s, %s, %s\n", count(r.Vats, "vat", "vats"),
			count(r.Entries, "transcript entry", "transcript entries"),
			count(r.Snapshots, "snapshot", "snapshots"), count(r.Outputs, "output", "outputs"),
			count(r.Keys, "key", "keys"))
	}
	if !r.OK {
		fmt.Fprintf(a.err, "swingsim: %s: %s\n", a.dir, count(len(r.Faults), "fault", "faults"))
		repairable := 0
		for _, f := range r.Faults {
			if f.Repairable {
				repairable++
			}
		}
		if repairable > 0 && !a.quiet {
			fmt.Fprintf(a.err, "swingsim repair --dir %s drops %s that cannot be used: "+
				"their vats come back without\n", a.dir, count(repairable, "snapshot", "snapshots"))
		}
		return errReported
	}
	if !a.json {
		fmt.Fprintln(a.out, "No fault was found.")
	}
	return nil
}
