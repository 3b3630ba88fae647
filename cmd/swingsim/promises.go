package main

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// listedPromises is what the verb prints.
type listedPromises struct {
	Promises []listedPromise `json:"promises"`
	More     int             `json:"more"`
}

// listedPromise is one promise of the list.
type listedPromise struct {
	Promise     string   `json:"promise"`
	State       string   `json:"state"`
	References  int      `json:"references"` // that are held to it
	Decider     string   `json:"decider"`
	Subscribers []string `json:"subscribers"`
	Waiting     uint64   `json:"waiting"` // messages
	Answer      string   `json:"answer"`
	Body        string   `json:"body"` // in hex
	Slots       []string `json:"slots"`
}

func (a *app) promisesVerb() *cobra.Command {
	var state string
	var limit int
	c := &cobra.Command{
		Use:   "promises [KPID…]",
		Short: "List the promises of a directory, or show some",
		Long: `promises lists the promises there are, by number: state, how many references there
are to it, who is to resolve it, who has asked to be told and how many messages wait
for it; or what it was resolved with. It changes nothing.`,
		Example: `  swingsim promises --dir state
  swingsim promises --state unresolved --limit 20 --dir state --json`,
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&state, "state", "",
		"only those in a `STATE`: unresolved, fulfilled or rejected")
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, args []string) error {
		only := ""
		if state != "" {
			err := fill(&only, "state", state, "unresolved", "fulfilled", "rejected")
			if err != nil {
				return err
			}
		}
		if err := checkLimit(limit); err != nil {
			return err
		}
		refs, err := sim.PromiseRefs(args)
		if err != nil {
			return usageError{err}
		}
		if len(refs) > 0 && only != "" {
			return usagef("--state %s: it is for the whole list, not for the promises named", only)
		}
		list := listedPromises{Promises: []listedPromise{}}
		err = a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) (err error) {
			var rows []host.PromiseRow
			if len(refs) == 0 {
				rows, list.More, err = h.Promises(only, limit)
			}
			for _, ref := range refs {
				p, oneErr := h.Promise(ref)
				if oneErr != nil {
					return oneErr
				}
				rows = append(rows, host.PromiseRow{Ref: ref, Promise: p})
			}
			for _, p := range rows {
				list.Promises = append(list.Promises, listPromise(p))
			}
			return err
		})
		if err != nil {
			return err
		}
		return a.printPromises(&list)
	})
}

func listPromise(p host.PromiseRow) listedPromise {
	l := listedPromise{
		Promise: string(p.Ref), State: p.State.String(), References: p.Count,
		Decider: string(p.Decider), Subscribers: []string{}, Waiting: p.Waiting,
		Answer: sim.ShowData(p.Data), Body: hex.EncodeToString(p.Data.Body), Slots: []string{},
	}
	for _, s := range p.Subscribers {
		l.Subscribers = append(l.Subscribers, string(s))
	}
	for _, s := range p.Data.Slots {
		l.Slots = append(l.Slots, string(s))
	}
	return l
}

func (a *app) printPromises(list *listedPromises) error {
	if a.json {
		return a.printJSON(list)
	}
	var rows [][]string
	for _, p := range list.Promises {
		rows = append(rows, []string{p.Promise, p.State, grouped(p.References), p.Decider,
			short(strings.Join(p.Subscribers, " ")), grouped(p.Waiting), short(p.Answer)})
	}
	a.grid([]string{"promise", "state", ">references", "decider", "subscribers", ">waiting",
		"answer"}, rows)
	a.printMore(list.More, "promise", "promises")
	return nil
}
