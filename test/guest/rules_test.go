package guest_test

import (
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// stage is two puppets, of which the first knows the second.
type stage struct {
	*testing.T
	w    *world
	a, b *hands
	toB  vref // what a calls b
}

// onStage runs a rule's scenario undisturbed and restarted, in either engine.
func onStage(t *testing.T, rule string, play func(s stage)) {
	t.Run(rule, func(t *testing.T) {
		t.Parallel()
		for _, style := range []style{reference, {language: "c", interpreter: true, restart: true}} {
			w := newWorld(t, style)
			s := stage{T: t, w: w, a: newHands(w), b: newHands(w)}
			s.a.give(s.b.root)
			s.toB = s.a.name(s.b.root)
			play(s)
		}
	})
}

func (s stage) same(what string, got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Fatalf("%v: %s\n%q, want\n%q", s.w.style, what, got, want)
	}
}

// dies has a puppet perform a script whose last step breaks a rule.
func (s stage) dies(h *hands, problem string, script ...any) {
	s.Helper()
	s.w.tell(h.root, "do", list[kref](script...))
	s.w.run()
	ended := s.w.ended
	if len(ended) == 0 || ended[len(ended)-1].Vat != h.id ||
		!strings.Contains(ended[len(ended)-1].Reason, problem) {
		s.Fatalf("%v: ended: %v, want …%s…", s.w.style, ended, problem)
	}
}

// TestRulesOfReferences: section 5 of the README, rule by rule, on puppets.
func TestRulesOfReferences(t *testing.T) {
	t.Parallel()
	onStage(t, "mentioning an export makes it", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("o+7"), vref("o+123456789012345678")))
		s.same("b heard", s.b.heard(), []string{"o+0.hi[o-50 o-51] "})
		s.b.do(sends("o-50", "seven", ""), sends("o-51", "long", ""))
		s.same("a heard", s.a.heard(), []string{"o+7.seven[] ", "o+123456789012345678.long[] "})
	})
	onStage(t, "a reference goes home as what it was", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("o+7"), s.toB))
		s.same("b heard", s.b.heard(), []string{"o+0.hi[o-50 o+0] "})
		s.b.do(sends("o-50", "back", "", vref("o-50")))
		s.same("a heard", s.a.heard(), []string{"o+7.back[o+7] "})
	})
	onStage(t, "messages arrive in order", func(s stage) {
		s.a.do(sends(s.toB, "one", ""), sends(s.toB, "two", ""), sends(s.toB, "three", ""))
		s.same("b heard", s.b.heard(), []string{"o+0.one[] ", "o+0.two[] ", "o+0.three[] "})
	})
	onStage(t, "a message to itself is a later delivery", func(s stage) {
		s.a.do(sends("o+5", "self", ""))
		s.same("a heard", s.a.heard(), []string{"o+5.self[] "})
	})
	onStage(t, "a name of the kernel's is dead once retired", func(s stage) {
		s.a.do(sends(s.toB, "hi", "p+1"))
		s.dies(s.b, "p-60 is not in the c-list", resolves("p-60", list[vref]()), subscribes("p-60"))
	})
	onStage(t, "an old name of the vat's own is a new promise", func(s stage) {
		for _, want := range []string{"p-60", "p-61"} {
			s.a.do(sends(s.toB, "hi", "p+1"), subscribes("p+1"))
			s.b.do(resolves(vref(want), list[vref](want)))
		}
		s.same("a was told", s.a.notified(), []string{`p+1 = ["p-60"]`, `p+1 = ["p-61"]`})
	})
}

