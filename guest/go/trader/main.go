// Command trader turns ticks into orders. EXAMPLES.md has its messages.
package main

import "vat"

const (
	numberMax = 1 << 26 // a price, a quantity
	ticksMax  = 16      // ticks under way
	openMax   = 4       // orders left in the book: the fifth cancels the first
)

// The two currencies.
const (
	base  = 0
	quote = 1
)

type trader struct {
	book                   vat.Ref
	purses                 [2]vat.Ref
	facets                 [2]vat.Ref // the purses' deposit facets
	open                   []vat.Ref  // orders left in the book, the oldest first
	underway               int
	ticked, placed, failed uint64
}

func init() {
	vat.Serve(func(params *vat.Data) vat.Object {
		t := &trader{}
		params.List(3)
		t.book, t.purses = params.Ref(), [2]vat.Ref{params.Ref(), params.Ref()}
		if !params.Taken() {
			vat.Fail("want [book, base purse, quote purse]")
		}
		for c, purse := range t.purses {
			vat.Ask(purse, "facet").Then(func(d *vat.Data) { t.facets[c] = d.Reference() }, nil)
		}
		return vat.Methods{"tick": t.tick, "cancel": t.cancel, "audit": t.audit}
	})
}

// tick is one order on its way: first a payment is withdrawn, then the order placed.
type tick struct {
	*vat.Message
	trader          *trader
	side            string
	price, quantity uint64
	escrow          int // the currency that pays
}

func (t *trader) tick(m *vat.Message) {
	m.List(3)
	k := &tick{m, t, m.Text(), m.Uint(), m.Uint(), base}
	if !k.wellFormed() {
		m.Reject("want tick(side, price, quantity)")
		return
	}
	t.ticked++
	if t.underway == ticksMax {
		m.Reject("too much under way")
		return
	}
	t.underway++
	amount := k.quantity
	if k.side == "buy" {
		k.escrow, amount = quote, k.price*k.quantity
	}
	vat.Ask(t.purses[k.escrow], "withdraw", amount).Then(k.withdrawn, k.failed)
}

func (k *tick) wellFormed() bool {
	return k.Taken() && (k.side == "buy" || k.side == "sell") &&
		k.price > 0 && k.price <= numberMax && k.quantity > 0 && k.quantity <= numberMax
}

// failed ends the tick.
func (k *tick) failed(why *vat.Data) {
	k.count()
	k.Relay(why)
}

func (k *tick) count() {
	k.trader.underway--
	k.trader.failed++
}

// giveBack deposits the tick's payment: it still is the trader's.
func (k *tick) giveBack(payment vat.Ref) {
	vat.Send(k.trader.purses[k.escrow], "deposit", payment)
}

// withdrawn has the payment, and places the order. The purses have told their facets
// by now: they were asked for them first.
func (k *tick) withdrawn(d *vat.Data) {
	t, payment := k.trader, d.Reference()
	if payment == "" {
		k.failed(d)
		return
	}
	if t.facets[base] == "" || t.facets[quote] == "" {
		k.giveBack(payment)
		k.count()
		k.Reject("a purse has no facet")
		return
	}
	notPlaced := func(d *vat.Data) {
		k.giveBack(payment)
		k.failed(d)
	}
	vat.Ask(t.book, "place", k.side, k.price, k.quantity,
		payment, t.facets[k.escrow], t.facets[quote-k.escrow],
	).Then(func(d *vat.Data) {
		order := d.Reference()
		if order == "" {
			notPlaced(d)
			return
		}
		k.done(order)
	}, notPlaced)
}

// done has the order in the book.
func (k *tick) done(order vat.Ref) {
	t := k.trader
	t.underway--
	if len(t.open) == openMax {
		vat.Send(t.open[0], "cancel")
		t.open = t.open[1:]
	}
	t.open = append(t.open, order)
	t.placed++
	k.Answer(t.placed)
}

// cancel takes back all orders left in the book, the oldest first.
func (t *trader) cancel(m *vat.Message) {
	for _, order := range t.open {
		vat.Send(order, "cancel")
	}
	cancelled := len(t.open)
	t.open = nil
	m.Answer(cancelled)
}

func (t *trader) audit(m *vat.Message) { m.Answer(t.ticked, t.placed, t.failed) }

func main() {}
