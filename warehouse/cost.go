package warehouse

import (
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// What things cost beside each other, in units of fuel, of which one is about 0.5 ns:
// those of docs/benchmarks.md. They decide between ways that are all right.
const (
	// deliveryFuel is what a replayed delivery costs beside the fuel it uses.
	deliveryFuel = 1_400
	// againFuel is what each page costs that is written again since it was mapped: a fault
	// and a copy.
	againFuel = 12_000
	// snapshotFuel is what a snapshot costs, and pageFuel each page that is in it.
	snapshotFuel = 60_000
	pageFuel     = 38_000
	// pageInFuel is what a page-in costs without replay.
	pageInFuel = 194_000
	// pauseShare is the part of a snapshot's cost that is pausing.
	pauseShare = 3
)

// work is what deliveries took, and replaying them would take again.
type work struct{ deliveries, fuel, bytes uint64 }

func (w work) plus(o work) work {
	return work{w.deliveries + o.deliveries, w.fuel + o.fuel, w.bytes + o.bytes}
}

// cost returns what the work costs, in fuel, beside the pages that it writes.
func (w work) cost() uint64 { return w.fuel + w.deliveries*deliveryFuel }

// replay returns what replaying a vat's work costs, in fuel; from its birth on, if born.
func (w *Warehouse) replay(a *account, done work, born bool) uint64 {
	if done.deliveries == 0 {
		return 0
	}
	return done.cost() + againFuel*w.pages(a, done.deliveries, born)
}

// delay returns how much more a page-in costs that replays a vat's work than one that does
// not, with the deliveries that come then.
func (w *Warehouse) delay(a *account, done work, born bool) uint64 {
	return done.cost() + againFuel*w.extra(a, done.deliveries, born)
}

// delayOf returns it for a page-in from a vat's image.
func (w *Warehouse) delayOf(v *vat) uint64 {
	return w.delay(v.account, v.unsaved, v.saved == v.start)
}

// replaySince returns what replaying costs from the vat's latest snapshot.
func (w *Warehouse) replaySince(v *vat) uint64 {
	return w.replay(v.account, v.since(), v.snapshot == v.start)
}

// workOf returns what a delivery took according to its entry.
func workOf(e transcript.Entry) work {
	bytes := len(e.Delivery)
	for _, x := range e.Exchanges {
		bytes += len(x.Request) + len(x.Answer)
	}
	return work{1, e.Outcome.Fuel, uint64(bytes)}
}

// byteCount is a Syscaller that counts what passes.
type byteCount struct {
	swing.Syscaller
	bytes  uint64
	called bool // a device
}

// Syscall implements swing.Syscaller.
func (c *byteCount) Syscall(op swing.Op, request []byte) (answer []byte, ok bool) {
	answer, ok = c.Syscaller.Syscall(op, request)
	c.bytes += uint64(len(request) + len(answer))
	c.called = c.called || op == swing.OpCall
	return answer, ok
}

// account is what is known of a vat's costs. Accounts are kept for vats that are not
// paged in if the policy needs them.
type account struct {
	writes
	behind work   // from the latest snapshot to the image
	total  work   // all its deliveries
	rent   uint64 // fuel: what was replayed since the latest snapshot
	stays  uint64 // how often it was paged in
	held   uint64 // pages that bringing its image up to date wrote since the latest snapshot
	shadow shadow
}

// accountsMax bounds the accounts that are kept. One that is forgotten begins anew.
const accountsMax = 1 << 16

// account returns a vat's.
func (w *Warehouse) account(id swing.VatID) *account {
	if w.accounts == nil {
		return new(account)
	}
	a, ok := w.accounts.Get(id)
	if !ok {
		a = new(account)
		w.accounts.Add(id, a)
	}
	return a
}

// since returns what a vat has done since its latest snapshot.
func (v *vat) since() work { return v.account.behind.plus(v.unsaved) }

// price returns what a snapshot of a vat is expected to cost, in fuel, of so many deliveries;
// from its birth on, if born.
func (w *Warehouse) price(a *account, deliveries uint64, born bool) uint64 {
	return snapshotFuel + pageFuel*w.pages(a, deliveries, born)
}

// priceOf returns what a snapshot of a vat would cost.
func (w *Warehouse) priceOf(v *vat) uint64 {
	return w.price(v.account, v.since().deliveries, v.snapshot == v.start)
}

// standing returns how far a vat is beyond its latest snapshot.
func (w *Warehouse) standing(v *vat) standing {
	s := standing{
		start: v.start, snapshot: v.snapshot, end: v.at, since: v.since(),
	}
	if w.options.Snapshots.Rule == ByCost {
		w.reckon(v, &s)
	}
	return s
}

// reckon adds what is for ByCost.
func (w *Warehouse) reckon(v *vat, s *standing) {
	a := v.account
	s.again, s.price = w.replaySince(v), w.priceOf(v)
	s.total = w.replay(a, a.total, true)
	s.rent = a.rent + w.delayOf(v)
	s.excess = excess(s.again, w.replayShadow(a))
	s.spare = w.allowance.spare()
	extra := w.extra(a, s.since.deliveries, v.snapshot == v.start)
	s.wait = s.price - extra*pageFuel
	if v.paused {
		s.price, s.wait = s.price/pauseShare, s.wait/pauseShare
	}
}
