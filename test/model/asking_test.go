package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// Who holds an object of the kernel's sends it mostly what it understands.

// asker makes messages for the kernel's objects, in the asker's own references.
type asker[R swing.Ref] struct {
	m   *model
	rng *rand.Rand
	any func() (R, bool)
	// service is one of a kind that the asker may mention.
	service func(kind string) (R, bool)
}

// message is a message for an object of the kernel's.
func (k asker[R]) message(s *service) (method string, args swing.CapData[R]) {
	switch s.kind {
	case admin:
		method, args = k.toAdmin()
	case aNode:
		method, args = k.toNode(s)
	case aMeter:
		method, args = k.toMeter()
	case aDevice:
		return k.toDevice(s)
	}
	if k.rng.IntN(12) == 0 {
		args.Body = k.spoil(args.Body)
	}
	return method, args
}

// spoil makes arguments that are mostly not what they should be.
func (k asker[R]) spoil(body []byte) []byte {
	switch k.rng.IntN(4) {
	case 0:
		return append(body, 1)
	case 1:
		return list(num(k.rng.Uint64N(40)), num(1), num(2), num(3))
	case 2:
		return nil
	}
	body = slices.Clone(body)
	if len(body) > 0 {
		body[k.rng.IntN(len(body))] ^= 1 << k.rng.IntN(8)
	}
	return body
}

// trailing leaves out the last arguments, if they are to be.
func (k asker[R]) trailing(values ...func([]byte) []byte) []byte {
	for len(values) > 1 && k.rng.IntN(4) == 0 {
		values = values[:len(values)-1]
	}
	return list(values...)
}

func words(s string) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendText(b, s) }
}

func octets(s []byte) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBytes(b, s) }
}

// program names a program in one of three ways.
func (k asker[R]) program(args *swing.CapData[R]) func([]byte) []byte {
	if ref, ok := k.service(aProgram); ok && k.rng.IntN(3) > 0 {
		args.Slots = append(args.Slots, ref)
		return swing.AppendNull
	}
	if k.rng.IntN(4) == 0 {
		h := codeOf(k.rng.IntN(codes))
		return octets(h[:])
	}
	return words(titleOf(k.rng.IntN(codes)))
}

// codes is how many programs there are, of which some are installed.
const codes = 4

func codeOf(n int) (h swing.Hash) {
	h[0], h[31] = 0xc0, byte(n)
	return h
}

func titleOf(n int) string { return fmt.Sprintf("p%d", n) }

func (k asker[R]) toAdmin() (method string, args swing.CapData[R]) {
	switch n := k.rng.IntN(10); {
	case n < 5 && k.m.room():
		return "createVat", k.createVat()
	case n < 7:
		args.Body = list(words(titleOf(k.rng.IntN(codes))))
		return "getProgram", args
	case n < 9:
		args.Body = k.trailing(num(k.amount()), num(k.amount()))
		return "createMeter", args
	}
	return "createUnlimitedMeter", args
}

// room reports whether there may be more vats.
func (m *model) room() bool {
	live := 0
	for i := range m.vats {
		if !m.vats[i].ended {
			live++
		}
	}
	return live < liveMax && len(m.vats) < everMade
}

// amount is units of fuel, of which a delivery takes one or two thousand.
func (k asker[R]) amount() uint64 {
	switch k.rng.IntN(12) {
	case 0:
		return 1<<64 - 1 - k.rng.Uint64N(9)
	case 1:
		return k.rng.Uint64N(500)
	}
	return k.rng.Uint64N(40_000)
}

func (k asker[R]) createVat() (args swing.CapData[R]) {
	program := k.program(&args)
	var name string
	var options []func([]byte) []byte
	if k.rng.IntN(3) == 0 {
		name = fmt.Sprintf("name%d", k.rng.IntN(20))
	} else if option := []string{"pipelining", "critical", "quarantine", "odd"}[k.rng.IntN(4)]; option != "odd" ||
		k.rng.IntN(8) == 0 {
		options = append(options, words(option))
	}
	if k.rng.IntN(25) == 0 {
		name = "not a name"
	}
	for range k.rng.IntN(3) {
		if ref, ok := k.any(); ok {
			args.Slots = append(args.Slots, ref)
		}
	}
	values := []func([]byte) []byte{
		program, words(name), octets([]byte{byte(k.rng.IntN(9))}),
		func(b []byte) []byte { return append(b, list(options...)...) },
	}
	if ref, ok := k.service(aMeter); ok && k.rng.IntN(2) == 0 {
		args.Slots = append(args.Slots, ref)
		args.Body = list(append(values, swing.AppendNull)...)
		return args
	}
	args.Body = k.trailing(values...)
	return args
}

