package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// controlled is what terminate, quarantine and release print: the vat as it is now.
type controlled struct {
	Vat          string `json:"vat"`
	Name         string `json:"name"`
	State        string `json:"state"`
	Info         string `json:"info,omitempty"`
	Waiting      uint64 `json:"waiting"`  // events kept back for it
	Returned     uint64 `json:"returned"` // of these, to the head of the run-queue
	Queued       uint64 `json:"queued"`
	Activityhash string `json:"activityhash"`
}

// control does something to a vat from outside and fills in how it is then.
func (a *app) control(
	ctx context.Context, name string, do func(h *host.Host, v host.Vat) error,
) (c controlled, err error) {
	err = a.with(ctx, &host.Options{}, func(h *host.Host) error {
		was, err := a.vat(h, name)
		if err != nil {
			return err
		}
		if err := do(h, was); err != nil {
			return err
		}
		v, err := h.Vat(string(was.ID))
		if err != nil {
			return err
		}
		stats, err := h.Stats()
		l := listVat(v)
		c = controlled{
			Vat: l.ID, Name: l.Name, State: l.State, Info: l.Info, Waiting: l.Waiting,
			Returned: was.Waiting - v.Waiting,
			Queued:   stats.Kernel.Accepted + stats.Kernel.Runnable,

			Activityhash: stats.Activityhash.String(),
		}
		return err
	})
	return c, err
}

// printControlled prints it, as JSON or with a sentence for people.
func (a *app) printControlled(c controlled, format string, args ...any) error {
	if a.json {
		return a.printJSON(c)
	}
	fmt.Fprintf(a.out, "%s: %s\n", strings.TrimSpace(c.Vat+" "+c.Name),
		fmt.Sprintf(format, args...))
	if c.Queued > 0 {
		facts{a.out}.fact("queued", "%s", count(c.Queued, "event", "events"))
	}
	fmt.Fprintf(a.out, "\nactivityhash %s\n", c.Activityhash)
	return nil
}

// reasonBytesMax bounds what is said of the end of a vat.
const reasonBytesMax = 1000

func (a *app) terminateVerb() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "terminate VAT",
		Short: "End a vat from outside",
		Long: `terminate ends a vat, by name or id. The promises it was to resolve are rejected, and
so are messages to its objects from now on. There is no way back. It runs nothing: what
the end brings about waits in the queue. It is observable: it changes the activityhash.`,
		Example: `  swingsim terminate trader.0 --reason bankrupt --dir state`,
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&reason, "reason", "terminated from outside", "why: a `TEXT`")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if len(reason) > reasonBytesMax || !utf8.ValidString(reason) {
			return usagef("--reason of %d bytes: want text of at most %d",
				len(reason), reasonBytesMax)
		}
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Terminate(ctx, v.ID, reason)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "ended: %s", plain(c.Info))
	})
}

func (a *app) quarantineVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine VAT",
		Short: "Keep back what goes to a vat, in order, while all else goes on",
		Long: `quarantine keeps back, from now on, every event for a vat, by name or id, in order,
while everything else goes on; swingsim queue lists what waits, and swingsim release
lets the vat go on. It is meant for a vat that cannot be run. It is observable: it
changes the activityhash.`,
		Example: `  swingsim quarantine book.0 --dir state`,
		Args:    cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Hold(ctx, v.ID)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "held, %s waiting", count(c.Waiting, "event", "events"))
	})
}

func (a *app) releaseVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "release VAT",
		Short: "Let a vat go on that is kept in quarantine",
		Long: `release ends the quarantine of a vat, by name or id: what was kept back for it returns,
in order, to the head of the run-queue. It runs nothing: swingsim run and swingsim send
do. It is observable: it changes the activityhash.`,
		Example: `  swingsim quarantine book.0 --dir state
  swingsim release book.0 --dir state`,
		Args: cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.Unhold(ctx, v.ID)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "released, %s back at the head of the queue",
			count(c.Returned, "event", "events"))
	})
}
