package kernel

import (
	"fmt"
	"slices"

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
	// message), and who asked to be notified, in order of id.
	decider     swing.VatID
	subscribers []swing.VatID
	// Once resolved.
	data swing.CapData[swing.KRef]
}

func readPromise(b vatkeeper.KV, ref swing.KRef) (p promise) {
	r := row(b, string(ref))
	r.Fields(4)
	p.state, p.count = PromiseState(r.Uint()), int(r.Uint())
	if p.state != Unresolved {
		p.data = swing.ReadCapData[swing.KRef](r)
		done(r, string(ref))
		return p
	}
	if !r.Null() {
		p.decider = swing.VatID(r.Text())
	}
	for n := r.Array(); n > 0; n-- {
		p.subscribers = append(p.subscribers, swing.VatID(r.Text()))
	}
	done(r, string(ref))
	return p
}

func (p promise) write(b vatkeeper.KV, ref swing.KRef) {
	v := swing.AppendUint(swing.AppendArray(make([]byte, 0, 32), 4), uint64(p.state))
	v = swing.AppendUint(v, uint64(p.count))
	if p.state != Unresolved {
		b.Set(string(ref), swing.AppendCapData(v, p.data))
		return
	}
	if p.decider == "" {
		v = swing.AppendNull(v)
	} else {
		v = swing.AppendText(v, p.decider)
	}
	v = swing.AppendArray(v, len(p.subscribers))
	for _, s := range p.subscribers {
		v = swing.AppendText(v, s)
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
		to.pushFront(c.b, waited[i]) // it holds its references already
	}
	if to == runQueue {
		c.underway(ref, len(waited))
	}
}

// subscribe asks for a vat to be notified of a promise.
func (c *crank) subscribe(vat swing.VatID, ref swing.KRef) {
	p := readPromise(c.b, ref)
	if p.state != Unresolved {
		c.enqueue(event{kind: eventNotify, vat: vat, target: ref})
		return
	}
	at, found := slices.BinarySearchFunc(p.subscribers, vat, compareVats)
	if found {
		return
	}
	p.subscribers = slices.Insert(p.subscribers, at, vat)
	p.write(c.b, ref)
}

// compareVats orders vats by number: v2 before v10.
func compareVats(a, b swing.VatID) int {
	if a.Number() < b.Number() {
		return -1
	}
	if a.Number() > b.Number() {
		return 1
	}
	return 0
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
	// What has waited goes ahead of what was sent since, be it in this very crank.
	ahead := acceptanceQueue
	if readCount(c.b, underwayKey(r.Promise)) > 0 {
		ahead = runQueue
	}
	c.advance(r.Promise, ahead)
	for _, vat := range p.subscribers {
		c.enqueue(event{kind: eventNotify, vat: vat, target: r.Promise})
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
