// Package kernel is the deterministic state machine between vats: queues,
// routing, object and promise tables, reference counts, vat lifecycle, and the
// crank. Given the same buffer contents and the same vats it makes the same
// decisions.
//
// It is pure: all state is in the [Buffer] it is handed, vats are reached
// through [Vats], and it never asks the world anything. Semantics follow
// Agoric's SwingSet (docs/kernel.md says where they differ).
//
// # One crank
//
//	a routing crank:   next → route          acceptance queue → run-queue
//	a delivery crank:  next → aim → In → Vats.Deliver → Out → settle → seal
//	a cleanup crank:   rows of an ended vat are removed
//
// What is next, in this order: the acceptance queue; a cleanup, when it is its turn;
// the run-queue and the queue of chores, by turns; a cleanup, when there is nothing else.
//
// Everything that vats or the embedder ask for enters by the acceptance queue,
// which is drained, one event a crank, before anything is delivered. So
// messages from one vat to one target arrive in the order they were sent, also
// through a promise: what waited on it moves ahead of whatever is sent to it later.
//
// A crank is all or nothing. If the world fails (a worker cannot be had), the
// crank is rolled back and Crank returns the error: no crank happened. If the
// vat fails (it trapped, broke a rule, asked to exit as a failure), the crank is
// rolled back too, the vat is ended in its place, and the delivery stays queued:
// it will find its target dead, and its sender learn of it.
//
// # Keys
//
// Values are canonical encodings (see package swing). Keys of vats are in
// package vatkeeper. Row numbers are 16 hex digits.
//
//	crank            [cranks so far, deliveries so far]
//	ids              [next vat, next object, next promise]
//	setup            [seed text, limit …, reap deliveries, reap references, cleanup
//	                 rows, cleanup every, queue share, queue max, reap fuel]: the options
//	vats             how many vats live, if any
//	schema           the version of these rows
//	time             the block time, in nanoseconds since the Unix epoch
//	acceptance       [head, tail] of the acceptance queue; rows acceptance.ROW
//	run              [head, tail] of the run-queue; rows run.ROW
//	koN              [owner vat, "kernel" or null, reachable, recognizable]
//	koN.i.VAT        empty: the vat has the object as an import
//	koN.m            [remaining, threshold, used, unlimited bool]: a meter
//	koN.w.PROMISE    empty: the promise is resolved when the meter is below its threshold
//	koN.s            [kind, vat, program hash, device]: what an object of the kernel's is
//	koN.told         empty: the object is an unreachable orphan, and its importers
//	                 have been given their GC actions
//	kpN              [0, count, decider, first subscriber, last]          unresolved,
//	                                                      each a vat or null
//	                 [1, count, body, slots]                              fulfilled
//	                 [2, count, body, slots]                              rejected
//	kpN.s.VAT        the subscriber after this one; the last has no row
//	kpN.n            how many messages to the promise are in the run-queue and in
//	                 outboxes, if any
//	kpN.q            [head, tail] of messages waiting for the promise; rows kpN.q.ROW
//	device.NAME      the device's object; its state is device.NAME.v.KEY, and how often
//	                 it holds a reference device.NAME.r.KREF
//	pin.KREF         how many times the embedder holds the reference
//	name.NAME        id of the vat of that name
//	program.HASH     empty: the program is installed
//	program.name.NAME  the hash of the program of that name
//	vN.m             the vat's meter
//	vN.b             [result, root, node]: who waits for the vat to start
//	vN.w.PROMISE     empty: the promise is resolved when the vat ends
//	vN.q             why the vat failed that is held for it
//	vN.h             [head, tail] of what is held back for a held vat; rows vN.h.ROW
//	vN.n             [in the run-queue, parked, in the outbox]: where the events are that
//	                 the vat has caused
//	vN.l             [head, tail] of the vat's outbox; rows vN.l.ROW
//	gc.VAT.K.OBJECT  empty: a GC action; the vat's and the object's numbers in 16 hex
//	                 digits, K the number of the delivery's kind
//	reap.VAT         empty: the vat, by number in hex, is to be reaped
//	chores           [head, tail] of the queue of vats with GC actions or a reap; rows
//	                 chores.ROW
//	chore.VAT        the vat is in that queue, and has no GC action up to this key
//	turn             empty: the run-queue comes before the next chore
//	cleanup          [head, tail] of the queue of ended vats; rows cleanup.ROW are [vat,
//	                 its row up to which all were removed]
//	cleaned          number of the last cleanup crank
//
// An event row is one of
//
//	[1, target, method, body, slots, result or null, sender or null]   send
//	[2, vat, promise]                                     notify
//	[3, vat, body, slots]                                 startVat
//	[4, vat, code hash, message, result, body, slots]     upgrade
//	[5, vat]                                              reap, before an upgrade
//
// # Counts
//
// An object's (reachable, recognizable) counts are over the c-lists that
// import it, queued events, resolution data, parameters and the embedder's pins. A
// promise's single count is over all c-lists, queued events, resolution data
// and pins. A promise whose count is zero at the end of a crank is deleted. An
// object that nobody reaches gives rise to GC actions.
package kernel
