package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// upgraded is what the verb prints.
type upgraded struct {
	Vat         string      `json:"vat"`
	Name        string      `json:"name"`
	Program     string      `json:"program"`
	Incarnation uint64      `json:"incarnation"` // the vat's, as it is then
	Upgraded    bool        `json:"upgraded"`
	Problem     string      `json:"problem,omitempty"` // why it was not
	Rehearsal   *rehearsing `json:"rehearsal,omitempty"`
	ranOn
}

// rehearsing is what a dry run found.
type rehearsing struct {
	Deliveries  uint64           `json:"deliveries"`
	Differing   uint64           `json:"differing"`
	Died        string           `json:"died,omitempty"`
	Differences []host.Rehearsal `json:"differences"` // at most --limit
}

func (a *app) upgradeVerb() *cobra.Command {
	var o sim.AskOptions
	var up sim.NewVat
	var message string
	var dry bool
	var limit int
	c := &cobra.Command{
		Use:   "upgrade VAT PROGRAM",
		Short: "Give a vat another program, or rehearse that",
		Long: `upgrade gives a vat, by name or id, another program: a built-in one, by name, or a
.wasm file, by its path. The vat keeps its vatstore, its root and its durable objects;
promises it was to resolve are rejected. If the program does not start, nothing has
changed, and the exit code is 1. Parameters of the start are given by --arg.

With --dry-run nothing is changed: the vat's history is delivered to the new program,
and every delivery is shown that it deals with otherwise; then the upgrade is tried on
a copy in memory.
` + argumentsHelp + `

A vat that another version of this program has run is held until it is upgraded: its old
incarnation is not run any more. If others like it are in the way, upgrade them too, and
release those that are still held.

An upgrade is observable: it changes the activityhash.`,
		Example: `  swingsim upgrade trader.0 counter --dry-run --dir state
  swingsim upgrade trader.0 puppet --message obsolete --dir state`,
		Args: cobra.ExactArgs(2),
	}
	goOnFlags(c, &o)
	c.Flags().StringArrayVar(&up.Args, "arg", nil, "a parameter `ARG` of the start (repeatable)")
	c.Flags().StringVar(&message, "message", "upgraded",
		"a `TEXT` for those who wait for promises of the old program")
	c.Flags().BoolVar(&dry, "dry-run", false, "rehearse: change nothing")
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, args []string) error {
		if len(message) > reasonBytesMax || !utf8.ValidString(message) {
			return usagef("--message of %d bytes: want text of at most %d",
				len(message), reasonBytesMax)
		}
		if err := checkLimit(limit); err != nil {
			return err
		}
		code, err := sim.Program(args[1])
		if err != nil {
			return err
		}
		var u upgraded
		err = a.with(ctx, &host.Options{Scratch: dry, AnyMeaning: true}, func(h *host.Host) error {
			v, err := a.vat(h, args[0])
			if err != nil {
				return err
			}
			if dry {
				if err := u.rehearse(ctx, h, v, code, limit); err != nil {
					return err
				}
			}
			return u.do(ctx, h, v, code, up.Args, message, o)
		})
		if err != nil {
			return err
		}
		return a.printUpgraded(&u, o)
	})
}

// rehearse delivers the vat's history to the program.
func (u *upgraded) rehearse(
	ctx context.Context, h *host.Host, v host.Vat, code []byte, limit int,
) error {
	r := &rehearsing{Differences: []host.Rehearsal{}}
	done, err := h.Rehearse(ctx, v.ID, code, func(d host.Rehearsal) {
		if len(r.Differences) < limit {
			r.Differences = append(r.Differences, d)
		}
	})
	if err != nil {
		return err
	}
	if r.Deliveries, r.Differing = done.Deliveries, done.Differing; !done.Died.OK() {
		r.Died = done.Died.String()
	}
	u.Rehearsal = r
	return nil
}

