package kernel

import (
	"iter"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Promise is what the kernel knows of a promise.
type Promise struct {
	State       PromiseState
	Count       int
	Decider     swing.VatID   // "" is the kernel
	Subscribers []swing.VatID // in the order in which they asked
	Waiting     uint64        // messages queued for it
	Data        swing.CapData[swing.KRef]
}

// LookupPromise returns a promise, and whether there is one of that name.
func LookupPromise(b vatkeeper.KV, ref swing.KRef) (Promise, bool) {
	if _, ok := b.Get(string(ref)); !ok || ref.Validate() != nil || ref.Kind() != swing.Promise {
		return Promise{}, false
	}
	p := readPromise(b, ref)
	return Promise{
		State: p.state, Count: p.count, Decider: p.decider,
		Subscribers: slices.Collect(p.subscribers(b, ref)),
		Waiting:     promiseQueue(ref).length(b), Data: p.data,
	}, true
}

// VatByName returns the id of the vat of that name.
func VatByName(b vatkeeper.KV, name string) (swing.VatID, bool) {
	id, ok := b.Get(nameKey(name))
	return swing.VatID(id), ok
}

// AllVats yields the ids of all vats ever made, in the order they were made.
func AllVats(b vatkeeper.KV) iter.Seq[swing.VatID] {
	return func(yield func(swing.VatID) bool) {
		for n, end := uint64(firstVat), readIDs(b).vat; n < end; n++ {
			if !yield(swing.VatIDOf(n)) {
				return
			}
		}
	}
}

// Counters are the kernel's own totals.
type Counters struct {
	Cranks, Deliveries uint64
	Vats               uint64 // ever made
	Accepted, Runnable uint64 // events in the acceptance queue and the run-queue
	Time               uint64 // block time, nanoseconds since the Unix epoch
}

// ReadCounters returns the kernel's totals.
func ReadCounters(b vatkeeper.KV) (c Counters) {
	c.Cranks, c.Deliveries = readCrank(b)
	c.Vats = readIDs(b).vat - firstVat
	c.Accepted, c.Runnable = acceptanceQueue.length(b), runQueue.length(b)
	c.Time = readTime(b)
	return c
}

// ReadOptions returns the options the state was made with.
func ReadOptions(b vatkeeper.KV) Options { return readOptions(b) }

// Held reports whether a vat's deliveries are kept back, and how many wait.
func Held(b vatkeeper.KV, vat swing.VatID) (waiting uint64, ok bool) {
	return holdQueue(vat).length(b), held(b, vat)
}
