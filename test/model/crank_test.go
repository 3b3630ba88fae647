package model

import (
	"encoding/json"
	"fmt"
	"slices"

	"vatwarehouse/swing"
)

// The kinds of crank, in the kernel's words.
const (
	idle     = "idle"
	routing  = "routing"
	delivers = "delivery"
	skip     = "skip"
	cleanup  = "cleanup"
	setback  = "setback"
	served   = "service"
)

// report is what a crank did, for the comparison.
type report struct {
	kind     string
	vat      vatID
	ev       event // what is delivered, if it comes from the run-queue
	queued   bool  // it does
	discards []vatID
	position uint64
	delivery delivery
	turn     *turn
	ended    []ended
	outputs  []output
	posts    []post
	made     int  // vats, for another
	swept    int  // rows, by a cleanup
	failed   bool // the world did, or a critical vat; nothing happened
	critical bool
	stuck    vatID // the critical vat that nothing gets past
	disorder string
}

type ended struct {
	vat     vatID
	failure bool
	reason  string // theOutcome is the outcome's own words
}

type post struct {
	device string
	data   kcap
}

type output struct {
	promise  kref
	rejected bool
	data     kcap
}

// program plays the vat of a delivery: it makes its syscalls by the turn.
type program func(t *turn)

// crank does what docs/kernel.md says one crank does. With broken, the world
// fails when it is asked to make a delivery.
func (m *model) crank(p program, broken bool) report {
	var undo *model
	if len(m.acceptance) == 0 {
		undo = m.clone()
	}
	r := m.choose()
	if r.kind == idle {
		return r
	}
	if r.kind == delivers && broken {
		*m = *undo
		m.mark("the world fails")
		return report{kind: idle, vat: r.vat, failed: true}
	}
	if r.kind == delivers {
		m.deliver(undo, &r, p)
	}
	if r.kind == served && r.critical {
		m.mark("a critical vat ended by a message")
		*m = *undo
		return report{
			kind: idle, failed: true, critical: true, stuck: r.stuck, discards: r.discards,
		}
	}
	if r.critical {
		return r
	}
	if r.kind == delivers {
		m.deliveries++
	}
	m.cranks++
	m.sinceCleanup++
	if r.kind == cleanup {
		m.sinceCleanup = 0
	}
	m.collect(&r)
	return r
}

// choose takes what comes next, in the order of docs/kernel.md. If that is a
// delivery it is in the report, and made by deliver.
func (m *model) choose() report {
	if len(m.acceptance) > 0 {
		ev := m.acceptance[0]
		m.acceptance = m.acceptance[1:]
		r := report{kind: routing}
		m.route(ev, &r)
		return r
	}
	due := m.sinceCleanup >= m.rules.cleanup.every
	if due && m.mustClean() != nil {
		m.mark("cleanup among other cranks")
		return m.clean()
	}
	waits := len(m.chores) > 0
	if waits && (len(m.run) == 0 || !m.runNext) {
		m.runNext = !m.fault("chores that give no turn")
		return m.nextChore()
	}
	if len(m.run) > 0 {
		return m.aim(m.takeRun())
	}
	if m.mustClean() != nil {
		m.mark("cleanup when idle")
		return m.clean()
	}
	return report{kind: idle}
}

// takeRun takes the first event off the run-queue.
func (m *model) takeRun() event {
	if len(m.chores) > 0 {
		m.mark("the run-queue's turn")
		m.runNext = false
	}
	ev := m.run[0]
	m.run = m.run[1:]
	m.follow(ev)
	return ev
}

// place is where a message goes now: to a vat's target, to wait on a promise,
// or nowhere, with what its result is rejected with.
type place struct {
	vat    vatID
	target kref
	wait   kref
	reject kcap
}

