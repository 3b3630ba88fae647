// Package transcript says what a vat's history is: entries, spans and their
// hash chain, and the two Syscallers that write it and read it again.
//
// It does no I/O and keeps no store: it turns deliveries into items (bytes)
// and items back into deliveries.
//
// # Entries
//
// One entry is one delivery, whole: the delivery's bytes as the vat got them,
// each syscall with the bytes the vat sent and the bytes it was answered, and
// the outcome. Positions count a vat's entries from 0 and are never reset.
// What a program asks of its host outside syscalls (clock, randomness) is a
// function of its heap and its deliveries, so it needs no record.
//
// An item is the canonical encoding (see package swing) of
//
//	[2, position, delivery bytes, [op, request bytes, answer bytes, …], status,
//	 problem text, fuel]
//
// An item of version 1 begins with 1 and ends before the fuel. Nothing is known of what
// its delivery used; replay runs it without a bound, and compares no fuel. Any other
// delivery that took effect is replayed with the limit as its budget: what its vat's meter
// had at the time, if that was less, was enough, and is not known to replay.
//
// An entry whose outcome is not ok took no effect: its crank was rolled back
// and its heap discarded. It is kept so that people can see what a vat died
// of; replay passes over it.
//
// # The chain
//
// hash' = swing.Sum("vatwarehouse transcript", hash, item), from the zero hash
// at the start of a span. A span's hash is part of the kernel's hashed state, so the
// activityhash covers every byte of every transcript.
//
// # Replay
//
// Heap snapshots leave no mark in a transcript. To bring a vat to position n
// from a heap at position m, deliver entries [m, n) with a [Replayer] in place
// of the [Recorder]: it compares every syscall byte for byte and answers from
// the record; and at the end the outcome and the fuel. What differs is a
// [DivergenceError].
package transcript
