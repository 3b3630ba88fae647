package streamstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"vatwarehouse/internal/frame"
)

// version is what every kind of file says first.
const version = 1

// The first eight bytes of a file's first body, and of every block's.
const (
	magicSegment  = "vwlogseg"
	magicArchive  = "vwlogarc"
	magicManifest = "vwlogman"
	magicClosed   = "vwlogend"
	magicBlock    = "\xf5vwblk\xa7\n" // two bytes no text holds: seldom found by chance
	magicBytes    = 8
)

// The kinds of frames. No two kinds of files share one.
const (
	kindSegment  = 1
	kindOpening  = 2
	kindRecord   = 3
	kindClosing  = 4
	kindArchive  = 5
	kindPlain    = 6
	kindPacked   = 7
	kindNames    = 8
	kindFooter   = 9
	kindTrailer  = 10
	kindManifest = 11
	kindArchives = 12
	kindStreams  = 13
	kindClosed   = 14
)

// flagSynced says that all before this frame was durable when it was written.
const flagSynced = 1

const (
	segmentHeaderBytes = frame.HeaderBytes + magicBytes + 4 + 8 + 4 + 8 + 1
	openingBytes       = frame.HeaderBytes + magicBytes + 8 + 8 + 1
	closingBytes       = frame.HeaderBytes + 8 + 4 + 8
	// recordHeadMax bounds what a record's frame holds besides the item.
	recordHeadMax = frame.HeaderBytes + 2*binary.MaxVarintLen64 + nameBytesMax
)

var errBody = errors.New("body not as specified")

// The names of files.
const (
	suffixSegment = ".segment"
	suffixArchive = ".archive"
	suffixTemp    = ".tmp"
	nameManifest  = "manifest"
	nameClosed    = "closed"
	numberDigits  = 8
)

// segmentName returns the name of the file of a segment: sorted by name, segments
// are in order.
func segmentName(n uint32) string { return fmt.Sprintf("%0*x%s", numberDigits, n, suffixSegment) }

// archiveName returns the name of the archive made from a segment.
func archiveName(n uint32) string { return fmt.Sprintf("%0*x%s", numberDigits, n, suffixArchive) }

// numberOf returns the number in a name with the suffix, and 0 if it is none.
func numberOf(name, suffix string) uint32 {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != numberDigits || strings.ToLower(digits) != digits {
		return 0
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// segmentHeader is the first frame of a segment.
type segmentHeader struct {
	identity   uint64
	number     uint32
	firstBlock uint64
	synced     bool
}

// append appends the header as a frame, and returns its check.
func (h segmentHeader) append(b []byte, seed uint32) ([]byte, uint32) {
	body := make([]byte, 0, segmentHeaderBytes)
	body = appendFileHead(body, magicSegment, h.identity)
	body = binary.LittleEndian.AppendUint32(body, h.number)
	body = binary.LittleEndian.AppendUint64(body, h.firstBlock)
	return frame.Append(b, kindSegment, seed, append(body, flags(h.synced)))
}

// decodeSegmentHeader reads what append appends.
func decodeSegmentHeader(f frame.Frame) (h segmentHeader, err error) {
	r := fieldReader{b: f.Body}
	h.identity = r.fileHead(magicSegment)
	h.number = r.uint32()
	h.firstBlock = r.uint64()
	h.synced = r.flags()
	return h, r.done(f, kindSegment)
}

// opening is the first frame of a block.
type opening struct {
	identity uint64
	block    uint64
	synced   bool
}

// append appends the opening as a frame, and returns its check.
func (o opening) append(b []byte, seed uint32) ([]byte, uint32) {
	var body [openingBytes - frame.HeaderBytes]byte
	copy(body[:], magicBlock)
	binary.LittleEndian.PutUint64(body[8:], o.identity)
	binary.LittleEndian.PutUint64(body[16:], o.block)
	body[24] = flags(o.synced)
	return frame.Append(b, kindOpening, seed, body[:])
}

// decodeOpening reads what append appends.
func decodeOpening(f frame.Frame) (o opening, err error) {
	r := fieldReader{b: f.Body}
	r.magic(magicBlock)
	o.identity = r.uint64()
	o.block = r.uint64()
	o.synced = r.flags()
	return o, r.done(f, kindOpening)
}

// closing is the last frame of a block.
type closing struct {
	block   uint64
	records uint32
	bytes   uint64 // of the block, without this frame
}

// append appends the closing as a frame, and returns its check.
func (c closing) append(b []byte, seed uint32) ([]byte, uint32) {
	var body [closingBytes - frame.HeaderBytes]byte
	binary.LittleEndian.PutUint64(body[0:], c.block)
	binary.LittleEndian.PutUint32(body[8:], c.records)
	binary.LittleEndian.PutUint64(body[12:], c.bytes)
	return frame.Append(b, kindClosing, seed, body[:])
}

// decodeClosing reads what append appends.
func decodeClosing(f frame.Frame) (c closing, err error) {
	r := fieldReader{b: f.Body}
	c.block = r.uint64()
	c.records = r.uint32()
	c.bytes = r.uint64()
	return c, r.done(f, kindClosing)
}

// record is one item in its frame. Both byte strings alias the frame.
type record struct {
	name     []byte
	position uint64
	item     []byte
}

// appendRecordHead appends what a record's body holds before the item.
func appendRecordHead(b []byte, name string, position uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(name)))
	return binary.AppendUvarint(append(b, name...), position)
}