// destination says where a message for a target goes now.
func (m *model) destination(target kref, method string) place {
	if target.Kind() == swing.Object {
		owner := m.object(target).owner
		if owner == kernelOwn {
			return place{vat: owner, target: target}
		}
		if !m.alive(owner) {
			if owner == "" {
				m.mark("a message to an orphan")
			}
			m.mark("a message to the dead")
			return place{vat: owner, reject: errorData("vat terminated")}
		}
		return place{vat: owner, target: target}
	}
	p := m.promise(target)
	switch p.state {
	case 0:
		if v := m.vat(p.decider); v != nil && v.pipelining {
			m.mark("a message for a promise of a pipelining vat")
			return place{vat: p.decider, target: target}
		}
		m.mark("a message waits on a promise")
		return place{wait: target}
	case 1:
		if to, ok := p.data.Reference(); ok && to.Kind() == swing.Object {
			m.mark("a message to a promise fulfilled with an object")
			return m.destination(to, method)
		}
		m.mark("a message to data")
		return place{reject: errorData("data is not callable, has no method " + method)}
	}
	m.mark("a message to a rejected promise")
	return place{reject: p.data}
}

func (m *model) route(ev event, r *report) {
	if ev.upgrade {
		m.run = append(m.run, event{reap: true, vat: ev.vat})
	}
	switch {
	case ev.promise != "":
		m.tell(ev)
		return
	case ev.target == "":
		m.admit(ev)
		return
	}
	to := m.destination(ev.target, ev.method)
	switch {
	case to.target != "":
		ev.target = to.target
		m.admit(ev)
	case to.wait != "" && m.underway(to.wait):
		m.mark("a message goes behind one that may have to wait")
		ev.target = to.wait
		m.admit(ev)
	case to.wait != "":
		p := m.promise(to.wait)
		p.waiting = with(p.waiting, ev)
	default:
		m.bounce(ev, to.reject, r)
	}
}

func (m *model) bounce(ev event, why kcap, r *report) {
	if ev.result != "" {
		m.resolve(ev.result, true, why, r)
	}
}

// errorData is an Error of the kernel's.
func errorData(message string) kcap {
	quoted, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	return kcap{Body: fmt.Appendf(nil, `#{"#error":%s,"name":"Error"}`, quoted)}
}

// resolve settles a promise: what waited on it is queued, and whoever asked is notified.
func (m *model) resolve(ref kref, rejected bool, data kcap, r *report) {
	p := m.promise(ref)
	waiting, subscribers := p.waiting, p.subscribers
	*p = promise{ref: ref, state: 1, data: data}
	if rejected {
		p.state = 2
	}
	waiting = slices.Clone(waiting)
	if len(waiting) > 1 && m.fault("what waited out of order") {
		waiting[0], waiting[1] = waiting[1], waiting[0]
	}
	for range waiting {
		m.mark("a message that waited is queued")
	}
	if m.underway(ref) {
		m.run = append(waiting, m.run...)
	} else {
		m.acceptance = append(waiting, m.acceptance...)
	}
	if len(subscribers) > 1 {
		m.mark("several are notified")
	}
	if len(subscribers) > 0 && m.fault("a notify lost") {
		subscribers = subscribers[1:]
	}
	if len(subscribers) > 0 {
		m.mark("a notify is queued")
		m.acceptance = append(m.acceptance, event{
			vat: subscribers[0], promise: ref, after: subscribers[1:],
		})
	}
	if m.pinned(ref) {
		m.mark("an output")
		r.outputs = append(r.outputs, output{ref, rejected, data})
	}
}

// aim sees to an event of the run-queue, up to its delivery.
func (m *model) aim(ev event) report {
	r := report{kind: skip, vat: ev.vat}
	var to place
	if ev.target != "" {
		before := ev.target
		to = m.destination(ev.target, ev.method)
		if before.Kind() == swing.Promise && to.target != before {
			m.mark("a pipelined message is routed anew")
		}
		r.vat = to.vat
	}
	switch {
	case ev.target != "" && to.wait != "":
		p := m.promise(to.wait)
		p.waiting = with(p.waiting, ev)
	case ev.target != "" && to.target == "":
		m.bounce(ev, to.reject, &r)
	case to.vat == kernelOwn:
		ev.target = to.target
		return m.serve(ev)
	case ev.upgrade && !m.alive(r.vat):
		m.mark("an upgrade of the dead")
		m.bounce(ev, errorData("vat terminated"), &r)
	case ev.reap && m.alive(r.vat) && m.vat(r.vat).held:
		m.mark("no reap before the upgrade of a held vat")
	case !m.alive(r.vat):
		m.mark("a notify or a start for the dead")
	case m.vat(r.vat).held && !ev.upgrade:
		m.mark("an event held back")
		v := m.vat(r.vat)
		if ev.target != "" {
			ev.target = to.target
		}
		v.heldBack = with(v.heldBack, ev)
	case ev.promise != "" && m.vat(ev.vat).byKRef(ev.promise) == nil:
		m.mark("a notify of a promise already retired")
	default:
		if ev.target != "" {
			ev.target = to.target
		}
		r.kind, r.ev, r.queued = delivers, ev, true
		m.translate(ev, &r)
	}
	return r
}

