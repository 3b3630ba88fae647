package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"vatwarehouse/swing"
)

// A random vat knows the model's state, so that nearly everything it does is
// legal and its world grows deep; what is illegal it does on purpose.

// actor is one syscall's choice.
type actor struct {
	*turn
	rng *rand.Rand
}

// weights say how often a run's vats do what, in thousandths.
type weights struct {
	send, subscribe, resolve, store        int
	drop, retireImports, retireExports     int
	abandon, exit, illegal, mass           int
	services                               int
	fresh, result, pipelining, trap, world int
}

func randomWeights(rng *rand.Rand) weights {
	about := func(n int) int { return n/3 + rng.IntN(4*n/3+1) }
	return weights{
		send: about(220), subscribe: about(90), resolve: about(150), store: about(100),
		drop: about(130), retireImports: about(100), retireExports: about(80),
		services: about(140), abandon: about(10), exit: rng.IntN(3), illegal: 1 + rng.IntN(7), mass: rng.IntN(2),
		fresh: about(150), result: about(450), pipelining: about(400),
		trap: rng.IntN(7), world: rng.IntN(12),
	}
}

// act makes the syscall that a seed stands for.
func (t *turn) act(seed uint64, w weights) {
	a := actor{t, rand.New(rand.NewPCG(seed, 11))}
	choices := []struct {
		weight int
		do     func(weights)
	}{
		{w.send, a.doSend}, {w.subscribe, a.doSubscribe}, {w.resolve, a.doResolve},
		{w.store, a.doStore}, {w.exit, a.doExit}, {w.illegal, a.doIllegal},
		{w.drop, a.doDrop}, {w.retireImports, a.doRetireImports},
		{w.retireExports, a.doRetireExports}, {w.abandon, a.doAbandon}, {w.mass, a.doMass},
		{w.services, a.doService},
	}
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	n := a.rng.IntN(total)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			c.do(w)
			return
		}
	}
}

// pick returns one of the vat's entries that are as wanted.
func (a actor) pick(want func(e entry) bool) (e entry, ok bool) {
	n := 0
	for _, x := range a.self().clist {
		if want(x) {
			n++
			if a.rng.IntN(n) == 0 {
				e = x
			}
		}
	}
	return e, n > 0
}

// several returns some of the vat's entries that are as wanted.
func (a actor) several(most int, want func(e entry) bool) (refs []vref) {
	var all []vref
	for _, e := range a.self().clist {
		if want(e) {
			all = append(all, e.vref)
		}
	}
	a.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if len(all) > 0 {
		refs = all[:1+a.rng.IntN(min(most, len(all)))]
	}
	return refs
}

func mayMention(e entry) bool { return e.reachable || e.vref.Exported() }
func isPromise(e entry) bool  { return e.kref.Kind() == swing.Promise }
func isImport(e entry) bool   { return !isPromise(e) && !e.vref.Exported() }
func isExport(e entry) bool   { return !isPromise(e) && e.vref.Exported() }

func (a actor) decides(e entry) bool {
	if !isPromise(e) {
		return false
	}
	p := a.m.promise(e.kref)
	return p.state == 0 && p.decider == a.vat
}

// fresh returns an export the vat does not have; numbers come back.
func (a actor) fresh(kind swing.RefKind) vref {
	for n := 1 + a.rng.IntN(30); ; n++ {
		ref := vref(fmt.Sprintf("%c+%d", kind, n))
		if kind == swing.Object && n%5 == 0 {
			ref = vref(fmt.Sprintf("o+%c%d/%d:%d", "vd"[n/5%2], 1+n%3, n, n%2))
		}
		if a.self().byVRef(ref) == nil {
			return ref
		}
	}
}

// any returns something the vat may mention.
func (a actor) any(w weights) vref {
	if a.rng.IntN(1000) < w.fresh {
		if a.rng.IntN(4) == 0 {
			return a.fresh(swing.Promise)
		}
		return a.fresh(swing.Object)
	}
	e, ok := a.pick(mayMention)
	if !ok {
		return a.fresh(swing.Object)
	}
	return e.vref
}

func (a actor) data(w weights, most int) (c vcap) {
	for range a.rng.IntN(most + 1) {
		c.Slots = append(c.Slots, a.any(w))
	}
	c.Body = []byte{byte('a' + a.rng.IntN(26))}
	if a.rng.IntN(8) == 0 {
		c.Body = nil
	}
	return c
}

// answers says of an entry that a message to it may reach somebody.
func (a actor) answers(e entry) bool {
	if isPromise(e) {
		p := a.m.promise(e.kref)
		to, bare := p.data.Reference()
		return p.state == 0 || p.state == 1 && bare && to.Kind() == swing.Object
	}
	owner := a.m.object(e.kref).owner
	return mayMention(e) && (owner == kernelOwn || a.m.alive(owner))
}

// crowded is how many queued events make vats talk less.
const crowded = 40

