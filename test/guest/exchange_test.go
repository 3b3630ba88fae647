package guest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The supply of each currency, and who is born with how much of it.
const (
	traders      = 4
	bornWithGold = 500
	bornWithCoal = 20_000
)

// market is an exchange: two currencies, a book between them, traders with a purse
// of each. Gold is traded, coal is the money.
type market struct {
	*world
	mints   [2]kref
	book    kref
	purses  [][2]kref // of gold and coal, by owner; the last owner is no trader
	traders []kref
	issued  [2]uint64
}

// newMarket makes vats in the order that EXAMPLES.md asks for: purses and book, then
// mints, then whoever is not trusted.
func newMarket(w *world) *market {
	m := &market{world: w}
	for range traders + 1 {
		m.purses = append(m.purses, [2]kref{w.root("purse"), w.root("purse")})
	}
	m.book = w.root("book", "gold", "coal")
	for c, name := range []string{"gold", "coal"} {
		params := []any{name}
		for _, p := range m.purses {
			amount := []int{bornWithGold, bornWithCoal}[c]
			params = append(params, p[c], amount)
			m.issued[c] += uint64(amount)
		}
		m.mints[c] = w.root("mint", append(params, m.book, 0)...)
	}
	for i := range traders {
		m.traders = append(m.traders, w.root("trader", m.book, m.purses[i][0], m.purses[i][1]))
	}
	w.run()
	return m
}

// audit is the promises of all vats' answers to audit.
type audit struct {
	mints  [2]kref
	purses [][2]kref
	book   kref
}

func (m *market) audit() audit {
	a := audit{book: m.send(m.book, "audit"), purses: make([][2]kref, len(m.purses))}
	for c := range m.mints {
		a.mints[c] = m.send(m.mints[c], "audit")
		for i, p := range m.purses {
			a.purses[i][c] = m.send(p[c], "audit")
		}
	}
	m.run()
	return a
}

// fault says what is wrong by an audit, or "": what purses and book hold, and the
// payments outstanding, is what was issued; and the mints, the purses and the book
// know as much of themselves as the others know of them.
func (m *market) fault(a audit) string {
	_, b := numbers(m.settled[a.book].Data)
	for c, name := range []string{"gold", "coal"} {
		var purses uint64
		for i := range a.purses {
			currency, ns := numbers(m.settled[a.purses[i][c]].Data)
			if currency != name {
				return fmt.Sprintf("purse %d is of %q", i, currency)
			}
			purses += ns[0]
		}
		currency, ns := numbers(m.settled[a.mints[c]].Data)
		issued, held, outstanding := ns[0], ns[1], ns[2]
		escrow, owed := b[c], b[2+c]
		switch {
		case currency != name || issued != m.issued[c]:
			return fmt.Sprintf("%d of %s were issued, want %d of %s", issued, currency, m.issued[c], name)
		case purses+escrow+outstanding != issued:
			return fmt.Sprintf("%s: purses %d, escrow %d, outstanding %d, issued %d",
				name, purses, escrow, outstanding, issued)
		case purses+escrow != held:
			return fmt.Sprintf("%s: purses %d, escrow %d, accounts %d", name, purses, escrow, held)
		case escrow != owed:
			return fmt.Sprintf("%s: the book has %d and owes %d", name, escrow, owed)
		}
	}
	return ""
}

func (m *market) mustConserve(when string) {
	m.t.Helper()
	if fault := m.fault(m.audit()); fault != "" {
		m.t.Fatalf("%v, %s: %s", m.style, when, fault)
	}
}

// tick sends a random tick to a random trader.
func (m *market) tick(rng *rand.Rand) kref {
	side := []string{"buy", "sell"}[rng.IntN(2)]
	return m.send(m.traders[rng.IntN(traders)], "tick", side, 90+rng.IntN(20), 1+rng.IntN(30))
}

// trades returns how many trades the book has seen.
func (m *market) trades() uint64 {
	promise := m.send(m.book, "audit")
	m.run()
	_, ns := numbers(m.settled[promise].Data)
	return ns[5]
}

