package warehouse

// The rule ByCost departs from the default, count:2/200, as long as it can afford to: what
// it costs, and what it can cost yet in the worst case, is to be at most a little more than
// what the default costs for the same deliveries. For that the default is followed beside
// it, by counting. All sums are in fuel.

// allowanceShare is the part of the default's costs that may be spent beyond them.
const allowanceShare = 40

// allowed returns how much may be spent where the default spends so much.
func allowed(fuel uint64) int64 { return int64(fuel + fuel/allowanceShare) }

// allowance is how much is left to spend.
type allowance struct {
	// left is what may be spent, less what was, and what is put by for single vats.
	left int64
	// lent is how much more than the default the page-ins of evicted vats may replay.
	lent int64
}

// spare returns what can be spent for certain.
func (a allowance) spare() int64 { return a.left - a.lent }

// shadow is a vat as it would be under the default.
type shadow struct {
	known bool
	start uint64 // where its incarnation began
	since work   // since its latest snapshot
	saved bool   // it has one
	due   bool
	// putBy is what it takes to do with the vat as the default has done: a snapshot, or
	// the replay without it.
	putBy int64
	lent  int64 // of allowance.lent
	// guesses are snapshots of before it was known how many pages the vat writes, and
	// guessed what they are taken to have cost.
	guesses guesses
	guessed uint64
}

// guesses are snapshots, and of how many deliveries together: the first, of a birth, and others.
type guesses struct{ births, bornOver, others, othersOver uint64 }

// replayShadow returns what it would cost to replay a vat's shadow.
func (w *Warehouse) replayShadow(a *account) uint64 {
	return w.replay(a, a.shadow.since, !a.shadow.saved)
}

// add has the shadow go on by a delivery.
func (s *shadow) add(done work) {
	s.since = s.since.plus(done)
	interval := uint64(DefaultInterval)
	if !s.saved {
		interval = DefaultInitial
	}
	s.due = s.due || s.since.deliveries >= interval
}

// follow has a vat's shadow paged in with it. One that is not known, or of another
// incarnation, is from there on where the vat is.
func (w *Warehouse) follow(v *vat) {
	s := &v.account.shadow
	w.allowance.lent -= s.lent
	w.allowance.left += pageInFuel / allowanceShare
	s.lent = 0
	if !s.known || s.start != v.start {
		w.allowance.left += s.putBy
		*s = shadow{
			known: true, start: v.start, saved: v.snapshot > v.start, since: v.since(),
		}
	}
	if !w.options.PauseOnEvict {
		delay := w.delay(v.account, s.since, !s.saved)
		w.allowance.left += allowed(delay) - int64(w.delayOf(v))
	}
}

// snapShadow takes a snapshot of a vat's shadow, if one is due, and reports whether the
// vat can be left without.
func (w *Warehouse) snapShadow(v *vat) (ok bool) {
	s := &v.account.shadow
	if w.options.Snapshots.Rule != ByCost || !s.due {
		return true
	}
	price := w.price(v.account, s.since.deliveries, !s.saved)
	if v.account.habit.times == 0 {
		s.guess(price)
	}
	s.due, s.saved, s.since = false, true, work{}
	w.allowance.left += allowed(price) + s.putBy
	s.putBy = 0
	own := w.replaySince(v)
	if own == 0 {
		return true
	}
	s.putBy = int64(max(w.priceOf(v), own))
	w.allowance.left -= s.putBy
	if w.stats.Pauses == 0 && len(w.due) == 0 {
		return false // no price is known yet
	}
	return w.allowance.spare() >= 0
}

// snapShadows takes the snapshots of the shadows of all paged-in vats, and has a snapshot
// fall due of each vat that cannot be left without.
func (w *Warehouse) snapShadows() {
	if w.options.Snapshots.Rule != ByCost {
		return // there may be many vats, and this is asked at each block's end
	}
	for _, v := range w.vats.Values() {
		if w.snapShadow(v) {
			continue
		}
		w.owe(v)
		if i := w.dueAt(v.id); w.due[i].paused > 0 { // of before it came back
			w.due[i].paused = 0
			w.allowance.left -= int64(w.priceOf(v) / pauseShare)
		}
	}
}

// guess notes the price of a snapshot of what is since the latest.
func (s *shadow) guess(price uint64) {
	s.guessed += price
	if s.saved {
		s.guesses.others++
		s.guesses.othersOver += s.since.deliveries
	} else {
		s.guesses.births++
		s.guesses.bornOver += s.since.deliveries
	}
}

// reprice puts what is known of prices in place of what was guessed.
func (w *Warehouse) reprice(a *account) {
	s, g := &a.shadow, a.shadow.guesses
	known := uint64(0)
	if g.births > 0 {
		known += g.births * w.price(a, g.bornOver/g.births, true)
	}
	if g.others > 0 {
		known += g.others * w.price(a, g.othersOver/g.others, false)
	}
	w.allowance.left += allowed(known) - allowed(s.guessed)
	s.guessed = known
	if a.habit.times > 0 { // it is no guess
		s.guessed, s.guesses = 0, guesses{}
	}
}

// spend takes the price of a vat's snapshot from what is left, and returns it.
func (w *Warehouse) spend(v *vat) (price int64) {
	w.reprice(v.account)
	w.release(v.account)
	price = int64(w.priceOf(v))
	w.allowance.left -= price
	return price
}

// settle puts what a snapshot of a vat has cost in place of what was spent for it.
func (w *Warehouse) settle(a *account, spent int64) {
	w.allowance.left += spent - int64(snapshotFuel+pageFuel*a.held)
	a.held = 0
}

// release gives back what is put by for a vat.
func (w *Warehouse) release(a *account) {
	w.allowance.left += a.shadow.putBy
	a.shadow.putBy = 0
}

// lend has a vat go that is evicted without a snapshot.
func (w *Warehouse) lend(v *vat) {
	s := &v.account.shadow
	s.lent = int64(excess(w.replaySince(v), w.replayShadow(v.account)))
	w.allowance.lent += s.lent
}

// excess returns how much more one is than another.
func excess(one, other uint64) uint64 { return one - min(one, other) }