// translate makes the delivery of an event, as its vat sees it.
func (m *model) translate(ev event, r *report) {
	v := m.vat(r.vat)
	d := &r.delivery
	switch {
	case ev.target != "":
		m.arrive(ev.sent, r)
		d.Kind = swing.DeliverMessage
		d.Target = m.in(v, ev.target)
		d.Message.Method, d.Message.Args = ev.method, m.dataIn(v, ev.args)
		if ev.result != "" {
			d.Message.Result = m.in(v, ev.result)
			m.become(v, ev.result)
		}
	case ev.promise != "":
		d.Kind = swing.DeliverNotify
		refs := m.closure(ev.promise)
		for _, ref := range refs {
			p := m.promise(ref)
			d.Resolutions = append(d.Resolutions, swing.Resolution[vref]{
				Promise: m.in(v, ref), Rejected: p.state == 2, Data: m.dataIn(v, p.data),
			})
		}
		for _, ref := range refs {
			if m.fault("a promise kept after its notify") {
				continue
			}
			v.remove(ref)
		}
	case ev.reap:
		d.Kind = swing.DeliverReap
	default:
		if ev.upgrade {
			m.reincarnate(ev, r)
		}
		d.Kind = swing.DeliverStartVat
		d.Params = m.dataIn(v, ev.params)
	}
}

// become makes a vat the decider of a result.
func (m *model) become(v *vat, result kref) {
	p := m.promise(result)
	p.decider = v.id
	if !v.pipelining {
		return
	}
	if len(p.waiting) > 0 {
		m.mark("what waited goes to a pipelining decider")
	}
	if m.fault("what waits is not sent to a pipelining decider") {
		return
	}
	m.run = append(slices.Clone(p.waiting), m.run...)
	p.waiting = nil
}

// closure is the promise and all resolved ones that its data leads to, nearest first.
func (m *model) closure(ref kref) []kref {
	found := []kref{ref}
	for i := 0; i < len(found); i++ {
		for _, s := range m.promise(found[i]).data.Slots {
			if s.Kind() == swing.Promise && slices.Contains(found, s) {
				m.mark("a notify with a circle")
			} else if s.Kind() == swing.Promise && m.promise(s).state != 0 {
				m.mark("a notify of several promises")
				found = append(found, s)
			}
		}
	}
	return found
}

// in is the vref of a kref that is told to a vat.
func (m *model) in(v *vat, ref kref) vref {
	if e := v.byKRef(ref); e != nil {
		if !e.reachable {
			m.mark("a dropped reference delivered again")
		}
		e.reachable = true
		return e.vref
	}
	e := entry{kref: ref, reachable: true}
	if ref.Kind() == swing.Promise {
		e.vref = swing.ImportVRef(swing.Promise, 60+v.imports.promise)
		v.imports.promise++
	} else {
		e.vref = swing.ImportVRef(swing.Object, 50+v.imports.object)
		v.imports.object++
		if m.fault("a number of an import passed over") {
			v.imports.object++
		}
	}
	v.add(e)
	return e.vref
}

func (m *model) dataIn(v *vat, c kcap) vcap {
	out := vcap{Body: c.Body}
	for _, s := range c.Slots {
		out.Slots = append(out.Slots, m.in(v, s))
	}
	return out
}

