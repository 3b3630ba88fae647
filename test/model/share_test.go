package model

import (
	"slices"

	"vatwarehouse/swing"
)

// by is the vat that has caused an event, or nil: who sent it, or is notified by it.
func (m *model) by(ev event) *vat {
	if ev.promise != "" {
		return m.vat(ev.vat)
	}
	return m.vat(ev.sent.from)
}

// among counts the events in a queue that a vat has caused.
func (m *model) among(v *vat, evs []event) (n uint64) {
	for i := range evs {
		if by := m.by(evs[i]); by != nil && by.id == v.id {
			n++
		}
	}
	return n
}

// parked counts what a vat has caused and waits for a promise or a held vat.
func (m *model) parked(v *vat) (n uint64) {
	for i := range m.promises {
		n += m.among(v, m.promises[i].waiting)
	}
	for i := range m.vats {
		n += m.among(v, m.vats[i].heldBack)
	}
	return n
}

// admit puts what was routed into the run-queue, or into an outbox.
func (m *model) admit(ev event) {
	v := m.by(ev)
	if v == nil || len(v.outbox) == 0 && m.among(v, m.run) < m.rules.share {
		m.run = append(m.run, ev)
		return
	}
	m.mark("more than a share")
	if m.fault("an outbox from the wrong end") {
		v.outbox = append([]event{ev}, v.outbox...)
		return
	}
	v.outbox = with(v.outbox, ev)
}

// follow has what a vat has caused follow when something of it has left the run-queue.
func (m *model) follow(ev event) {
	v := m.by(ev)
	if v == nil || m.fault("an outbox that is not emptied") {
		return
	}
	for len(v.outbox) > 0 && m.among(v, m.run) < m.rules.share {
		m.run = append(m.run, v.outbox[0])
		v.outbox = v.outbox[1:]
	}
}

// allowance is how much more a vat may cause.
func (m *model) allowance(v *vat) uint64 {
	waits := m.among(v, m.run) + uint64(len(v.outbox)) + m.parked(v)
	if m.fault("what is parked takes no room") {
		waits -= m.parked(v)
	}
	return m.rules.most - min(m.rules.most, waits)
}

// refuses answers a syscall that there is no room for.
func (t *turn) refuses(op swing.Op) bool {
	if op != swing.OpSend && op != swing.OpSubscribe {
		return false
	}
	if t.room > 0 {
		t.room--
		return false
	}
	t.m.mark("no room")
	no := swing.AppendBool(nil, false)
	t.calls[len(t.calls)-1].answer = no
	t.bytes += len(no)
	return true
}

// underway reports whether a message to a promise is in the run-queue or an outbox.
func (m *model) underway(ref kref) bool {
	to := func(o event) bool { return o.target == ref }
	return slices.ContainsFunc(m.run, to) || slices.ContainsFunc(m.vats, func(v vat) bool {
		return slices.ContainsFunc(v.outbox, to)
	})
}

// tell puts the notify of the next subscriber in the place of the one before it.
func (m *model) tell(ev event) {
	if len(ev.after) > 0 {
		next := event{vat: ev.after[0], promise: ev.promise, after: ev.after[1:]}
		m.acceptance = append([]event{next}, m.acceptance...)
	}
	ev.after = nil
	m.admit(ev)
}

// chore says that a vat has something to be told.
func (m *model) chore(id vatID) {
	if !m.vat(id).held && !slices.Contains(m.chores, id) && !slices.Contains(m.dues, id) {
		m.dues = with(m.dues, id)
	}
}

// queueDues ends a crank or an input: those who are due join the queue.
func (m *model) queueDues() {
	slices.SortFunc(m.dues, func(a, b vatID) int { return int(a.Number()) - int(b.Number()) })
	m.chores = append(m.chores, m.dues...)
	m.dues = nil
}

// resume is chore for a vat that was held, if there is anything.
func (m *model) resume(id vatID) {
	of := func(a action) bool { return a.vat == id }
	if slices.ContainsFunc(m.actions, of) || slices.Contains(m.reaps, id) {
		m.chore(id)
	}
}

// nextChore tells the first vat that has something to be told.
func (m *model) nextChore() report {
	id := m.chores[0]
	m.chores = m.chores[1:]
	if m.vat(id).held {
		m.mark("a chore of a held vat")
		return report{kind: skip, vat: id}
	}
	at := slices.IndexFunc(m.actions, func(a action) bool { return a.vat == id })
	if at < 0 && slices.Contains(m.reaps, id) {
		return m.reapNext(slices.Index(m.reaps, id))
	}
	if at < 0 {
		m.mark("a chore that is gone")
		return report{kind: skip, vat: id}
	}
	r := m.act(at)
	m.resume(id)
	return r
}

// shareLines is what waits, and where.
func (m *model) shareLines(x *text, v *vat) {
	x.events("outbox of "+string(v.id), v.outbox)
	runs, parks := m.among(v, m.run), m.parked(v)
	if n := uint64(len(v.outbox)); runs+parks+n > 0 {
		x.line("account of", string(v.id), number(runs), number(parks), number(n))
	}
	if len(v.params.Body) > 0 || len(v.params.Slots) > 0 {
		x.add("parameters of", string(v.id))
		x.data(v.params)
		x.end()
	}
}

func (r *rows) shares(id vatID) {
	key := func(s string) string { return string(id) + s }
	r.queue("outbox of "+string(id), key(".l"))
	if r.has(key(".n")) {
		x := r.fields(key(".n"), 3)
		r.line("account of", string(id), number(x.Uint()), number(x.Uint()), number(x.Uint()))
	}
	if r.has(key(".a")) {
		r.add("parameters of", string(id))
		x := r.fields(key(".a"), 2)
		r.data(swing.ReadCapData[kref](x))
		r.end()
	}
}
