package kernel

import (
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// account is a row vN.n: where the events are that a vat has caused, the messages that it
// sent and its notifies. What is in the acceptance queue counts nowhere: it is empty
// whenever a vat runs.
type account struct {
	running uint64 // in the run-queue
	parked  uint64 // waiting for a promise, or for a vat that is held
	queued  uint64 // in the vat's outbox
}

func (a account) total() uint64 { return a.running + a.parked + a.queued }

func accountKey(vat swing.VatID) string { return string(vat) + ".n" }

// outbox is the queue of what a vat has caused beyond its share of the run-queue.
func outbox(vat swing.VatID) queue { return queue(vat + ".l") }

func readAccount(b vatkeeper.KV, vat swing.VatID) (a account) {
	key := accountKey(vat)
	v, ok := b.Get(key)
	if !ok {
		return account{}
	}
	r := swing.NewReader(v)
	r.Fields(3)
	a = account{running: r.Uint(), parked: r.Uint(), queued: r.Uint()}
	done(r, key)
	return a
}

func (a account) write(b vatkeeper.KV, vat swing.VatID) {
	if a == (account{}) {
		b.Delete(accountKey(vat))
		return
	}
	b.Set(accountKey(vat), uints(a.running, a.parked, a.queued))
}

// Caused returns how many events that a vat has caused are in the run-queue, and how many
// wait in all.
func Caused(b vatkeeper.KV, vat swing.VatID) (running, all uint64) {
	a := readAccount(b, vat)
	return a.running, a.total()
}

// account returns the vat that has caused an event, or "".
func (ev event) account() swing.VatID {
	switch ev.kind {
	case eventSend:
		return ev.sender
	case eventNotify:
		return ev.vat
	}
	return ""
}

// admit puts an event that has been routed into the run-queue, or, if as many are there of
// the vat that caused it as its share allows, into the vat's outbox: what one vat causes
// delays others by no more than a share.
func (c *crank) admit(ev event) {
	vat := ev.account()
	if vat == "" {
		runQueue.push(c.b, ev.encode())
		return
	}
	a := readAccount(c.b, vat)
	if a.queued > 0 || a.running >= c.options.QueueShare {
		outbox(vat).push(c.b, ev.encode())
		a.queued++
	} else {
		runQueue.push(c.b, ev.encode())
		a.running++
	}
	a.write(c.b, vat)
}

// runs sees to the counts of an event that was put at the head of the run-queue.
func (c *crank) runs(ev event) {
	if ev.kind == eventSend {
		c.underway(ev.target, 1)
	}
	if vat := ev.account(); vat != "" {
		a := readAccount(c.b, vat)
		a.running++
		a.write(c.b, vat)
	}
}

// leaves sees to the counts of an event that was taken from the run-queue, and has the
// next of the vat's outbox follow.
func (c *crank) leaves(ev event) {
	if ev.kind == eventSend {
		c.underway(ev.target, -1)
	}
	vat := ev.account()
	if vat == "" {
		return
	}
	a := readAccount(c.b, vat)
	a.running--
	for a.queued > 0 && a.running < c.options.QueueShare {
		next, _ := outbox(vat).pop(c.b)
		runQueue.push(c.b, next)
		a.queued--
		a.running++
	}
	if a.queued == 0 && has(c.b, string(outbox(vat))) {
		c.b.Delete(string(outbox(vat)))
	}
	a.write(c.b, vat)
}

// park puts an event where it waits for a promise or for a held vat.
func (c *crank) park(where queue, ev event) {
	where.push(c.b, ev.encode())
	c.parked(ev, 1)
}

// unpark sees to the counts of an event that was taken from where it waited.
func (c *crank) unpark(ev event) { c.parked(ev, -1) }

func (c *crank) parked(ev event, more int) {
	if vat := ev.account(); vat != "" {
		a := readAccount(c.b, vat)
		a.parked += uint64(more)
		a.write(c.b, vat)
	}
}

// room returns how many messages more a vat may send, or notifies ask for, in a delivery.
func (c *crank) room(vat swing.VatID) uint64 {
	return c.options.QueueMax - min(c.options.QueueMax, readAccount(c.b, vat).total())
}
