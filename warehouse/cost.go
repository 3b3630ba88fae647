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
	behind work   // from the latest snapshot to the image
	total  uint64 // fuel: what its deliveries have cost
	rent   uint64 // fuel: what was replayed since the latest snapshot
	shadow shadow
	// paused says that its image was brought up to date, and pages is what that wrote: the
	// mean of the latest and the mean before. held are those since the latest snapshot.
	paused      bool
	pages, held uint64
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

// price returns what a snapshot of a vat is expected to cost, in fuel, by what it has
// written so far from one to the next.
func (w *Warehouse) price(a *account, bytes uint64) uint64 {
	pages := bytes / swing.PageBytes / writtenShare
	switch {
	case a.paused:
		pages = a.pages
	case w.stats.Pauses > 0:
		pages = w.stats.PagesPaused / w.stats.Pauses
	}
	return snapshotFuel + pageFuel*pages
}

// learn notes what bringing a vat's image up to date wrote.
func (w *Warehouse) learn(a *account, pages uint64) {
	a.held += pages
	if a.paused {
		pages = (a.pages + pages + 1) / 2
	}
	first := !a.paused
	a.paused, a.pages = true, pages
	if first {
		w.reprice(a, w.price(a, 0))
	}
}

// writtenShare is the part of its memory that a vat is taken to write to its first snapshot.
const writtenShare = 4

// standing returns how far a vat is beyond its latest snapshot.
func (w *Warehouse) standing(v *vat) standing {
	s := standing{
		start: v.start, snapshot: v.snapshot, end: v.at, since: v.since(),
	}
	if w.options.Snapshots.Rule == ByCost {
		s.total, s.price = v.account.total, w.price(v.account, v.bytes)
		if v.paused {
			s.price /= pauseShare
		}
		s.rent = v.account.rent + v.unsaved.cost()
		s.excess = excess(s.since, v.account.shadow.since)
		s.spare = w.allowance.spare()
	}
	return s
}
