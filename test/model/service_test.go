package model

import (
	"cmp"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

// The kernel's own objects: the admin object, programs, nodes of vats.

// Words of the kernel's that are fixed nowhere stand as a mark in the model's state until
// the kernel has said them: see world.patch.
const (
	theOutcome = "\x00" // an Error of what follows and the outcome of the delivery
	theRefusal = "\x01" // an Error that says why a message to the kernel was refused
)

// words is data that waits for the kernel's words.
func (m *model) words(prefix string) kcap {
	m.unworded = true
	return kcap{Body: []byte(theOutcome + prefix)}
}

func (m *model) newPromise() kref {
	ref := swing.KRefOf(swing.Promise, m.nextPromise)
	m.nextPromise++
	m.promises = append(m.promises, promise{ref: ref})
	return ref
}

func (m *model) newService(s service) kref {
	s.ref = swing.KRefOf(swing.Object, m.nextObject)
	m.nextObject++
	m.objects = append(m.objects, object{ref: s.ref, owner: kernelOwn})
	m.services = append(m.services, s)
	return s.ref
}

// bury sees to the objects of the kernel's that are gone. Who waits for word of a
// meter learns that there will be none, the first meter's first.
func (m *model) bury(r *report) (changed bool) {
	var gone []service
	m.services = slices.DeleteFunc(m.services, func(s service) bool {
		if s.gone {
			gone = append(gone, s)
		}
		return s.gone
	})
	for _, s := range gone {
		for _, p := range s.waiting {
			m.mark("word of a meter that is gone")
			m.resolve(p, true, errorData("the meter is gone"), r)
		}
	}
	return len(gone) > 0
}

// list is a body of the kernel's.
func list(values ...func([]byte) []byte) []byte {
	b := swing.AppendArray(nil, len(values))
	for _, v := range values {
		b = v(b)
	}
	return b
}

func num(n uint64) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendUint(b, n) }
}

// request is a message to the kernel, read all at once.
type request struct {
	*report
	m      *model
	method string
	args   []any
	slots  []kref
	result kref
	bad    bool
}

// serve answers a message to an object of the kernel's.
func (m *model) serve(ev event) report {
	r := report{kind: served, ev: ev}
	m.arrive(ev.sent, &r)
	s := m.service(ev.target)
	if s.kind == aDevice {
		answer := m.ask(s.device, ev.method, ev.args, &r)
		m.mark("a message to a device")
		if ev.result != "" {
			m.resolve(ev.result, answer.Failed, answer.Data, &r)
		}
		return r
	}
	q := request{report: &r, m: m, method: ev.method, slots: ev.args.Slots, result: ev.result}
	if len(ev.args.Body) > 0 {
		x := swing.NewReader(ev.args.Body)
		args, ok := x.Value().([]any)
		q.args, q.bad = args, !ok || x.Done() != nil
	}
	methods := map[string]func(*service) bool{
		"admin.createVat":            q.createVat,
		"admin.getProgram":           q.getProgram,
		"admin.createMeter":          q.createMeter,
		"admin.createUnlimitedMeter": q.createUnlimited,
		"node.done":                  q.done,
		"node.terminate":             q.terminate,
		"node.upgrade":               q.upgrade,
		"node.changeOptions":         q.changeOptions,
		"meter.addRemaining":         q.addRemaining,
		"meter.setThreshold":         q.setThreshold,
		"meter.get":                  q.get,
		"meter.notify":               q.notify,
	}
	do, known := methods[s.kind+"."+ev.method]
	if known && do(s) {
		m.mark(s.kind + "." + ev.method)
		return r
	}
	m.mark("a message that the kernel refuses")
	if ev.result != "" && !m.fault("a refusal that nobody is told of") {
		m.unworded = true
		m.resolve(ev.result, true, kcap{Body: []byte(theRefusal)}, &r)
	}
	return r
}

// answer fulfils the result, if one is wanted.
func (q *request) answer(body []byte, slots ...kref) bool {
	if q.result != "" {
		q.m.resolve(q.result, false, kcap{Body: body, Slots: slots}, q.report)
	}
	return true
}

// arg takes the next argument as a T. What is left out is empty.
func arg[T any](q *request) (v T) {
	if len(q.args) == 0 {
		return v
	}
	v, ok := q.args[0].(T)
	q.args, q.bad = q.args[1:], q.bad || !ok
	return v
}

// over reports whether the arguments were as they should be, and no more.
func (q *request) over() bool { return !q.bad && len(q.args) == 0 }

// program takes a program: an object, a name, or a hash.
func (q *request) program() (hash swing.Hash) {
	v := any(false)
	if len(q.args) > 0 {
		v, q.args = q.args[0], q.args[1:]
	}
	switch v := v.(type) {
	case nil:
		if len(q.slots) > 0 {
			s := q.m.service(q.slots[0])
			q.slots = q.slots[1:]
			if s != nil && s.kind == aProgram {
				q.m.mark("a program by its object")
				return s.program
			}
		}
	case string:
		if at := slices.IndexFunc(q.m.titles, func(t title) bool { return t.name == v }); at >= 0 {
			q.m.mark("a program by its name")
			return q.m.titles[at].hash
		}
	case []byte:
		if slices.ContainsFunc(q.m.programs, func(h swing.Hash) bool { return string(h[:]) == string(v) }) {
			q.m.mark("a program by its hash")
			return swing.Hash(v)
		}
	}
	q.bad = true
	return hash
}

