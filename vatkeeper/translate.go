package vatkeeper

import (
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// translation is one crossing of the c-list: it gathers the effects.
type translation struct {
	Keeper
	changes []RefChange
	alloc   *Allocation // for Out
	illegal string      // for Out: the first rule broken
}

// In translates a delivery for the vat: krefs to vrefs. References the vat has
// not met become imports. A notify's promises leave the c-list at once, so
// that what the vat says of them during the delivery is new.
//
// A message's target must be the vat's own export; anything else is the
// kernel's fault.
func (k Keeper) In(d swing.Delivery[swing.KRef]) (swing.Delivery[swing.VRef], []RefChange) {
	t := translation{Keeper: k}
	out := swing.Delivery[swing.VRef]{Kind: d.Kind, Time: d.Time}
	switch d.Kind {
	case swing.DeliverStartVat:
		out.Params = t.capDataIn(d.Params)
	case swing.DeliverMessage:
		out.Target = t.target(d.Target)
		out.Message = swing.Message[swing.VRef]{
			Method: d.Message.Method, Args: t.capDataIn(d.Message.Args),
		}
		if d.Message.Result != "" {
			out.Message.Result = t.in(d.Message.Result)
		}
	case swing.DeliverNotify:
		out.Resolutions = t.resolutionsIn(d.Resolutions)
	case swing.DeliverDropExports, swing.DeliverRetireExports, swing.DeliverRetireImports:
		for _, ref := range d.Refs {
			out.Refs = append(out.Refs, t.collected(d.Kind, ref))
		}
	case swing.DeliverReap:
	}
	return out, t.changes
}

// AnswerIn translates a device's answer for the vat that called it.
func (k Keeper) AnswerIn(
	a swing.CallAnswer[swing.KRef],
) (swing.CallAnswer[swing.VRef], []RefChange) {
	t := translation{Keeper: k}
	return swing.CallAnswer[swing.VRef]{Failed: a.Failed, Data: t.capDataIn(a.Data)}, t.changes
}

// target translates what a message is for: an export, or a promise that the vat
// decides.
func (t *translation) target(ref swing.KRef) swing.VRef {
	e, ok := t.ByKRef(ref)
	if !ok || ref.Kind() == swing.Object && !e.VRef.Exported() {
		panic(fmt.Sprintf("vatkeeper: %s was sent a message for %s, not its export", t.id, ref))
	}
	return t.in(ref)
}

// collected makes one reference's part of a GC delivery true, and translates it.
func (t *translation) collected(kind swing.DeliveryKind, ref swing.KRef) swing.VRef {
	e, ok := t.ByKRef(ref)
	if !ok || e.VRef.Exported() == (kind == swing.DeliverRetireImports) {
		panic(fmt.Sprintf("vatkeeper: %s is to be told %v %s", t.id, kind, ref))
	}
	if kind == swing.DeliverDropExports {
		e.Reachable = false
		t.put(e)
	} else {
		t.changed(t.remove(e))
	}
	return e.VRef
}

func (t *translation) resolutionsIn(
	rs []swing.Resolution[swing.KRef],
) (out []swing.Resolution[swing.VRef]) {
	for _, r := range rs {
		out = append(out, swing.Resolution[swing.VRef]{
			Promise: t.in(r.Promise), Rejected: r.Rejected, Data: t.capDataIn(r.Data),
		})
	}
	for _, r := range rs {
		t.retire(r.Promise)
	}
	return out
}

func (t *translation) capDataIn(c swing.CapData[swing.KRef]) swing.CapData[swing.VRef] {
	out := swing.CapData[swing.VRef]{Body: c.Body}
	for _, s := range c.Slots {
		out.Slots = append(out.Slots, t.in(s))
	}
	return out
}

func (t *translation) in(ref swing.KRef) swing.VRef {
	e, ok := t.ByKRef(ref)
	if ok && e.Reachable {
		return e.VRef
	}
	before := RefChange{Ref: ref}
	if ok {
		before = held(e, 1)
	} else {
		e = Entry{KRef: ref, VRef: t.takeImport(ref.Kind())}
	}
	e.Reachable = true
	t.put(e)
	now := held(e, 1)
	now.Reachable -= before.Reachable
	now.Recognizable -= before.Recognizable
	now.Imports -= before.Imports
	t.changed(now)
	return e.VRef
}

func (t *translation) changed(c RefChange) {
	if c != (RefChange{Ref: c.Ref}) {
		t.changes = append(t.changes, c)
	}
}

// retire removes a resolved promise from the c-list.
func (t *translation) retire(ref swing.KRef) {
	if e, ok := t.ByKRef(ref); ok {
		t.changed(t.remove(e))
	}
}

// IllegalError says which rule a syscall broke. It is the vat's fault and
// becomes an outcome.
type IllegalError struct {
	Syscall int // index within the delivery
	Op      swing.Op
	Rule    string
}

// Error names the syscall and the rule.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("syscall %d (%v): %s", e.Syscall, e.Op, e.Rule)
}

