package model

import (
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

// turn is one delivery while its program plays the vat. Syscalls take effect at
// once: if one turns out to be illegal, everything is undone anyway.
type turn struct {
	m        *model
	vat      vatID
	delivery delivery
	report   *report
	calls    []exchange
	bytes    int
	room     uint64 // for messages and notifies
	budget   uint64 // units of fuel that it may use

	refused string // why a syscall ended the delivery
	broken  string // the first that is illegal when it is judged
	exit    *exit
	program swing.Outcome // what the program itself said
	status  swing.Status  // how the delivery ended
	problem string
	vague   bool // the problem has no fixed words
}

type exchange struct {
	op              swing.Op
	request, answer []byte
}

type exit struct {
	failure bool
	info    kcap
}

func (t *turn) self() *vat { return t.m.vat(t.vat) }

// over reports whether the delivery has ended, and no more can be asked for.
func (t *turn) over() bool { return t.refused != "" }

// call makes a syscall. Malformed ones are made by raw.
func (t *turn) call(s vcall) { t.raw(s.Op, swing.AppendRequest(nil, s), &s) }

// raw makes a syscall of bytes; s is what they say, or nil if nothing.
func (t *turn) raw(op swing.Op, request []byte, s *vcall) {
	if t.over() {
		return
	}
	x := exchange{op: op, request: request}
	what := fmt.Sprintf("syscall %d (%v): ", len(t.calls), op)
	t.calls = append(t.calls, x)
	limits := t.m.limits
	tooMany := len(t.calls) > limits.Syscalls
	if tooMany || t.bytes+len(request) > limits.SyscallBytes {
		t.refused = what
		t.m.mark("too many syscalls")
		return
	}
	t.bytes += len(request)
	if s == nil {
		t.m.mark("a malformed request")
	}
	if op.Vatstore() {
		if s == nil || t.badKey(*s) {
			t.refused = what
			return
		}
		answer := t.vatstore(*s)
		t.calls[len(t.calls)-1].answer = answer
		t.bytes += len(answer)
		return
	}
	if op == swing.OpCall {
		answer, ok := t.callDevice(s, what)
		if ok {
			t.calls[len(t.calls)-1].answer = answer
			t.bytes += len(answer)
		}
		return
	}
	if t.refuses(op) {
		return
	}
	if t.broken == "" && (s == nil || t.tooLarge(*s) || !t.judge(*s)) {
		t.broken = what
	}
}

func (t *turn) badKey(s vcall) bool {
	limits := t.m.limits
	switch {
	case len(s.Key) > limits.KeyBytes, len(s.Value) > limits.ValueBytes:
		t.m.mark("beyond a limit")
	case len(s.Key) == 0 && s.Op != swing.OpVatstoreNextKey:
		t.m.mark("illegal: an empty key")
	case s.Op == swing.OpVatstoreSet && t.overflows(s):
		t.m.mark("illegal: a full vatstore")
	default:
		return false
	}
	return true
}

// overflows reports whether a vatstore would be larger than it may be, and than it was.
func (t *turn) overflows(s vcall) bool {
	before, after := 0, len(s.Key)+len(s.Value)
	for _, p := range t.self().store {
		before += len(p.key) + len(p.value)
		if p.key != string(s.Key) {
			after += len(p.key) + len(p.value)
		}
	}
	return after > before && after > t.m.limits.StoreBytes
}

// vatstore does what a vatstore syscall asks, and answers.
func (t *turn) vatstore(s vcall) []byte {
	v := t.self()
	t.m.mark(s.Op.String())
	at, found := slices.BinarySearchFunc(v.store, string(s.Key), func(p pair, key string) int {
		return strings.Compare(p.key, key)
	})
	switch s.Op {
	case swing.OpVatstoreGet:
		if !found {
			return swing.AppendAnswer(nil, nil, false)
		}
		return swing.AppendAnswer(nil, []byte(v.store[at].value), true)
	case swing.OpVatstoreSet:
		store := slices.Clone(v.store)
		if !found {
			store = slices.Insert(store, at, pair{})
		}
		store[at] = pair{string(s.Key), string(s.Value)}
		v.store = store
	case swing.OpVatstoreDelete:
		if found {
			v.store = slices.Delete(slices.Clone(v.store), at, at+1)
		}
	case swing.OpVatstoreNextKey:
		if found && !t.m.fault("a next key that is the same") {
			at++
		}
		if at == len(v.store) {
			return swing.AppendAnswer(nil, nil, false)
		}
		return swing.AppendAnswer(nil, []byte(v.store[at].key), true)
	}
	return nil
}

// tooLarge reports whether a syscall is beyond a limit.
func (t *turn) tooLarge(s vcall) bool {
	l := t.m.limits
	data := []vcap{s.Info, s.Message.Args}
	for _, r := range s.Resolutions {
		data = append(data, r.Data)
	}
	large := len(s.Message.Method) > l.MethodBytes || len(s.Resolutions) > l.Resolutions ||
		len(s.Refs) > l.Slots
	for _, c := range data {
		large = large || len(c.Body) > l.BodyBytes || len(c.Slots) > l.Slots
	}
	if large {
		t.m.mark("beyond a limit")
	}
	return large
}

// judge makes a syscall take effect, and reports whether it is legal.
func (t *turn) judge(s vcall) bool {
	t.m.mark(s.Op.String())
	switch s.Op {
	case swing.OpSend:
		return t.send(s)
	case swing.OpSubscribe:
		return t.subscribe(s)
	case swing.OpResolve:
		return t.resolve(s)
	case swing.OpExit:
		info, ok := t.dataOut(s.Info)
		if !ok {
			return false
		}
		if t.exit == nil {
			t.exit = &exit{s.Failure, info}
		} else {
			t.m.mark("exit twice")
		}
		return ok
	case swing.OpDropImports:
		return t.drop(s.Refs)
	case swing.OpRetireImports:
		return t.retireImports(s.Refs)
	case swing.OpRetireExports:
		return t.retireExports(s.Refs)
	case swing.OpAbandonExports:
		return t.abandon(s.Refs)
	}
	return false
}

// illegal marks why, and is false.
func (t *turn) illegal(why string) bool {
	t.m.mark("illegal: " + why)
	return false
}

// out is the kref of a vref that a vat mentions.
func (t *turn) out(ref vref) (kref, bool) {
	m, v := t.m, t.self()
	if e := v.byVRef(ref); e != nil {
		if !e.reachable && !ref.Exported() {
			return "", t.illegal("an import that was dropped")
		}
		if !e.reachable {
			m.mark("an export mentioned again after dropExports")
		}
		e.reachable = true
		return e.kref, true
	}
	if !ref.Exported() {
		return "", t.illegal("a reference that is not in the c-list")
	}
	var to kref
	if ref.Kind() == swing.Promise {
		to = swing.KRefOf(swing.Promise, m.nextPromise)
		m.nextPromise++
		m.promises = append(m.promises, promise{ref: to, decider: v.id})
		m.mark("a new promise")
	} else {
		to = swing.KRefOf(swing.Object, m.nextObject)
		m.nextObject++
		m.objects = append(m.objects, object{ref: to, owner: v.id})
		m.mark("a new object")
	}
	v.add(entry{to, ref, true})
	return to, true
}

func (t *turn) dataOut(c vcap) (out kcap, ok bool) {
	out.Body = c.Body
	for _, s := range c.Slots {
		to, ok := t.out(s)
		if !ok {
			return kcap{}, false
		}
		out.Slots = append(out.Slots, to)
	}
	return out, true
}

func (t *turn) send(s vcall) bool {
	ev := event{method: s.Message.Method}
	var ok bool
	if ev.target, ok = t.out(s.Target); !ok {
		return false
	}
	if ev.args, ok = t.dataOut(s.Message.Args); !ok {
		return false
	}
	if result := s.Message.Result; result != "" {
		if ev.result, ok = t.resultOut(result); !ok {
			return false
		}
		t.m.promise(ev.result).decider = ""
		if t.m.fault("a sender that keeps deciding") {
			t.m.promise(ev.result).decider = t.vat
		}
	}
	t.m.sends++
	ev.sent = sent{from: t.vat, to: ev.target, n: t.m.sends}
	t.m.acceptance = append(t.m.acceptance, ev)
	return true
}

// resultOut takes a result: a promise the vat has never mentioned, or, if the
// vat pipelines, one that it decides.
func (t *turn) resultOut(ref vref) (kref, bool) {
	v := t.self()
	e := v.byVRef(ref)
	switch {
	case ref.Kind() != swing.Promise:
		return "", t.illegal("a result that is no promise")
	case e == nil && !ref.Exported():
		return "", t.illegal("a result that is an import nobody knows")
	case e == nil:
		return t.out(ref)
	case !v.pipelining && !ref.Exported():
		return "", t.illegal("a result that is an import")
	case !v.pipelining:
		return "", t.illegal("a result mentioned before")
	}
	p := t.m.promise(e.kref)
	if p.state != 0 || p.decider != v.id {
		return "", t.illegal("a result that the vat does not decide")
	}
	t.m.mark("a pipelining vat passes on a promise")
	return e.kref, true
}

func (t *turn) subscribe(s vcall) bool {
	if s.Target.Kind() != swing.Promise {
		return t.illegal("to subscribe to an object")
	}
	ref, ok := t.out(s.Target)
	if !ok {
		return false
	}
	p := t.m.promise(ref)
	if p.state != 0 {
		t.m.mark("to subscribe to a resolved promise")
		t.m.acceptance = append(t.m.acceptance, event{vat: t.vat, promise: ref})
		return true
	}
	if slices.Contains(p.subscribers, t.vat) {
		t.m.mark("to subscribe twice")
		return true
	}
	p.subscribers = with(p.subscribers, t.vat)
	return true
}

func (t *turn) resolve(s vcall) bool {
	var all []output
	for _, r := range s.Resolutions {
		if r.Promise.Kind() != swing.Promise {
			return t.illegal("to resolve an object")
		}
		ref, ok := t.out(r.Promise)
		if !ok {
			return false
		}
		data, ok := t.dataOut(r.Data)
		if !ok {
			return false
		}
		if slices.ContainsFunc(all, func(o output) bool { return o.promise == ref }) {
			return t.illegal("to resolve a promise twice")
		}
		all = append(all, output{ref, r.Rejected, data})
	}
	for _, r := range all {
		p := t.m.promise(r.promise)
		if p.state != 0 {
			return t.illegal("to resolve a resolved promise")
		}
		if p.decider != t.vat {
			return t.illegal("to resolve what another decides")
		}
		to, bare := r.data.Reference()
		if bare && to.Kind() == swing.Promise && !r.rejected {
			return t.illegal("to fulfil with a promise")
		}
		if bare && to.Kind() == swing.Promise {
			t.m.mark("to reject with a promise")
		}
	}
	for _, r := range all {
		if !t.m.fault("a promise kept by its resolver") {
			t.self().remove(r.promise)
		}
		t.m.resolve(r.promise, r.rejected, r.data, t.report)
	}
	return true
}