// TestExchangeConserves: random ticks, several under way at a time, in every style:
// at every quiescence the supply of each currency is where the audits say. In the
// end all orders are cancelled, and the book holds nothing.
func TestExchangeConserves(t *testing.T) {
	t.Parallel()
	const seed = 11
	inEveryStyle(t, func(w *world) {
		m := newMarket(w)
		rng := rand.New(rand.NewPCG(seed, 1))
		ticks := 80
		if testing.Short() {
			ticks = 30
		}
		var rejected int
		for range ticks {
			var promises []kref
			for range 1 + rng.IntN(4) {
				promises = append(promises, m.tick(rng))
			}
			m.mustConserve(fmt.Sprintf("seed %d", seed))
			for _, p := range promises {
				if m.settled[p].Promise == "" {
					t.Fatalf("seed %d, %v: a tick was never answered", seed, w.style)
				}
				if m.settled[p].Rejected {
					rejected++
				}
			}
		}
		if n := m.trades(); n < uint64(ticks/2) || rejected > 2*ticks {
			t.Fatalf("seed %d, %v: %d trades, %d rejected ticks", seed, w.style, n, rejected)
		}
		for _, trader := range m.traders {
			m.send(trader, "cancel")
		}
		m.mustConserve("in the end")
		w.expect("[0 0 0 0 0 "+fmt.Sprint(m.trades())+"]", m.book, "audit")
	})
}

// twinBook is the dumbest order book: all orders ever, scanned for the best.
type twinBook struct {
	orders []twinOrder
	gold   map[int]int // by trader, change since birth
	coal   map[int]int
}

type twinOrder struct {
	trader, price, left int
	buys                bool
}

// place takes an order in, as the book should.
func (b *twinBook) place(o twinOrder) {
	if o.buys {
		b.coal[o.trader] -= o.price * o.left
	} else {
		b.gold[o.trader] -= o.left
	}
	for o.left > 0 {
		best := -1
		for i, r := range b.orders {
			crosses := r.left > 0 && r.buys != o.buys &&
				(o.buys && r.price <= o.price || !o.buys && r.price >= o.price)
			if crosses && (best < 0 || o.buys && r.price < b.orders[best].price ||
				!o.buys && r.price > b.orders[best].price) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		b.trade(&o, &b.orders[best])
	}
	b.orders = append(b.orders, o)
}

func (b *twinBook) trade(o, rest *twinOrder) {
	q := min(o.left, rest.left)
	buyer, seller := rest, o
	if o.buys {
		buyer, seller = o, rest
		b.coal[o.trader] += (o.price - rest.price) * q
	}
	b.gold[buyer.trader] += q
	b.coal[seller.trader] += rest.price * q
	o.left -= q
	rest.left -= q
}

// TestBookMatchesByPriceAndTime: after every order, each trader's purses hold what a
// dumb twin of the book says: best price first, of several the earliest, at the
// price of the order that was there before.
func TestBookMatchesByPriceAndTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		w := newWorld(t, reference)
		m := newMarket(w)
		rng := rand.New(rand.NewPCG(seed, 2))
		twin := &twinBook{gold: map[int]int{}, coal: map[int]int{}}
		placed := map[int]int{}
		for range 60 {
			i := rng.IntN(traders)
			if placed[i] == 4 { // the fifth would cancel the first
				m.ask(m.traders[i], "cancel")
				placed[i] = 0
				twin.cancel(i)
			}
			o := twinOrder{i, 95 + rng.IntN(10), 1 + rng.IntN(20), rng.IntN(2) == 0}
			side := map[bool]string{true: "buy", false: "sell"}[o.buys]
			promise := m.send(m.traders[i], "tick", side, o.price, o.left)
			m.run()
			if !m.settled[promise].Rejected {
				twin.place(o)
				placed[i]++
			}
			a := m.audit()
			for i := range traders {
				want := []string{
					fmt.Sprintf(`["gold" %d]`, bornWithGold+twin.gold[i]),
					fmt.Sprintf(`["coal" %d]`, bornWithCoal+twin.coal[i]),
				}
				got := []string{m.outcome(a.purses[i][0]), m.outcome(a.purses[i][1])}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: trader %d has %v, want %v", seed, i, got, want)
				}
			}
		}
	}
}

func (b *twinBook) cancel(trader int) {
	for i := range b.orders {
		o := &b.orders[i]
		if o.trader != trader {
			continue
		}
		if o.buys {
			b.coal[trader] += o.price * o.left
		} else {
			b.gold[trader] += o.left
		}
		o.left = 0
	}
}

