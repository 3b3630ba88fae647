package link_test

import (
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// upgrade upgrades the comms vat to what it is already.
func (n *node) upgrade() {
	n.Helper()
	code, _ := guest.Program("comms")
	hash, err := n.h.Install(ctx, code)
	n.must(err)
	done, err := n.h.Upgrade(ctx, n.commsID, host.Upgrade{Code: hash, Message: "better"})
	n.must(err)
	n.run()
	n.expect(done, "fulfilled [1]")
}

// TestUpgrade: a comms vat that is upgraded knows everything it knew. Who waited for
// an answer is told of the upgrade, as of every vat's; the answer that comes later, and
// promises that are passed again, do no harm.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	made, promise, echo := p.a.send(p.samplerOfB, "make"), p.a.send(p.samplerOfB, "promise"),
		p.a.send(p.ours, "promise")
	quiesce(p.a, p.b)
	cell, theirs, ours := p.a.reference(made), p.a.slots(promise)[0], p.a.slots(echo)[0]
	watch := p.a.send(p.samplerOfB, "watch", ours)
	waits := p.a.send(p.samplerOfB, "watch", ours) // its answer is b's to give, when a has settled ours
	quiesce(p.a, p.b)
	p.a.upgrade()
	quiesce(p.a, p.b)
	for _, promise := range []string{p.a.answer(watch), p.a.answer(waits), p.a.answer(theirs)} {
		if !strings.Contains(promise, `rejected #{"incarnationNumber":0,"name":"vatUpgraded"`) {
			t.Errorf("who waited was told %s", promise)
		}
	}
	write := p.a.send(cell, "write", 5)
	settle := p.a.send(p.ours, "settle", false, "ours")      // b hears it, and answers
	settled := p.a.send(p.samplerOfB, "settle", false, "so") // of theirs, which a has forgotten
	again := p.b.send(p.theirs, "sum", 4)
	quiesce(p.a, p.b)
	p.a.expect(write, "fulfilled [5]")
	p.a.expect(settle, "fulfilled []")
	p.a.expect(settled, "fulfilled []")
	p.b.expect(again, "fulfilled [4]")
	p.a.alive()
	for _, n := range []*node{p.a, p.b} {
		if n.log.Len() > 0 {
			t.Errorf("%s says %s", n.name, n.log.Bytes())
		}
		n.check()
	}
}

// TestUpgradeWhileAway: as TestUpgrade, but what passes between the kernels is on its way
// while the comms vat of one is upgraded: promises come under names that its kernel has
// forgotten.
func TestUpgradeWhileAway(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	// An answer that b is to give is passed on, by a, as an argument: it comes home.
	promise := p.b.send(p.sampler, "promise")
	quiesce(p.a, p.b)
	theirs := p.b.slots(promise)[0]
	watch := p.b.send(p.theirs, "watch", theirs)
	echo := p.b.send(p.theirs, "echo", 1, "", []byte{}, true, theirs)
	p.b.run()
	exchange(p.b, p.a)
	p.a.run() // it is with the sampler of a, and the echo on its way
	p.a.upgrade()
	again := p.b.send(p.theirs, "watch", theirs) // under a name that a's kernel has forgotten
	quiesce(p.a, p.b)
	settle := p.b.send(p.sampler, "settle", false, "so")
	quiesce(p.a, p.b)
	p.b.expect(settle, "fulfilled []")
	if got := p.b.slots(echo)[0]; got != theirs {
		t.Errorf("the promise came back as %s, it was %s", got, theirs)
	}
	p.b.expect(again, "fulfilled [so]")
	if got := p.b.answer(watch); !strings.Contains(got, "vatUpgraded") {
		t.Errorf("who asked before the upgrade was told %s", got)
	}
	p.a.alive()
	p.a.check()
}

// TestUpgradeForgetsNames: a promise that the kernel of a has named, and forgotten at the
// upgrade, comes back from b: it goes by another name then, until b has settled it.
func TestUpgradeForgetsNames(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	hb := newHands(p.b, p.a)
	promise := p.a.send(p.ours, "promise")
	quiesce(p.a, p.b)
	ours := p.a.slots(promise)[0]
	answer := p.a.send(p.samplerOfB, "watch", ours)
	p.a.send(hb.afar, "take", answer, p.ours)
	quiesce(p.a, p.b)
	p.a.upgrade()
	for i := range 2 { // the second time it has the name already
		result := swing.VRef([]string{"p+1", "p+2"}[i])
		ask := swing.Syscall[swing.VRef]{Op: swing.OpSend, Target: "o-50"}
		ask.Message = swing.Message[swing.VRef]{
			Method: "watch", Result: result,
			Args: swing.CapData[swing.VRef]{Body: []byte{0x81, 0xf6}, Slots: []swing.VRef{"p-60"}},
		}
		hb.do(ask, swing.Syscall[swing.VRef]{Op: swing.OpSubscribe, Target: result})
		quiesce(p.a, p.b)
	}
	p.a.send(p.ours, "settle", false, "so")
	quiesce(p.a, p.b)
	for i, want := range []string{`notify p+1 = ["so"]`, `notify p+2 = ["so"]`} {
		if got := hb.told("hands", "notify", i); got != want {
			t.Errorf("%s, want %s\n%s", got, want, p.a.log.Bytes())
		}
	}
	p.a.alive()
	p.a.check()
}
