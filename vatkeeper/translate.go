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
		e, ok := k.ByKRef(d.Target)
		if !ok || !e.VRef.Exported() {
			panic(fmt.Sprintf("vatkeeper: %s was sent a message for %s, not its export",
				k.id, d.Target))
		}
		out.Target = e.VRef
		out.Message = swing.Message[swing.VRef]{
			Method: d.Message.Method, Args: t.capDataIn(d.Message.Args),
		}
		if d.Message.Result != "" {
			out.Message.Result = t.in(d.Message.Result)
		}
	case swing.DeliverNotify:
		out.Resolutions = t.resolutionsIn(d.Resolutions)
	}
	return out, t.changes
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
	t.changed(now)
	return e.VRef
}

func (t *translation) changed(c RefChange) {
	if c.New || c.Reachable != 0 || c.Recognizable != 0 {
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
	case swing.OpSubscribe:
		out.Target = t.promiseOut(s.Target)
	case swing.OpResolve:
		out.Resolutions = t.resolutionsOut(s.Resolutions)
	case swing.OpExit:
		out.Info = t.capDataOut(s.Info)
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

// send translates the target and the arguments first and the result last: a
// result must be a promise nobody has heard of, and one that is also among the
// arguments is not. (Vats that ask for pipelining are excepted, once they exist.)
func (t *translation) send(s swing.Syscall[swing.VRef], out *swing.Syscall[swing.KRef]) {
	out.Target = t.out(s.Target)
	out.Message = swing.Message[swing.KRef]{
		Method: s.Message.Method, Args: t.capDataOut(s.Message.Args),
	}
	result := s.Message.Result
	if result == "" {
		return
	}
	if !result.Exported() || result.Kind() != swing.Promise {
		t.refuse("result %s is no promise of the vat's own", result)
		return
	}
	if _, known := t.ByVRef(result); known {
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
		if !e.Reachable {
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
