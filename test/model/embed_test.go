package model

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// embedder is one input's choice.
type embedder struct {
	*world
	rng *rand.Rand
	f   *failure
}

// The embedder keeps the world between these numbers of vats.
const (
	liveMin  = 3
	liveMax  = 7
	everMade = 24
)

// input makes the embedder's input that a seed stands for.
func (x *world) input(s step, f *failure) {
	e := embedder{x, rand.New(rand.NewPCG(s.seed, 17)), f}
	x.discarded = nil
	live := 0
	for i := range x.m.vats {
		if !x.m.vats[i].ended {
			live++
		}
	}
	if live < liveMin && len(x.m.vats) < everMade {
		e.create()
		return
	}
	switch n := e.rng.IntN(100); {
	case (len(x.m.titles) == 0 || len(x.m.devices) == 0) && n < 30:
		e.equip()
	case n < 6 && live < liveMax && len(x.m.vats) < everMade:
		e.create()
	case n < 24:
		e.release()
	case n < 26:
		e.equip()
	case n < 28:
		e.receive()
	case n < 29 && live > liveMin && e.rng.IntN(3) == 0:
		e.terminate()
	case n < 34:
		e.hold()
	case n < 48:
		e.unhold()
	case n < 53:
		e.setTime()
	case n < 57:
		e.refused()
	case n < 60:
		e.retain()
	case n < 64:
		e.upgrade()
	case n < 66:
		e.change()
	case n < 68: // a kernel that remembers nothing
		e.note("a new kernel over the same rows")
		x.k = kernel.New(x.b, x, newDevices())
	case n < 76:
		e.sendService()
	default:
		e.send()
	}
}

func (e embedder) note(format string, args ...any) {
	if e.log != nil {
		*e.log = append(*e.log, "input: "+fmt.Sprintf(format, args...))
	}
}

// same compares whether an input was taken.
func (e embedder) same(what string, err error, ok bool) {
	if (err == nil) != ok {
		e.f.fail("input", "%s: %v, the model has it taken %v", what, err, ok)
	}
}

// ref returns something that exists, mostly what the embedder holds.
func (e embedder) ref() (kref, bool) {
	m := e.m
	if at := slices.IndexFunc(m.objects, func(o object) bool { return o.told }); at >= 0 &&
		e.rng.IntN(8) == 0 {
		return m.objects[at].ref, true
	}
	if ref, ok := e.service([]string{aDevice, aDevice, aMeter, aNode}[e.rng.IntN(4)]); ok &&
		e.rng.IntN(6) == 0 {
		return ref, true
	}
	if len(m.pins) > 0 && e.rng.IntN(10) > 0 {
		ref := m.pins[e.rng.IntN(len(m.pins))]
		for range 3 {
			if ref.Kind() == swing.Promise {
				ref = m.pins[e.rng.IntN(len(m.pins))]
			}
		}
		return ref, true
	}
	if len(m.promises) > 0 && e.rng.IntN(2) == 0 {
		return m.promises[e.rng.IntN(len(m.promises))].ref, true
	}
	if len(m.objects) > 0 {
		return m.objects[e.rng.IntN(len(m.objects))].ref, true
	}
	return "", false
}

// data is a body and some references.
func (e embedder) data(most int) (c kcap) {
	c.Body = []byte{byte('a' + e.rng.IntN(26))}
	for range e.rng.IntN(most + 1) {
		if ref, ok := e.ref(); ok {
			c.Slots = append(c.Slots, ref)
		}
	}
	return c
}

