// Package portable is the form of exports: one stream of bytes that holds a
// kernel's state, what changed since an earlier one, or one vat's history. It
// turns records into frames and frames into records, and verifies; it opens no
// file and knows no store.
//
// A stream is metadata, small, and then artifacts, large. The metadata's digest is
// the stream's root: who trusts the root needs to trust nothing else, since every
// artifact is checked against the metadata by hash. There are no names and no
// lengths of artifacts: which item is due next follows from what came before, so
// that one state and one mode have one stream (but for how lz4 packs it).
//
// # Frames
//
// A stream is a chain of frames (see internal/frame), the first with the seed 0.
// Numbers are little-endian; a uvarint is in its shortest form.
//
//	head (kind 1), the first frame
//	offset  size  field
//	0       8     "vwexport"
//	8       4     version, 1
//	12      1     what: 1 a state, 2 a feed, 3 a vat
//
//	seal (kind 12), the end of the metadata
//	offset  size  field
//	0       8     items in the metadata
//	8       32    root
//
//	end (kind 17), the last frame; nothing follows
//	offset  size  field
//	0       8     items in the artifacts
//	8       8     bytes before this frame
//
// All others hold items, each a uvarint of its length and its bytes, packed if that
// makes them smaller: then 128 is added to the kind, and the body is
//
//	offset  size  field
//	0       4     size of the items, unpacked
//	4             one lz4 block
//
// A frame ends with the item with which it reaches 256 KiB, or where the next item
// is of another kind. Kinds never descend. No item is longer than 16 MiB
// and 8 KiB.
//
// # Items
//
// In the encoding of package swing. "Once" is exactly once; the others are as many
// as there are, ascending: vats by number, then incarnations or positions; hashes and
// keys by bytes.
//
//	kind  item            bytes
//	2     facts           [1, mode, schema, activityhash, block, cranks, deliveries,
//	                      base block, base activityhash]; once
//	3     program         hash
//	4     span            [vat, incarnation, start, end, base, hash]
//	5     outputs         [start, end, hash]; once
//	6     snapshot        [vat, position, heap, transcript, engine, incarnation,
//	                      stored bytes]
//	7     base            hash of a program or heap that the receiver has: there is no
//	                      code of it, and there are no objects of its
//	8     row             [key bytes, value bytes]
//	9     change set      as package kvstore encodes it; in order of blocks
//	13    code            a program; of each program, in order
//	14    entry           a transcript entry; of each span, in order
//	15    output          of the outputs, in order
//	16    object          of the snapshots' heaps: see package snapstore
//
// The spans of one vat are of consecutive incarnations, each from where the one before
// it ends. A state has no base and no change set; a feed no row; a vat one span, at most
// one snapshot, and neither outputs that are any, nor a base, nor a change set. Blocks
// are counted as change sets: a state at block n is what change sets [0, n) make, a
// feed has those of [base block, block). For a state and a vat the base is 0 and the
// zero hash.
//
// # Hashes
//
//	root     Sum("vatwarehouse export", head's body, kind byte, item, kind byte, item …)
//	base     of a span: the chain (package transcript) up to its start
//	hash     of a span: the chain up to its end
//	hash     of outputs: h' = Sum("vatwarehouse outputs", h, item), from the zero hash
//
// # What is not covered
//
// The frames' checks find accidents. Against an adversary there is the root alone,
// which must come by another way than the stream. How much work lz4 did is in no
// hash: two streams of one state may differ in it if made by different versions.
package portable
