package model

import (
	"strings"

	"vatwarehouse/swing"
)

// doIllegal breaks a rule, if the vat's state offers the one chosen.
func (a actor) doIllegal(w weights) {
	kinds := []func(weights){
		a.forge, a.wrongKind, a.wrongResult, a.wrongDecider, a.wrongData, a.tooMuch, a.malformed,
		a.wrongDrop, a.wrongRetire, a.wrongExports, a.mentionDropped, a.wrongCall,
	}
	kinds[a.rng.IntN(len(kinds))](w)
}

func (a actor) resolveOne(p vref, rejected bool, data vcap) {
	a.call(vcall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
		{Promise: p, Rejected: rejected, Data: data},
	}})
}

func (a actor) forge(w weights) {
	forged := []vref{"o-7777", "p-7777", "o-1"}[a.rng.IntN(3)]
	switch a.rng.IntN(5) {
	case 0:
		a.call(vcall{Op: swing.OpSend, Target: forged})
	case 1:
		s := vcall{Op: swing.OpSend, Target: a.any(w)}
		s.Message.Args.Slots = []vref{a.any(w), forged}
		a.call(s)
	case 2:
		a.call(vcall{Op: swing.OpSubscribe, Target: "p-7777"})
	case 3:
		a.call(vcall{Op: swing.OpExit, Info: swing.ReferenceTo(forged)})
	case 4:
		a.resolveOne("p-7777", false, vcap{})
	}
}

func (a actor) wrongKind(w weights) {
	if a.rng.IntN(2) == 0 {
		a.call(vcall{Op: swing.OpSubscribe, Target: swing.RootVRef})
	} else {
		a.resolveOne(a.fresh(swing.Object), false, a.data(w, 1))
	}
}

func (a actor) wrongResult(w weights) {
	s := vcall{Op: swing.OpSend, Target: a.any(w)}
	switch a.rng.IntN(5) {
	case 0:
		s.Message.Result = a.fresh(swing.Object)
	case 1:
		s.Message.Result = "p-7777"
	case 2: // mentioned before, and, if the vat pipelines, decided by another
		e, ok := a.pick(func(e entry) bool {
			return isPromise(e) && e.vref.Exported() && !a.decides(e)
		})
		if !ok {
			return
		}
		s.Message.Result = e.vref
	case 3:
		e, ok := a.pick(func(e entry) bool { return isPromise(e) && !e.vref.Exported() })
		if !ok || a.decides(e) && a.self().pipelining {
			return
		}
		s.Message.Result = e.vref
	case 4: // legal if the vat pipelines
		s.Message.Result = a.fresh(swing.Promise)
		s.Message.Args.Slots = []vref{s.Message.Result}
	}
	a.call(s)
}

func (a actor) wrongDecider(w weights) {
	e, ok := a.pick(func(e entry) bool { return isPromise(e) && !a.decides(e) })
	if !ok {
		return
	}
	if resolved, ok := a.pick(func(e entry) bool {
		return isPromise(e) && a.m.promise(e.kref).state != 0
	}); ok && a.rng.IntN(2) == 0 {
		e = resolved
	}
	a.resolveOne(e.vref, a.rng.IntN(2) == 0, a.data(w, 1))
}

func (a actor) wrongData(w weights) {
	e, ok := a.pick(a.decides)
	if !ok {
		return
	}
	if a.rng.IntN(2) == 0 {
		to, _ := a.pick(isPromise)
		a.resolveOne(e.vref, false, swing.ReferenceTo(to.vref))
		return
	}
	r := swing.Resolution[vref]{Promise: e.vref, Data: a.data(w, 2)}
	r.Data.Body = []byte("twice")
	a.call(vcall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{r, r}})
}

