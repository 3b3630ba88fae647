package warehouse

import (
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// What things cost beside each other, in units of fuel, of which one is about 0.2 ns:
// measured by swingsim bench, and rounded. They decide between ways that are all right.
const (
	// deliveryFuel is what a replayed delivery costs beside the fuel it uses.
	deliveryFuel = 4_000
	// snapshotFuel is what a snapshot costs, and pageFuel each page that is in it.
	snapshotFuel = 200_000
	pageFuel     = 30_000
	// pageInFuel is what a page-in costs without replay.
	pageInFuel = 500_000
)

// work is what deliveries took, and replaying them would take again.
type work struct{ deliveries, fuel, bytes uint64 }

func (w work) plus(o work) work {
	return work{w.deliveries + o.deliveries, w.fuel + o.fuel, w.bytes + o.bytes}
}

// cost returns what the work costs, in fuel.
func (w work) cost() uint64 { return w.fuel + w.deliveries*deliveryFuel }

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
	bytes uint64
}

// Syscall implements swing.Syscaller.
func (c *byteCount) Syscall(op swing.Op, request []byte) (answer []byte, ok bool) {
	answer, ok = c.Syscaller.Syscall(op, request)
	c.bytes += uint64(len(request) + len(answer))
	return answer, ok
}

// account is what is known of a vat's costs. Accounts are kept for vats that are not
// paged in if the policy needs them.
type account struct {
	behind  work   // from the latest snapshot to the image
	total   uint64 // fuel: what its deliveries have cost
	pageIns uint64 // that had to replay what is since the latest snapshot, if anything
	// pauses are how often its image was brought up to date, and pages what that wrote.
	pauses, pages uint64
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

// standing returns how far a vat is beyond its latest snapshot.
func (w *Warehouse) standing(v *vat) standing {
	s := standing{
		start: v.start, snapshot: v.snapshot, end: v.at, since: v.account.behind.plus(v.unsaved),
		pageIns: v.account.pageIns, total: v.account.total, pages: 1,
	}
	switch a := v.account; {
	case a.pauses > 0:
		s.pages = a.pages / a.pauses
	case w.stats.Pauses > 0:
		s.pages = w.stats.PagesPaused / w.stats.Pauses
	}
	return s
}
