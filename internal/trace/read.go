package trace

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// Decode reads a whole trace. An error wraps ErrFormat or ErrCut.
func Decode(b []byte) (*Trace, error) {
	if len(b) < len(magic) && magic[:len(b)] == string(b) {
		return nil, fmt.Errorf("%w: %d bytes", ErrCut, len(b))
	}
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrFormat, magic)
	}
	d := decoder{vats: map[string]bool{}}
	for !d.ended {
		f, err := frame.Decode(rest)
		if err == nil && f.Seed != d.seed {
			err = frame.ErrCheck
		}
		if err == nil {
			err = d.take(f)
		}
		switch at := len(b) - len(rest); {
		case errors.Is(err, frame.ErrCut):
			return nil, fmt.Errorf("%w: at offset %d of %d bytes", ErrCut, at, len(b))
		case err != nil:
			return nil, fmt.Errorf("%w: frame at offset %d: %w", ErrFormat, at, err)
		}
		d.seed, rest = f.Check, rest[f.Bytes():]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after its end", ErrFormat, len(rest))
	}
	return &d.trace, nil
}

type decoder struct {
	trace  Trace
	vats   map[string]bool
	next   []uint64 // by vat: position from which on its deliveries are to come
	seed   uint32
	headed bool
	ended  bool
}

// take takes what a frame holds.
func (d *decoder) take(f frame.Frame) error {
	if d.headed == (f.Kind == frameHead) {
		return errors.New("the head is not the first frame, and the only head")
	}
	r := swing.NewReader(f.Body)
	switch f.Kind {
	case frameHead:
		d.headed = true
		r.Fields(2)
		d.trace.Head = Head{About: r.Text(), Footprints: r.Bool()}
		return r.Done()
	case frameEvents:
		return d.events(f.Body)
	case frameEnd:
		d.ended = true
		r.Fields(1)
		n := r.Uint()
		if err := r.Done(); err != nil {
			return err
		}
		if n != uint64(len(d.trace.Events)) {
			return fmt.Errorf("%d events, and the end counts %d", len(d.trace.Events), n)
		}
		return nil
	}
	return fmt.Errorf("kind %d", f.Kind)
}

// events takes a chunk.
func (d *decoder) events(packed []byte) error {
	in := bytes.NewReader(packed)
	chunk, err := io.ReadAll(io.LimitReader(flate.NewReader(in), chunkBytesMax+1))
	if err != nil {
		return fmt.Errorf("inflate: %w", err)
	}
	if len(chunk) > chunkBytesMax || in.Len() > 0 {
		return fmt.Errorf("events of more than %d bytes, or bytes after them", chunkBytesMax)
	}
	for len(chunk) > 0 {
		raw := swing.NewReader(chunk).Raw()
		if len(raw) == 0 {
			return fmt.Errorf("event %d: %w", len(d.trace.Events), swing.ErrEncoding)
		}
		if err := d.event(swing.NewReader(raw)); err != nil {
			return fmt.Errorf("event %d: %w", len(d.trace.Events), err)
		}
		chunk = chunk[len(raw):]
	}
	return nil
}

// event takes one event.
func (d *decoder) event(r *swing.Reader) error {
	fields, kind := r.Array(), r.Uint()
	want := map[uint64]int{
		eventVat: 2, uint64(Deliver): deliveryFields, uint64(Discard): 2, uint64(Block): 1,
		uint64(Idle): 1,
	}[kind]
	if fields != want || want == 0 {
		return fmt.Errorf("kind %d with %d fields", kind, fields)
	}
	if kind == eventVat {
		vat := r.Text()
		if err := r.Done(); err != nil {
			return err
		}
		if d.vats[vat] {
			return fmt.Errorf("vat %q is there already", vat)
		}
		d.vats[vat] = true
		d.trace.Vats = append(d.trace.Vats, vat)
		d.next = append(d.next, 0)
		return nil
	}
	e := Event{Kind: Kind(kind)}
	if e.Kind.ofVat() {
		vat := r.Uint()
		if vat >= uint64(len(d.trace.Vats)) {
			return fmt.Errorf("vat number %d of %d", vat, len(d.trace.Vats))
		}
		e.Vat = int(vat)
	}
	if e.Kind == Deliver {
		readDelivery(r, &e)
	}
	if err := r.Done(); err != nil {
		return err
	}
	if e.Kind == Deliver {
		if e.Position < d.next[e.Vat] || e.Position == math.MaxUint64 {
			return fmt.Errorf("vat %q: position %d, and %d is next",
				d.trace.Vats[e.Vat], e.Position, d.next[e.Vat])
		}
		if e.OK {
			d.next[e.Vat] = e.Position + 1
		}
	}
	d.trace.Events = append(d.trace.Events, e)
	return nil
}

func readDelivery(r *swing.Reader, e *Event) {
	e.Position = r.Uint()
	kind := r.Uint()
	if kind > math.MaxUint8 {
		r.Fail(fmt.Errorf("%w: a delivery of kind %d", ErrFormat, kind))
	}
	e.Delivery = swing.DeliveryKind(kind)
	e.Time, e.OK, e.PagedIn = r.Uint(), r.Bool(), r.Bool()
	e.Fuel, e.Syscalls, e.Bytes, e.Devices = r.Uint(), r.Uint(), r.Uint(), r.Uint()
	e.Waiting, e.Nanoseconds, e.Memory = r.Uint(), r.Uint(), r.Uint()
	page := uint64(0)
	for i := range r.Array() {
		step := r.Uint()
		if page += step; step > math.MaxUint32 || page > math.MaxUint32 || i > 0 && step == 0 {
			r.Fail(fmt.Errorf("%w: pages are not ascending 32-bit numbers", ErrFormat))
			return
		}
		e.Written = append(e.Written, uint32(page))
	}
}