// TestExchangeMessagesAreChecked: what a purse, a mint and a book refuse.
func TestExchangeMessagesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reference)
	m := newMarket(w)
	purse, trader, book := m.purses[0][1], m.traders[0], m.book
	facet := m.reference(purse, "facet")
	object := w.root("counter")
	for _, c := range []struct {
		want   string
		target kref
		method string
		args   []any
	}{
		{"not enough", purse, "withdraw", []any{bornWithCoal + 1}},
		{"want withdraw(amount)", purse, "withdraw", []any{0}},
		{"the purse is open already", purse, "open", []any{"coal", object, 5}},
		{"no live payment of this mint", purse, "deposit", []any{object}},
		{"want deposit(payment)", purse, "deposit", []any{5}},
		{"no such method", facet, "withdraw", []any{5}},
		{"no such method", facet, "audit", nil},
		{"no such method", m.mints[1], "coin", []any{5}},
		{"the purse is not open", w.root("purse"), "withdraw", []any{5}},
		{"no such currency, or open already", book, "open", []any{"coal", object, 5}},
		{"a number out of range", book, "place", []any{"buy", 0, 1, object, facet, facet}},
		{"a number out of range", book, "place", []any{"buy", 1, 1 << 40, object, facet, facet}},
		{"want place(side, price, quantity, payment, refund, proceeds)", book, "place", []any{"buy"}},
		{"no live payment of this mint", book, "place", []any{"buy", 1, 1, object, facet, facet}},
		{"want tick(side, price, quantity)", trader, "tick", []any{"hold", 1, 1}},
		{"not enough", trader, "tick", []any{"buy", 1 << 20, 1}},
		{"the book is not open", w.root("book", "a", "b"), "place",
			[]any{"buy", 1, 1, object, facet, facet}},
	} {
		w.run()
		w.expect(fmt.Sprintf("rejected: [%q]", c.want), c.target, c.method, c.args...)
	}
	m.mustConserve("after what was refused")
}

// cheat is a puppet in a trader's place: it has purses of its own, and the book.
type cheat struct {
	*market
	*hands
	// What the puppet calls things.
	book   vref
	purses [2]vref
	facets [2]vref
	seen   []vref // every reference it was ever given
}

func newCheat(m *market) *cheat {
	c := &cheat{market: m, hands: newHands(m.world)}
	own := m.purses[traders]
	c.hands.give(m.book, own[0], own[1])
	c.book = c.hands.name(m.book)
	c.purses = [2]vref{c.hands.name(own[0]), c.hands.name(own[1])}
	c.seen = []vref{c.book, c.purses[0], c.purses[1]}
	for i := range c.facets {
		c.facets[i] = c.ask(c.purses[i], "facet")
	}
	return c
}

// ask has the puppet send a message and returns the reference that it was answered
// with, or "".
func (c *cheat) ask(target vref, method string, args ...any) vref {
	ref, ok := c.hands.ask(target, method, args...).Data.Reference()
	if !ok {
		return ""
	}
	if !slices.Contains(c.seen, ref) {
		c.seen = append(c.seen, ref)
	}
	return ref
}

// TestCheatsGainNothing: a trader that forges payments, spends one twice, deposits
// it into the other currency, or gives the book what is no purse, gains nothing and
// breaks nothing.
func TestCheatsGainNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []style{reference, {language: "c", interpreter: true, restart: true}} {
		m := newMarket(newWorld(t, s))
		c := newCheat(m)
		balance := func(gold, coal int) {
			t.Helper()
			m.mustConserve("after a cheat")
			for i, want := range []int{gold, coal} {
				name := []string{"gold", "coal"}[i]
				m.expect(fmt.Sprintf("[%q %d]", name, want), m.purses[traders][i], "audit")
			}
		}
		c.ask(c.purses[0], "deposit", vref("o+1")) // forged: an object of its own
		c.ask(c.purses[0], "deposit", c.book)
		c.ask(c.purses[0], "deposit", c.facets[0])
		c.ask(c.purses[0], "deposit", vref("p+99")) // a promise that may become anything
		balance(bornWithGold, bornWithCoal)

		payment := c.ask(c.purses[0], "withdraw", 100)
		balance(bornWithGold-100, bornWithCoal)
		c.ask(c.purses[1], "deposit", payment) // gold into coal
		balance(bornWithGold-100, bornWithCoal)
		c.do(sends(c.facets[0], "deposit", "", payment), sends(c.purses[0], "deposit", "", payment))
		balance(bornWithGold, bornWithCoal)
		c.ask(c.purses[0], "deposit", payment) // spent
		balance(bornWithGold, bornWithCoal)

		c.ask(c.purses[0], "open", "gold", vref("o+2"), 1_000_000)
		c.ask(c.book, "open", "gold", vref("o+2"), 1_000_000)
		c.ask(c.facets[0], "withdraw", 5)
		balance(bornWithGold, bornWithCoal)

		payment = c.ask(c.purses[0], "withdraw", 10)
		c.do( // the same payment for two orders, and for the purse
			sends(c.book, "place", "", "sell", 100, 10, payment, c.facets[0], c.facets[1]),
			sends(c.book, "place", "", "sell", 100, 10, payment, c.facets[0], c.facets[1]),
			sends(c.purses[0], "deposit", "", payment))
		balance(bornWithGold-10, bornWithCoal)
		payment = c.ask(c.purses[0], "withdraw", 10)
		c.ask(c.book, "place", "sell", 100, 9, payment, c.facets[0], c.facets[1]) // not its worth
		balance(bornWithGold-10, bornWithCoal)
		payment = c.ask(c.purses[1], "withdraw", 100)
		c.ask(c.book, "place", "sell", 1, 100, payment, c.facets[0], c.facets[1]) // coal for gold
		c.ask(c.purses[1], "deposit", payment)
		balance(bornWithGold-10, bornWithCoal)
		m.expect(`[1]`, m.traders[0], "tick", "buy", 100, 10) // an honest trader takes the order
		balance(bornWithGold-10, bornWithCoal+1000)
	}
}

