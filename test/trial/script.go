package trial

import (
	"fmt"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// script is what a puppet is to do: syscalls that its c-list allows, mostly.
type script struct {
	*day
	entries []host.Entry
	steps   []any
	gone    map[swing.VRef]bool // what the script has dropped, retired or resolved
}

// script writes one for a vat, by what it holds.
func (d *day) script(v host.Vat) (*script, error) {
	entries, _, err := d.h.CList(v.ID, lookMax)
	if err != nil {
		return nil, err
	}
	s := &script{day: d, entries: entries, gone: map[swing.VRef]bool{}}
	for range 1 + d.rng.IntN(6) {
		if err := s.step(v.ID); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *script) call(c swing.Syscall[swing.VRef]) {
	s.steps = append(s.steps, []any{uint64(c.Op), swing.AppendRequest(nil, c)})
}

// step adds one thing that a vat can do.
func (s *script) step(vat swing.VatID) error {
	forgettable := func(e host.Entry) bool { return exported(e) && !e.Reachable }
	switch n := s.rng.IntN(100); {
	case s.pick(forgettable) != "" && n%2 == 0:
		s.letGo(swing.OpRetireExports, forgettable)
	case n < 22:
		s.send()
	case n < 30:
		return s.resolve(vat)
	case n < 44:
		s.store()
	case n < 60:
		return s.callDevice()
	case n < 74:
		return s.askKernel()
	case n < 82:
		s.letGo(swing.OpDropImports, func(e host.Entry) bool { return imported(e) && e.Reachable })
	case n < 86:
		s.letGo(
			swing.OpRetireImports,
			func(e host.Entry) bool { return imported(e) && !e.Reachable },
		)
	case n < 91:
		s.letGo(swing.OpAbandonExports, exported)
	case n < 96: // pages of its memory
		at := uint64(2<<16 + s.rng.IntN(1<<16-100))
		s.steps = append(s.steps, []any{"grow", uint64(1)},
			[]any{"fill", at, uint64(1 + s.rng.IntN(90)), s.rng.Uint64N(256)})
	case n < 97:
		s.steps = append(s.steps, []any{"trap"})
	case n < 98:
		s.call(swing.Syscall[swing.VRef]{
			Op: swing.OpExit, Failure: s.rng.IntN(2) == 0, Info: s.data(1),
		})
	case s.rng.IntN(2) == 0: // what it may not do
		s.call(swing.Syscall[swing.VRef]{Op: swing.OpDropImports, Refs: []swing.VRef{"o-7777"}})
	}
	return nil
}

func imported(e host.Entry) bool { return e.KRef.Kind() == swing.Object && !e.VRef.Exported() }

func exported(e host.Entry) bool {
	return e.KRef.Kind() == swing.Object && e.VRef.Exported() && e.VRef != swing.RootVRef
}

// pick returns one of the entries that are as wanted and still there, or "".
func (s *script) pick(want func(e host.Entry) bool) (ref swing.VRef) {
	n := 0
	for _, e := range s.entries {
		if !s.gone[e.VRef] && want(e) {
			if n++; s.rng.IntN(n) == 0 {
				ref = e.VRef
			}
		}
	}
	return ref
}

// export names a new object or promise of the vat's own.
func (s *script) export(kind swing.RefKind) swing.VRef {
	s.fresh++
	n := 100*(s.round+1) + s.fresh
	if kind == swing.Object && n%3 == 0 {
		return swing.VRef(fmt.Sprintf("o+d1/%d", n))
	}
	return swing.VRef(fmt.Sprintf("%c+%d", kind, n))
}

func (s *script) data(most int) (c swing.CapData[swing.VRef]) {
	c.Body = list(uint64(s.round))
	for range s.rng.IntN(most + 1) {
		ref := s.pick(func(e host.Entry) bool { return e.Reachable })
		if ref == "" || s.rng.IntN(3) == 0 {
			ref = s.export([]swing.RefKind{swing.Object, swing.Promise}[s.rng.IntN(4)/3])
		}
		c.Slots = append(c.Slots, ref)
	}
	return c
}

func (s *script) send() {
	target := s.pick(func(e host.Entry) bool { return e.Reachable && !e.VRef.Exported() })
	if target == "" {
		return
	}
	method := []string{"hello", "incr", "read", "report"}[s.rng.IntN(4)]
	s.ask(target, method, s.data(2))
}

// ask sends a message and subscribes to its answer, mostly.
func (s *script) ask(target swing.VRef, method string, args swing.CapData[swing.VRef]) {
	m := swing.Message[swing.VRef]{Method: method, Args: args}
	if s.rng.IntN(4) > 0 {
		m.Result = s.export(swing.Promise)
	}
	s.call(swing.Syscall[swing.VRef]{Op: swing.OpSend, Target: target, Message: m})
	if m.Result != "" && s.rng.IntN(4) > 0 {
		s.call(swing.Syscall[swing.VRef]{Op: swing.OpSubscribe, Target: m.Result})
	}
}

// resolve settles a promise that the vat decides.
func (s *script) resolve(vat swing.VatID) error {
	for _, e := range s.entries {
		if e.KRef.Kind() != swing.Promise || s.gone[e.VRef] {
			continue
		}
		p, err := s.h.Promise(e.KRef)
		if err != nil {
			return err
		}
		if p.State != kernel.Unresolved || p.Decider != vat || s.rng.IntN(2) == 0 {
			continue
		}
		s.gone[e.VRef] = true
		r := swing.Resolution[swing.VRef]{
			Promise:  e.VRef,
			Rejected: s.rng.IntN(3) == 0,
			Data:     s.data(2),
		}
		if s.rng.IntN(2) == 0 {
			r.Data = swing.ReferenceTo(s.export(swing.Object))
		}
		s.call(swing.Syscall[swing.VRef]{
			Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{r},
		})
		return nil
	}
	return nil
}

func (s *script) store() {
	c := swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte{byte('a' + s.rng.IntN(9))}}
	switch s.rng.IntN(5) {
	case 0, 1:
		c.Value = []byte{byte(s.round)}
	case 2:
		c.Op = swing.OpVatstoreGet
	case 3:
		c.Op = swing.OpVatstoreNextKey
	case 4:
		c.Op = swing.OpVatstoreDelete
	}
	s.call(c)
}

// letGo says of some entries that they are dropped, retired or abandoned.
func (s *script) letGo(op swing.Op, want func(e host.Entry) bool) {
	c := swing.Syscall[swing.VRef]{Op: op}
	for range 1 + s.rng.IntN(2) {
		if ref := s.pick(want); ref != "" {
			s.gone[ref] = true
			c.Refs = append(c.Refs, ref)
		}
	}
	if len(c.Refs) > 0 {
		s.call(c)
	}
}

// callDevice asks a device, if the vat has one.
func (s *script) callDevice() error {
	name := []string{"timer", "bridge"}[s.rng.IntN(2)]
	device, err := s.h.Device(name)
	if err != nil {
		return err
	}
	ref := s.pick(func(e host.Entry) bool { return e.KRef == device && e.Reachable })
	if ref == "" {
		return nil
	}
	c := swing.Syscall[swing.VRef]{Op: swing.OpCall, Target: ref}
	handler := []swing.VRef{swing.RootVRef, s.export(swing.Object)}[s.rng.IntN(2)]
	now, args := uint64(firstTime), &c.Message.Args
	switch method := []string{"now", "wakeAt", "delay", "repeat", "cancel"}[s.rng.IntN(5)]; {
	case name == "bridge" && s.rng.IntN(2) == 0:
		c.Message.Method, args.Body = "post", list(uint64(s.round))
	case name == "bridge":
		c.Message.Method, args.Body, args.Slots = "register", list(nil), []swing.VRef{handler}
	default:
		c.Message.Method = method
		switch method {
		case "wakeAt":
			args.Body, args.Slots = list(now+s.rng.Uint64N(20_000), nil), []swing.VRef{handler}
		case "delay":
			args.Body, args.Slots = list(s.rng.Uint64N(3000), nil), []swing.VRef{handler}
		case "repeat":
			args.Body = list(now+s.rng.Uint64N(5000), 500+s.rng.Uint64N(3000), nil)
			args.Slots = []swing.VRef{handler}
		case "cancel":
			args.Body = list(s.rng.Uint64N(8))
		}
	}
	s.call(c)
	return nil
}

// firstTime is the block time before it is set.
const firstTime = 946684800e9

// askKernel sends a message to an object of the kernel's, if the vat has one.
func (s *script) askKernel() error {
	meter := s.pick(func(e host.Entry) bool {
		_, err := s.h.Meter(e.KRef)
		return e.Reachable && err == nil
	})
	admin := s.pick(func(e host.Entry) bool { return e.KRef == kernel.AdminRef && e.Reachable })
	other := s.pick(func(e host.Entry) bool {
		o, err := s.h.Object(e.KRef, 0)
		return imported(e) && e.Reachable && err == nil && o.Owner == kernel.ServiceOwner
	})
	var args swing.CapData[swing.VRef]
	switch n := s.rng.IntN(10); {
	case meter != "" && n < 2:
		args.Body = list(s.rng.Uint64N(50_000))
		s.ask(meter, "addRemaining", args)
	case meter != "" && n < 4:
		s.ask(meter, []string{"notify", "get"}[s.rng.IntN(2)], args)
	case admin != "" && n < 8 && len(s.vats) < liveMax:
		s.createVat(admin, meter)
	case admin != "" && n < 9:
		args.Body = list(50_000, 10_000)
		s.ask(admin, "createMeter", args)
	case other != "": // a node, mostly
		s.askNode(other)
	}
	return nil
}

func (s *script) createVat(admin, meter swing.VRef) {
	options := []any{[]any{}, []any{"quarantine"}, []any{"pipelining"}}[s.rng.IntN(3)]
	params := list([]any{uint64(swing.OpVatstoreSet), []byte{0x82, 0x41, 'k', 0x41, 'v'}})
	if s.rng.IntN(5) == 0 {
		params = list([]any{"trap"})
	}
	args := swing.CapData[swing.VRef]{Body: list("puppet", "", params, options)}
	if meter != "" && s.rng.IntN(2) == 0 {
		args.Body = list("puppet", "", params, options, nil)
		args.Slots = []swing.VRef{meter}
	}
	s.ask(admin, "createVat", args)
}

func (s *script) askNode(node swing.VRef) {
	var args swing.CapData[swing.VRef]
	method := "done"
	switch s.rng.IntN(6) {
	case 0:
		method, args.Body = "terminate", list("by its maker")
	case 1, 2:
		method, args.Body = "upgrade", list("puppet", []byte{}, "by its maker")
	case 3:
		method, args.Body = "changeOptions", list(3, 2, 20_000)
	}
	s.ask(node, method, args)
}

// list is a body, a list of numbers, texts, byte strings, lists and nulls.
func list(values ...any) []byte { return appendValue(nil, values) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return swing.AppendNull(b)
	case uint64:
		return swing.AppendUint(b, v)
	case int:
		return swing.AppendUint(b, uint64(v))
	case string:
		return swing.AppendText(b, v)
	case []byte:
		return swing.AppendBytes(b, v)
	}
	all, ok := v.([]any)
	if !ok {
		panic(fmt.Sprintf("trial: a %T in a body", v))
	}
	b = swing.AppendArray(b, len(all))
	for _, item := range all {
		b = appendValue(b, item)
	}
	return b
}
