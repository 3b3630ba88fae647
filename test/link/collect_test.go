package link_test

import (
	"fmt"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// hands is a puppet on one side, what stands for it on the other, and how many objects it
// was given.
type hands struct {
	*node
	root, afar swing.KRef
	given      int
}

func newHands(n, other *node) *hands {
	n.Helper()
	root := n.vat("puppet", "hands")
	return &hands{node: n, root: root, afar: share(n, other, 9, root)}
}

// do has the puppet make syscalls.
func (h *hands) do(syscalls ...swing.Syscall[swing.VRef]) {
	h.Helper()
	b := swing.AppendArray(nil, len(syscalls))
	for _, s := range syscalls {
		b = swing.AppendUint(swing.AppendArray(b, 2), uint64(s.Op))
		b = swing.AppendBytes(b, swing.AppendRequest(nil, s))
	}
	h.must(h.h.SendOnly(ctx, h.root, host.Message{Method: "do", Body: b}))
	h.must(h.h.Commit(ctx))
}

// give passes an object to the puppet, from the other side.
func (h *hands) give(from *node, object swing.KRef) {
	h.Helper()
	from.must(from.h.SendOnly(ctx, h.afar, message("take", object)))
	from.must(from.h.Commit(ctx))
}

// latest is what the puppet calls the object it was given last, if it is a new one.
func (h *hands) latest() swing.VRef { return swing.VRef(fmt.Sprintf("o-%d", 49+h.given)) }

func (h *hands) let(ops ...swing.Op) {
	var all []swing.Syscall[swing.VRef]
	for _, op := range ops {
		all = append(all, swing.Syscall[swing.VRef]{Op: op, Refs: []swing.VRef{h.latest()}})
	}
	h.do(all...)
}

// leaks returns what there is that was not there when the Host was watched.
func (n *node) leaks() (found []string) {
	n.Helper()
	say := func(format string, args ...any) {
		found = append(found, n.name+" still has "+fmt.Sprintf(format, args...))
	}
	d, err := n.h.Difference()
	n.must(err)
	if len(d.ObjectsMade)+len(d.PromisesMade) > 0 {
		say("objects %s, promises %s", d.ObjectsMade, d.PromisesMade)
	}
	for _, v := range d.Vats {
		for _, e := range v.Added {
			say("%s of %s", e.VRef, v.Name)
		}
		for _, s := range v.Store {
			if !s.Was {
				say("the row %s %x of %s", s.Key, s.After, v.Name)
			}
		}
	}
	n.must(n.h.ReadDevice(ctx, "mailbox", func(s kernel.DeviceState) error {
		for key, ok := s.Next("o."); ok && key < "o/"; key, ok = s.Next(key) {
			say("the message %s", key)
		}
		return nil
	}))
	return found
}

// TestCollection: whatever passes between two kernels, when nobody holds it any more both
// have the tables they began with.
func TestCollection(t *testing.T) {
	t.Parallel()
	for _, leak := range collection(newPair(t)) {
		t.Error(leak)
	}
}

// collection passes much between two kernels, and returns what is left of it.
func collection(p pair) []string {
	ha, hb := newHands(p.a, p.b), newHands(p.b, p.a)
	for round := range 12 {
		for _, x := range []struct {
			n       *node
			to      *hands
			sampler swing.KRef
		}{{p.a, hb, p.samplerOfB}, {p.b, ha, p.theirs}} {
			object, err := x.n.h.CreateMeter(ctx, 1, 1, false)
			x.n.must(err)
			x.to.give(x.n, object)
			x.to.given++
			x.n.must(x.n.h.Release(ctx, object))
			quiesce(p.a, p.b)
			if round%3 == 0 { // forgotten later than dropped
				x.to.let(swing.OpDropImports)
				quiesce(p.a, p.b)
				x.to.let(swing.OpRetireImports)
			} else {
				x.to.let(swing.OpDropImports, swing.OpRetireImports)
			}
			quiesce(p.a, p.b)
			sum := x.n.send(x.sampler, "sum", 1, 2)
			promise := x.n.send(x.sampler, "promise")
			quiesce(p.a, p.b)
			x.n.expect(sum, "fulfilled [3]")
			later := x.n.slots(promise)[0]
			settle := x.n.send(x.sampler, "settle", false, "done")
			quiesce(p.a, p.b)
			x.n.expect(settle, "fulfilled []")
			x.n.expect(later, "fulfilled [done]")
			quiesce(p.a, p.b)
		}
		if round == 0 {
			p.a.must(p.a.h.Watch())
			p.b.must(p.b.h.Watch())
		}
	}
	return append(p.a.leaks(), p.b.leaks()...)
}

// TestDropCrossesMention: an object is dropped on one side while the other mentions it
// again: it stays, until it is dropped again.
func TestDropCrossesMention(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	answer, left := dropCrossesMention(p)
	if answer != "notify p+1 = [7, 1, 0]" || left {
		t.Errorf("it answers %q, and is left in the end: %v\n%s", answer, left, p.b.log.Bytes())
	}
}

// dropCrossesMention returns what the object answers then, and whether it is still there in
// the end.
func dropCrossesMention(p pair) (answer string, left bool) {
	hb := newHands(p.b, p.a)
	object, err := p.a.h.CreateMeter(ctx, 7, 1, false)
	p.a.must(err)
	hb.give(p.a, object)
	hb.given++
	quiesce(p.a, p.b)
	hb.let(swing.OpDropImports, swing.OpRetireImports)
	p.b.run() // it says so, and
	hb.give(p.a, object)
	p.a.run() // it is mentioned again, on the way
	p.a.must(p.a.h.Release(ctx, object))
	quiesce(p.a, p.b)
	hb.given++
	ask := swing.Syscall[swing.VRef]{Op: swing.OpSend, Target: hb.latest()}
	ask.Message = swing.Message[swing.VRef]{
		Method: "get", Result: "p+1", Args: swing.CapData[swing.VRef]{Body: []byte{0x80}},
	}
	hb.do(ask, swing.Syscall[swing.VRef]{Op: swing.OpSubscribe, Target: "p+1"})
	quiesce(p.a, p.b)
	answer = hb.told("hands", "notify", 0)
	hb.let(swing.OpDropImports, swing.OpRetireImports)
	quiesce(p.a, p.b)
	_, err = p.a.h.Object(object, 1)
	return answer, err == nil
}