// TestRandomCheats: whatever a cheat sends to whatever it has, while honest traders
// trade, the supply is conserved at every quiescence.
func TestRandomCheats(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		m := newMarket(newWorld(t, style{language: "c", restart: seed%2 == 0}))
		c := newCheat(m)
		rng := rand.New(rand.NewPCG(seed, 3))
		for range 60 {
			script := make([]any, 1+rng.IntN(3))
			for i := range script {
				script[i] = c.mischief(rng)
			}
			for range rng.IntN(3) {
				m.tick(rng)
			}
			if rng.IntN(2) == 0 {
				c.ask(c.purses[rng.IntN(2)], "withdraw", 1+rng.IntN(200))
			}
			c.do(script...)
			m.mustConserve(fmt.Sprintf("seed %d", seed))
		}
	}
}

// mischief is one message of a cheat's to something it knows.
func (c *cheat) mischief(rng *rand.Rand) any {
	any1 := func() vref {
		if rng.IntN(8) == 0 {
			return vref(fmt.Sprintf("o+%d", 1+rng.IntN(9)))
		}
		return c.seen[rng.IntN(len(c.seen))]
	}
	side := []string{"buy", "sell"}[rng.IntN(2)]
	switch rng.IntN(6) {
	case 0:
		return sends(c.purses[rng.IntN(2)], "deposit", "", any1())
	case 1:
		return sends(c.facets[rng.IntN(2)], "deposit", "", any1())
	case 2:
		return sends(any1(), "open", "", "gold", any1(), rng.IntN(1000))
	case 3:
		return sends(any1(), []string{"cancel", "coin", "redeem", "audit"}[rng.IntN(4)], "", any1())
	case 4:
		return sends(c.book, "place", "", side, 1+rng.IntN(5), 1+rng.IntN(5), any1(), any1(), any1())
	}
	return sends(any1(), "deposit", "", any1())
}

// TestCrookedPurseDrawsNoMoreThanItHas: a puppet born with an account at a mint, as
// if it were a purse, cannot draw more than the mint knows it has; and when it lies
// about what it holds, the audit says so: the check above is not blind.
func TestCrookedPurseDrawsNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reference)
	m := &market{world: w, issued: [2]uint64{100, 0}}
	crook := newHands(w)
	honest, coal := w.root("purse"), w.root("purse")
	m.purses = [][2]kref{{honest, coal}, {crook.root, w.root("purse")}}
	m.book = w.root("book", "gold", "coal")
	m.mints[0] = w.root("mint", "gold", honest, 60, crook.root, 40, m.book, 0)
	m.mints[1] = w.root("mint", "coal", coal, 0, m.purses[1][1], 0, m.book, 0)
	w.run()
	account := crook.last().Message.Args.Slots[0]
	c := &cheat{market: m, hands: crook}
	if c.ask(account, "coin", 41) != "" {
		t.Fatal("an account of 40 gave a payment of 41")
	}
	if c.ask(account, "coin", 40) == "" || c.ask(account, "coin", 1) != "" {
		t.Fatal("an account of 40 gave no payment of 40, or 1 more")
	}
	m.expect(`["gold" 100 60 40]`, m.mints[0], "audit")
	for _, balance := range []int{0, 1, 40} {
		a := m.audit()
		c.do(resolves(crook.last().Message.Result, list[vref]("gold", balance)))
		if fault, lies := m.fault(a), balance != 0; (fault != "") != lies {
			t.Fatalf("the crook says that it holds %d, and the check says %q", balance, fault)
		}
	}
}
