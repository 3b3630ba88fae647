package link_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// pair is two kernels with a link, and a sampler on each, with what stands for it on the
// other.
type pair struct {
	a, b                *node
	ours, theirs        swing.KRef // the sampler of a, at a and at b
	sampler, samplerOfB swing.KRef // the sampler of b, at b and at a
}

func newPair(t testing.TB) pair {
	t.Helper()
	return pairOf(newNode(t, "a", host.Options{}), newNode(t, "b", host.Options{}))
}

func pairOf(a, b *node) pair {
	a.Helper()
	p := pair{a: a, b: b}
	connect(p.a, p.b)
	p.ours, p.sampler = p.a.vat("sampler", "sampler"), p.b.vat("sampler", "sampler")
	p.theirs = share(p.a, p.b, 7, p.ours)
	p.samplerOfB = share(p.b, p.a, 7, p.sampler)
	return p
}

// slots returns the references that a promise was settled with, held for the embedder.
func (n *node) slots(promise swing.KRef) []swing.KRef {
	n.Helper()
	p, err := n.h.Promise(promise)
	n.must(err)
	if p.State != kernel.Fulfilled {
		n.Fatalf("%s: %v %q\n%s", n.name, p.State, p.Data.Body, n.log.Bytes())
	}
	for _, s := range p.Data.Slots {
		n.must(n.h.Retain(ctx, s))
	}
	n.must(n.h.Release(ctx, promise))
	return p.Data.Slots
}

// TestCalls: messages and their answers pass between two kernels, both ways.
func TestCalls(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	there := p.a.send(p.samplerOfB, "echo", 5, "text", []byte{1}, true, p.ours)
	wrong := p.a.send(p.samplerOfB, "nothing")
	back := p.b.send(p.theirs, "sum", 1, 2, 3)
	quiesce(p.a, p.b)
	p.a.expect(there, "fulfilled [5 text [1] true <nil>]1 references")
	p.a.expect(wrong, "rejected [no such method]")
	p.b.expect(back, "fulfilled [6]")
}

// TestReferencesComeHome: an object that is passed to the other side and back is the one
// it was, on both sides, and a message to it takes no detour.
func TestReferencesComeHome(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	made := p.a.send(p.samplerOfB, "make")
	quiesce(p.a, p.b)
	cell := p.a.reference(made)
	home := p.a.send(p.samplerOfB, "echo", 1, "", []byte{}, false, cell)
	out := p.a.send(p.samplerOfB, "echo", 2, "", []byte{}, false, p.ours)
	write := p.a.send(cell, "write", 9)
	quiesce(p.a, p.b)
	if got := p.a.slots(home); !slices.Equal(got, []swing.KRef{cell}) {
		t.Errorf("the cell came back as %s, it was %s", got, cell)
	}
	if got := p.a.slots(out); !slices.Equal(got, []swing.KRef{p.ours}) {
		t.Errorf("our own came back as %s, it was %s", got, p.ours)
	}
	p.a.expect(write, "fulfilled [9]")
	// What the sampler of b was told of is its own cell.
	if got := p.b.told("sampler", "echo([1", 0); !strings.Contains(got, "o+1") {
		t.Errorf("told %s", got)
	}
}

// told returns the n-th delivery to a vat that has a text in its description, or "".
func (n *node) told(vat, text string, nth int) string {
	n.Helper()
	v, err := n.h.Vat(vat)
	n.must(err)
	entries, err := n.h.Transcript(v.ID, 0, v.Span.End)
	n.must(err)
	for _, e := range entries {
		if d, _ := e.Describe(); strings.Contains(d, text) {
			if nth--; nth < 0 {
				return d
			}
		}
	}
	return ""
}

// TestPipelining: messages for the answer of a message follow it at once, without waiting.
func TestPipelining(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	cell := p.a.send(p.samplerOfB, "make")
	write, read := p.a.send(cell, "write", 3), p.a.send(cell, "read")
	p.a.run()
	c, err := p.a.box.Correspondence(ctx, "b")
	p.a.must(err)
	if c.Sent != 3 {
		t.Errorf("%d messages were sent before any answer", c.Sent)
	}
	exchange(p.a, p.b)
	p.b.run()
	late := p.a.send(cell, "read") // b has settled it, which a has not heard yet
	p.a.run()
	quiesce(p.a, p.b)
	for _, answer := range []swing.KRef{write, read, late} {
		p.a.expect(answer, "fulfilled [3]")
	}
	last := p.a.send(cell, "read")
	quiesce(p.a, p.b)
	p.a.expect(last, "fulfilled [3]")
}