func (e embedder) create() {
	s := kernel.VatSpec{Params: e.data(3)}
	if e.rng.IntN(3) == 0 {
		s.Name = fmt.Sprintf("name%d", e.rng.IntN(20))
	}
	s.Pipelining = e.rng.IntN(1000) < e.w.pipelining
	s.Critical, s.Quarantine = e.rng.IntN(12) == 0, e.rng.IntN(4) == 0
	s.Code = e.program()
	if ref, ok := e.service(aMeter); ok && e.rng.IntN(2) == 0 {
		s.Meter = ref
	} else if e.rng.IntN(30) == 0 {
		s.Meter, _ = e.ref()
	}
	if e.rng.IntN(4) == 0 {
		s.ReapDeliveries, s.ReapRefs = e.rng.Uint64N(30), e.rng.Uint64N(10)
		s.ReapFuel = e.rng.Uint64N(40_000)
	}
	e.note("create a vat: %+v", s)
	want := spec{
		name: s.Name, code: s.Code, params: s.Params, meter: s.Meter,
		pipelining: s.Pipelining, critical: s.Critical, quarantine: s.Quarantine,
	}
	want.reap = dirt{s.ReapDeliveries, s.ReapRefs, s.ReapFuel}
	id, root, ok := e.m.create(want)
	gotID, gotRoot, err := e.k.CreateVat(e.b, s)
	e.same("create", err, ok)
	if id != gotID || root != gotRoot {
		e.f.fail("input", "made %s with %s, the model has %s with %s", gotID, gotRoot, id, root)
	}
}

func (e embedder) send() {
	target, ok := e.ref()
	if !ok {
		return
	}
	e.sendTo(target, string(rune('a'+e.rng.IntN(5))), e.data(3))
}

func (e embedder) sendTo(target kref, method string, args kcap) {
	want := e.rng.IntN(2) == 0
	e.note("send %s %s %v, want an answer %v", target, method, args.Slots, want)
	result, ok := e.m.send(target, method, args, want)
	m := swing.Message[kref]{Method: method, Args: args}
	got, err := e.k.Send(e.b, target, m, want)
	e.same("send", err, ok)
	if got != result {
		e.f.fail("input", "result %s, the model has %s", got, result)
	}
}

func (e embedder) release() {
	if len(e.m.pins) == 0 {
		return
	}
	ref := e.m.pins[e.rng.IntN(len(e.m.pins))]
	for range 3 { // mostly a promise that is resolved
		if ref.Kind() == swing.Object || e.m.promise(ref).state == 0 {
			ref = e.m.pins[e.rng.IntN(len(e.m.pins))]
		}
	}
	if ref.Kind() == swing.Object && e.rng.IntN(3) > 0 {
		return // or nobody could be reached any more
	}
	e.note("release %s", ref)
	want, ok := e.m.release(ref)
	got, err := e.k.Release(e.b, ref)
	e.same("release", err, ok)
	compareOutputs(got.Outputs, want.outputs, e.f)
}

func (e embedder) retain() {
	ref, ok := e.service([]string{aNode, aProgram}[e.rng.IntN(2)])
	if !ok || e.rng.IntN(2) == 0 {
		ref, ok = e.ref()
	}
	if ok {
		e.note("retain %s", ref)
		ok := e.m.retain(ref)
		e.same("retain", e.k.Retain(e.b, ref), ok)
	}
}

func (e embedder) upgrade() {
	id := e.someVat(func(v *vat) bool { return !v.ended })
	if id == "" {
		return
	}
	u := kernel.UpgradeSpec{Code: e.program(), Message: "news", Params: e.data(2)}
	e.note("upgrade %s with %v", id, u.Params.Slots)
	result, ok := e.m.upgrade(id, u.Code, u.Message, u.Params)
	got, err := e.k.Upgrade(e.b, id, u)
	e.same("upgrade", err, ok)
	if got != result {
		e.f.fail("input", "result %s, the model has %s", got, result)
	}
}

