package kernel

import (
	"fmt"
	"iter"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// PromiseState says whether a promise is resolved, and how.
type PromiseState uint8

// The states of a promise.
const (
	Unresolved PromiseState = 0
	Fulfilled  PromiseState = 1
	Rejected   PromiseState = 2
)

// String returns the state in a word.
func (s PromiseState) String() string {
	return [...]string{"unresolved", "fulfilled", "rejected"}[s]
}

// promise is a row kpN.
type promise struct {
	state PromiseState
	count int
	// While unresolved: who may resolve it ("" is the kernel, or a queued
	// message), and who asked to be notified, first and last: each but the last has
	// a row, kpN.s.VAT, that names the one after it.
	decider     swing.VatID
	first, last swing.VatID
	// Once resolved.
	data swing.CapData[swing.KRef]
}

func readPromise(b vatkeeper.KV, ref swing.KRef) (p promise) {
	r := row(b, string(ref))
	fields := r.Array()
	p.state, p.count = PromiseState(r.Uint()), int(r.Uint())
	switch {
	case p.state == Unresolved && fields == 5:
		p.decider, p.first, p.last = readVat(r), readVat(r), readVat(r)
	case p.state != Unresolved && fields == 4:
		p.data = swing.ReadCapData[swing.KRef](r)
	default:
		r.Fail(fmt.Errorf("a promise of state %d with %d fields", p.state, fields))
	}
	done(r, string(ref))
	return p
}

func (p promise) write(b vatkeeper.KV, ref swing.KRef) {
	fields := 4
	if p.state == Unresolved {
		fields = 5
	}
	v := swing.AppendUint(swing.AppendArray(make([]byte, 0, 32), fields), uint64(p.state))
	v = swing.AppendUint(v, uint64(p.count))
	if p.state == Unresolved {
		v = appendVat(appendVat(appendVat(v, p.decider), p.first), p.last)
	} else {
		v = swing.AppendCapData(v, p.data)
	}
	b.Set(string(ref), v)
}

// setDecider hands an unresolved promise to a vat, or to the kernel.
func (c *crank) setDecider(ref swing.KRef, from, to swing.VatID) {
	p := readPromise(c.b, ref)
	if p.state != Unresolved || p.decider != from {
		panic(fmt.Sprintf("kernel: %s is %v, decided by %q, not by %q",
			ref, p.state, p.decider, from))
	}
	p.decider = to
	p.write(c.b, ref)
}

// hasten puts what waits for a promise at the head of the run-queue, if its new decider
// is sent such messages: ahead of those to the promise that are there, which are later.
func (c *crank) hasten(ref swing.KRef, decider swing.VatID) {
	if promiseQueue(ref).length(c.b) == 0 || !c.pipelines(decider) {
		return
	}
	c.advance(ref, runQueue)
}

// advance puts what waits for a promise at the head of a queue.
func (c *crank) advance(ref swing.KRef, to queue) {
	waited := promiseQueue(ref).drain(c.b)
	for i := len(waited) - 1; i >= 0; i-- {
		ev := decodeEvent(waited[i]) // it holds its references already
		c.unpark(ev)
		to.pushFront(c.b, waited[i])
		if to == runQueue {
			c.runs(ev)
		}
	}
}

func subscriberKey(ref swing.KRef, vat swing.VatID) string {
	return string(ref) + ".s." + string(vat)
}

// subscribed reports whether a vat is to be notified of an unresolved promise.
func (p promise) subscribed(b vatkeeper.KV, ref swing.KRef, vat swing.VatID) bool {
	return vat == p.last || has(b, subscriberKey(ref, vat))
}

// subscribers yields who is to be notified of an unresolved promise, in the order in
// which they asked.
func (p promise) subscribers(b vatkeeper.KV, ref swing.KRef) iter.Seq[swing.VatID] {
	return func(yield func(swing.VatID) bool) {
		for vat := p.first; vat != ""; {
			next, _ := b.Get(subscriberKey(ref, vat))
			if !yield(vat) {
				return
			}
			vat = swing.VatID(next)
		}
	}
}

// subscribe asks for a vat to be notified of a promise.
func (c *crank) subscribe(vat swing.VatID, ref swing.KRef) {
	p := readPromise(c.b, ref)
	if p.state != Unresolved {
		c.enqueue(event{kind: eventNotify, vat: vat, target: ref})
		return
	}
	switch {
	case p.subscribed(c.b, ref, vat):
		return
	case p.first == "":
		p.first = vat
	default:
		c.b.Set(subscriberKey(ref, p.last), []byte(vat))
	}
	p.last = vat
	p.write(c.b, ref)
}

// tell notifies the vat of an event that has left the acceptance queue, and puts that of
// the subscriber after it in its place: however many there are, each crank sees to one.
func (c *crank) tell(ev event) {
	key := subscriberKey(ev.target, ev.vat)
	if next, more := c.b.Get(key); more {
		c.b.Delete(key)
		after := event{kind: eventNotify, vat: swing.VatID(next), target: ev.target}
		c.count(ev.target, 1)
		acceptanceQueue.pushFront(c.b, after.encode())
	}
	c.admit(ev)
}

// resolve settles an unresolved promise: what waited for it is queued, and
// whoever asked is notified.
func (c *crank) resolve(r swing.Resolution[swing.KRef]) {
	p := readPromise(c.b, r.Promise)
	if p.state != Unresolved {
		panic(fmt.Sprintf("kernel: %s is already %v", r.Promise, p.state))
	}
	settled := promise{state: Fulfilled, count: p.count, data: r.Data}
	if r.Rejected {
		settled.state = Rejected
	}
	settled.write(c.b, r.Promise)
	for _, s := range r.Data.Slots {
		c.count(s, 1)
	}
	if len(promisesIn(r.Data)) > 0 { // its resolver holds it no more
		c.circles = append(c.circles, r.Promise)
	}
	// What has waited goes ahead of what was sent since, be it in this very crank.
	ahead := acceptanceQueue
	if readCount(c.b, underwayKey(r.Promise)) > 0 {
		ahead = runQueue
	}
	c.advance(r.Promise, ahead)
	if p.first != "" {
		c.enqueue(event{kind: eventNotify, vat: p.first, target: r.Promise})
	}
	if pins(c.b, r.Promise) > 0 {
		c.report.Outputs = append(c.report.Outputs, Output(r))
	}
}

// reject settles the result promise of a message that cannot be delivered.
func (c *crank) reject(result swing.KRef, data swing.CapData[swing.KRef]) {
	if result != "" {
		c.resolve(swing.Resolution[swing.KRef]{Promise: result, Rejected: true, Data: data})
	}
}

// await has a promise of the kernel's wait with others, by rows PREFIX.PROMISE that hold
// it, until settleAll.
func (c *crank) await(prefix string, promise swing.KRef) {
	c.b.Set(prefix+string(promise), nil)
	c.count(promise, 1)
}

// settleAll settles the promises that wait with a prefix, all alike.
func (c *crank) settleAll(prefix string, rejected bool, data swing.CapData[swing.KRef]) {
	for key := range keys(c.b, prefix) {
		promise := swing.KRef(key[len(prefix):])
		c.b.Delete(key)
		c.resolve(swing.Resolution[swing.KRef]{Promise: promise, Rejected: rejected, Data: data})
		c.count(promise, -1)
	}
}

// closure returns the resolutions to notify of together with ref: those of all
// resolved promises that its data mentions, and theirs, each once. Promises
// that refer to each other in a circle are so delivered in one piece.
func (c *crank) closure(ref swing.KRef) (rs []swing.Resolution[swing.KRef]) {
	seen := map[swing.KRef]bool{ref: true}
	for queue := []swing.KRef{ref}; len(queue) > 0; queue = queue[1:] {
		p := readPromise(c.b, queue[0])
		if p.state == Unresolved {
			continue
		}
		rs = append(rs, swing.Resolution[swing.KRef]{
			Promise: queue[0], Rejected: p.state == Rejected, Data: p.data,
		})
		for _, s := range p.data.Slots {
			if s.Kind() == swing.Promise && !seen[s] {
				seen[s] = true
				queue = append(queue, s)
			}
		}
	}
	return rs
}
