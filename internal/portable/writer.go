package portable

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// Writer writes one stream. Its first failure sticks, and End returns it. What is
// written before an End that succeeded is no export.
type Writer struct {
	out   io.Writer
	what  What
	seed  uint32
	bytes uint64 // written
	kind  Kind   // of the item before
	items []byte // of the frame to come
	count uint64 // of items since the head or the seal

	root     *swing.Hasher
	sealed   bool
	compress lz4.Compressor
	packed   []byte
	frames   []byte
	err      error
}

// NewWriter returns a Writer of a stream.
func NewWriter(out io.Writer, what What) *Writer {
	w := &Writer{out: out, what: what, root: swing.NewHasher(rootDomain)}
	head := encodeHead(what)
	w.root.Add(head)
	w.frame(byte(kindHead), head)
	return w
}

// Bytes returns how many bytes have been written.
func (w *Writer) Bytes() uint64 { return w.bytes }

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

func (w *Writer) frame(kind byte, body []byte) {
	if w.err != nil {
		return
	}
	w.frames, w.seed = frame.Append(w.frames[:0], kind, w.seed, body)
	if _, err := w.out.Write(w.frames); err != nil {
		w.fail(fmt.Errorf("write export: %w", err))
	}
	w.bytes += uint64(len(w.frames))
}

// item writes one item. Kinds must not descend.
func (w *Writer) item(kind Kind, b []byte) error {
	if kind < w.kind || !w.what.holds(kind) || len(b) > ItemBytesMax ||
		w.sealed != (kind > kindSeal) {
		panic(fmt.Sprintf("portable: %v of %d bytes after %v in %v", kind, len(b), w.kind, w.what))
	}
	if kind != w.kind {
		w.flush()
		w.kind = kind
	}
	if !w.sealed {
		w.root.Add([]byte{byte(kind)})
		w.root.Add(b)
	}
	w.items = append(binary.AppendUvarint(w.items, uint64(len(b))), b...)
	w.count++
	if len(w.items) >= frameItemsBytes {
		w.flush()
	}
	return w.err
}

// flush writes the frame that is being gathered.
func (w *Writer) flush() {
	if len(w.items) == 0 {
		return
	}
	kind, body := pack(&w.compress, w.kind, w.items, w.packed)
	if kind&packedBit != 0 {
		w.packed = body
	}
	w.frame(kind, body)
	w.items = w.items[:0]
}

// Seal ends the metadata and returns the root.
func (w *Writer) Seal() (swing.Hash, error) {
	w.flush()
	root := w.root.Sum()
	w.frame(byte(kindSeal), encodeSeal(w.count, root))
	w.sealed, w.count = true, 0
	return root, w.err
}

// End ends the stream.
func (w *Writer) End() error {
	w.flush()
	w.frame(byte(kindEnd), encodeEnd(w.count, w.bytes))
	return w.err
}
