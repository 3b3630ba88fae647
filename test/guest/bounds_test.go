package guest_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// newCheatedMarket is a market with a cheat, who knows it well.
func newCheatedMarket(t *testing.T) (*market, *cheat) {
	m := newMarket(newWorld(t, reference))
	return m, newCheat(m)
}

// withdraw has the cheat draw n payments of one unit each, in one script, and returns
// them. A script may be no longer than a purse takes at a time.
func (c *cheat) withdraw(currency, n int) (payments []vref) {
	c.t.Helper()
	var script []any
	first := c.asked + 1
	for range n {
		c.asked++
		promise := vref(fmt.Sprintf("p+%d", c.asked))
		script = append(script, sends(c.purses[currency], "withdraw", promise, 1), subscribes(promise))
	}
	c.do(script...)
	answers := c.answers()
	for i := first; i <= c.asked; i++ {
		if ref, ok := answers[vref(fmt.Sprintf("p+%d", i))].Data.Reference(); ok {
			payments = append(payments, ref)
		}
	}
	return payments
}

// answers is how every promise that the puppet was notified of was settled.
func (h *hands) answers() map[vref]swing.Resolution[vref] {
	h.w.t.Helper()
	all := map[vref]swing.Resolution[vref]{}
	for _, d := range h.deliveries() {
		for _, r := range d.Resolutions {
			all[r.Promise] = r
		}
	}
	return all
}

func (c *cheat) expect(want string, target vref, method string, args ...any) {
	c.t.Helper()
	r := c.hands.ask(target, method, args...)
	if got := show(r.Data); got != want {
		c.t.Fatalf("%s%v was answered %s, want %s", method, args, got, want)
	}
}

// TestBookIsBounded: the book keeps 64 orders and gives the payment of the next one
// back, unless it trades at once; and of nine orders that arrive before their payments
// are redeemed it refuses one.
func TestBookIsBounded(t *testing.T) {
	t.Parallel()
	m, c := newCheatedMarket(t)
	sell := func(payment vref) any {
		return sends(c.book, "place", "", "sell", 10, 1, payment, c.facets[0], c.facets[1])
	}
	nine := c.withdraw(0, 9)
	var script []any
	for _, payment := range nine {
		script = append(script, sell(payment))
	}
	c.do(script...)
	m.expect("[8 0 8 0 8 0]", m.book, "audit")
	m.mustConserve("with one order refused")
	c.expect("[1]", c.purses[0], "deposit", nine[8])
	for range 7 {
		script = nil
		for _, payment := range c.withdraw(0, 8) {
			script = append(script, sell(payment))
		}
		c.do(script...)
	}
	m.expect("[64 0 64 0 64 0]", m.book, "audit")
	last := c.withdraw(0, 1)[0]
	c.expect(`["the book is full"]`, c.book, "place", "sell", 10, 1, last, c.facets[0], c.facets[1])
	m.expect(fmt.Sprintf(`["gold" %d]`, bornWithGold-64), m.purses[traders][0], "audit")
	m.mustConserve("with a full book")
	m.expect("[1]", m.traders[0], "tick", "buy", 10, 64) // who buys all of them still can
	m.expect("[0 0 0 0 0 64]", m.book, "audit")
	m.mustConserve("after that")
}

// TestPayoutsAreNotLost: a mint whose payments are used up by somebody who hoards
// them makes the book wait, not lose: it owes what it has, and pays when it is asked
// the next time.
func TestPayoutsAreNotLost(t *testing.T) {
	t.Parallel()
	m, c := newCheatedMarket(t)
	m.expect("[1]", m.traders[0], "tick", "sell", 10, 5)
	var hoard []vref
	for range 1024 / 32 {
		hoard = append(hoard, c.withdraw(1, 32)...)
	}
	if len(hoard) != 1024 {
		t.Fatalf("%d payments", len(hoard))
	}
	c.expect(`["too many payments"]`, c.purses[1], "withdraw", 1)
	m.mustConserve("hoarding")
	c.expect("[1]", c.purses[1], "deposit", hoard[0])
	m.expect("[1]", m.traders[1], "tick", "buy", 12, 5) // takes the one payment there is
	c.ask(c.purses[1], "withdraw", 1)
	m.mustConserve("after a trade")
	before := m.ask(m.book, "audit")
	if before == "[0 0 0 0 0 1]" {
		t.Fatal("the book paid with payments that the mint had not")
	}
	var back []any
	for _, payment := range hoard[1:40] {
		back = append(back, sends(c.purses[1], "deposit", "", payment))
	}
	c.do(back...)
	for range 3 { // every order has the book ask for one more
		m.expect(`rejected: ["no live payment of this mint"]`, m.book, "place",
			"buy", 1, 1, m.book, m.book, m.book)
	}
	m.expect("[0 0 0 0 0 1]", m.book, "audit")
	m.expect(fmt.Sprintf(`["coal" %d]`, bornWithCoal+50), m.purses[0][1], "audit")
	m.mustConserve("in the end")
}

