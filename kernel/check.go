package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Fault is something wrong in the kernel's state: a bug of ours, or a store
// that gave wrong bytes.
type Fault struct {
	Key  string
	What string
}

// String returns the key and what is wrong with it.
func (f Fault) String() string { return f.Key + ": " + f.What }

// Check recounts the whole state: every reference by its holders, every c-list
// from both sides, every queue by its rows. It is a dumb twin of the counting
// that cranks do step by step.
//
// Of a row that is none of ours it says so, and goes no further.
func Check(b vatkeeper.KV) []Fault {
	c := checker{
		b: b, held: map[swing.KRef]vatkeeper.RefChange{},
		imports: map[swing.KRef]int{}, underway: map[swing.KRef]int{},
		accounts: map[swing.VatID]account{}, claims: map[swing.KRef]string{},
	}
	var row *RowError
	if err := vatkeeper.Untrusted(c.all); errors.As(err, &row) {
		c.fault(row.Key, "%v", row.Err)
	}
	return c.faults
}

func (c *checker) all() {
	b := c.b
	for vat := range AllVats(b) {
		c.vat(vat)
	}
	if n := Living(b); n != c.living {
		c.fault(vatsKey, "%d vats live, recount %d", n, c.living)
	}
	c.queue(acceptanceQueue)
	c.queue(runQueue)
	c.chores()
	c.cleanups()
	c.names()
	c.counts(pinKey(""))
	for _, name := range Devices(b) {
		c.counts(deviceHoldKey(name, ""))
	}
	for key := range keys(b, "kp") {
		if ref := swing.KRef(key); ref.Validate() == nil {
			c.promise(ref)
		}
	}
	c.compare()
	for vat := range AllVats(b) {
		if has, is := readAccount(b, vat), c.accounts[vat]; has != is {
			c.fault(accountKey(vat), "%v, recount %v", has, is)
		}
	}
}

type checker struct {
	b       vatkeeper.KV
	held    map[swing.KRef]vatkeeper.RefChange
	imports map[swing.KRef]int
	// underway are the promises to which messages are in the run-queue or an outbox, and
	// how many; accounts is where the events are that each vat has caused.
	underway map[swing.KRef]int
	accounts map[swing.VatID]account
	// claims are the promises that are the kernel's to resolve, and what will do so.
	claims map[swing.KRef]string
	living int
	faults []Fault
}

func (c *checker) fault(key, format string, args ...any) {
	c.faults = append(c.faults, Fault{key, fmt.Sprintf(format, args...)})
}

func (c *checker) hold(ref swing.KRef, n int) {
	c.add(vatkeeper.RefChange{Ref: ref, Reachable: n, Recognizable: n})
}

// counts counts what rows PREFIX.KREF hold, each as often as it says.
func (c *checker) counts(prefix string) {
	for key := range keys(c.b, prefix) {
		c.hold(swing.KRef(key[len(prefix):]), readCount(c.b, key))
	}
}

// waiting counts what rows PREFIX.PROMISE hold.
func (c *checker) waiting(prefix string) {
	for key := range keys(c.b, prefix) {
		ref := swing.KRef(key[len(prefix):])
		c.hold(ref, 1)
		c.claim(key, ref)
	}
}

func (c *checker) add(ch vatkeeper.RefChange) {
	h := c.held[ch.Ref]
	h.Reachable += ch.Reachable
	h.Recognizable += ch.Recognizable
	c.held[ch.Ref] = h
}

// vat counts what a vat's c-list and end hold, and compares the c-list's two sides.
func (c *checker) vat(id swing.VatID) {
	vk := vatkeeper.New(id, c.b)
	if vk.Alive() {
		vk.Dirt() // it must be there
		vk.Passed(swing.RootVRef)
		c.living++
		if has, is := vk.StoreBytes(), vk.RecountStore(); has != is {
			c.fault(string(id), "%d bytes in its vatstore, recount %d", has, is)
		}
	}
	entries := 0
	for e := range vk.Entries() {
		entries++
		c.add(e.Held())
		if e.KRef.Kind() == swing.Object && !e.VRef.Exported() {
			c.imports[e.KRef]++
			if !exists(c.b, swing.KRef(importKey(e.KRef, id))) {
				c.fault(string(id), "imports %s, which does not know of it", e.KRef)
			}
		}
		back, ok := c.b.Get(string(id) + ".r." + string(e.VRef))
		if !ok || swing.KRef(back) != e.KRef {
			c.fault(string(id), "c-list has %s -> %s but %s -> %q", e.KRef, e.VRef, e.VRef, back)
		}
		c.owner(id, e)
		if vk.Alive() && !vk.Passed(e.VRef) {
			c.fault(string(id), "%s is yet to be given to an import", e.VRef)
		}
	}
	for range keys(c.b, string(id)+".r.") {
		entries--
	}
	if entries != 0 {
		c.fault(string(id), "c-list has %d more krefs than vrefs", entries)
	}
	c.spans(vk)
	if end, ended := vk.End(); ended {
		for _, s := range end.Info.Slots {
			c.hold(s, 1)
		}
	}
	if has(c.b, birthKey(id)) {
		born := readBirth(c.b, birthKey(id))
		for _, ref := range born.refs() {
			c.hold(ref, 1)
		}
		c.claim(birthKey(id), born.result)
	}
	if ref := meterOf(c.b, id); ref != "" {
		c.hold(ref, 1)
		if !has(c.b, meterKey(ref)) {
			c.fault(vatMeterKey(id), "%s is no meter", ref)
		}
	}
	for _, s := range vk.Params().Slots {
		c.hold(s, 1)
	}
	c.waiting(mournersKey(id))
	c.queue(holdQueue(id))
	c.queue(outbox(id))
}

