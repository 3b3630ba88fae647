package streamstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/internal/frame"

	"github.com/pierrec/lz4/v4"
)

const (
	// packBytes is where a pack of items, before compression, is full. A larger
	// item has a pack of its own.
	packBytes = 64 << 10
	// packRawMax bounds what a pack may claim to unpack to.
	packRawMax = packBytes + itemBytesMax + 3*binary.MaxVarintLen64
	// lz4RatioMax is the most that lz4 expands.
	lz4RatioMax   = 255
	packHeadBytes = 4 + 4 + 8
)

// pack is decoded items, of one stream after another.
type pack struct {
	stream   uint32 // of the item taken last
	position uint64
	item     []byte
	rest     []byte
	started  bool
}

// next takes the next item. ok is false at the end.
func (p *pack) next() (ok bool, err error) {
	if len(p.rest) == 0 {
		return false, nil
	}
	r := fieldReader{b: p.rest}
	switch skip := r.uvarint(); {
	case skip > 0 && p.stream+uint32(skip) > p.stream:
		p.stream += uint32(skip)
		p.position = r.uvarint()
	case skip > 0:
		r.fail(errBody)
	case p.started:
		p.position++
	}
	p.started = true
	p.item = r.take(r.uvarint())
	p.rest = r.b
	return r.err == nil, r.err
}

// packer builds packs.
type packer struct {
	first    packSpan // stream and position of the first item
	last     packSpan // and of the last
	raw      []byte
	packed   []byte
	compress lz4.Compressor
}

// add appends an item. Within a stream, positions must follow one another.
func (p *packer) add(stream uint32, position uint64, item []byte) {
	switch {
	case len(p.raw) == 0:
		p.first.stream, p.first.position = stream, position
		p.raw = append(p.raw, 0)
	case stream == p.last.stream:
		p.raw = append(p.raw, 0)
	default:
		p.raw = binary.AppendUvarint(p.raw, uint64(stream-p.last.stream))
		p.raw = binary.AppendUvarint(p.raw, position)
	}
	p.last.stream, p.last.position = stream, position
	p.raw = binary.AppendUvarint(p.raw, uint64(len(item)))
	p.raw = append(p.raw, item...)
}

// body returns the pack's kind and body and makes room for the next.
func (p *packer) body() (kind byte, head, payload []byte) {
	head = make([]byte, 0, packHeadBytes)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(p.raw)))
	head = binary.LittleEndian.AppendUint32(head, p.first.stream)
	head = binary.LittleEndian.AppendUint64(head, p.first.position)
	kind, payload = kindPlain, p.raw
	if n := lz4.CompressBlockBound(len(p.raw)); cap(p.packed) < n {
		p.packed = make([]byte, n)
	}
	n, err := p.compress.CompressBlock(p.raw, p.packed[:cap(p.packed)])
	if err == nil && n > 0 && n < len(p.raw) {
		kind, payload = kindPacked, p.packed[:n]
	}
	p.raw = p.raw[:0]
	return kind, head, payload
}

// decodePack returns the items of a frame. It unpacks into buf if it is large
// enough, and returns the buffer used; the items alias it or the frame.
func decodePack(f frame.Frame, due packSpan, buf []byte) (pack, []byte, error) {
	r := fieldReader{b: f.Body}
	size := r.uint32()
	p := pack{stream: r.uint32(), position: r.uint64()}
	payload := r.b
	switch {
	case r.err != nil:
		return pack{}, buf, r.err
	case p.stream != due.stream || p.position != due.position:
		return pack{}, buf, fmt.Errorf("%w: a pack from stream %d position %d on, not %d and %d",
			errStale, p.stream, p.position, due.stream, due.position)
	case size > packRawMax:
		return pack{}, buf, errBody
	case f.Kind == kindPlain && int(size) == len(payload):
		p.rest = payload
		return p, buf, nil
	case f.Kind != kindPacked || int(size) <= len(payload) || int(size) > lz4RatioMax*len(payload):
		// A pack is only packed if that makes it smaller. Asked to unpack to
		// nothing, lz4's decoder would follow a nil pointer.
		return pack{}, buf, errBody
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	if n, err := lz4.UncompressBlock(payload, buf); err != nil || n != int(size) {
		return pack{}, buf, errors.Join(errBody, err)
	}
	p.rest = buf
	return p, buf, nil
}
