// Package streamstore is the log: append-only streams of opaque items, all in the
// same segment files. What is appended to any streams between two commits is one
// block. Commit writes it with one write and one sync; its items become durable,
// and after a crash visible, together or not at all.
//
// It is not a store of keys, it knows nothing of what an item holds, and it never
// changes one. It starts no goroutine: [Store.Archive] is for the caller's.
//
// # Files
//
// All lie in one directory. N is a number of eight hexadecimal digits.
//
//	N.segment   blocks as they were committed; all but the last are full
//	N.archive   what is still needed of segment N, sorted and compressed
//	manifest    which archives there must be, and where the segments go on
//	closed      where exactly the log ends; there only while nobody has it open
//	*.tmp       one of these being written; removed by Open
//
// A file of any other name is refused. Every file is a row of frames (see
// internal/frame), each seeded by the check of the one before it. The first frame
// of a file has the seed 0, but a segment goes on with the seed of the segment
// before it: the chain runs through all segments ever, and starts with the low
// half of the log's identity. Numbers are little-endian; a uvarint is in its
// shortest form; a name is a uvarint of its length, 1 to 255, and its bytes.
//
// # Segment
//
// A header, then whole blocks, then zeros: space set aside. A block is an opening
// frame, a record for each item, and a closing frame; it lies in one segment. The
// bodies, after the 16 bytes of each frame's header:
//
//	header (kind 1)
//	offset  size  field
//	0       8     "vwlogseg"
//	8       4     version, 1
//	12      8     identity of the log, random
//	20      4     number of the segment, from 1
//	24      8     number of its first block
//	32      1     flags
//
//	opening (kind 2)
//	offset  size  field
//	0       8     f5 "vwblk" a7 0a
//	8       8     identity of the log
//	16      8     number of the block, from 1
//	24      1     flags
//
//	record (kind 3)
//	name of the stream, uvarint position, item
//
//	closing (kind 4)
//	offset  size  field
//	0       8     number of the block
//	8       4     records in it
//	12      8     bytes of it before this frame
//
// Flag 1: all that comes before this frame, in any file, was durable before this
// frame was written. It costs 77 bytes a block and 18 bytes and the name an item.
//
// # Archive
//
// A header, packs of items sorted by stream and position, the table of streams
// in one or more frames, a footer, a trailer. Streams are numbered in the order
// of their names, from 0.
//
//	header (kind 5)
//	offset  size  field
//	0       8     "vwlogarc"
//	8       4     version, 1
//	12      8     identity of the log
//	20      4     number of the segment it was made from
//
//	pack (kind 6 plain, kind 7 an lz4 block)
//	offset  size  field
//	0       4     size of the items, unpacked
//	4       4     stream of the first item
//	8       8     position of the first item
//	16            items
//
//	item
//	uvarint how many streams further, 0 for the same one;
//	if not 0: uvarint position, which else is the next one (of the first item:
//	the head's); uvarint length, and so many bytes
//
//	streams (kind 8)
//	offset  size  field
//	0       4     the first stream's number
//	4             of each stream: name, uvarint first position held,
//	              uvarint items held, uvarint number of the archive with the
//	              items before, 0 for none
//
//	footer (kind 9)
//	uvarint number of streams;
//	uvarint number of packs, and of each: uvarint size of its frame,
//	uvarint stream and position of its first item;
//	uvarint number of streams frames, and of each: uvarint size of its frame,
//	uvarint number and name of its first stream
//
//	trailer (kind 10)
//	offset  size  field
//	0       8     where the footer begins
//
// # Manifest
//
//	header (kind 11)
//	offset  size  field
//	0       8     "vwlogman"
//	8       4     version, 1
//	12      8     identity of the log
//	20      4     the last segment that was archived
//	24      4     the check of its last frame
//	28      8     its last block
//	36            uvarint number of archives, uvarint number of streams
//
//	archives (kind 12), as often as need be
//	of each archive, in order: uvarint number, uvarint size, 4 bytes check of its
//	trailer, name of a stream that needs it, uvarint position up to which
//
//	streams (kind 13), as often as need be
//	of each stream that has been in an archived segment, in order: name, uvarint
//	start, uvarint items from there to the end of what is archived, uvarint the
//	last archive that holds any
//
// # Mark of Close
//
//	closed (kind 14)
//	offset  size  field
//	0       8     "vwlogend"
//	8       4     version, 1
//	12      8     identity of the log
//	20      4     the last segment, 0 if there is none
//	24      8     its size
//	32      4     the check of the last frame
//	36      8     the last block
//
// # Torn tail or damage
//
// A crash may leave the last block, or a segment just begun, in any part. Open
// cuts such a tail and reports it. Anything else is damage: Open fails with
// [ErrCorrupt] and changes nothing. It tells them apart so:
//
//  0. A record alone that fails its check, with whole frames behind it that go on
//     its chain, is a damaged item, if its block was durable once: by the mark of
//     Close, or by a later frame with flag 1, or as Options.Durable says. Open says
//     so and goes on; whoever reads the item gets [ErrCorrupt], and its segment is
//     not archived.
//  1. While the mark of Close is there, any other difference is damage; so is
//     whatever Options.Durable contradicts.
//  2. A frame with flag 1 behind the bad bytes proves that these were durable
//     once, so no crash has torn them: damage. To find one, the rest of the log
//     is searched for opening frames byte by byte.
//  3. A whole frame, rightly chained, that says what cannot be is damage.
//  4. All else is torn: that segment is cut after its last whole block, later
//     ones are removed, and both is durable before anything is appended.
//
// An item cannot imitate an opening frame without knowing the log's identity.
//
// # What is not found
//
// A check is a CRC: it finds accidents, not forgery. Read verifies each record by
// itself, that it is of the stream and position and where the index says; the
// chain is verified by Open, Archive and Verify. In a log that was not closed,
// damage to the last block cannot be told from a torn tail: it is cut, and Open
// says so. The same holds for all blocks since the log was opened with NoSync. The
// loss of whole blocks at the end of such a log, to the byte, and the loss of the
// whole directory, look like an older log. (None of this can be before the block
// that Options.Durable names.) That the log as a whole was not put back to an older
// state, its user must see from the items.
//
// # Archives
//
// Archive makes an archive of each full segment and then removes the segment. An
// archive is read by its own index, of which only the footers of the files read
// last are in memory; the segments' index is in memory whole, 12 to 24 bytes an
// item and about 130 a stream. So memory grows with what is not archived and with
// the number of streams, not with the history. A stream's archives are found from
// its last one backwards. Archives are never merged: one stays until nothing in it
// is needed, and an item given up by [Store.Retain] may stay on disk until then,
// though it cannot be read any more.
//
// # Failures
//
// A failed write or sync is final ([ErrBroken]): nothing is tried again, what was
// committed can be read, and Open finds out what is on disk. It writes the last
// block again before it relies on it, as a failed sync may have left in the
// machine's cache what the disk never got.
//
// # Caveats
//
// Two Stores must not have one log open: the caller holds a lock. A block must fit
// in memory, at most 1 GiB. Read hands out memory of its own that the next item
// overwrites.
package streamstore