// chores checks that every vat with something to be told is in the queue of chores, once.
func (c *checker) chores() {
	in := map[swing.VatID]bool{}
	c.rows(choreQueue)
	for head, tail := choreQueue.bounds(c.b); head < tail; head++ {
		vat := swing.VatID(choreQueue.at(c.b, head))
		if in[vat] || !has(c.b, choreKey(vat)) {
			c.fault(string(choreQueue), "%s is in it twice, or has no row", vat)
		}
		in[vat] = true
	}
	for key := range keys(c.b, choresPrefix) {
		if vat := swing.VatIDOf(parseHex(key[len(choresPrefix):])); !in[vat] {
			c.fault(key, "the vat is not in the queue of chores")
		}
	}
	for _, prefix := range []string{actionsPrefix, reapsPrefix} {
		for key := range keys(c.b, prefix) {
			const digits = 16
			vat := swing.VatIDOf(parseHex(key[len(prefix) : len(prefix)+digits]))
			if !in[vat] && !held(c.b, vat) {
				c.fault(key, "the vat is not in the queue of chores")
			}
		}
	}
}

// spans checks that a vat's incarnations follow one another without a gap.
func (c *checker) spans(vk vatkeeper.Keeper) {
	at := uint64(0)
	for i, s := range vk.Spans() {
		if s.Incarnation != uint64(i) || s.Start != at || s.End < s.Start {
			c.fault(string(vk.ID()), "incarnation %d, entries %d to %d, where %d is due from %d",
				s.Incarnation, s.Start, s.End, i, at)
			return
		}
		at = s.End
	}
}

// owner checks that a vat's object exports are its own and its imports are not.
func (c *checker) owner(id swing.VatID, e vatkeeper.Entry) {
	if e.KRef.Kind() != swing.Object {
		return
	}
	if !exists(c.b, e.KRef) {
		if e.VRef.Exported() { // whoever imports one that is not there holds too much of it
			c.fault(string(id), "exports %s, which has no row", e.KRef)
		}
		return
	}
	if own := readObject(c.b, e.KRef).owner == id; own != e.VRef.Exported() {
		c.fault(string(id), "c-list has %s as %s, owned %v", e.KRef, e.VRef, own)
	}
}

// queue counts what the events of a queue hold.
func (c *checker) queue(q queue) {
	c.rows(q)
	for key := range keys(c.b, string(q)+".") {
		b, _ := c.b.Get(key)
		ev := decodeEvent(b)
		ev.refs(func(ref swing.KRef) { c.hold(ref, 1) })
		c.place(q, ev)
		if ev.message.Result != "" {
			c.claim(key, ev.message.Result)
		}
		c.known(key, ev.vat)
		c.known(key, ev.sender)
	}
}

// rows checks that the rows of a queue are those within its bounds.
func (c *checker) rows(q queue) {
	head, tail := q.bounds(c.b)
	rows := uint64(0)
	for key := range keys(c.b, string(q)+".") {
		if n := parseHex(key[len(q)+1:]); n != head+rows {
			wrong(key, "it is not the one after row %d", head+rows-1)
		}
		rows++
	}
	if rows != tail-head {
		wrong(string(q), "%d rows, bounds [%d, %d)", rows, head, tail)
	}
}