func (k asker[R]) toNode(s *service) (method string, args swing.CapData[R]) {
	critical := k.m.vat(s.vat).critical // to end those shows the most
	switch n := k.rng.IntN(20); {
	case n < 9:
		return "done", args
	case n < 11 || critical && n < 15:
		args.Body = k.trailing(words("at last"))
		return "terminate", args
	case n < 15:
		program := k.program(&args)
		if k.rng.IntN(3) == 0 { // with the parameters it has
			args.Body = list(program)
			return "upgrade", args
		}
		if ref, ok := k.any(); ok && k.rng.IntN(2) == 0 {
			args.Slots = append(args.Slots, ref)
		}
		args.Body = k.trailing(program, octets([]byte("z")), words("\"q\""))
		return "upgrade", args
	}
	to := dirt{k.rng.Uint64N(30), k.rng.Uint64N(10), k.rng.Uint64N(40_000)}
	if k.rng.IntN(8) == 0 {
		to.refs = never + k.rng.Uint64N(2)
	}
	if k.rng.IntN(8) == 0 {
		to.fuel = never + k.rng.Uint64N(2)
	}
	args.Body = k.trailing(num(to.deliveries), num(to.refs), num(to.fuel))
	return "changeOptions", args
}

func (k asker[R]) toMeter() (method string, args swing.CapData[R]) {
	switch n := k.rng.IntN(10); {
	case n < 4:
		args.Body = list(num(k.amount()))
		return "addRemaining", args
	case n < 5:
		args.Body = k.trailing(num(k.amount()))
		return "setThreshold", args
	case n < 6:
		return "get", args
	}
	return "notify", args
}

func (k asker[R]) toDevice(s *service) (method string, args swing.CapData[R]) {
	methods := []string{"set", "take", "get", "more", "keys", "less", "late", "no"}
	if hears(s.device) {
		methods = append(methods, "ring", "add", "add", "post")
	}
	args.Body = []byte{byte('a' + k.rng.IntN(6))}
	for range k.rng.IntN(3) {
		if ref, ok := k.any(); ok {
			args.Slots = append(args.Slots, ref)
		}
	}
	return methods[k.rng.IntN(len(methods))], args
}

// serves returns the service that an entry is, or nil.
func (a actor) serves(e entry) *service {
	if isPromise(e) || !e.reachable || e.vref.Exported() {
		return nil
	}
	return a.m.service(e.kref)
}

func (a actor) asker(any func() (vref, bool)) asker[vref] {
	return asker[vref]{a.m, a.rng, any, func(kind string) (vref, bool) {
		e, ok := a.pick(func(e entry) bool { s := a.serves(e); return s != nil && s.kind == kind })
		return e.vref, ok
	}}
}

func (a actor) device() (entry, bool) {
	return a.pick(func(e entry) bool { s := a.serves(e); return s != nil && s.kind == aDevice })
}

// doService asks something of an object of the kernel's.
func (a actor) doService(w weights) {
	e, ok := a.pick(func(e entry) bool { s := a.serves(e); return s != nil && s.kind != aProgram })
	if !ok {
		return
	}
	if device, ok := a.device(); ok && a.rng.IntN(2) == 0 {
		e = device
	}
	s := a.serves(e)
	call := s.kind == aDevice && a.rng.IntN(4) > 0
	asker := a.asker(func() (vref, bool) {
		if !call {
			return a.any(w), true
		}
		e, ok := a.pick(func(e entry) bool { return !isPromise(e) && mayMention(e) })
		switch a.rng.IntN(40) {
		case 0:
			return a.fresh(swing.Promise), true
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
			return a.fresh(swing.Object), true
		}
		return e.vref, ok
	})
	m := vcall{Op: swing.OpSend, Target: e.vref}
	m.Message.Method, m.Message.Args = asker.message(s)
	if call {
		m.Op = swing.OpCall
		a.call(m)
		return
	}
	m.Message.Result = a.fresh(swing.Promise)
	if slices.Contains(m.Message.Args.Slots, m.Message.Result) || a.rng.IntN(8) == 0 {
		m.Message.Result = ""
	}
	a.call(m)
	if m.Message.Result != "" && a.rng.IntN(4) > 0 {
		a.call(vcall{Op: swing.OpSubscribe, Target: m.Message.Result})
	}
}

