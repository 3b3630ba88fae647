// Package frame is the one record framing of the log, the page packs and the
// memory table: a header, a body, and a check that chains to the frame before.
//
//	offset  size  field
//	0       4     length of the body, little-endian
//	4       1     kind, chosen by the room; never 0
//	5       3     zero
//	8       4     seed: the check of the frame before, or what the file starts with
//	12      4     check: CRC-32C of bytes 0–11 and the body
//	16      n     body
//
// The seed makes a stale frame behind a torn one useless: its seed is not the
// check of the frame it now follows. Because the seed is stored, one frame can
// be verified alone, wherever it lies.
//
// The check finds every error within 32 neighbouring bits of the kind, the seed
// or the body, or of the check itself. Of other errors, among them any in the
// length, which moves the end of what is checked, one in 2^32 is missed. The
// check is no defence against an adversary, and does not say which file the
// frame belongs to; that the seed is the one due, the caller compares.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// HeaderBytes is the size of a frame's header.
const HeaderBytes = 16

// BodyBytesMax bounds a frame's body. A longer length is a fault of the bytes.
const BodyBytesMax = 64 << 20

// The ways bytes fail to be a frame.
var (
	// ErrCut is returned when the bytes end before the frame does.
	ErrCut = errors.New("frame cut short")
	// ErrCheck is returned when the bytes are no frame, or not the one written.
	ErrCheck = errors.New("frame check failed")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one decoded frame. Body aliases the bytes it was decoded from.
type Frame struct {
	Kind  byte
	Seed  uint32
	Check uint32
	Body  []byte
}

// Bytes returns the frame's size, header included.
func (f Frame) Bytes() int { return HeaderBytes + len(f.Body) }

// Append appends a frame of the body's parts to b, and returns its check: the
// seed of the frame to follow.
func Append(b []byte, kind byte, seed uint32, parts ...[]byte) ([]byte, uint32) {
	if kind == 0 {
		panic("frame: kind 0 is what empty space reads as")
	}
	start := len(b)
	b = append(b, make([]byte, HeaderBytes)...)
	for _, p := range parts {
		b = append(b, p...)
	}
	length := len(b) - start - HeaderBytes
	if length > BodyBytesMax {
		panic(fmt.Sprintf("frame: body of %d bytes, limit %d", length, BodyBytesMax))
	}
	head := b[start : start+HeaderBytes]
	binary.LittleEndian.PutUint32(head, uint32(length))
	head[4] = kind
	binary.LittleEndian.PutUint32(head[8:], seed)
	check := checkOf(b[start:])
	binary.LittleEndian.PutUint32(head[12:], check)
	return b, check
}

// Decode returns the frame that b starts with, or ErrCut or ErrCheck.
func Decode(b []byte) (Frame, error) {
	f, check, err := Inspect(b)
	if err == nil && f.Check != check {
		return Frame{}, ErrCheck
	}
	return f, err
}

// Inspect returns the frame that b starts with, whether or not its check is
// right, and the check that its bytes have: for bytes known to be damaged.
func Inspect(b []byte) (f Frame, check uint32, err error) {
	length, err := DecodeLength(b)
	if err != nil {
		return Frame{}, 0, err
	}
	if len(b) < HeaderBytes+length {
		return Frame{}, 0, ErrCut
	}
	b = b[: HeaderBytes+length : HeaderBytes+length]
	f = Frame{
		Kind:  b[4],
		Seed:  binary.LittleEndian.Uint32(b[8:]),
		Check: binary.LittleEndian.Uint32(b[12:]),
		Body:  b[HeaderBytes:],
	}
	return f, checkOf(b), nil
}

// DecodeLength returns the length of the body of the frame whose header b
// starts with, without verifying it: how much to read before Decode.
func DecodeLength(b []byte) (int, error) {
	if len(b) < HeaderBytes {
		return 0, ErrCut
	}
	length := binary.LittleEndian.Uint32(b)
	if length > BodyBytesMax || b[4] == 0 || b[5]|b[6]|b[7] != 0 {
		return 0, ErrCheck
	}
	return int(length), nil
}

func checkOf(b []byte) uint32 {
	c := crc32.Update(0, castagnoli, b[:12])
	return crc32.Update(c, castagnoli, b[HeaderBytes:])
}
