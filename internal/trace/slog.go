package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"vatwarehouse/swing"
)

// slogLineMax bounds a line of a slog: programs are in some.
const slogLineMax = 256 << 20

// slogKinds are SwingSet's deliveries in our words. Those that are not here have kind 0.
var slogKinds = map[string]swing.DeliveryKind{
	"startVat": swing.DeliverStartVat, "message": swing.DeliverMessage,
	"notify": swing.DeliverNotify, "dropExports": swing.DeliverDropExports,
	"retireExports": swing.DeliverRetireExports, "retireImports": swing.DeliverRetireImports,
	"bringOutYourDead": swing.DeliverReap,
}

// slogEntry is what of a line is looked at.
type slogEntry struct {
	Type        string            `json:"type"`
	Time        float64           `json:"time"`
	Monotime    *float64          `json:"monotime"`
	Vat         string            `json:"vatID"`
	DeliveryNum *uint64           `json:"deliveryNum"`
	Replay      bool              `json:"replay"`
	VD          []json.RawMessage `json:"vd"`
	DR          []json.RawMessage `json:"dr"`
}

// seconds returns when it was, for differences.
func (e *slogEntry) seconds() float64 {
	if e.Monotime != nil {
		return *e.Monotime
	}
	return e.Time
}

// slogReader is how far a slog was read.
type slogReader struct {
	trace   *Trace
	numbers map[string]int
	next    map[string]uint64 // position from which on a vat's deliveries have not been seen
	pending map[string]*pending
}

// pending is a delivery that has begun.
type pending struct {
	event   Event
	started float64
}

// ReadSlog reads a SwingSet slog: lines of JSON, of which deliver, syscall, deliver-result,
// terminate and crank-finish count. Each crank is a block, since SwingSet takes its
// snapshots at their ends. Deliveries that were replayed are left out, and so are those
// that were made again after a kernel had stopped before it could commit, those that did
// not end, and a last line without its end. Fuel is what the engine says it computed. An
// error is the reader's, or wraps ErrFormat and says which line.
func ReadSlog(in io.Reader, about string) (*Trace, error) {
	r := &slogReader{
		trace: &Trace{Head: Head{About: about}}, numbers: map[string]int{},
		next: map[string]uint64{}, pending: map[string]*pending{},
	}
	lines := bufio.NewReaderSize(in, 1<<20)
	for n := 1; ; n++ {
		line, whole, err := slogLine(lines)
		if err != nil {
			return nil, fmt.Errorf("slog, line %d: %w", n, err)
		}
		if len(line) > 0 && whole {
			if err := r.line(line); err != nil {
				return nil, fmt.Errorf("%w: slog, line %d: %w", ErrFormat, n, err)
			}
		}
		if !whole {
			return r.trace, nil
		}
	}
}

// slogLine returns the next line, and whether its end was there: if not it is the last.
func slogLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], true, nil
		case errors.Is(err, io.EOF):
			return line, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		case len(line) > slogLineMax:
			return nil, false, fmt.Errorf("%w: longer than %d bytes", ErrFormat, slogLineMax)
		}
	}
}

// line takes one line.
func (r *slogReader) line(b []byte) error {
	var e slogEntry
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	switch e.Type {
	case "deliver", "deliver-result", "syscall", "terminate":
		if e.Vat == "" {
			return fmt.Errorf("a %s without a vatID", e.Type)
		}
	}
	switch {
	case e.Replay:
	case e.Type == "deliver":
		return r.deliver(&e)
	case e.Type == "syscall":
		if p := r.pending[e.Vat]; p != nil {
			p.event.Syscalls++
		}
	case e.Type == "deliver-result":
		return r.result(&e)
	case e.Type == "terminate":
		r.add(e.Vat, Event{Kind: Discard})
	case e.Type == "crank-finish":
		r.trace.Events = append(r.trace.Events, Event{Kind: Block})
	}
	return nil
}

func (r *slogReader) deliver(e *slogEntry) error {
	if e.DeliveryNum == nil || *e.DeliveryNum == math.MaxUint64 || len(e.VD) == 0 {
		return errors.New("a deliver without its deliveryNum, or without its vd")
	}
	var kind string
	if err := json.Unmarshal(e.VD[0], &kind); err != nil {
		return fmt.Errorf("vd: %w", err)
	}
	r.pending[e.Vat] = &pending{started: e.seconds(), event: Event{
		Kind: Deliver, Position: *e.DeliveryNum, Delivery: slogKinds[kind],
	}}
	return nil
}

func (r *slogReader) result(e *slogEntry) error {
	p := r.pending[e.Vat]
	if p == nil {
		return fmt.Errorf("a deliver-result of vat %q, to which nothing is being delivered", e.Vat)
	}
	delete(r.pending, e.Vat)
	if len(e.DR) == 0 {
		return errors.New("a deliver-result without its dr")
	}
	var status string
	if err := json.Unmarshal(e.DR[0], &status); err != nil {
		return fmt.Errorf("dr: %w", err)
	}
	var used struct {
		Compute uint64 `json:"compute"`
	}
	if len(e.DR) > 2 {
		if err := json.Unmarshal(e.DR[2], &used); err != nil {
			return fmt.Errorf("dr: %w", err)
		}
	}
	if p.event.Position < r.next[e.Vat] {
		return nil // it was made before, and not committed
	}
	p.event.OK, p.event.Fuel = status == "ok", used.Compute
	p.event.Nanoseconds = uint64(min(max(e.seconds()-p.started, 0)*1e9, math.MaxInt64))
	if p.event.OK {
		r.next[e.Vat] = p.event.Position + 1
	}
	r.add(e.Vat, p.event)
	return nil
}

// add appends an event of a vat.
func (r *slogReader) add(vat string, e Event) {
	n, known := r.numbers[vat]
	if !known {
		n = len(r.trace.Vats)
		r.numbers[vat] = n
		r.trace.Vats = append(r.trace.Vats, vat)
	}
	e.Vat = n
	r.trace.Events = append(r.trace.Events, e)
}