// wrongCall calls what is no device, or a device with what it does not take.
func (a actor) wrongCall(w weights) {
	s := vcall{Op: swing.OpCall, Target: swing.RootVRef}
	device, ok := a.device()
	switch a.rng.IntN(5) {
	case 0:
		s.Target = a.any(w)
	case 1:
		s.Target = "o-7777"
	case 2:
		if e, found := a.pick(isPromise); found {
			s.Message.Args.Slots = []vref{e.vref}
		}
		if !ok {
			return
		}
	case 3:
		a.call(vcall{Op: swing.OpSubscribe, Target: swing.RootVRef})
	case 4:
		s.Message.Args.Body = make([]byte, a.m.limits.BodyBytes+1)
	}
	if ok && s.Target == swing.RootVRef {
		s.Target = device.vref
	}
	a.call(s)
}

// service returns an object of the kernel's that the embedder knows.
func (e embedder) service(kind string) (kref, bool) {
	var all []kref
	for _, s := range e.m.services {
		if s.kind == kind && (e.m.pinned(s.ref) || e.rng.IntN(3) == 0) {
			all = append(all, s.ref)
		}
	}
	if len(all) == 0 {
		return "", false
	}
	return all[e.rng.IntN(len(all))], true
}

func (e embedder) program() swing.Hash { return codeOf(e.rng.IntN(codes)) }

// sendService asks something of an object of the kernel's.
func (e embedder) sendService() {
	kind := []string{admin, admin, aNode, aNode, aNode, aMeter, aDevice}[e.rng.IntN(7)]
	ref, ok := e.service(kind)
	if !ok {
		ref = kernel.AdminRef
	}
	method, args := asker[kref]{e.m, e.rng, e.ref, e.service}.message(e.m.service(ref))
	e.sendTo(ref, method, args)
}

// equip installs a program, adds a device or makes a meter.
func (e embedder) equip() {
	switch e.rng.IntN(3) {
	case 0:
		n := e.rng.IntN(codes)
		name := titleOf(e.rng.IntN(codes))
		if e.rng.IntN(3) == 0 {
			name = ""
		}
		e.note("install program %d as %q", n, name)
		e.m.install(codeOf(n), name)
		e.same("install", e.k.Install(e.b, codeOf(n), name), true)
	case 1:
		name := deviceNames[e.rng.IntN(len(deviceNames))]
		if e.rng.IntN(10) == 0 {
			name = "no-device"
		}
		e.note("add device %s", name)
		want, ok := e.m.addDevice(name)
		got, err := e.k.AddDevice(e.b, name)
		e.same("add device", err, ok)
		if got != want {
			e.f.fail("input", "device %s, the model has %s", got, want)
		}
	case 2:
		k := asker[kref]{e.m, e.rng, e.ref, e.service}
		remaining, threshold, unlimited := k.amount(), k.amount(), e.rng.IntN(5) == 0
		e.note("create a meter of %d, %d, unlimited %v", remaining, threshold, unlimited)
		want := e.m.createMeter(remaining, threshold, unlimited)
		if got := e.k.CreateMeter(e.b, remaining, threshold, unlimited); got != want {
			e.f.fail("input", "meter %s, the model has %s", got, want)
		}
	}
}

// receive hands something to a device.
func (e embedder) receive() {
	name := deviceNames[e.rng.IntN(len(deviceNames))]
	data := e.data(3)
	e.note("hand %v to %s", data.Slots, name)
	want, ok := e.m.receive(name, data)
	got, err := e.k.Receive(e.b, name, data)
	e.same("receive", err, ok)
	compareOutputs(got.Outputs, want.outputs, e.f)
	comparePosts(got.Posts, want.posts, e.f)
}

var _ kernel.Device = cell{}
