package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// status is what the verb prints.
type status struct {
	Directory    string     `json:"directory"`
	Scenario     string     `json:"scenario"`
	About        string     `json:"about"`
	Seed         string     `json:"seed"`
	Identity     string     `json:"identity"`
	Activityhash string     `json:"activityhash"`
	Vats         int        `json:"vats"`
	VatsEnded    int        `json:"vats_ended"`
	VatsHeld     int        `json:"vats_held"`
	Cranks       uint64     `json:"cranks"`
	Deliveries   uint64     `json:"deliveries"`
	Queued       uint64     `json:"queued"`
	Messages     uint64     `json:"messages"`
	Rounds       uint64     `json:"rounds"`
	Length       uint64     `json:"length_deliveries"`
	LengthSent   uint64     `json:"length_messages"`
	Blocks       uint64     `json:"blocks"`
	Redone       uint64     `json:"blocks_redone"`
	TornBytes    int64      `json:"torn_bytes"`
	Snapshots    int        `json:"snapshots"`
	DirBytes     int64      `json:"dir_bytes"`
	Audit        *sim.Audit `json:"audit"`
}

func (a *app) statusVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Say what a directory holds and how far it has come",
		Long: `status says which scenario made a directory, how far it has come, and what was
found and mended when it was opened just now. It changes nothing.`,
		Example: `  swingsim status --dir state`,
		Args:    cobra.NoArgs,
	}
	return a.verb(c, func(ctx context.Context, _ []string) error {
		var st status
		err := a.with(ctx, &host.Options{AnyMeaning: true}, st.fill)
		if err != nil {
			return err
		}
		st.Directory = a.dir
		if st.DirBytes, err = a.bytesOnDisk(0); err != nil {
			return err
		}
		if a.json {
			return a.printJSON(st)
		}
		a.printStatus(&st)
		return nil
	})
}

// fill asks the host. A directory that no scenario made has a status too.
func (st *status) fill(h *host.Host) error {
	s, err := sim.ReadStatus(h)
	if err != nil && !errors.Is(err, host.ErrNotFound) {
		return err
	}
	stats, err := h.Stats()
	if err != nil {
		return err
	}
	vats, err := h.Vats()
	if err != nil {
		return err
	}
	found := h.Recovered()
	*st = status{
		Scenario: s.Scenario, About: s.About, Seed: h.Options().Seed, Identity: s.Identity.String(),
		Activityhash: stats.Activityhash.String(), Vats: len(vats),
		Cranks: stats.Kernel.Cranks, Deliveries: stats.Kernel.Deliveries,
		Queued:   stats.Kernel.Accepted + stats.Kernel.Runnable,
		Messages: s.Messages, Rounds: s.Steps - s.SetupSteps,
		Length: s.Length.Deliveries, LengthSent: s.Length.Messages,
		Blocks: found.Blocks, Redone: found.Redone, TornBytes: found.TornBytes, Audit: s.Audit,
	}
	for _, v := range vats {
		st.Snapshots += len(v.Snapshots)
		if v.Held {
			st.VatsHeld++
		}
		if !v.Alive {
			st.VatsEnded++
		}
	}
	return nil
}

func (a *app) printStatus(st *status) {
	f := facts{a.out}
	if st.Scenario == "" {
		fmt.Fprintf(a.out, "%s: not made by a scenario\n", st.Directory)
	} else {
		fmt.Fprintf(a.out, "%s: %s\n", st.Scenario, st.About)
	}
	fmt.Fprintf(a.out, "seed %s, in %s\n", st.Seed, st.Directory)
	f.heading("so far")
	f.fact("vats", "%s%s", grouped(st.Vats), endings(st.VatsEnded, st.VatsHeld))
	f.fact("messages sent", "%s in %s%s", grouped(st.Messages),
		count(st.Rounds, "round", "rounds"), outOf(st.LengthSent))
	f.fact("deliveries", "%s%s", grouped(st.Deliveries), outOf(st.Length))
	f.fact("cranks", "%s", grouped(st.Cranks))
	f.fact("queued", "%s", count(st.Queued, "event", "events"))
	f.heading("storage")
	f.fact("blocks", "%s", grouped(st.Blocks))
	f.fact("snapshots kept", "%s", grouped(st.Snapshots))
	f.fact("stored in all", "%s", size(st.DirBytes))
	if st.Redone > 0 {
		f.fact("redone", "%s that the table had not yet", count(st.Redone, "block", "blocks"))
	}
	if st.TornBytes > 0 {
		f.fact("cut off", "%s of a block that was being written", size(st.TornBytes))
	}
	a.printAudit(st.Audit)
	fmt.Fprintf(a.out, "\nactivityhash %s\n", st.Activityhash)
}

// outOf says how many there are to be, if that is known.
func outOf(length uint64) string {
	if length == 0 {
		return ""
	}
	return " of " + grouped(length)
}