// tooMuch asks for one more than a limit.
func (a actor) tooMuch(w weights) {
	l := a.m.limits
	long := func(n int) []byte { return []byte(strings.Repeat("x", n+1)) }
	send := vcall{Op: swing.OpSend, Target: a.any(w)}
	switch a.rng.IntN(9) {
	case 0:
		send.Message.Args.Body = long(l.BodyBytes)
		a.call(send)
	case 1:
		send.Message.Method = string(long(l.MethodBytes))
		a.call(send)
	case 2:
		for range l.Slots + 1 {
			send.Message.Args.Slots = append(send.Message.Args.Slots, send.Target)
		}
		a.call(send)
	case 3:
		a.call(vcall{Op: swing.OpVatstoreGet, Key: long(l.KeyBytes)})
	case 4:
		a.call(vcall{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: long(l.ValueBytes)})
	case 5:
		var rs []swing.Resolution[vref]
		for range l.Resolutions + 1 {
			rs = append(rs, swing.Resolution[vref]{Promise: a.fresh(swing.Promise)})
		}
		a.call(vcall{Op: swing.OpResolve, Resolutions: rs})
	case 6:
		a.call(vcall{Op: swing.OpExit, Info: vcap{Body: long(l.BodyBytes)}})
	case 7:
		for !a.over() {
			a.call(vcall{Op: swing.OpVatstoreNextKey, Key: []byte{byte(a.rng.Uint32())}})
		}
	case 8:
		a.call(vcall{Op: swing.OpVatstoreDelete})
	}
}

// malformed sends bytes that say nothing.
func (a actor) malformed(w weights) {
	ops := []swing.Op{0, 10, 15, 20, 99, swing.OpSend, swing.OpCall, swing.OpSubscribe, swing.OpResolve,
		swing.OpExit, swing.OpVatstoreGet, swing.OpVatstoreSet, swing.OpDropImports,
		swing.OpAbandonExports}
	op := ops[a.rng.IntN(len(ops))]
	request := [][]byte{{0xff}, nil, {0x81}, {0x81, 0x64, 'o', '+', '0', '1'}, {0x80, 0x80}}
	a.raw(op, request[a.rng.IntN(len(request))], nil)
}

func (a actor) refs(op swing.Op, refs ...vref) { a.call(vcall{Op: op, Refs: refs}) }

func (a actor) wrongDrop(w weights) {
	switch a.rng.IntN(5) {
	case 0:
		a.refs(swing.OpDropImports, swing.RootVRef)
	case 1:
		a.refs(swing.OpDropImports, "o-7777")
	case 2:
		if e, ok := a.pick(isPromise); ok {
			a.refs(swing.OpDropImports, e.vref)
		}
	case 3:
		if e, ok := a.pick(isImport); ok {
			a.refs(swing.OpDropImports, e.vref, e.vref)
		}
	case 4:
		if e, ok := a.pick(func(e entry) bool { return isImport(e) && !e.reachable }); ok {
			a.refs(swing.OpDropImports, e.vref)
		}
	}
}

func (a actor) wrongRetire(w weights) {
	switch a.rng.IntN(4) {
	case 0:
		if e, ok := a.pick(func(e entry) bool { return isImport(e) && e.reachable }); ok {
			a.refs(swing.OpRetireImports, e.vref)
		}
	case 1:
		if e, ok := a.pick(func(e entry) bool { return isImport(e) && !e.reachable }); ok {
			a.refs(swing.OpRetireImports, e.vref, e.vref)
		}
	case 2:
		a.refs(swing.OpRetireImports, []vref{"o-7777", swing.RootVRef, "p-7777"}[a.rng.IntN(3)])
	case 3:
		if e, ok := a.pick(isPromise); ok {
			a.refs(swing.OpRetireImports, e.vref)
		}
	}
}

func (a actor) wrongExports(w weights) {
	op := []swing.Op{swing.OpRetireExports, swing.OpAbandonExports}[a.rng.IntN(2)]
	switch a.rng.IntN(5) {
	case 0:
		if e, ok := a.pick(func(e entry) bool { return isExport(e) && e.reachable }); ok {
			a.refs(swing.OpRetireExports, e.vref)
		}
	case 1:
		a.refs(swing.OpAbandonExports, swing.RootVRef)
	case 2:
		if e, ok := a.pick(isImport); ok {
			a.refs(op, e.vref)
		}
	case 3:
		a.refs(op, a.fresh(swing.Object))
	case 4:
		if e, ok := a.pick(isPromise); ok {
			a.refs(op, e.vref)
		}
	}
}

func (a actor) mentionDropped(w weights) {
	e, ok := a.pick(func(e entry) bool { return isImport(e) && !e.reachable })
	if !ok {
		return
	}
	s := vcall{Op: swing.OpSend, Target: e.vref}
	if a.rng.IntN(2) == 0 {
		s.Target, s.Message.Args = swing.RootVRef, swing.ReferenceTo(e.vref)
	}
	a.call(s)
}