// TestRulesOfPromises: the same of who decides, settling and retirement.
func TestRulesOfPromises(t *testing.T) {
	t.Parallel()
	onStage(t, "whoever receives the message decides its result", func(s stage) {
		s.a.do(sends(s.toB, "hi", "p+1"), subscribes("p+1"))
		s.b.do(resolves("p-60", list[vref](5)))
		s.same("a was told", s.a.notified(), []string{"p+1 = [5]"})
	})
	onStage(t, "a promise in a slot is decided by who made it", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("p+1")))
		s.b.do(subscribes("p-60"))
		s.a.do(resolves("p+1", list[vref](5)))
		s.same("b was told", s.b.notified(), []string{"p-60 = [5]"})
		s.dies(s.a, "decide", sends(s.toB, "x", "p+9"), resolves("p+9", list[vref]()))
	})
	onStage(t, "subscribing twice is the same as once", func(s stage) {
		s.a.do(sends(s.toB, "hi", "p+1"), subscribes("p+1"), subscribes("p+1"))
		s.b.do(resolves("p-60", list[vref]()))
		s.same("a was told", s.a.notified(), []string{"p+1 = []"})
	})
	onStage(t, "subscribing late is not too late", func(s stage) {
		s.a.do(sends(s.toB, "hi", "p+1"))
		s.b.do(resolves("p-60", list[vref]()))
		s.same("a was told", s.a.notified(), nil)
		s.a.do(subscribes("p+1"))
		s.same("a was told", s.a.notified(), []string{"p+1 = []"})
	})
	onStage(t, "nobody is notified of what it settled itself", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("p+1")), subscribes("p+1"), resolves("p+1", list[vref]()))
		s.same("a was told", s.a.notified(), nil)
	})
	onStage(t, "a message waits for its target", func(s stage) {
		s.a.do(sends(s.toB, "make", "p+1"), sends("p+1", "use", "p+2"), subscribes("p+2"))
		s.same("b heard", s.b.heard(), []string{"o+0.make[] p-60"})
		s.b.do(resolves("p-60", swing.ReferenceTo(vref("o+4"))))
		s.same("b heard", s.b.heard(), []string{"o+0.make[] p-60", "o+4.use[] p-61"})
	})
	onStage(t, "a message to what is no object is rejected", func(s stage) {
		s.a.do(sends(s.toB, "make", "p+1"), sends("p+1", "use", "p+2"), subscribes("p+2"))
		s.b.do(resolves("p-60", list[vref](4)))
		if got := s.a.notified(); len(got) != 1 || !strings.Contains(got[0], "data is not callable") {
			s.Fatalf("a was told %q", got)
		}
	})
	onStage(t, "a message to a rejected promise is rejected alike", func(s stage) {
		s.a.do(sends(s.toB, "make", "p+1"), sends("p+1", "use", "p+2"), subscribes("p+2"))
		s.b.do(step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
			{Promise: "p-60", Rejected: true, Data: list[vref]("never")},
		}}))
		s.same("a was told", s.a.notified(), []string{`p+2 rejected: ["never"]`})
	})
	onStage(t, "a notify settles what its data mentions", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("p+1")))
		s.a.do(resolves("p+2", list[vref]("inner"))) // nobody knows of it: it is gone
		s.a.do(step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
			{Promise: "p+1", Data: list[vref](vref("p+3"))}, {Promise: "p+3", Data: list[vref]("deep")},
		}}))
		s.b.do(subscribes("p-60"))
		s.same("b was told", s.b.notified(), []string{`p-60 = [p-61], p-61 = ["deep"]`})
		s.dies(s.b, "p-61 is not in the c-list", subscribes("p-61"))
	})
	onStage(t, "promises may be fulfilled with each other", func(s stage) {
		s.a.do(sends(s.toB, "hi", "", vref("p+1"), vref("p+2")),
			step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
				{Promise: "p+1", Data: list[vref](vref("p+2"))},
				{Promise: "p+2", Data: list[vref](vref("p+1"))},
			}}))
		s.b.do(subscribes("p-61"), subscribes("p-60"))
		s.same("b was told", s.b.notified(), []string{"p-61 = [p-60], p-60 = [p-61]"})
	})
}

// TestRulesOfEnds: section 9: what a vat's end means to those it leaves behind.
func TestRulesOfEnds(t *testing.T) {
	t.Parallel()
	const gone = `"#{\"#error\":\"vat terminated\",\"name\":\"Error\"}" []`
	onStage(t, "promises of the dead are rejected", func(s stage) {
		s.a.do(sends(s.toB, "hi", "p+1"), subscribes("p+1"))
		s.w.tell(s.b.root, "do", list[kref]([]any{"trap"}))
		s.w.run()
		s.same("a was told", s.a.notified(), []string{"p+1 rejected: " + gone})
		s.a.do(sends(s.toB, "hi", "p+2"), subscribes("p+2"), sends(s.toB, "hi", ""))
		s.same("a was told", s.a.notified()[1:], []string{"p+2 rejected: " + gone})
	})
	onStage(t, "what fails never was", func(s stage) {
		s.w.tell(s.a.root, "do", list[kref](
			sends(s.toB, "hi", ""), stores(swing.OpVatstoreSet, "k", 1), []any{"trap"}))
		s.w.run()
		s.same("b heard", s.b.heard(), nil)
		if rows := s.w.vatstore(s.a.id); len(rows) > 0 {
			s.Fatalf("rows %v", rows)
		}
	})
	onStage(t, "what exits was", func(s stage) {
		s.a.do(exits(false), sends(s.toB, "hi", "p+1"), stores(swing.OpVatstoreSet, "k", 1))
		s.same("b heard", s.b.heard(), []string{"o+0.hi[] p-60"})
		s.same("exit is", []string{s.w.ended[0].Reason}, []string{"exited"})
		if rows := s.w.vatstore(s.a.id); len(rows) > 0 { // they went with the rest of it
			s.Fatalf("rows %v", rows)
		}
	})
	onStage(t, "a failure at birth is an end", func(s stage) {
		id, _ := s.w.vat("puppet", []any{"fail", "stillborn"})
		s.w.run()
		if n := len(s.w.ended); n != 1 || s.w.ended[0].Vat != id ||
			s.w.ended[0].Reason != "failed: stillborn" {
			s.Fatalf("ended: %v", s.w.ended)
		}
	})
}
