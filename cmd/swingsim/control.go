package main

import (
	"context"
	"fmt"
	"strings"

	"vatwarehouse/host"
)

// controlled is what terminate, quarantine, release and change print: the vat as it is now.
type controlled struct {
	Vat          string `json:"vat"`
	Name         string `json:"name"`
	State        string `json:"state"`
	Info         string `json:"info,omitempty"`
	Waiting      uint64 `json:"waiting"`  // events kept back for it
	Returned     uint64 `json:"returned"` // of these, to the head of the run-queue
	Queued       uint64 `json:"queued"`
	Activityhash string `json:"activityhash"`

	Options vatOptions `json:"options"`
}

// control does something to a vat from outside and fills in how it is then.
func (a *app) control(
	ctx context.Context, name string, do func(h *host.Host, v host.Vat) error,
) (c controlled, err error) {
	err = a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
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

			Activityhash: stats.Activityhash.String(), Options: l.Options,
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