func (q *request) createVat(*service) bool {
	s := spec{code: q.program()}
	s.name, s.params.Body = arg[string](q), arg[[]byte](q)
	for _, option := range arg[[]any](q) {
		switch option {
		case "pipelining":
			s.pipelining = true
		case "critical":
			s.critical = true
		case "quarantine":
			s.quarantine = true
		default:
			q.bad = true
		}
	}
	s.params.Slots = q.slots
	if len(q.args) > 0 { // a meter, whose slot is the last
		last := len(q.slots) - 1
		isNull := q.args[0] == nil
		q.args = q.args[1:]
		if !isNull || last < 0 || !q.m.isMeter(q.slots[last]) {
			return false
		}
		s.meter, s.params.Slots = q.slots[last], q.slots[:last]
		q.m.mark("a meter for a vat made by a vat")
	}
	if !q.over() || q.m.crowded() || !wellNamed(s.name) || q.m.taken(s.name) {
		return false
	}
	id, root := q.m.make(s)
	q.made++
	if q.result == "" {
		return true
	}
	v := q.m.vat(id)
	v.birth = &birth{q.result, root, q.m.newService(service{kind: aNode, vat: id})}
	if q.m.fault("a vat answered for before it has started") {
		q.m.born(v, q.report)
	}
	return true
}

func wellNamed(name string) bool {
	return len(name) <= 200 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz"+
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""
}

func (q *request) getProgram(*service) bool {
	name := arg[string](q)
	at := slices.IndexFunc(q.m.titles, func(t title) bool { return t.name == name })
	if !q.over() || at < 0 {
		return false
	}
	ref := q.m.newService(service{kind: aProgram, program: q.m.titles[at].hash})
	return q.answer(list(swing.AppendNull), ref)
}

func (q *request) done(s *service) bool {
	v := q.m.vat(s.vat)
	switch {
	case !q.over():
		return false
	case q.result == "":
	case v.ended:
		q.m.mark("a vat that has ended asked after")
		q.m.resolve(q.result, v.failure, v.info, q.report)
	default:
		v.mourners = spelled(v.mourners, q.result)
	}
	return true
}

// spelled puts a reference among others, in the order of their spelling.
func spelled(refs []kref, ref kref) []kref {
	refs = with(refs, ref)
	slices.SortFunc(refs, func(a, b kref) int { return cmp.Compare(a, b) })
	return refs
}

func (q *request) terminate(s *service) bool {
	reason := arg[string](q)
	if !q.over() || !q.m.alive(s.vat) {
		return false
	}
	q.discards = append(q.discards, s.vat)
	if q.m.vat(s.vat).critical && !q.m.fault("a critical vat that goes quietly") {
		q.critical, q.stuck = true, s.vat
		return true
	}
	q.m.end(ended{s.vat, true, reason}, errorData(reason), q.report)
	return q.answer(list())
}

func (q *request) upgrade(s *service) bool {
	ev := event{upgrade: true, vat: s.vat, code: q.program(), result: q.result}
	keep := len(q.args) == 0 && len(q.slots) == 0
	ev.params = kcap{Body: arg[[]byte](q), Slots: q.slots}
	ev.text = arg[string](q)
	if !q.over() || !q.m.alive(s.vat) {
		return false
	}
	if ev.result == "" {
		ev.result = q.m.newPromise()
	}
	if keep {
		q.m.mark("an upgrade with the same parameters")
		ev.params = q.m.vat(s.vat).params
	}
	q.m.acceptance = append(q.m.acceptance, ev)
	return true
}

// never is a number of deliveries or references that is not reached.
const never = 1 << 62

func (q *request) changeOptions(s *service) bool {
	to := dirt{arg[uint64](q), arg[uint64](q), arg[uint64](q)}
	if !q.over() || to.deliveries > never || to.refs > never || to.fuel > never ||
		!q.m.alive(s.vat) {
		return false
	}
	if to.refs > 0 && q.m.fault("an option that is not changed") {
		to.refs = 0
	}
	v := q.m.vat(s.vat)
	v.reap = v.reap.changed(to)
	return q.answer(list())
}

// born answers those who wait for a vat to start.
func (m *model) born(v *vat, r *report) {
	if b := v.birth; b != nil {
		m.mark("a vat made for another has started")
		v.birth = nil
		body := list(swing.AppendNull, swing.AppendNull)
		m.resolve(b.result, false, kcap{Body: body, Slots: []kref{b.root, b.node}}, r)
	}
}

// mourn tells those who wait for a vat to start, or to end, that it has ended, and takes
// its meter from it.
func (m *model) mourn(e ended, info kcap, r *report) {
	v := m.vat(e.vat)
	if !m.fault("a meter kept by the dead") {
		v.meter = ""
	}
	if b := v.birth; b != nil {
		m.mark("a vat made for another that does not start")
		v.birth = nil
		why := errorData("vat creation failed: " + e.reason)
		if e.reason == theOutcome {
			why = m.words("vat creation failed: ")
		}
		m.resolve(b.result, true, why, r)
	}
	mourners := v.mourners
	v.mourners = nil
	for _, p := range mourners {
		m.mark("word of a vat's end")
		if !m.fault("an end that nobody is told of") {
			m.resolve(p, e.failure, info, r)
		}
	}
}
