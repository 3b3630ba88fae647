package guest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/warehouse"
)

// lives is a Host that is closed and opened again, or not, before every step: for what
// the rig has not, upgrades and devices.
type lives struct {
	testing.TB
	style   string // "c or go, how"
	options host.Options
	restart bool
	dir     string // on disk: there, what was compiled is kept
	h       *host.Host
	codes   map[string]swing.Hash
	entries map[swing.VatID]map[uint64]transcript.Entry // by position, of all incarnations
}

// inEveryLife runs a scenario in both languages with everything in memory, with as little
// as can be, and with a restart before every step. The transcripts of all vats must be the
// same, byte for byte. It is not for parallel tests: a process that another one begins just
// then has the lock of the directory for a moment.
func inEveryLife(t *testing.T, devices map[string]kernel.Device, scenario func(l *lives)) {
	t.Helper()
	var first []string
	for _, language := range []string{"c", "go"} {
		if language == "go" && testing.Short() {
			t.Log("-short: the programs in Go are neither built nor run")
			continue
		}
		for i, o := range []host.Options{
			{},
			{MaxVats: 1, Snapshots: warehouse.Policy{Initial: 1, Interval: 1}},
			{MaxVats: 1, BlockCranks: 1, PauseOnEvict: true},
		} {
			o.NoSync, o.Devices, o.CacheCompiled = true, devices, true
			l := &lives{
				TB: t, style: fmt.Sprintf("%s %d", language, i), options: o, restart: i == 2, dir: t.TempDir(),
				codes: map[string]swing.Hash{}, entries: map[swing.VatID]map[uint64]transcript.Entry{},
			}
			l.open()
			scenario(l)
			told := l.told()
			l.must(l.h.Close(context.Background()))
			if first == nil {
				first = told
			}
			for n := range max(len(first), len(told)) {
				if n >= len(first) || n >= len(told) || first[n] != told[n] {
					t.Fatalf("%s: entry %d differs\n%s\nand\n%s", l.style, n,
						first[min(n, len(first)-1)], told[min(n, len(told)-1)])
				}
			}
		}
	}
}

func (l *lives) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatalf("%s: %v", l.style, err)
	}
}

func (l *lives) open() {
	l.Helper()
	var err error
	l.h, err = host.Open(context.Background(), l.dir, &l.options)
	l.must(err)
}

// step opens the Host anew, if that is the style.
func (l *lives) step() *host.Host {
	l.Helper()
	if l.restart {
		l.must(l.h.Close(context.Background()))
		l.open()
	}
	return l.h
}

func (l *lives) run() {
	l.Helper()
	_, err := l.h.Run(context.Background(), host.Policy{})
	l.must(err)
}

// install installs a program of the style's language.
func (l *lives) install(name string) swing.Hash {
	l.Helper()
	if _, ok := l.codes[name]; !ok {
		l.installAs(name, code(l, l.language(), name))
	}
	return l.codes[name]
}

func (l *lives) installAs(name string, code []byte) {
	l.Helper()
	hash, err := l.h.Install(context.Background(), code)
	l.must(err)
	l.codes[name] = hash
}

func (l *lives) language() string {
	if l.style[0] == 'c' {
		return "c"
	}
	return "go"
}

func (l *lives) vat(name string, params ...any) (swing.VatID, kref) {
	l.Helper()
	args := list[kref](params...)
	id, root, err := l.h.CreateVat(context.Background(),
		host.VatSpec{Code: l.install(name), Body: args.Body, Slots: args.Slots})
	l.must(err)
	return id, root
}

// ask sends a message, runs to quiescence and returns the promise of its answer.
func (l *lives) ask(target kref, method string, args ...any) kref {
	l.Helper()
	data := list[kref](args...)
	h := l.step()
	promise, err := h.Send(context.Background(), target,
		host.Message{Method: method, Body: data.Body, Slots: data.Slots})
	l.must(err)
	l.run()
	return promise
}

// outcome returns how a promise is settled, for people: as the rig's world does.
func (l *lives) outcome(promise kref) string {
	l.Helper()
	p, err := l.h.Promise(promise)
	l.must(err)
	switch p.State {
	case kernel.Unresolved:
		return "unsettled"
	case kernel.Rejected:
		return "rejected: " + show(p.Data)
	}
	return show(p.Data)
}

// answer is outcome of ask, of which nothing is held afterwards.
func (l *lives) answer(target kref, method string, args ...any) string {
	l.Helper()
	promise := l.ask(target, method, args...)
	answer := l.outcome(promise)
	l.must(l.h.Release(context.Background(), promise))
	l.run()
	return answer
}

func (l *lives) expect(want string, target kref, method string, args ...any) {
	l.Helper()
	if got := l.answer(target, method, args...); got != want {
		l.Fatalf("%s: %s%v answered %s, want %s", l.style, method, args, got, want)
	}
}

// promised asks for promises and returns them.
func (l *lives) promised(target kref, method string, args ...any) []kref {
	l.Helper()
	p, err := l.h.Promise(l.ask(target, method, args...))
	l.must(err)
	return p.Data.Slots
}

// upgrade upgrades a vat and returns what came of it.
func (l *lives) upgrade(vat swing.VatID, name string) string {
	l.Helper()
	h := l.step()
	l.harvest(vat)
	result, err := h.Upgrade(context.Background(), vat,
		host.Upgrade{Code: l.install(name), Message: "to " + name})
	l.must(err)
	l.run()
	return l.outcome(result)
}

// harvest keeps the entries of a vat's incarnation: an upgrade ends their being kept.
func (l *lives) harvest(vat swing.VatID) {
	l.Helper()
	v, err := l.h.Vat(string(vat))
	l.must(err)
	entries, err := l.h.Transcript(vat, v.Span.Start, v.Span.End)
	l.must(err)
	if l.entries[vat] == nil {
		l.entries[vat] = map[uint64]transcript.Entry{}
	}
	for _, e := range entries {
		l.entries[vat][e.Position] = e
	}
}

// told returns all transcripts, entry by entry, for people.
func (l *lives) told() (all []string) {
	l.Helper()
	_, err := l.h.Check(context.Background(), func(f host.Fault) { l.Errorf("%s: %v", l.style, f) })
	l.must(err)
	vats, err := l.h.Vats()
	l.must(err)
	for _, v := range vats {
		l.harvest(v.ID)
		for _, position := range slices.Sorted(maps.Keys(l.entries[v.ID])) {
			e := l.entries[v.ID][position]
			text := fmt.Sprint(v.ID, " ", position, " ", transcript.DescribeDelivery(e.Delivery))
			for _, x := range e.Exchanges {
				text += "\n  " + transcript.Describe(x)
			}
			all = append(all, text)
		}
	}
	return all
}
