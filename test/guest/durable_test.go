package guest_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// withoutTold returns a clerk that has no handler "told".
func withoutTold(l *lives) {
	l.Helper()
	edit := func(path, old, new string) string {
		source := string(readFile(l, guestDir+path))
		if strings.Count(source, old) != 1 {
			l.Fatalf("%s has %q %d times", path, old, strings.Count(source, old))
		}
		return strings.Replace(source, old, new, 1)
	}
	if l.language() == "c" {
		source := edit("/c/clerk.c", `.name = "told"`, `.name = "asked"`)
		if code, ok := compileC(l, source); ok {
			l.installAs("without", code)
		}
		return
	}
	l.installAs("without", buildGo(l, edit("/go/clerk/main.go", `"told":     c.told`, `"asked": c.told`)))
}

// TestWatchersOutliveUpgrades: a clerk is upgraded while it waits for promises of another
// vat, for the answer of one that is held, and for a promise that it decides itself. The
// new incarnation is told of all of them, in the order in which they were watched, and
// numbers its promises anew. A program without a handler that watchers wait for does not
// start, and the old incarnation goes on; when none waits, it does.
func TestWatchersOutliveUpgrades(t *testing.T) {
	inEveryLife(t, nil, func(l *lives) {
		ctx := context.Background()
		withoutTold(l)
		id, clerk := l.vat("clerk")
		counterID, counter := l.vat("counter")
		_, decider := l.vat("sampler")
		one := l.promised(decider, "promise")[0]
		two := l.promised(decider, "promise")[0]
		l.expect("[]", clerk, "watch", one, "a")
		l.expect("[]", clerk, "tell", one, "b", counter)
		l.expect("[]", clerk, "watch", one, "c")
		l.expect("[]", clerk, "tell", two, "d", counter)
		l.must(l.step().Hold(ctx, counterID))
		l.expect("[]", clerk, "ask", counter, "e") // p+1, while the new incarnations ask
		own := l.promised(clerk, "promise")[0]
		told := l.ask(decider, "watch", own)
		if _, ok := l.codes["without"]; ok {
			const refused = "vat upgrade failed: failed: watchers wait for a handler that is missing: told"
			if got := l.upgrade(id, "without"); !strings.Contains(got, refused) {
				l.Fatalf("%s: a program without the handler: %s", l.style, got)
			}
		}
		l.expect("[]", clerk, "read")
		for _, incarnation := range []string{"[1]", "[2]"} {
			if got := l.upgrade(id, "clerk"); got != incarnation {
				l.Fatalf("%s: upgrade answered %s", l.style, got)
			}
		}
		if got := l.outcome(told); !strings.Contains(got, `name\":\"vatUpgraded\"`) {
			l.Fatalf("%s: whoever waited for the old incarnation was told %s", l.style, got)
		}
		l.expect("[]", clerk, "ask", counter, "f")
		l.expect(`["noted own rejected"]`, clerk, "read")
		l.must(l.step().Unhold(ctx, counterID))
		l.run()
		l.expect("[]", decider, "settle", false, "yes")
		l.expect("[]", decider, "settle", true, "no")
		l.expect("[2000]", counter, "read")
		l.expect(`["noted own rejected" "noted e fulfilled" "noted f fulfilled" "noted a fulfilled" `+
			`"told b fulfilled" "noted c fulfilled" "told d rejected"]`, clerk, "read")
		if got := l.kitRows(id); !slices.Equal(got, []string{"\xffi"}) {
			l.Fatalf("%s: rows left over: %q", l.style, got)
		}
		if _, ok := l.codes["without"]; ok {
			if got := l.upgrade(id, "without"); got != "[3]" {
				l.Fatalf("%s: no watcher waits, and the upgrade answered %s", l.style, got)
			}
		}
	})
}

// kitRows are the keys that a kit has in a vat's vatstore, as its syscalls have it.
func (l *lives) kitRows(id swing.VatID) []string {
	l.Helper()
	l.harvest(id)
	rows := map[string]bool{}
	for _, position := range slices.Sorted(maps.Keys(l.entries[id])) {
		for _, x := range l.entries[id][position].Exchanges {
			s, err := swing.DecodeRequest[vref](x.Op, x.Request)
			l.must(err)
			if x.Op == swing.OpVatstoreSet && s.Key[0] == 0xff {
				rows[string(s.Key)] = true
			}
			if x.Op == swing.OpVatstoreDelete {
				delete(rows, string(s.Key))
			}
		}
	}
	return slices.Sorted(maps.Keys(rows))
}

// TestWatchersOfOneLife: what a vat settles itself its own watchers are told of at once;
// a promise that the same notify settles can be watched, and its handler is called then.
func TestWatchersOfOneLife(t *testing.T) {
	inEveryLife(t, nil, func(l *lives) {
		id, clerk := l.vat("clerk")
		_, other := l.vat("sampler")
		_, counter := l.vat("counter")
		own := l.promised(clerk, "promise")[0]
		l.expect("[]", clerk, "tell", own, "own", counter)
		l.expect("[]", clerk, "settle", 5)
		l.expect("[5]", counter, "read")
		l.expect(`["noted own fulfilled" "told own fulfilled"]`, clerk, "read")
		pair := l.promised(other, "pair")
		l.expect("[]", clerk, "follow", pair[0], "p")
		l.expect(`["noted own fulfilled" "told own fulfilled" "followed p fulfilled" `+
			`"noted p fulfilled"]`, clerk, "read")
		later := l.promised(other, "promise")[0]
		l.expect("[]", clerk, "follow", later, "q")
		l.expect("[]", clerk, "watch", later, "r")
		l.ask(other, "fail") // which rejects its promises
		l.expect(`["noted own fulfilled" "told own fulfilled" "followed p fulfilled" `+
			`"noted p fulfilled" "followed q rejected" "noted r rejected"]`, clerk, "read")
		if got := l.kitRows(id); !slices.Equal(got, []string{"\xffi"}) {
			l.Fatalf("%s: rows left over: %q", l.style, got)
		}
		l.expect(`rejected: ["want a promise and a label"]`, clerk, "watch", other, "o")
		l.expect(`rejected: ["want settle(n), after promise()"]`, clerk, "settle", 5)
	})
}
