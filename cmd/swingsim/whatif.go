package main

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// whatIf is what the verb prints.
type whatIf struct {
	Directory        string       `json:"directory"`
	Messages         []answered   `json:"messages"`
	Vats             []changedVat `json:"vats"`
	ObjectsMade      []string     `json:"objects_made"`
	ObjectsGone      []string     `json:"objects_gone"`
	PromisesMade     []string     `json:"promises_made"`
	PromisesGone     []string     `json:"promises_gone"`
	PromisesResolved []string     `json:"promises_resolved"`
	Before           string       `json:"activityhash_before"`
	ranOn
}

// changedVat is what would change of one vat.
type changedVat struct {
	Vat        string        `json:"vat"`
	Name       string        `json:"name"`
	Made       bool          `json:"made"`
	Ended      bool          `json:"ended"`
	Failure    bool          `json:"failure"`
	Info       string        `json:"info,omitempty"`
	Deliveries uint64        `json:"deliveries"`
	Added      []listedEntry `json:"clist_added"`
	Removed    []listedEntry `json:"clist_removed"`
	Changed    []listedEntry `json:"clist_changed"`
	Store      []changedKey  `json:"vatstore"`
}

// changedKey is a key of a vatstore that would change.
type changedKey struct {
	Key    string  `json:"key"`    // in hex, as the values are
	Change string  `json:"change"` // added, changed or removed
	Before *string `json:"before"`
	After  *string `json:"after"`

	key, before, after []byte
}

func (a *app) whatIfVerb() *cobra.Command {
	var o sim.AskOptions
	var script string
	var limit int
	c := &cobra.Command{
		Use:   "what-if [TARGET METHOD [ARG…]]",
		Short: "Send messages, and show what would come of it, but change nothing",
		Long: `what-if sends a message, or those of a script, runs until no message is left, and
shows the answers and all that differs then: deliveries, c-lists, vatstores, objects and
promises that came and went, vats that ended. All of it is kept in memory and gone at
the end: of the directory not a byte changes. It has the directory to itself meanwhile.

` + argumentsHelp + `

A --script has a message a line, TARGET METHOD [ARG…], with quotes or brackets around
what has spaces in it; all are sent before anything is run.

The same messages by swingsim send, if it is one, give the same activityhash.`,
		Example: `  swingsim what-if mint.0 audit --dir state
  swingsim what-if trader.0 tick sell 30 4 --dir state
  swingsim what-if trader.0 tick sell 30 4 --dir state --json`,
		Args: cobra.ArbitraryArgs,
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&script, "script", "", "send the messages in `FILE`, one a line")
	c.Flags().Uint64Var(&o.Deliveries, "deliveries", runDeliveriesMax,
		"end after `N` deliveries, should it not come to rest before")
	limitFlag(c, &limit)
	return a.verb(c, func(ctx context.Context, args []string) error {
		calls, err := callsOf(args, script)
		if err == nil {
			err = checkLimit(limit)
		}
		if err != nil {
			return err
		}
		var w whatIf
		settings := &host.Options{Scratch: true}
		settings.Snapshots.Initial = sim.SnapshotNever // nobody would come back to them
		err = a.with(ctx, settings, func(h *host.Host) error { return w.ask(ctx, h, calls, o) })
		if err != nil {
			return err
		}
		if w.Directory = a.dir; a.json {
			return a.printJSON(w)
		}
		a.printWhatIf(&w, o, limit)
		return nil
	})
}

// callsOf returns the message of the command line, or those of the script.
func callsOf(args []string, script string) ([]sim.Call, error) {
	switch {
	case script != "" && len(args) > 0:
		return nil, usagef("--script %s: it takes the place of TARGET METHOD [ARG…]", script)
	case script != "":
		return sim.ReadCalls(script)
	case len(args) < 2:
		return nil, usagef("it needs TARGET METHOD [ARG…], or --script FILE")
	}
	return []sim.Call{{Target: args[0], Method: args[1], Args: args[2:]}}, nil
}

// ask sends the messages and notes what came of them.
func (w *whatIf) ask(
	ctx context.Context, h *host.Host, calls []sim.Call, o sim.AskOptions,
) error {
	before, err := h.Activityhash()
	err = errors.Join(err, h.Watch())
	if err != nil {
		return err
	}
	answers, ran, err := sim.Ask(ctx, h, calls, o)
	if err != nil {
		return err
	}
	d, err := h.Difference()
	if err != nil {
		return err
	}
	w.Before = before.String()
	for _, one := range answers {
		w.Messages = append(w.Messages, answeredOf(one))
	}
	w.ObjectsMade, w.ObjectsGone = texts(d.ObjectsMade), texts(d.ObjectsGone)
	w.PromisesMade, w.PromisesGone = texts(d.PromisesMade), texts(d.PromisesGone)
	w.PromisesResolved = texts(d.PromisesResolved)
	w.Vats = []changedVat{}
	for _, v := range d.Vats {
		one := changedVat{
			Vat: string(v.Vat), Name: v.Name, Made: v.Made, Ended: v.Ended,
			Failure: v.End.Failure, Info: sim.ShowData(v.End.Info), Deliveries: v.Deliveries,
			Added: []listedEntry{}, Removed: []listedEntry{}, Changed: []listedEntry{},
			Store: []changedKey{},
		}
		for _, e := range v.Added {
			one.Added = append(one.Added, listEntry(e))
		}
		for _, e := range v.Removed {
			one.Removed = append(one.Removed, listEntry(e))
		}
		for _, e := range v.Changed {
			one.Changed = append(one.Changed, listEntry(e))
		}
		for _, s := range v.Store {
			one.Store = append(one.Store, changeOf(s.Key, s.Before, s.After, s.Was, s.Is))
		}
		w.Vats = append(w.Vats, one)
	}
	return w.ranOn.fill(h, ran)
}

// changeOf describes a key's change.
func changeOf(key, before, after []byte, was, is bool) changedKey {
	c := changedKey{Key: hex.EncodeToString(key), key: key, before: before, after: after}
	c.Change = "changed"
	if was {
		text := hex.EncodeToString(before)
		c.Before = &text
	} else {
		c.Change = "added"
	}
	if is {
		text := hex.EncodeToString(after)
		c.After = &text
	} else {
		c.Change = "removed"
	}
	return c
}

// texts returns references, or words, as they are spelled.
func texts[R ~string](refs []R) []string {
	all := []string{}
	for _, r := range refs {
		all = append(all, string(r))
	}
	return all
}
