// Package host is the embedder's front door to a kernel and its vats: it opens
// the stores, wires the rooms, and is the only one that commits.
//
//	h, err := host.Open(ctx, "state", nil)
//	code, err := h.Install(ctx, wasm)
//	vat, root, err := h.CreateVat(ctx, host.VatSpec{Name: "counter", Code: code})
//	answer, err := h.Send(ctx, root, host.Message{Method: "incr"})
//	ran, err := h.Run(ctx, host.Policy{})
//	state, data, err := h.Promise(answer)
//	err = h.Close(ctx)
//
// No daemon, no cgo, one directory on disk; with "" in its place everything is
// kept in memory.
//
// # Durability
//
// Run groups cranks into blocks (Options.BlockCranks). One block is made durable
// in this order, and each step only after the one before:
//
//  1. pages of heap snapshots that are to be named are synced
//  2. one append to the log: transcript entries, outputs, the changes of the
//     kernel's keys; one sync. This is the commit point
//  3. the block's outputs are released to the Observer
//  4. later, in the background: the table catches up, the log's closed segments
//     are archived
//
// Inputs (CreateVat, Send, …) are durable when the next Run, Commit or Close
// returns. After a crash Open finds the state of some whole block, no older than
// the last one that was acknowledged. It reads the table before the log: a block
// that is in the table was durable, so damage to it is never cut as a torn tail.
// What Open mends, the Observer is told; when it refuses, nothing but the log may
// have been brought into order. After a failed write or sync the Host is
// poisoned: every call returns [ErrPoisoned] with the cause; reopen it.
//
// # What may differ
//
// Options that are observable belong to the directory and are the same on every
// node, or the activityhash differs. All others are private: they may change
// between two Opens, and no activityhash, transcript or output does.
//
// # A directory
//
//	format     "vatwarehouse 1\n": what this is, and which version of it
//	lock       held by the process that has it open
//	log/       the log (package streamstore): transcripts, outputs, change sets
//	table      the kernel's keys at some block (package kvstore)
//	heaps/     heap snapshots, images, programs (package snapstore)
//	compiled/  machine code of programs: a cache, private to this machine
//
// Streams of the log are named by vat ("v1": its transcript), "kv" (position n
// is the change set of block n) and "out" (outputs). Keys under "local." are the
// host's own:
//
//	local.snap.VAT.POSITION  [1, heap id, transcript hash, engine, incarnation, stored bytes]
//	local.outputs            how many outputs there are
//	local.note.NAME          a value of the embedder's own
//	local.recent             the vats paged in at the last Close that had any, latest last
//
// With Options.Scratch the directory is read only: what is done is kept in memory
// over it and forgotten at Close. Nothing that is in the directory changes, be it
// only a torn end of the log that Open would cut; programs are compiled anew.
//
// # Concurrency
//
// A Host may be used from several goroutines; its calls wait for each other. A
// cancelled context leaves the kernel at a crank boundary, with the block kept.
package host
