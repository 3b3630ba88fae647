package portable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/pierrec/lz4/v4"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// Kind is what an item is, or one of the three frames that hold none.
type Kind byte

// The kinds, in the order in which a stream has them.
const (
	kindHead     Kind = 1
	KindFacts    Kind = 2
	KindProgram  Kind = 3
	KindSpan     Kind = 4
	KindOutputs  Kind = 5
	KindSnapshot Kind = 6
	KindBase     Kind = 7
	KindRow      Kind = 8
	KindChanges  Kind = 9
	kindSeal     Kind = 12
	KindCode     Kind = 13
	KindEntry    Kind = 14
	KindOutput   Kind = 15
	KindObject   Kind = 16
	kindEnd      Kind = 17
)

// packedBit is added to the kind of a frame whose items are packed.
const packedBit = 0x80

// String names the kind.
func (k Kind) String() string {
	names := [...]string{
		kindHead: "head", KindFacts: "facts", KindProgram: "program", KindSpan: "span",
		KindOutputs: "outputs", KindSnapshot: "snapshot", KindBase: "base", KindRow: "row",
		KindChanges: "change set", kindSeal: "seal", KindCode: "code", KindEntry: "entry",
		KindOutput: "output", KindObject: "object", kindEnd: "end",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// What a stream is of.
type What byte

// The three things that can be exported.
const (
	State What = 1 // a kernel and all its vats
	Feed  What = 2 // what changed between two states
	Vat   What = 3 // one vat's history
)

// String names it, with its article.
func (w What) String() string {
	names := [...]string{State: "a state", Feed: "a feed", Vat: "a vat's history"}
	if int(w) < len(names) && names[w] != "" {
		return names[w]
	}
	return fmt.Sprintf("kind %d of export", byte(w))
}

// holds reports whether a stream of this may have items of a kind.
func (w What) holds(k Kind) bool {
	switch k {
	case KindBase, KindChanges:
		return w == Feed
	case KindRow:
		return w != Feed
	case KindOutput:
		return w != Vat
	case KindFacts, KindProgram, KindSpan, KindOutputs, KindSnapshot, KindCode, KindEntry,
		KindObject:
		return true
	}
	return false
}

// The ways in which a stream is refused.
var (
	// ErrCorrupt is returned for bytes that are not those of an export, or not all.
	ErrCorrupt = errors.New("export is damaged")
	// ErrVersion is returned for an export of a later version.
	ErrVersion = errors.New("export format too new")
	// ErrForeign is returned for a stream that does not begin as an export does.
	ErrForeign = errors.New("not an export")
)

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}

const (
	magic   = "vwexport"
	version = 1

	headBytes = len(magic) + 4 + 1
	sealBytes = 8 + swing.HashBytes
	endBytes  = 8 + 8
	// packHeadBytes is the size before packing, in front of what was packed.
	packHeadBytes = 4

	// frameItemsBytes is where a frame of items is full.
	frameItemsBytes = 256 << 10
	// ItemBytesMax bounds an item: no more than the log's largest.
	ItemBytesMax = 16<<20 + 8<<10
	// frameRawMax bounds what a frame of items unpacks to.
	frameRawMax = frameItemsBytes + ItemBytesMax + binary.MaxVarintLen64
	// lz4RatioMax is the most that lz4 expands.
	lz4RatioMax = 255

	rootDomain = "vatwarehouse export"
)

func encodeHead(w What) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), version)
	return append(b, byte(w))
}

func decodeHead(f frame.Frame) (What, error) {
	b := f.Body
	if Kind(f.Kind) != kindHead || len(b) < len(magic)+4 || string(b[:len(magic)]) != magic {
		return 0, ErrForeign
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v > version {
		return 0, fmt.Errorf("%w: version %d, this program knows %d", ErrVersion, v, version)
	} else if v != version || len(b) != headBytes || f.Seed != 0 {
		return 0, corrupt("a head of version %d, %d bytes", v, len(b))
	}
	w := What(b[headBytes-1])
	if w < State || w > Vat {
		return 0, corrupt("a head of %v", w)
	}
	return w, nil
}

func encodeSeal(items uint64, root swing.Hash) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, items), root[:]...)
}

func encodeEnd(items, bytes uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, items)
	return binary.LittleEndian.AppendUint64(b, bytes)
}

// pack returns the kind and body that items are framed as.
func pack(c *lz4.Compressor, kind Kind, items, room []byte) (byte, []byte) {
	bound := packHeadBytes + lz4.CompressBlockBound(len(items))
	if cap(room) < bound {
		room = make([]byte, bound)
	}
	room = room[:bound]
	n, err := c.CompressBlock(items, room[packHeadBytes:])
	if err != nil {
		panic(fmt.Sprintf("portable: %d bytes do not fit %d packed: %v", len(items), bound, err))
	}
	if n == 0 || n+packHeadBytes >= len(items) {
		return byte(kind), items
	}
	binary.LittleEndian.PutUint32(room, uint32(len(items)))
	return byte(kind) | packedBit, room[:packHeadBytes+n]
}

// unpack returns a frame's items. They alias the frame, or room.
func unpack(f frame.Frame, room []byte) (items, roomAfter []byte, err error) {
	if f.Kind&packedBit == 0 {
		return f.Body, room, nil
	}
	b := f.Body
	if len(b) <= packHeadBytes {
		return nil, room, corrupt("%d packed bytes", len(b))
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	b = b[packHeadBytes:]
	if size > frameRawMax || size > uint64(len(b))*lz4RatioMax || size <= uint64(len(f.Body)) {
		return nil, room, corrupt("%d bytes packed into %d", size, len(b))
	}
	if uint64(cap(room)) < size {
		room = make([]byte, size)
	}
	n, err := lz4.UncompressBlock(b, room[:size])
	if err != nil || uint64(n) != size {
		return nil, room, corrupt("%d packed bytes make %d, not %d: %v", len(b), n, size, err)
	}
	return room[:size], room, nil
}

// takeItem returns the first of a frame's items, and the others.
func takeItem(items []byte) (item, rest []byte, err error) {
	n, size := binary.Uvarint(items)
	if size <= 0 || size > 1 && items[size-1] == 0 || n > ItemBytesMax ||
		n > uint64(len(items)-size) || n > math.MaxInt32 {
		return nil, nil, corrupt("an item's length")
	}
	end := size + int(n)
	return items[size:end:end], items[end:], nil
}
