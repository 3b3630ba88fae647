// Package kvstore keeps the kernel's state: ordered keys (Go strings, in byte
// order) and values (bytes), under a buffer of one crank and one block.
//
// The durable truth is the log, which is another room's. This one keeps a table:
// the keys as of a log position, recorded in the same transaction. What changed
// since is an ordered overlay in memory. After [Open] the caller feeds the log's
// change sets from [Store.TablePosition] on to [Store.Redo]; from then on
//
//	crank       Get, Set, Delete, Next, Savepoint, Rollback … Seal
//	block       Changes; the caller appends them to the log and syncs it; Commit
//	now and then  if CheckpointDue: Checkpoint; the log before TablePosition may go
//
// A crash at any moment leaves the table at its old or its new position, and the
// log has the rest. The store never reads or writes the log itself, keeps no
// clock and writes no log lines. It belongs to one goroutine; the work of a
// checkpoint runs in one more, unless [Options].Inline is set.
//
// # Layers
//
// A read asks the overlay, then the overlay that was frozen for the last
// checkpoint, then the table. What the lower layers answered is remembered in the
// overlay, up to Options.CacheBytes. A savepoint is a length of the crank's
// journal; a rollback walks it back. The journal also is what Seal hashes.
//
// [Store.Watch] has the buffer keep, beside all that, what each key written since was
// before: what a tool compares with.
//
// # Hashes
//
// A crankhash digests the crank's surviving writes in order, each as it was made:
// one that changes nothing counts, one that was rolled back does not. With
// [swing.Sum]'s length-prefixed pieces, and 0 to n times one of the two lists:
//
//	crankhash     = Sum("vatwarehouse crank", … "+", key, value, … "-", key, …)
//	activityhash' = Sum("vatwarehouse activity", activityhash, crankhash)
//
// The activityhash starts as 32 zero bytes. Seal stores it under the key
// "activityhash", which is in no hash itself and which nobody else may write.
// Keys that begin with "local." are private to a node: in the log and the table,
// but in no hash. They may be written outside cranks.
//
// # Change sets
//
// A change set is the net of one block in package swing's encoding, the keys in
// strictly ascending order, a null for a key that is gone:
//
//	[1, key bytes, value bytes or null, key, value, …]
//
// A key is there if a write to it survived, even one that changed nothing, unless
// it was absent before the block and is absent after. So the bytes depend on the
// state before the block and the writes, not on caches or checkpoints. Decoding
// is strict: one change set has one byte string, and all others are refused with
// [ErrCorrupt]. Keys take 1 to [KeyBytesMax] bytes, values 0 to [ValueBytesMax].
//
// # The head
//
// Both kinds of table record 64 bytes about themselves, little-endian:
//
//	offset  size  field
//	0       4     "vwkv"
//	4       4     version, 1
//	8       8     position: change sets [0, position) are in the table
//	16      8     how many keys there are
//	24      32    digest of all pairs
//	56      8     check: the first bytes of Sum("vatwarehouse table head", bytes 0–55)
//
// The digest is the sum modulo 2^256 of Sum("kv pair", key, value) over all
// pairs, as little-endian numbers. A sum does not depend on order, so a checkpoint
// brings it up to date from the old and new pairs alone. It finds a pair that is
// lost, altered, doubled, or old: the chance that an accident keeps the sum is
// that of guessing a 256-bit number. (An exclusive or would not see a pair that
// is there twice.) It is no defence against someone who can write the file: he
// can write the digest too.
//
// # The bbolt table
//
// Where the file system has files of the operating system, the table is a file of
// bbolt 1.5 (its version 2) with pages of 4,096 bytes on every machine and its
// freelist in the file. Its two buckets are
//
//	"head"    "head" → the head
//	"pairs"   key → 4 bytes of check, little-endian, then the value
//
// The check is the CRC-32C of key and value, started from the key's length. It is
// verified by every read. bbolt's own pages have no checksum, so Open verifies
// what bbolt relies on, by plain reads: the first two before bbolt opens the file,
// all of it, under bbolt's lock, before the first search.
//
//	meta pages   bbolt's check; the file has all pages they speak of
//	freelist     it and the pages in use make up the whole file, no page twice: one
//	             wrongly free would be overwritten later
//	branches     each key is its child's first, below the next: searches find what
//	             a walk finds, and bbolt finds a changed page's place
//	leaves       order, sizes, every value's check, and the digest and count
//
// That leaves space no page uses, the identity in the headers of the meta pages,
// the sequence numbers of buckets: bits that nothing reads. If one of the two meta
// pages fails its check, bbolt falls back to the other, which may be one
// checkpoint older; Stats.MetaLost says so, TablePosition says where that is, and
// the caller must refuse if the log no longer reaches back that far.
//
// A new table is made under the name with ".new" appended and renamed when it is
// whole. So a file that is empty, short or foreign is never what a crash left: it
// is refused with [ErrCorrupt] and left as it is.
//
// # The memory table
//
// Where there are no such files, the table is in memory. A checkpoint writes it
// whole under the name with ".new" appended, syncs it, renames it, and syncs the
// directory. The file is a chain of frames (package frame), the first with the
// seed 0x76776b76:
//
//	kind  body
//	1     the head: one frame, the first
//	2     pairs, encoded like a change set without nulls, in ascending order over
//	      all frames: any number of frames, each of about 256 KiB
//
// Nothing follows. The frames' checks cover every byte; the head's count and
// digest show that no frame is missing at the end.
//
// # Failures
//
// Reads cannot fail: after a failure they answer "absent", and the first failure
// sticks. Ask [Store.Err] before Changes go to the log. It wraps [ErrCorrupt] for
// bytes that are not what was written, [ErrBroken] for a checkpoint that could not
// be written. A broken store goes on reading rightly, from memory and the table
// as it was; it writes no table any more, since after a failed sync nobody knows
// what is on the disk. Panics are misuse: a key or value beyond its limit, Changes
// inside a crank, Commit without Changes, Checkpoint inside a block.
//
// # Caveats
//
// The caller holds a lock on the directory. bbolt locks its file too, which tells
// an accident apart ([vfs.ErrInUse]) but does not keep Open from reading the file
// in a moment when someone else writes it.
//
// Rot that comes to the file while it is open is found where a read meets a wrong
// value, an impossible page or a hole in the file. Two cases are not survived: a
// branch that rots into a circle ends the process, and both meta pages rotting
// while a checkpoint runs can make it wait for ever.
//
// bbolt's file never shrinks. It takes about 2.6 times the bytes of the pairs that
// the table ever held, and a list of the free pages is written at each checkpoint.
//
// Next passes over keys deleted since the last checkpoint one by one.
package kvstore