// do upgrades the vat and runs until all is quiet.
func (u *upgraded) do(
	ctx context.Context, h *host.Host, v host.Vat, code []byte, args []string, message string,
	o sim.AskOptions,
) error {
	body, slots, err := sim.Arguments(h, args)
	if err != nil {
		return err
	}
	hash, err := h.Install(ctx, code)
	if err != nil {
		return err
	}
	strange, err := holdStranger(ctx, h, v)
	if err != nil {
		return err
	}
	promise, err := h.Upgrade(ctx, v.ID, host.Upgrade{
		Code: hash, Body: body, Slots: slots, Message: message,
	})
	if err != nil {
		return err
	}
	var ran host.Ran
	if !o.NoRun {
		if ran, err = h.Run(ctx, host.Policy{Deliveries: o.Deliveries}); err != nil {
			return err
		}
	}
	p, err := h.Promise(promise)
	if err != nil {
		return err
	}
	switch p.State.String() {
	case "fulfilled":
		u.Upgraded, err = true, h.Release(ctx, promise)
	case "rejected":
		u.Problem, err = sim.ShowData(p.Data), h.Release(ctx, promise)
	default:
		u.Problem = "it waits in the queue"
	}
	if err == nil && strange && u.Upgraded {
		ran, err = letGo(ctx, h, v, ran, o)
	}
	if err != nil {
		return err
	}
	if v, err = h.Vat(string(v.ID)); err != nil {
		return err
	}
	u.Vat, u.Name, u.Program = string(v.ID), v.Name, v.Code.String()
	u.Incarnation = v.Span.Incarnation
	return u.ranOn.fill(h, ran)
}

// holdStranger holds a vat that another version has run, and reports whether it did: what
// is sent to it meanwhile waits.
func holdStranger(ctx context.Context, h *host.Host, v host.Vat) (bool, error) {
	all, err := h.Strangers()
	strange := func(s host.Stranger) bool { return s.Vat == v.ID }
	if err != nil || v.Held || !slices.ContainsFunc(all, strange) {
		return false, err
	}
	return true, h.Hold(ctx, v.ID)
}

// letGo ends what holdStranger began, and runs on.
func letGo(
	ctx context.Context, h *host.Host, v host.Vat, ran host.Ran, o sim.AskOptions,
) (host.Ran, error) {
	if err := h.Unhold(ctx, v.ID); err != nil {
		return ran, err
	}
	more, err := h.Run(ctx, host.Policy{Deliveries: o.Deliveries})
	ran.Cranks, ran.Deliveries = ran.Cranks+more.Cranks, ran.Deliveries+more.Deliveries
	ran.Blocks, ran.Idle = ran.Blocks+more.Blocks, more.Idle
	return ran, err
}

func (a *app) printUpgraded(u *upgraded, o sim.AskOptions) error {
	failed := !u.Upgraded && !o.NoRun
	if a.json {
		if err := a.printJSON(u); err != nil || !failed {
			return err
		}
		return errReported
	}
	if r := u.Rehearsal; r != nil {
		for _, d := range r.Differences {
			fmt.Fprintf(a.out, "%d  %s\n", d.Position, plain(d.Delivery))
			for _, side := range []struct {
				mark  string
				lines []string
			}{{"-", d.Was}, {"+", d.Is}} {
				for _, line := range side.lines {
					fmt.Fprintf(a.out, "    %s %s\n", side.mark, plain(line))
				}
			}
		}
		fmt.Fprintf(a.out, "of %s, %s are dealt with otherwise\n",
			count(r.Deliveries, "delivery", "deliveries"), grouped(r.Differing))
		if r.Died != "" {
			fmt.Fprintf(a.out, "at the last of them it failed: %s\n", plain(r.Died))
		}
	}
	f := facts{a.out}
	f.fact("vat", "%s", strings.TrimSpace(u.Vat+" "+u.Name))
	f.fact("program", "%s", u.Program[:programDigits])
	f.fact("incarnation", "%s", grouped(u.Incarnation))
	if u.Problem != "" {
		f.fact("not upgraded", "%s", plain(u.Problem))
	}
	a.printRanOn(&u.ranOn, o)
	if u.Rehearsal != nil {
		fmt.Fprintln(a.out, "Nothing was changed.")
	}
	if failed {
		return errReported
	}
	return nil
}