// TestPromises: promises among arguments and in answers, settled before, after and while
// they are passed, fulfilled and rejected, decided on either side.
func TestPromises(t *testing.T) {
	t.Parallel()
	for _, rejected := range []bool{false, true} {
		for _, crossing := range []bool{false, true} {
			t.Run(fmt.Sprint(rejected, crossing), func(t *testing.T) { passPromises(t, rejected, crossing) })
		}
	}
}

func passPromises(t *testing.T, rejected, crossing bool) {
	p := newPair(t)
	want := "fulfilled [so]"
	if rejected {
		want = "rejected [so]"
	}
	theirs, ours := p.a.send(p.samplerOfB, "promise"), p.a.send(p.ours, "promise")
	quiesce(p.a, p.b)
	promiseOfB, promiseOfA := p.a.slots(theirs)[0], p.a.slots(ours)[0]
	if crossing {
		p.b.send(p.sampler, "settle", rejected, "so")
		p.b.run() // and what it says of it is on its way
	}
	answers := []swing.KRef{
		p.a.send(p.ours, "watch", promiseOfB),
		p.a.send(p.samplerOfB, "watch", promiseOfA),
	}
	echo := p.a.send(p.samplerOfB, "echo", 1, "", []byte{}, true, promiseOfA)
	if crossing { // at home, where it is settled, it is a new one
		answers = append(answers, p.a.send(p.samplerOfB, "watch", promiseOfB))
	}
	p.a.run()
	if !crossing {
		quiesce(p.a, p.b)
		p.b.send(p.sampler, "settle", rejected, "so")
	}
	p.a.send(p.ours, "settle", rejected, "so")
	quiesce(p.a, p.b)
	for _, answer := range append(answers, p.a.slots(echo)[0]) {
		p.a.expect(answer, want)
	}
}

// TestCircle: two promises that are fulfilled with each other arrive so.
func TestCircle(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	both := p.a.send(p.samplerOfB, "pair")
	quiesce(p.a, p.b)
	slots := p.a.slots(both)
	for i, ref := range slots {
		other := p.a.slots(ref)
		if len(slots) != 2 || len(other) != 1 || other[0] != slots[1-i] {
			t.Errorf("%s of %s was fulfilled with %s", ref, slots, other)
		}
	}
}

// TestThreeKernels: a and c have no link. What is passed between them by b works, and
// what comes home is what it was.
func TestThreeKernels(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "a", host.Options{}), newNode(t, "b", host.Options{}), newNode(t, "c", host.Options{})
	connect(a, b)
	connect(b, c)
	ours, sampler := a.vat("sampler", "ours"), c.vat("sampler", "sampler")
	far := share(b, a, 1, share(c, b, 1, sampler))
	cell := a.send(far, "make")
	write, read := a.send(cell, "write", 4), a.send(cell, "read")
	promise := a.send(far, "promise")
	quiesce(a, b, c)
	a.expect(write, "fulfilled [4]")
	a.expect(read, "fulfilled [4]")
	ref, kept := a.slots(promise)[0], a.reference(cell)
	watch := a.send(ours, "watch", ref)
	echo := a.send(far, "echo", 1, "", []byte{}, true, ours)
	home := a.send(far, "echo", 1, "", []byte{}, true, kept)
	quiesce(a, b, c)
	settled := c.send(sampler, "settle", false, "far")
	quiesce(a, b, c)
	c.expect(settled, "fulfilled []")
	a.expect(watch, "fulfilled [far]")
	if got := a.slots(echo)[0]; got != ours {
		t.Errorf("our own came back as %s, it was %s", got, ours)
	}
	if got := a.slots(home)[0]; got != kept {
		t.Errorf("the cell came back as %s, it was %s", got, kept)
	}
}

// BenchmarkCall is one message to the other kernel and its answer, nothing else going on.
func BenchmarkCall(b *testing.B) {
	p := newPair(b)
	for b.Loop() {
		sum := p.a.send(p.samplerOfB, "sum", 1)
		quiesce(p.a, p.b)
		p.a.expect(sum, "fulfilled [1]")
	}
}

// BenchmarkCalls is 100 of them at a time; what is measured is one.
func BenchmarkCalls(b *testing.B) {
	p := newPair(b)
	var sums [100]swing.KRef
	for n := 0; b.Loop(); n++ {
		if n%len(sums) < len(sums)-1 {
			continue
		}
		for i := range sums {
			sums[i] = p.a.send(p.samplerOfB, "sum", 1)
		}
		quiesce(p.a, p.b)
		for _, sum := range sums {
			p.a.expect(sum, "fulfilled [1]")
		}
	}
}
