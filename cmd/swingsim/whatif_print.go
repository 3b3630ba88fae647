package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vatwarehouse/internal/sim"
)

// printWhatIf prints it for people: at most so many lines of each part.
func (a *app) printWhatIf(w *whatIf, o sim.AskOptions, limit int) {
	f := facts{a.out}
	var rows [][]string
	for _, m := range w.Messages {
		rows = append(rows,
			[]string{m.Target, short(m.Method), m.Promise, m.State, short(m.Answer)})
	}
	a.bounded(limit, []string{"target", "method", "promise", "state", "answer"}, rows, "message",
		"messages")
	fmt.Fprintln(a.out)
	a.printChangedVats(w.Vats, limit)
	a.printChangedEntries(w.Vats, limit)
	a.printChangedKeys(w.Vats, limit)
	f.heading("kernel")
	f.refs("objects made", w.ObjectsMade)
	f.refs("objects gone", w.ObjectsGone)
	f.refs("promises made", w.PromisesMade)
	f.refs("promises gone", w.PromisesGone)
	f.refs("resolved", w.PromisesResolved)
	f.fact("cranks", "%s", grouped(w.RanCranks))
	a.printRanOn(&w.ranOn, o)
	fmt.Fprintf(a.out, "It is still %s: nothing was changed.\n", w.Before)
}

// refs prints how many references there are of a kind, and the first of them.
func (f facts) refs(name string, refs []string) {
	if len(refs) == 0 {
		f.fact(name, "0")
		return
	}
	f.fact(name, "%s: %s", grouped(len(refs)), short(strings.Join(refs, " ")))
}

// bounded prints a table of at most so many rows, and how many more there are.
func (a *app) bounded(limit int, columns []string, rows [][]string, one, many string) {
	more := max(0, len(rows)-limit)
	a.grid(columns, rows[:len(rows)-more])
	a.printMore(more, one, many)
}

func (a *app) printChangedVats(vats []changedVat, limit int) {
	var rows [][]string
	for _, v := range vats {
		fate := ""
		switch {
		case v.Made && v.Ended:
			fate = "made, and ended: " + v.Info
		case v.Made:
			fate = "made"
		case v.Ended:
			fate = "ended: " + v.Info
		}
		rows = append(rows, []string{v.Vat, v.Name, grouped(v.Deliveries), grouped(len(v.Added)),
			grouped(len(v.Removed)), grouped(len(v.Store)), short(fate)})
	}
	if len(rows) == 0 {
		fmt.Fprintln(a.out, "No vat would change.")
		return
	}
	a.bounded(limit, []string{"vat", "name", ">deliveries", ">references added", ">removed",
		">keys changed", "fate"}, rows, "vat", "vats")
}

func (a *app) printChangedEntries(vats []changedVat, limit int) {
	var rows [][]string
	for _, v := range vats {
		for _, part := range []struct {
			what    string
			entries []listedEntry
		}{{"added", v.Added}, {"removed", v.Removed}, {"changed", v.Changed}} {
			for _, e := range part.entries {
				rows = append(rows, []string{v.Vat, part.what, e.KRef, e.VRef, e.side(), e.reach()})
			}
		}
	}
	if len(rows) > 0 {
		facts{a.out}.heading("c-lists")
		a.bounded(limit, []string{"vat", "change", "kernel", "name", "side", "reach"}, rows,
			"entry", "entries")
	}
}

func (a *app) printChangedKeys(vats []changedVat, limit int) {
	var rows [][]string
	for _, v := range vats {
		for _, k := range v.Store {
			before, after := "-", "-"
			if k.Before != nil {
				before = showBytes(k.before)
			}
			if k.After != nil {
				after = showBytes(k.after)
			}
			rows = append(rows, []string{v.Vat, k.Change, showBytes(k.key), before, after})
		}
	}
	if len(rows) > 0 {
		facts{a.out}.heading("vatstores")
		a.bounded(limit, []string{"vat", "change", "key", "before", "after"}, rows, "key", "keys")
	}
}

// shownBytes is how much of a key or value is shown.
const shownBytes = 24

// showBytes shows a key or value: as text, if it is one, or in hex, and cut.
func showBytes(b []byte) string {
	cut, tail := b, ""
	if len(b) > shownBytes {
		cut, tail = b[:shownBytes], fmt.Sprintf("… (%s)", count(len(b), "byte", "bytes"))
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if len(b) > 0 && !strings.ContainsFunc(string(cut), hidden) {
		return strconv.Quote(string(cut)) + tail
	}
	return fmt.Sprintf("0x%x", cut) + tail
}
