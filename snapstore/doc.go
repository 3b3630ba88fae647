// Package snapstore keeps heap snapshots: content-addressed pages, compressed
// and verified; the images that vats are mapped from; and programs' code.
//
// It has two tiers. The durable one is packs: files of objects named by their
// digests. The node-local one is images: a file each that holds one heap's
// memory as it is, so that a vat is ready when the file is mapped. An image is
// made from the packs at the first [Store.Image] of a heap, kept in step with a
// vat by [Store.Pause], and stored by [Store.Commit]. What [Store.Sync] has
// covered survives a crash; images do not survive the next [Open].
//
// It is not a cache of what vats are running, knows no positions of transcripts,
// and writes no record that names a snapshot: the host does, after Sync.
//
// # Identity
//
// A heap's memory is a tree of fixed depth over pages of 4096 bytes: seven levels
// of nodes with eight children each, enough for 4 GiB. What lies past the heap's
// size is zero, so that growth changes no node. Eight because a page written alone
// then costs the fewest bytes: its path is seven nodes, of 257 bytes at most, where
// sixteen children make five of 513.
//
//	object  digest (see swing)                      bytes
//	page    SumPage(bytes)                          4096
//	node    Sum("heap node", bytes)                 1 + 32 × children
//	heap    Sum("vatwarehouse heap", bytes)         swing.AppendHeap; its ID
//	code    Sum("vatwarehouse code", bytes)         as given
//
// A page of zeros, and a subtree of such pages, has the zero hash and is never
// stored. So a heap has one ID whatever its history, and a snapshot with k dirty
// pages stores at most k pages, the nodes on their paths and one heap object.
// Pages have no domain of their own; objects are therefore looked up by class
// and digest, and a page with the bytes of a heap is no heap.
//
// A node as it is hashed and stored; numbers are little-endian throughout:
//
//	offset  size  field
//	0       1     mask: bit i is set if child i is not zero; never 0
//	1       32×n  the hashes of those children, ascending; none is zero
//
// # Packs
//
// A pack, packs/NNNNNNNN.pack with its number in hex, is a chain of frames (see
// internal/frame), each seeded by the check of the one before. Numbers grow. The
// first frame is the header, with seed 0:
//
//	offset  size  field
//	0       7     "vatpack"
//	7       1     format version, 1
//	8       4     the pack's number
//
// Every other frame is a record of at most 65,535 bytes, frame header included:
//
//	offset  size  field
//	0       32    the object's digest
//	32      n     the object
//
//	frame kind  object
//	2           page, as it is: 4096 bytes
//	3           page, one LZ4 block of 1 to 4095 bytes that makes 4096
//	4           node
//	5           heap
//
// Records are appended to one active pack, through a buffer. At
// Options.PackBytes a pack is closed for more; the next Sync syncs it and writes
// its index file, packs/NNNNNNNN.index, from when on it is sealed. Open reads
// the index files and scans the packs that have none. An index file is a chain
// of frames of its own, a header of kind 6 with seed 0 and entries of kind 7:
//
//	offset  size  field
//	0       7     "vatindx"
//	7       1     format version, 1
//	8       4     the pack's number
//	12      4     check of the pack's last frame
//	16      4     how many entries there are
//	20      8     the pack's length
//
//	offset  size  field, for each entry; 1024 entries a frame
//	0       32    digest; entries ascend by digest, then class
//	32      1     class: 1 page, 2 node, 3 heap
//	33      4     offset of the record in the pack
//	37      2     size of the record
//
// An index file can be lost, or lack objects that are in another pack too.
//
// Code is one file a program, code/HEX with its digest in hex, written under
// another name, synced, renamed.
//
// # What is checked, and when
//
// A frame's check covers its header and body, and its seed ties it to the frame
// before: a lost, doubled or moved record is found when a pack is scanned. The
// digest covers the object, and is verified whenever an object is read, before
// anything is done on its word: lengths are known by then, a page is
// decompressed into 4096 bytes, and a heap's size is compared with
// Options.HeapBytesMax before memory is taken for it.
//
// Open does not read sealed packs. Damage in them is found when an object is
// read, or by [Store.Verify], which reads every byte of packs, index files and
// code. In a pack that Open scans, bytes that are no record are a torn tail or
// damage, which cannot be told apart: they are cut off and named by
// [Store.Report], after the records behind them were stored anew.
//
// Images carry no checks. They are removed by Open, since a crash may leave any
// part of them, and are trusted while the store is open as memory is.
//
// # What is trusted
//
// That an object is stored is taken from the index: Commit does not read what it
// finds there. So a new snapshot can name bytes that have rotted since they were
// written. When that is found, by any reader or by Verify, the object is
// forgotten: from then on it counts as not stored. The next commit of an image
// that has it stores it again, dirty or not, from the image's file. Snapshots of
// which no image is left stay damaged; the host falls back on an older one, or
// on the transcript.
//
// The digest is the only name: who can make two pages with one BLAKE3 digest can
// have one stored for the other.
//
// # What is kept
//
// [Store.Collect] says what it keeps. In short: all that is reachable from the
// heaps it is told of, from images, and from what was committed since the Collect
// before.
//
// # Who may do what at once
//
// All methods may be called from several goroutines. Commits of different images
// run side by side, beside Pause and Image calls. One image belongs to its users:
// only Image makes it shared, only a committed image is shared, when all images of
// its heap are in use, and a shared one is never written. Pause may be called by
// each user for itself; an image must not be released while a call has it.
//
// # Failures
//
// After a write or a sync of packs or code has failed, the store reads on but
// takes nothing more; nothing is tried twice. A failed write to an image breaks
// that image only, a failed removal of one counts as the former. Damage is an
// error that is [ErrCorrupt] and names file, offset and object: see [Fault].
// What only a caller's bug can bring about, panics.
//
// # Caveats
//
// Each pack and image holds a file descriptor. On Linux a commit maps its image,
// which stays mapped until it goes, up to a limit: a page of it that the disk
// cannot read kills the process then, as it does when a vat reads one. A pack is
// rewritten only when half of it is garbage, and the active one never is. Sizes of
// images count pages that are not zero; a page that became zero still takes its
// place in the file. A damaged sealed pack is left as it is, and named by each
// Verify, until Collect finds it worth removing.
package snapstore
