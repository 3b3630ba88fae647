// Command locker keeps objects of others for a time, and lets go of them. EXAMPLES.md has
// its messages, and what it does when others let go.
package main

import (
	"slices"
	"strings"

	"vat"
)

const entriesMax = 8

// entry is an object that is kept, or that was and is still recognized.
type entry struct {
	object       vat.Ref // "" once it is forgotten
	ticket       vat.Ref // "" once nobody holds it
	until, timer uint64
	kept         bool // the object is not dropped
}

type locker struct {
	entries           []*entry // in the order in which they came
	timer, clock      vat.Ref  // the device; what it wakes, or none
	expired, returned uint64
}

func init() {
	l := &locker{}
	vat.Collect(vat.Collector{Dropped: l.dropped, Retired: l.gone, Reap: l.reap})
	vat.Serve(func(params *vat.Data) vat.Object {
		params.List(1)
		l.timer = params.Ref()
		if !params.Taken() {
			vat.Fail("want a timer")
		}
		return root{l}
	})
}

// root has the messages of the vat itself.
type root struct{ *locker }

// Receive keeps an object, or tells.
func (r root) Receive(m *vat.Message) {
	given := m.Refs()
	vat.Methods{"keep": r.keep, "read": r.read}.Receive(m)
	r.letGo(given)
}

func (e *entry) drop() {
	vat.DropImports(e.object)
	e.kept = false
}

func (e *entry) retire() {
	vat.RetireImports(e.object)
	e.object = ""
}

// tidy removes the entries of which nothing is left.
func (l *locker) tidy() {
	l.entries = slices.DeleteFunc(l.entries, func(e *entry) bool {
		return e.object == "" && e.ticket == ""
	})
}

func (l *locker) entryOf(object vat.Ref) *entry {
	for _, e := range l.entries {
		if e.object == object {
			return e
		}
	}
	return nil
}

// keep answers with a ticket. An object that is still recognized has its old entry.
func (l *locker) keep(m *vat.Message) {
	m.List(2)
	object, duration := m.Ref(), m.Uint()
	if !m.Taken() || !ofOthers(object) || object == l.timer || duration > 1<<62 {
		m.Reject("want keep(object, duration)")
		return
	}
	e := l.entryOf(object)
	switch {
	case e != nil && (e.kept || e.ticket != ""):
		m.Reject("it has an entry")
		return
	case e == nil && len(l.entries) == entriesMax:
		m.Reject("the locker is full")
		return
	case e == nil:
		e = &entry{object: object}
		l.entries = append(l.entries, e)
	}
	if l.clock == "" {
		l.clock = vat.Export(clock{l})
	}
	answer := vat.Call(l.timer, "delay", duration, l.clock)
	answer.List(1)
	e.timer = answer.Uint()
	if answer.Rejected || !answer.Taken() {
		vat.Fail("the timer refuses")
	}
	e.until, e.kept = vat.Now()+duration, true
	if m.Wanted() {
		e.ticket = vat.Export(ticket{e, l})
		m.AnswerRef(e.ticket)
	}
}

func ofOthers(ref vat.Ref) bool { return strings.HasPrefix(string(ref), "o-") }

// letGo drops what came with a message and is not kept: strangers, whatever the message
// was, and what was dropped before and came again.
func (l *locker) letGo(given []vat.Ref) {
	for n, ref := range given {
		if !ofOthers(ref) || ref == l.timer || slices.Contains(given[:n], ref) {
			continue
		}
		e := l.entryOf(ref)
		if e != nil && e.kept {
			continue
		}
		vat.DropImports(ref)
		if e == nil {
			vat.RetireImports(ref)
		}
	}
}

// ticket is what whoever had an object kept has it by.
type ticket struct {
	*entry
	of *locker
}

// Receive answers with the object.
func (t ticket) Receive(m *vat.Message) {
	given := m.Refs()
	switch {
	case m.Method != "show":
		m.Reject("no such method")
	case !t.kept:
		m.Reject("expired")
	default:
		m.AnswerRef(t.object)
	}
	t.of.letGo(given)
}

// clock is what the timer wakes.
type clock struct{ *locker }

// Receive drops what has expired. It may come back: it is still recognized.
func (c clock) Receive(m *vat.Message) {
	given := m.Refs()
	for _, e := range c.entries {
		if e.kept && e.until <= vat.Now() {
			c.expired++
			e.drop()
		}
	}
	m.Answer()
	c.letGo(given)
}

// dropped is told that nobody holds exports any more. A ticket is void then: so is the
// timer, and what was kept for it.
func (l *locker) dropped(refs []vat.Ref) {
	for _, ref := range refs {
		for _, e := range l.entries {
			if e.ticket != ref {
				continue
			}
			e.ticket = ""
			vat.RetireExports(ref)
			if !e.kept {
				continue
			}
			l.returned++
			vat.Call(l.timer, "cancel", e.timer)
			e.drop()
			e.retire()
		}
		l.tidy()
	}
}

// gone is told that names mean nothing any more: of the clock, when the timer has let go
// of it, or of objects which were dropped, and still recognized.
func (l *locker) gone(refs []vat.Ref) {
	for _, ref := range refs {
		if ref == l.clock {
			l.clock = ""
		}
		if e := l.entryOf(ref); e != nil {
			e.object = ""
		}
		l.tidy()
	}
}

// reap forgets what was dropped.
func (l *locker) reap() {
	for _, e := range l.entries {
		if e.object != "" && !e.kept {
			e.retire()
		}
	}
	l.tidy()
}

// read answers how many entries there are, and what has become of others.
func (l *locker) read(m *vat.Message) {
	if !m.Empty() {
		m.Reject("want read()")
		return
	}
	m.Answer(len(l.entries), l.expired, l.returned)
}

func main() {}
