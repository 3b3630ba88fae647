package trace

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

const (
	magic = "vatwarehouse trace 3\n"

	frameHead   = 1
	frameEvents = 2
	frameEnd    = 3

	eventVat = 0 // beside the Kinds

	// chunkBytes is how much of events is deflated together, and chunkBytesMax the most
	// that a chunk of a file may inflate to.
	chunkBytes    = 1 << 20
	chunkBytesMax = 64 << 20

	deliveryFields = 15
)

// Writer writes a trace as it comes. Its first error sticks, and Close returns it.
type Writer struct {
	w      io.Writer
	vats   map[string]int
	events uint64
	chunk  []byte
	seed   uint32
	err    error
}

// NewWriter begins a trace.
func NewWriter(w io.Writer, h Head) *Writer {
	t := &Writer{w: w, vats: map[string]int{}}
	t.put([]byte(magic))
	body := swing.AppendText(swing.AppendArray(nil, 2), h.About)
	t.frame(frameHead, swing.AppendBool(body, h.Footprints))
	return t
}

// Add appends an event; the vat of a Deliver or Discard is given by its name, which takes
// the place of the event's.
func (t *Writer) Add(vat string, e Event) {
	n := 0
	if e.Kind.ofVat() {
		known := false
		if n, known = t.vats[vat]; !known {
			n = len(t.vats)
			t.vats[vat] = n
			t.chunk = swing.AppendUint(swing.AppendArray(t.chunk, 2), eventVat)
			t.chunk = swing.AppendText(t.chunk, vat)
		}
	}
	t.chunk = appendEvent(t.chunk, n, e)
	t.events++
	if len(t.chunk) >= chunkBytes {
		t.flush()
	}
}

func appendEvent(b []byte, vat int, e Event) []byte {
	switch e.Kind {
	case Block, Idle:
		return swing.AppendUint(swing.AppendArray(b, 1), uint64(e.Kind))
	case Discard:
		b = swing.AppendUint(swing.AppendArray(b, 2), uint64(e.Kind))
		return swing.AppendUint(b, uint64(vat))
	case Deliver:
	}
	b = swing.AppendUint(swing.AppendArray(b, deliveryFields), uint64(e.Kind))
	b = swing.AppendUint(b, uint64(vat))
	b = swing.AppendUint(b, e.Position)
	b = swing.AppendUint(b, uint64(e.Delivery))
	b = swing.AppendUint(b, e.Time)
	b = swing.AppendBool(b, e.OK)
	b = swing.AppendBool(b, e.PagedIn)
	b = swing.AppendUint(b, e.Fuel)
	b = swing.AppendUint(b, e.Syscalls)
	b = swing.AppendUint(b, e.Bytes)
	b = swing.AppendUint(b, e.Devices)
	b = swing.AppendUint(b, e.Waiting)
	b = swing.AppendUint(b, e.Nanoseconds)
	b = swing.AppendUint(b, e.Memory)
	b = swing.AppendArray(b, len(e.Written))
	last := uint32(0)
	for _, page := range e.Written {
		b = swing.AppendUint(b, uint64(page-last))
		last = page
	}
	return b
}

// flush writes the chunk.
func (t *Writer) flush() {
	if len(t.chunk) == 0 {
		return
	}
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = z.Write(t.chunk)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(fmt.Sprintf("trace: deflate into memory: %v", err))
	}
	t.frame(frameEvents, packed.Bytes())
	t.chunk = t.chunk[:0]
}

func (t *Writer) frame(kind byte, body []byte) {
	var b []byte
	b, t.seed = frame.Append(nil, kind, t.seed, body)
	t.put(b)
}

func (t *Writer) put(b []byte) {
	if t.err != nil {
		return
	}
	if _, err := t.w.Write(b); err != nil {
		t.err = fmt.Errorf("write trace: %w", err)
	}
}

// Close writes the end. It does not close what is written to.
func (t *Writer) Close() error {
	t.flush()
	t.frame(frameEnd, swing.AppendUint(swing.AppendArray(nil, 1), t.events))
	return t.err
}

// Write writes a whole trace.
func (t *Trace) Write(w io.Writer) error {
	out := NewWriter(w, t.Head)
	for _, e := range t.Events {
		vat := ""
		if e.Kind.ofVat() {
			vat = t.Vats[e.Vat]
		}
		out.Add(vat, e)
	}
	return out.Close()
}