// someVat returns a vat that was made, mostly one as wanted.
func (e embedder) someVat(want func(v *vat) bool) vatID {
	var all []vatID
	for i := range e.m.vats {
		if v := &e.m.vats[i]; want(v) || e.rng.IntN(20) == 0 {
			all = append(all, v.id)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[e.rng.IntN(len(all))]
}

func (e embedder) terminate() {
	if id := e.someVat(func(v *vat) bool { return !v.ended }); id != "" {
		e.end(id)
	}
}

// end ends a vat from outside.
func (e embedder) end(id vatID) {
	e.note("terminate %s", id)
	want, ok := e.m.terminate(id, "by the operator")
	got, err := e.k.Terminate(e.b, id, "by the operator")
	e.same("terminate", err, ok)
	compareEnds(got, want, e.f)
	compareOutputs(got.Outputs, want.outputs, e.f)
	if ok && !slices.Equal(e.discarded, []vatID{id}) {
		e.f.fail("discard", "discarded %v after %s was terminated", e.discarded, id)
	}
}

func (e embedder) hold() {
	if id := e.someVat(func(v *vat) bool { return !v.ended && !v.held }); id != "" {
		e.note("hold %s", id)
		ok := e.m.hold(id)
		e.same("hold", e.k.Hold(e.b, id), ok)
	}
}

func (e embedder) change() {
	id := e.someVat(func(v *vat) bool { return !v.ended })
	if id == "" {
		return
	}
	var o kernel.OptionChange
	if e.rng.IntN(2) == 0 {
		o.ReapDeliveries = e.rng.Uint64N(30)
	}
	if e.rng.IntN(2) == 0 {
		o.ReapRefs = e.rng.Uint64N(9)
	}
	if e.rng.IntN(2) == 0 {
		o.ReapFuel = e.rng.Uint64N(40_000)
	}
	if e.rng.IntN(2) == 0 {
		o.Critical = new(e.rng.IntN(20) == 0)
	}
	if e.rng.IntN(2) == 0 {
		o.Quarantine = new(e.rng.IntN(4) == 0)
	}
	e.note("change options of %s: %+v", id, o)
	ok := e.m.change(id, o)
	e.same("change options", e.k.ChangeOptions(e.b, id, o), ok)
}

func (e embedder) unhold() {
	if id := e.someVat(func(v *vat) bool { return v.held }); id != "" {
		e.note("unhold %s", id)
		ok := e.m.unhold(id)
		e.same("unhold", e.k.Unhold(e.b, id), ok)
	}
}

func (e embedder) setTime() {
	now := e.m.time + e.rng.Uint64N(1e9)
	if e.rng.IntN(10) == 0 {
		now = e.m.time - 1
	}
	e.note("set the time to %d", now)
	want, ok := e.m.setTime(now)
	got, err := e.k.SetTime(e.b, now)
	e.same("time", err, ok)
	compareOutputs(got.Outputs, want.outputs, e.f)
	comparePosts(got.Posts, want.posts, e.f)
}

// refused makes inputs that name what there is not.
func (e embedder) refused() {
	e.note("an input that is refused")
	e.m.mark("a refused input")
	none := swing.KRefOf(swing.Object, e.m.nextObject)
	gone := swing.KRefOf(swing.Promise, 40+e.rng.Uint64N(e.m.nextPromise-39))
	large := kcap{Body: bytes.Repeat([]byte("x"), e.m.limits.BodyBytes+1)}
	switch e.rng.IntN(5) {
	case 0:
		_, err := e.k.Send(e.b, none, swing.Message[kref]{}, true)
		e.same("send", err, false)
	case 1:
		_, err := e.k.Send(e.b, gone, swing.Message[kref]{}, false)
		_, ok := e.m.send(gone, "", kcap{}, false)
		e.same("send", err, ok)
	case 2:
		_, _, err := e.k.CreateVat(e.b, kernel.VatSpec{Params: kcap{Slots: []kref{none}}})
		e.same("create", err, false)
	case 3:
		_, _, err := e.k.CreateVat(e.b, kernel.VatSpec{Params: large})
		e.same("create", err, false)
	case 4:
		_, ok := e.m.release(gone)
		_, err := e.k.Release(e.b, gone)
		e.same("release", err, ok)
	}
}