func (a actor) doSend(w weights) {
	if len(a.m.acceptance)+len(a.m.run) > crowded && a.rng.IntN(4) > 0 {
		a.doDrop(w)
		return
	}
	s := vcall{Op: swing.OpSend, Target: a.any(w)}
	if e, ok := a.pick(a.answers); ok && a.rng.IntN(3) > 0 {
		s.Target = e.vref
	}
	s.Message.Method = string(rune('a' + a.rng.IntN(5)))
	s.Message.Args = a.data(w, 3)
	if a.rng.IntN(1000) < w.result {
		s.Message.Result = a.fresh(swing.Promise)
		mentioned := slices.Contains(s.Message.Args.Slots, s.Message.Result) ||
			s.Target == s.Message.Result
		if mentioned && !a.self().pipelining {
			s.Message.Result = ""
		}
	}
	if a.self().pipelining && a.rng.IntN(3) == 0 {
		if e, ok := a.pick(a.decides); ok {
			s.Message.Result = e.vref
		}
	}
	a.call(s)
	if s.Message.Result != "" && a.rng.IntN(2) == 0 {
		a.call(vcall{Op: swing.OpSubscribe, Target: s.Message.Result})
	}
}

func (a actor) doSubscribe(weights) {
	if e, ok := a.pick(isPromise); ok {
		a.call(vcall{Op: swing.OpSubscribe, Target: e.vref})
	}
}

func (a actor) doResolve(w weights) {
	promises := a.several(4, a.decides)
	if a.rng.IntN(12) == 0 {
		promises = append(promises, a.fresh(swing.Promise))
	}
	var rs []swing.Resolution[vref]
	for _, p := range promises {
		r := swing.Resolution[vref]{Promise: p, Rejected: a.rng.IntN(4) == 0, Data: a.data(w, 3)}
		if a.rng.IntN(3) == 0 { // its own batch, in circles
			r.Data.Slots = append(r.Data.Slots, promises[a.rng.IntN(len(promises))])
		}
		if e, ok := a.pick(func(e entry) bool { return !isPromise(e) && mayMention(e) }); ok &&
			a.rng.IntN(3) == 0 {
			r.Data = swing.ReferenceTo(e.vref)
		}
		if to, bare := r.Data.Reference(); bare && to.Kind() == swing.Promise && !r.Rejected {
			r.Data.Body = []byte("x")
		}
		rs = append(rs, r)
	}
	if len(rs) > 0 || a.rng.IntN(5) == 0 {
		a.call(vcall{Op: swing.OpResolve, Resolutions: rs})
	}
}

func (a actor) doStore(weights) {
	s := vcall{Op: swing.OpVatstoreGet, Key: fmt.Appendf(nil, "k%d", a.rng.IntN(9))}
	switch a.rng.IntN(5) {
	case 0, 1:
		s.Op, s.Value = swing.OpVatstoreSet, fmt.Appendf(nil, "%d", a.rng.IntN(1000))
	case 2:
		s.Op = swing.OpVatstoreDelete
	case 3:
		s.Op = swing.OpVatstoreNextKey
		if a.rng.IntN(3) == 0 {
			s.Key = nil
		}
	}
	a.call(s)
}

func (a actor) doExit(w weights) {
	s := vcall{Op: swing.OpExit, Failure: a.rng.IntN(2) == 0, Info: a.data(w, 3)}
	a.call(s)
	if a.rng.IntN(4) == 0 {
		s.Failure = !s.Failure
		a.call(s)
	}
}

func (a actor) doDrop(weights) {
	refs := a.several(6, func(e entry) bool { return isImport(e) && e.reachable })
	if len(refs) == 0 && a.rng.IntN(10) > 0 {
		return
	}
	a.call(vcall{Op: swing.OpDropImports, Refs: refs})
	if len(refs) > 0 && a.rng.IntN(3) == 0 {
		a.call(vcall{Op: swing.OpRetireImports, Refs: refs})
	}
}

func (a actor) doRetireImports(weights) {
	refs := a.several(4, func(e entry) bool { return isImport(e) && !e.reachable })
	if len(refs) > 0 {
		a.call(vcall{Op: swing.OpRetireImports, Refs: refs})
	}
}

func (a actor) doRetireExports(weights) {
	refs := a.several(4, func(e entry) bool { return isExport(e) && !e.reachable })
	if len(refs) > 0 {
		a.call(vcall{Op: swing.OpRetireExports, Refs: refs})
	}
}

func (a actor) doAbandon(weights) {
	refs := a.several(2, func(e entry) bool { return isExport(e) && e.vref != swing.RootVRef })
	if len(refs) > 0 {
		a.call(vcall{Op: swing.OpAbandonExports, Refs: refs})
	}
}

// doMass exports much at once, to where it is let go of at once.
func (a actor) doMass(weights) {
	e, ok := a.pick(isPromise)
	if !ok || a.m.limits.Slots < 600 || len(a.self().clist) > 300 {
		return
	}
	for k := range 2 {
		s := vcall{Op: swing.OpSend, Target: e.vref}
		for n := range 600 {
			ref := vref(fmt.Sprintf("o+%d", 1000+1000*k+n))
			s.Message.Args.Slots = append(s.Message.Args.Slots, ref)
		}
		a.call(s)
	}
}
