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
// have been brought into order. After a failed write or sync, and after a panic in
// our own code, a device or an observer (a *[PanicError]), the Host is poisoned: every
// call returns [ErrPoisoned] with the cause; reopen it.
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
//	importing  there while an import makes the directory, which has no format yet
//	lock       held by the process that has it open
//	log/       the log (package streamstore): transcripts, outputs, change sets
//	table      the kernel's keys at some block (package kvstore)
//	heaps/     heap snapshots, images, programs (package snapstore)
//	compiled/  machine code of programs, if Options.CacheCompiled says so: a cache, which
//	           no export has and no import makes
//
// All of it is its owner's alone (package vfs says how), and links are not followed.
//
// Streams of the log are named by vat ("v1": its transcript), "kv" (position n
// is the change set of block n) and "out" (outputs). Keys under "local." are the
// host's own:
//
//	local.snap.VAT.POSITION  [1, heap id, transcript hash, engine, incarnation, stored bytes]
//	local.kept.VAT           [1, incarnation, position, hash]: from where on its transcript
//	                         is kept, and what the chain's hash is there
//	local.meaning.VAT.N      [1, rewriter, costs, memory]: under which meaning the vat's
//	                         incarnation N, in 16 hex digits, is run; it travels
//	local.log                [position, block]: change sets before the position are in the
//	                         log up to that block, where the two are not the same number
//	local.outputs            how many outputs there are
//	local.note.NAME          a value of the embedder's own
//	local.recent             the vats paged in at the last Close that had any, latest last
//
// With Options.Scratch the directory is read only: what is done is kept in memory
// over it and forgotten at Close. Nothing that is in the directory changes, be it
// only a torn end of the log that Open would cut; programs are compiled anew.
//
// A vat goes on only under the meaning that its incarnation was run under. Open refuses a
// directory with others, with a *[MeaningError] that says what can be done:
// [Host.Adopt], or an upgrade. What merely runs programs, the engine, is in the record of
// each snapshot: one of another engine is passed over, and the vat replayed, and thereby
// verified, instead. (CPU features make no difference: the engine's code for each computes
// the same, which the tests compare with its interpreter. Images are of one process and
// machine, and made anew.)
//
// Options.Expect tells an older copy of a directory from the directory.
//
// The kernel's row "schema" is the version of its rows. Open brings an older directory
// up to this program's, in one hashed block, and refuses a newer one.
//
// # Exports
//
// [Host.Export] writes a state to one stream (internal/portable says how, byte by
// byte), [Host.Feed] what changed since, [Host.ExportVat] one vat's history. Metadata
// come first: the kernel's rows and the embedder's notes, spans with their hashes,
// outputs' bounds, records of snapshots, hashes of programs. Their digest is the root.
// The rest is checked against them. What goes along:
//
//	mode         transcripts                   snapshots        incarnations and vats that ended
//	operational  since the snapshot            newest good one  no history
//	replay       since birth                   none             no history
//	archival     since birth                   newest good one  whole history
//	debug        what is kept                  all good ones    what is kept
//
// All programs, and all outputs that are kept, go along in every mode. Keys under
// "local." that are not notes, meanings or the count of outputs are made anew. One state at one
// block, with the same snapshots, has one stream.
//
// [Import] makes a directory in these steps, each durable before the next:
//
//  1. the file "importing"; whatever an earlier import left is removed
//  2. programs, transcripts and outputs in the log, heaps; the table, at its position
//  3. all of it verified: each row is, by its key, one that the kernel writes, or a
//     [*RowError] names it; the kernel's counts recounted; nothing missing of the mode
//  4. the file "format", and "importing" goes
//
// Open refuses a directory that is between 1 and 4. [Host.Apply] takes a feed in as
// one block of the log. A directory that follows another one this way must make no
// block of its own: then their positions differ, and feeds are refused.
//
// [VerifyVat] takes one vat's history in by running it again; nothing else makes it
// believe a history. [Host.Prune] gives up entries that bring no vat back;
// [Host.Repair] drops records of snapshots that are gone.
//
// # Concurrency
//
// A Host may be used from several goroutines; its calls wait for each other. A
// cancelled context leaves the kernel at a crank boundary, with the block kept.
package host