// Out translates the i-th syscall of a delivery for the kernel: vrefs to krefs.
// Exports the kernel has not met are allocated from a. Promises of a resolve
// leave the c-list. The rules that need the kernel's tables (who decides a
// promise) are the kernel's to judge. An error is always a *IllegalError, and
// then the KV is left as it fell: the kernel rolls the crank back.
func (k Keeper) Out(
	i int, x transcript.Exchange, limits swing.Limits, a *Allocation,
) (swing.Syscall[swing.KRef], []RefChange, error) {
	s, err := swing.DecodeRequest[swing.VRef](x.Op, x.Request)
	if err != nil {
		return swing.Syscall[swing.KRef]{}, nil, &IllegalError{i, x.Op, err.Error()}
	}
	t := translation{Keeper: k, alloc: a, illegal: swing.CheckSyscall(limits, s)}
	out := swing.Syscall[swing.KRef]{Op: s.Op, Failure: s.Failure}
	switch s.Op {
	case swing.OpSend:
		t.send(s, &out)
	case swing.OpCall:
		out.Target = t.out(s.Target)
		out.Message.Method, out.Message.Args = s.Message.Method, t.capDataOut(s.Message.Args)
	case swing.OpSubscribe:
		out.Target = t.promiseOut(s.Target)
	case swing.OpResolve:
		out.Resolutions = t.resolutionsOut(s.Resolutions)
	case swing.OpExit:
		out.Info = t.capDataOut(s.Info)
	case swing.OpDropImports, swing.OpRetireImports, swing.OpRetireExports,
		swing.OpAbandonExports:
		for _, ref := range s.Refs {
			out.Refs = append(out.Refs, t.letGo(s.Op, ref))
		}
	default:
		panic(fmt.Sprintf("vatkeeper: %v is answered, not judged", s.Op))
	}
	if t.illegal != "" {
		return swing.Syscall[swing.KRef]{}, nil, &IllegalError{i, x.Op, t.illegal}
	}
	return out, t.changes, nil
}

func (t *translation) refuse(format string, args ...any) {
	if t.illegal == "" {
		t.illegal = fmt.Sprintf(format, args...)
	}
}

// letGo makes one reference's part of a GC syscall true, and translates it.
func (t *translation) letGo(op swing.Op, ref swing.VRef) swing.KRef {
	ours := op == swing.OpRetireExports || op == swing.OpAbandonExports
	e, ok := t.ByVRef(ref)
	switch {
	case ref.Kind() != swing.Object || ref.Exported() != ours:
		word := "import"
		if ours {
			word = "export"
		}
		t.refuse("%s is no %s", ref, word)
		return ""
	case !ok:
		t.refuse("%s is not in the c-list", ref)
		return ""
	case op == swing.OpDropImports && !e.Reachable:
		t.refuse("%s was dropped", ref)
	case (op == swing.OpRetireImports || op == swing.OpRetireExports) && e.Reachable:
		t.refuse("%s is not dropped yet", ref)
	case op == swing.OpAbandonExports && ref == swing.RootVRef:
		t.refuse("%s is the root", ref)
	}
	if op == swing.OpDropImports {
		before := held(e, 1)
		e.Reachable = false
		t.put(e)
		t.changed(RefChange{Ref: e.KRef, Reachable: held(e, 1).Reachable - before.Reachable})
		return e.KRef
	}
	c := t.remove(e)
	c.Orphan = ours
	t.changed(c)
	return e.KRef
}

// send translates the target and the arguments first and the result last: a
// result must be a promise nobody has heard of, and one that is also among the
// arguments is not. Vats that pipeline may name one they have mentioned before; that
// they decide it is for the kernel to judge.
func (t *translation) send(s swing.Syscall[swing.VRef], out *swing.Syscall[swing.KRef]) {
	out.Target = t.out(s.Target)
	out.Message = swing.Message[swing.KRef]{
		Method: s.Message.Method, Args: t.capDataOut(s.Message.Args),
	}
	result := s.Message.Result
	if result == "" {
		return
	}
	_, known := t.ByVRef(result)
	mayBeKnown := known && t.pipelines()
	switch {
	case result.Kind() != swing.Promise || !result.Exported() && !mayBeKnown:
		t.refuse("result %s is no promise of the vat's own", result)
		return
	case known && !mayBeKnown:
		t.refuse("result %s is not a new promise", result)
		return
	}
	out.Message.Result = t.out(result)
}

func (t *translation) capDataOut(c swing.CapData[swing.VRef]) swing.CapData[swing.KRef] {
	out := swing.CapData[swing.KRef]{Body: c.Body}
	for _, s := range c.Slots {
		out.Slots = append(out.Slots, t.out(s))
	}
	return out
}

// resolutionsOut translates all data before it retires a promise: the data of
// one may mention another.
func (t *translation) resolutionsOut(
	rs []swing.Resolution[swing.VRef],
) (out []swing.Resolution[swing.KRef]) {
	for _, r := range rs {
		promise := t.promiseOut(r.Promise)
		for _, before := range out {
			if before.Promise == promise {
				t.refuse("%s is resolved twice", r.Promise)
			}
		}
		out = append(out, swing.Resolution[swing.KRef]{
			Promise: promise, Rejected: r.Rejected, Data: t.capDataOut(r.Data),
		})
	}
	for _, r := range out {
		t.retire(r.Promise)
	}
	return out
}

func (t *translation) promiseOut(ref swing.VRef) swing.KRef {
	if ref.Kind() != swing.Promise {
		t.refuse("%s is no promise", ref)
		return ""
	}
	return t.out(ref)
}

func (t *translation) out(ref swing.VRef) swing.KRef {
	if e, ok := t.ByVRef(ref); ok {
		switch {
		case e.Reachable:
		case ref.Exported(): // mentioned again after all others had dropped it
			e.Reachable = true
			t.put(e)
		default:
			t.refuse("%s was dropped", ref)
		}
		return e.KRef
	}
	if !ref.Exported() {
		t.refuse("%s is not in the c-list", ref)
		return ""
	}
	e := Entry{KRef: t.alloc.take(ref.Kind()), VRef: ref, Reachable: true}
	t.put(e)
	c := held(e, 1)
	c.New = true
	t.changed(c)
	return e.KRef
}