// deliver has the program play the vat and makes what it asked for take effect.
// If the vat fails, all is as in undo, and the vat is ended.
func (m *model) deliver(undo *model, r *report, p program) {
	v := m.vat(r.vat)
	r.position, r.delivery.Time = v.position, m.time
	r.turn = &turn{m: m, vat: r.vat, delivery: r.delivery, report: r, room: m.allowance(v)}
	r.turn.budget = m.budget(v.meter, r)
	p(r.turn)
	meter := v.meter
	m.settle(undo, r)
	if r.critical {
		return
	}
	m.deduct(meter, r)
	if r.kind == setback {
		return
	}
	m.vat(r.vat).position++
	m.dirty(r)
}

// settle decides how the delivery ended.
func (m *model) settle(undo *model, r *report) {
	t := r.turn
	e := ended{vat: r.vat, failure: true, reason: theOutcome}
	info := kcap{Body: []byte(theOutcome)}
	t.status, t.problem = t.program.Status, t.program.Problem
	switch {
	case t.refused != "":
		t.status, t.problem = swing.StatusIllegal, t.refused
	case t.starved():
		t.status, t.problem, t.vague = m.starves(t), "", true
	case t.status != swing.StatusOK:
		m.mark("a vat " + t.status.String())
	case t.broken != "":
		t.status, t.problem = swing.StatusIllegal, t.broken
	case t.exit != nil && t.exit.failure:
		m.mark("exit as a failure")
		t.status, t.problem = swing.StatusExited, string(t.exit.info.Body)
		info = kcap{Body: t.exit.info.Body}
	case t.exit != nil:
		m.mark("exit as a success")
		m.begun(r)
		r.discards = append(r.discards, r.vat)
		m.end(ended{r.vat, false, "exited"}, t.exit.info, r)
		return
	default:
		m.begun(r)
		return
	}
	r.discards = append(r.discards, r.vat)
	if m.setBack(undo, r) {
		return
	}
	if m.vat(r.vat).critical {
		m.mark("a critical vat fails")
		*m = *undo
		*r = report{
			kind: idle, vat: r.vat, failed: true, critical: true, stuck: r.vat, turn: t,
			discards: r.discards, delivery: r.delivery, position: r.position,
		}
		return
	}
	if !m.fault("a fault that is not rolled back") {
		m.rollback(undo, r)
	}
	m.unworded = true
	m.end(e, info, r)
}

// rollback undoes what a delivery has done.
func (m *model) rollback(undo *model, r *report) {
	devices := m.devices
	*m = *undo
	if m.fault("a device's state that is not rolled back") {
		m.devices = devices
	}
	r.outputs = nil
	if !m.fault("a post that is not rolled back") {
		r.posts = nil
	}
}

// end ends a vat's life.
func (m *model) end(e ended, info kcap, r *report) {
	v := m.vat(e.vat)
	v.ended, v.failure, v.info = true, e.failure, info
	v.params = kcap{}
	m.dying = append(slices.Clip(m.dying), v.id)
	for _, x := range slices.Clone(v.clist) {
		if x.kref.Kind() != swing.Promise {
			continue
		}
		if p := m.promise(x.kref); p.state == 0 && p.decider == v.id {
			m.mark("a promise of a vat that ends")
			m.resolve(p.ref, true, errorData("vat terminated"), r)
		}
	}
	m.letGo(e.vat)
	m.mourn(e, info, r)
	m.reaps = slices.DeleteFunc(m.reaps, func(id vatID) bool { return id == e.vat })
	r.ended = append(r.ended, e)
}

// letGo puts what was held back at the head of the run-queue.
func (m *model) letGo(id vatID) {
	v := m.vat(id)
	if len(v.heldBack) > 0 {
		m.mark("what was held back returns")
	}
	if m.fault("what was held back comes last") {
		m.run = append(m.run, v.heldBack...)
	} else {
		m.run = append(slices.Clone(v.heldBack), m.run...)
	}
	held := v.held
	v.held, v.heldBack, v.quarantined = false, nil, ""
	if held {
		m.resume(id)
	}
}
