package portable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// Reader reads one stream and verifies it: first Metadata, then each artifact that
// the metadata tells of, in order, then End. The first fault is final.
type Reader struct {
	in   io.Reader
	what What
	seed uint32

	at    uint64 // bytes read
	raw   []byte // the frame read last
	room  []byte // its items, unpacked
	items []byte // not taken yet
	kind  Kind   // of them
	size  int    // of all items of the frame
	count uint64 // items since the head or the seal

	root   *swing.Hasher
	sealed bool
	err    error
}

// NewReader reads the head of a stream. It takes only what it needs: a caller with
// a slow source puts a buffer in front.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: in, root: swing.NewHasher(rootDomain)}
	f, err := r.frame()
	ours := bytes.HasPrefix(r.raw[min(len(r.raw), frame.HeaderBytes):], []byte(magic))
	if errors.Is(err, ErrCorrupt) && !ours {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrForeign)
	}
	if err != nil {
		return nil, err
	}
	if r.what, err = decodeHead(f); err != nil {
		return nil, err
	}
	r.root.Add(f.Body)
	return r, nil
}

// What returns what the stream is of.
func (r *Reader) What() What { return r.what }

// Bytes returns how many bytes have been read.
func (r *Reader) Bytes() uint64 { return r.at }

// fail makes a fault final.
func (r *Reader) fail(err error) error {
	if r.err == nil {
		r.err = err
		if errors.Is(err, ErrCorrupt) {
			r.err = fmt.Errorf("byte %d: %w", r.at, err)
		}
	}
	return r.err
}

// frame reads and verifies the next frame.
func (r *Reader) frame() (frame.Frame, error) {
	r.raw = slices.Grow(r.raw[:0], frame.HeaderBytes)[:frame.HeaderBytes]
	if n, err := io.ReadFull(r.in, r.raw); err != nil {
		return frame.Frame{}, r.cut(n, err)
	}
	n, err := frame.DecodeLength(r.raw)
	if err != nil {
		return frame.Frame{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	// Memory is taken as the bytes come: a length may be a lie.
	body := bytes.NewBuffer(r.raw)
	got, err := io.CopyN(body, r.in, int64(n))
	r.raw = body.Bytes()
	if err != nil {
		return frame.Frame{}, r.cut(int(got), err)
	}
	f, err := frame.Decode(r.raw)
	if err == nil && f.Seed != r.seed {
		err = fmt.Errorf("seed %08x where %08x is due", f.Seed, r.seed)
	}
	if err != nil {
		return frame.Frame{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	r.seed = f.Check
	r.at += uint64(len(r.raw))
	return f, nil
}

// cut says that the stream ends before it should, or cannot be read.
func (r *Reader) cut(n int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends after %d bytes: %w",
			ErrCorrupt, r.at+uint64(n), frame.ErrCut)
	}
	return fmt.Errorf("read export: %w", err)
}

// peek returns the kind of the next item, reading the next frame if it must.
func (r *Reader) peek() (Kind, error) {
	if r.err != nil || len(r.items) > 0 {
		return r.kind, r.err
	}
	if r.kind == kindSeal && !r.sealed || r.kind == kindEnd {
		return r.kind, nil
	}
	f, err := r.frame()
	if err != nil {
		return 0, r.fail(err)
	}
	kind := Kind(f.Kind &^ packedBit)
	if err := r.follows(kind, f); err != nil {
		return 0, r.fail(err)
	}
	r.kind, r.items = kind, f.Body
	if kind == kindSeal || kind == kindEnd {
		return kind, nil
	}
	if r.items, r.room, err = unpack(f, r.room); err != nil {
		return 0, r.fail(err)
	}
	if len(r.items) == 0 {
		return 0, r.fail(corrupt("a frame without items"))
	}
	r.size = len(r.items)
	return kind, nil
}

// follows returns why a frame must not come now, or nil.
func (r *Reader) follows(kind Kind, f frame.Frame) error {
	item := r.what.holds(kind)
	switch {
	case !item && kind != kindSeal && kind != kindEnd, kind < r.kind,
		!item && f.Kind&packedBit != 0:
		return corrupt("%v after %v in %v", kind, r.kind, r.what)
	case r.sealed != (kind > kindSeal):
		return corrupt("%v where the metadata is %v", kind,
			map[bool]string{true: "over", false: "not over"}[r.sealed])
	case item && kind == r.kind && r.size < frameItemsBytes:
		return corrupt("a frame of %d bytes of %v, and another of them", r.size, kind)
	}
	return nil
}

// take returns the next item, which must be of the kind. It is valid until the
// next is taken.
func (r *Reader) take(want Kind) ([]byte, error) {
	kind, err := r.peek()
	if err != nil {
		return nil, err
	}
	if kind != want {
		return nil, r.fail(corrupt("%v where %v is due", kind, want))
	}
	item, rest, err := takeItem(r.items)
	if err != nil {
		return nil, r.fail(err)
	}
	if len(rest) > 0 && r.size-len(rest) >= frameItemsBytes {
		return nil, r.fail(corrupt("a frame of %d bytes that was full before", r.size))
	}
	r.items = rest
	r.count++
	if !r.sealed {
		r.root.Add([]byte{byte(kind)})
		r.root.Add(item)
	}
	return item, nil
}

// seal verifies the end of the metadata and returns the root.
func (r *Reader) seal() (root swing.Hash, err error) {
	kind, err := r.peek()
	if err != nil {
		return root, err
	}
	root = r.root.Sum()
	if kind != kindSeal || !bytes.Equal(r.items, encodeSeal(r.count, root)) {
		return root, r.fail(corrupt("%v that does not seal the %d items before it", kind, r.count))
	}
	r.items, r.sealed, r.count = nil, true, 0
	return root, nil
}

// End sees that the stream ends here, with nothing left over.
func (r *Reader) End() error {
	kind, err := r.peek()
	if err != nil {
		return err
	}
	before := r.at - uint64(len(r.raw))
	if kind != kindEnd || !bytes.Equal(r.items, encodeEnd(r.count, before)) {
		return r.fail(corrupt("%v where the end is due, after %d items", kind, r.count))
	}
	var one [1]byte
	n, err := io.ReadFull(r.in, one[:])
	if n > 0 {
		return r.fail(corrupt("bytes after the end"))
	}
	if !errors.Is(err, io.EOF) {
		return r.fail(fmt.Errorf("read export: %w", err))
	}
	return nil
}