// place counts an event where its queue is.
func (c *checker) place(q queue, ev event) {
	vat := ev.account()
	a := c.accounts[vat]
	runs, waits := q == runQueue, vat != "" && q == outbox(vat)
	switch {
	case q == acceptanceQueue:
		return
	case runs:
		a.running++
	case waits:
		a.queued++
	default:
		a.parked++
	}
	c.accounts[vat] = a
	if (runs || waits) && ev.kind == eventSend && ev.target.Kind() == swing.Promise {
		c.underway[ev.target]++
	}
}

func (c *checker) promise(ref swing.KRef) {
	p := readPromise(c.b, ref)
	for _, s := range p.data.Slots {
		c.hold(s, 1)
	}
	c.decider(ref, p)
	c.queue(promiseQueue(ref))
	if n := readCount(c.b, underwayKey(ref)); n != c.underway[ref] {
		c.fault(string(ref), "%d messages are said to be in the run-queue, %d are",
			n, c.underway[ref])
	}
	if p.state != Unresolved && exists(c.b, swing.KRef(promiseQueue(ref))) {
		c.fault(string(ref), "%v, but messages wait for it", p.state)
	}
	c.subscribers(ref, p)
}

// subscribers checks that the rows of an unresolved promise's subscribers are a chain from
// the first to the last.
func (c *checker) subscribers(ref swing.KRef, p promise) {
	rows := 0
	for range keys(c.b, subscriberKey(ref, "")) {
		rows++
	}
	if p.state != Unresolved {
		// Those after the one whose notify is in the acceptance queue.
		if rows > 0 && acceptanceQueue.length(c.b) == 0 {
			c.fault(string(ref), "%d subscribers were not notified", rows)
		}
		return
	}
	last := swing.VatID("")
	for s := range p.subscribers(c.b, ref) {
		if rows < 0 {
			break // it goes in circles
		}
		if last != "" {
			rows--
		}
		last = s
		c.known(string(ref), s)
		vk := vatkeeper.New(s, c.b)
		if _, ok := vk.ByKRef(ref); !ok && vk.Alive() {
			c.fault(string(ref), "subscriber %s does not know it", s)
		}
	}
	if rows != 0 || last != p.last {
		c.fault(string(ref), "%d subscribers are not in the chain, which ends with %q, not %q",
			rows, last, p.last)
	}
}

// compare holds the recount against the rows, and the rows against the recount.
func (c *checker) compare() {
	for _, ref := range slices.Sorted(maps.Keys(c.held)) {
		if h := c.held[ref]; !exists(c.b, ref) && (h.Reachable != 0 || h.Recognizable != 0) {
			c.fault(string(ref), "referred to, but there is no such row")
		}
	}
	for key := range keys(c.b, "ko") {
		ref := swing.KRef(key)
		if ref.Validate() != nil {
			continue // a row about its importers
		}
		o, h := readObject(c.b, ref), c.held[ref]
		if o.reachable != h.Reachable || o.recognizable != h.Recognizable {
			c.fault(key, "counts %d, %d; recount %d, %d",
				o.reachable, o.recognizable, h.Reachable, h.Recognizable)
		}
		c.object(ref, o)
	}
	for key := range keys(c.b, "kp") {
		ref := swing.KRef(key)
		if ref.Validate() != nil {
			continue // a row of its queue
		}
		if p, h := readPromise(c.b, ref), c.held[ref]; p.count != h.Reachable || p.count == 0 {
			c.fault(key, "count %d, recount %d", p.count, h.Reachable)
		}
	}
}

// object checks that an object knows its importers, and that whoever must be told that
// nobody reaches it has been, or is about to be.
func (c *checker) object(ref swing.KRef, o object) {
	n := 0
	for range importers(c.b, ref) {
		n++
	}
	if n != c.imports[ref] {
		c.fault(string(ref), "%d importers are known, %d c-lists have it", n, c.imports[ref])
	}
	c.waiting(notifyKey(ref))
	c.service(ref, o)
	if o.reachable > 0 {
		return
	}
	if o.owner == ServiceOwner {
		c.fault(string(ref), "an object of the kernel's that nobody reaches")
	}
	if o.owner == "" {
		if o.recognizable == 0 || !has(c.b, toldKey(ref)) {
			c.fault(string(ref), "an orphan that is not reachable, and nobody is told")
		}
		return
	}
	vk := vatkeeper.New(o.owner, c.b)
	e, _ := vk.ByKRef(ref)
	due := func(kind swing.DeliveryKind) bool {
		return vk.Alive() && !has(c.b, action{o.owner, kind, ref}.key())
	}
	if e.Reachable && due(swing.DeliverDropExports) ||
		o.recognizable == 0 && due(swing.DeliverRetireExports) {
		c.fault(string(ref), "nobody reaches it, and %s is not told", o.owner)
	}
}