// TestPurseIsBounded: of 65 withdrawals that arrive before the mint answers, a purse
// rejects one; the others are paid.
func TestPurseIsBounded(t *testing.T) {
	t.Parallel()
	m, c := newCheatedMarket(t)
	if n := len(c.withdraw(0, 65)); n != 64 {
		t.Fatalf("%d payments", n)
	}
	m.mustConserve("after many withdrawals")
	m.expect(fmt.Sprintf(`["gold" %d]`, bornWithGold-64), m.purses[traders][0], "audit")
}

// TestTraderIsBounded: of 17 ticks at once a trader rejects one; of 5 orders in the
// book it cancels the first.
func TestTraderIsBounded(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		m := newMarket(w)
		var promises []kref
		for range 17 {
			promises = append(promises, m.send(m.traders[0], "tick", "sell", 50, 1))
		}
		m.run()
		rejected := map[string]int{}
		for _, p := range promises {
			rejected[m.outcome(p)]++
		}
		if rejected[`rejected: ["too much under way"]`] != 1 {
			t.Fatalf("%v: %v", w.style, rejected)
		}
		m.expect("[4 0 4 0 4 0]", m.book, "audit")
		m.mustConserve("after many ticks")
	})
}

// TestMintIsBornWithinItsLimits: a mint whose parameters are beyond what it can hold
// fails at birth.
func TestMintIsBornWithinItsLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		params []any
		lives  bool
	}{
		{[]any{strings.Repeat("g", 16)}, true},
		{[]any{strings.Repeat("g", 17)}, false},
		{[]any{"gold", 5}, false},
		{[]any{5}, false},
		{holders(64, 1<<52), true},
		{holders(65, 1), false},
		{holders(1, 1<<52+1), false},
	} {
		w := newWorld(t, reference)
		purse := w.root("purse")
		for i := range c.params {
			if c.params[i] == nil {
				c.params[i] = purse
			}
		}
		w.root("mint", c.params...)
		w.run()
		if lives := len(w.ended) == 0; lives != c.lives {
			t.Errorf("%d parameters: ended: %v", len(c.params), w.ended)
		}
	}
}

// holders are a mint's parameters, with nil for the holder.
func holders(n, amount int) []any {
	params := []any{"gold"}
	for range n {
		params = append(params, nil, amount)
	}
	return params
}

// TestSamplerIsBounded: the 17th of everything it keeps is rejected, in either
// language.
func TestSamplerIsBounded(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		s, other := w.root("sampler"), w.root("sampler")
		unsettled := w.send(other, "promise")
		w.run()
		promise := w.settled[unsettled].Data.Slots[0]
		for range 16 {
			w.ask(s, "make")
			w.ask(s, "promise")
			w.ask(s, "watch", promise)
		}
		w.expect(`rejected: ["too many cells"]`, s, "make")
		w.expect(`rejected: ["too many promises"]`, s, "promise")
		w.expect(`rejected: ["too much under way"]`, s, "watch", promise)
		for n := range 10 {
			w.expect("[]", s, "put", []byte{byte('a' + n)}, []byte{1})
		}
		w.expect("[0x61 0x62 0x63 0x64 0x65 0x66 0x67 0x68]", s, "keys")
	})
}

// TestPuppetForgetsNothingItCanHold: a puppet reports what it saw until its memory is
// full, and counts what comes then.
func TestPuppetForgetsNothingItCanHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reference)
	root := w.root("puppet")
	for range 20 {
		w.tell(root, "take", kcap{Body: bytes.Repeat([]byte{1}, 1500)})
	}
	w.tell(root, "take", kcap{Body: bytes.Repeat([]byte{1}, 20_000)})
	promise := w.send(root, "report")
	w.run()
	r := swing.NewReader(w.settled[promise].Data.Body)
	n := r.Array()
	if missed := r.Uint(); n-1+int(missed) != 22 || n-1 < 10 {
		t.Fatalf("%d seen, %d missed", n-1, missed)
	}
}

// TestLongAnswersArePassedOnOrRejected: an answer too long for a program in C to pass
// on is rejected, and the program lives; one in Go passes it on.
func TestLongAnswersArePassedOnOrRejected(t *testing.T) {
	t.Parallel()
	for _, s := range styles(t) {
		for _, data := range []vcap{
			{Body: bytes.Repeat([]byte{1}, 1500)}, {Body: []byte{1}, Slots: slices.Repeat([]vref{"o+1"}, 9)},
		} {
			w := newWorld(t, s)
			h := newHands(w)
			player := w.root("pingpong")
			w.expect("[]", player, "peer", h.root)
			promise := w.send(player, "ping", 1)
			w.run()
			h.do(step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
				{Promise: h.last().Message.Result, Rejected: true, Data: data},
			}}))
			got := w.settled[promise]
			passed := bytes.Equal(got.Data.Body, data.Body) && len(got.Data.Slots) == len(data.Slots)
			if !got.Rejected || passed != (s.language == "go") || len(w.ended) > 0 {
				t.Fatalf("%v: %s, ended: %v", s, w.outcome(promise), w.ended)
			}
		}
	}
}