// decodeRecord reads a record. All that is left after its head is the item.
func decodeRecord(f frame.Frame) (c record, err error) {
	r := fieldReader{b: f.Body}
	c.name = r.name()
	c.position = r.uvarint()
	c.item = r.b
	r.b = nil
	return c, r.done(f, kindRecord)
}

// appendFileHead appends what the first body of every file starts with.
func appendFileHead(b []byte, magic string, identity uint64) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, magic...), version)
	return binary.LittleEndian.AppendUint64(b, identity)
}

// flags returns the byte that says whether all before was durable.
func flags(synced bool) byte {
	if synced {
		return flagSynced
	}
	return 0
}

// fieldReader takes fields off a body. The first fault sticks; done returns it.
type fieldReader struct {
	b   []byte
	err error
}

// fail keeps the first fault. From then on every field is zero.
func (r *fieldReader) fail(err error) {
	if r.err == nil {
		r.err, r.b = err, nil
	}
}

// take takes n bytes, which alias the body.
func (r *fieldReader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.fail(errBody)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// byte takes one byte.
func (r *fieldReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint32 takes four bytes, little-endian.
func (r *fieldReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// uint64 takes eight bytes, little-endian.
func (r *fieldReader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// uvarint takes a number in its shortest form: one value, one byte string.
func (r *fieldReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.fail(errBody)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// uvarint32 takes a uvarint of at most 32 bits.
func (r *fieldReader) uvarint32() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.fail(errBody)
		return 0
	}
	return uint32(v)
}

// count takes a number of things of which each takes at least size bytes.
func (r *fieldReader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.fail(errBody)
		return 0
	}
	return int(n)
}

// name takes the name of a stream, which aliases the body.
func (r *fieldReader) name() []byte {
	n := r.uvarint()
	if n == 0 || n > nameBytesMax {
		r.fail(errBody)
	}
	return r.take(n)
}

// flags takes the byte that flags makes: no other bit has a meaning yet.
func (r *fieldReader) flags() bool {
	b := r.byte()
	if b&^flagSynced != 0 {
		r.fail(errBody)
	}
	return b == flagSynced
}

// magic takes the eight bytes that say what this is.
func (r *fieldReader) magic(want string) {
	if string(r.take(magicBytes)) != want {
		r.fail(errBody)
	}
}

// fileHead takes what every file starts with and returns the log's identity.
func (r *fieldReader) fileHead(magic string) uint64 {
	r.magic(magic)
	if v := r.uint32(); r.err == nil && v > version {
		r.fail(fmt.Errorf("%w: version %d, known are up to %d", ErrVersion, v, version))
	} else if r.err == nil && v == 0 {
		r.fail(errBody)
	}
	return r.uint64()
}

// done returns the first fault, or one if f is of another kind or holds more.
func (r *fieldReader) done(f frame.Frame, kind byte) error {
	switch {
	case f.Kind != kind:
		return fmt.Errorf("%w: frame of kind %d where %d is due", errBody, f.Kind, kind)
	case r.err != nil:
		return r.err
	case len(r.b) > 0:
		return errBody
	}
	return nil
}
