// Package vatkeeper keeps the kernel's side of one vat: its c-list, id
// counters, vatstore, options, span and end.
//
// All state is in the KV it is given; the package keeps none and does no I/O.
// It never calls the kernel back: what its translations mean for the kernel's
// tables it returns as [RefChange]s.
//
// # Keys
//
// Every key starts with the vat's id and a dot. Values are canonical encodings
// (see package swing).
//
//	v1.o         options    [1, name, code hash, seed hash, pipelining bool, critical
//	                        bool, quarantine bool]
//	v1.i         counters   [next object import, next promise import]
//	v1.s         span       [incarnation, start, end, hash]
//	v1.p.HEX     past spans the same, by incarnation in 16 hex digits
//	v1.d         dirt       [position of the last reap; references told of, and units of
//	                        fuel used, since; deliveries, references and units of fuel
//	                        after which a reap is due]
//	v1.a         parameters [body, slots] of the current incarnation, if any
//	v1.x         end        [failure bool, body, slots], once the vat is dead
//	v1.c.KREF    c-list     [vref, reachable bool]
//	v1.r.VREF    c-list     kref text: the same entry from the other side
//	v1.v.KEY     vatstore   the value's bytes, as they are
//	v1.u         vatstore   how many bytes its keys and values have, if any
//
// # The c-list
//
// A bijection of krefs and vrefs. An entry is authority: a vat reaches exactly
// what its c-list holds. Imports are allocated by the kernel from o-50 and p-60
// on, exports by the vat. Entries of promises count one reference, whoever
// allocated them; entries of imported objects count as reachable and
// recognizable, or as recognizable only once the vat has dropped them; the exporter's
// own entry of an object counts nothing, and says whether anybody reaches the object,
// as far as the exporter has been told.
// Resolved promises leave the c-list: on the resolver's side as it resolves, on a
// subscriber's as it is notified. A later mention is a new entry with a new vref.
package vatkeeper
