package transcript

import (
	"fmt"
	"math"

	"vatwarehouse/swing"
)

// EntryVersion is the first field of every item that is written. Items of version 1,
// which have no fuel, are still read.
const EntryVersion = 2

// The version of items without fuel, and the fields of both.
const (
	noFuelVersion = 1
	noFuelFields  = 6
	entryFields   = 7
)

// Exchange is one syscall: what the vat sent and what it was answered.
type Exchange struct {
	Op      swing.Op
	Request []byte
	Answer  []byte
}

// Refused reports whether the syscall was one that the kernel had no room for: it did
// nothing.
func (x Exchange) Refused() bool { return x.Op.Queues() && len(x.Answer) > 0 }

// Entry is one delivery, whole.
type Entry struct {
	Position  uint64
	Delivery  []byte
	Exchanges []Exchange
	Outcome   swing.Outcome
	// NoFuel: the item is of version 1, and it is not known what the delivery used.
	NoFuel bool
}

// Budget returns the fuel with which a delivery that took effect is made again: the
// limit, also if its vat's meter had less then, or no bound if none was set then.
func (e Entry) Budget(l swing.Limits) uint64 {
	if e.NoFuel {
		return swing.Unbounded
	}
	return uint64(l.Fuel)
}

// Append appends the item of e to b.
func (e Entry) Append(b []byte) []byte {
	if e.NoFuel {
		b = swing.AppendUint(swing.AppendArray(b, noFuelFields), noFuelVersion)
	} else {
		b = swing.AppendUint(swing.AppendArray(b, entryFields), EntryVersion)
	}
	b = swing.AppendBytes(swing.AppendUint(b, e.Position), e.Delivery)
	b = swing.AppendArray(b, 3*len(e.Exchanges))
	for _, x := range e.Exchanges {
		b = swing.AppendBytes(swing.AppendUint(b, uint64(x.Op)), x.Request)
		b = swing.AppendBytes(b, x.Answer)
	}
	b = swing.AppendText(swing.AppendUint(b, uint64(e.Outcome.Status)), e.Outcome.Problem)
	if e.NoFuel {
		return b
	}
	return swing.AppendUint(b, e.Outcome.Fuel)
}

// exchangesHint bounds what Decode allocates before it has seen the exchanges.
const exchangesHint = 256

// Decode reads what Append appends. Byte strings alias item.
func Decode(item []byte) (Entry, error) {
	r := swing.NewReader(item)
	fields, version := r.Array(), r.Uint()
	e := Entry{NoFuel: version == noFuelVersion && fields == noFuelFields}
	if !e.NoFuel && (version != EntryVersion || fields != entryFields) {
		r.Fail(fmt.Errorf("%w: entry version %d of %d fields, want version %d of %d",
			swing.ErrEncoding, version, fields, EntryVersion, entryFields))
	}
	e.Position, e.Delivery = r.Uint(), r.Bytes()
	n := r.Array()
	if n%3 != 0 {
		r.Fail(fmt.Errorf("%w: %d fields of exchanges, want a multiple of 3", swing.ErrEncoding, n))
	}
	if n > 0 {
		e.Exchanges = make([]Exchange, 0, min(n/3, exchangesHint))
	}
	for ; n > 0 && r.Err() == nil; n -= 3 {
		op := r.Uint()
		if op > maxOp {
			r.Fail(fmt.Errorf("%w: syscall number %d", swing.ErrEncoding, op))
		}
		e.Exchanges = append(e.Exchanges, Exchange{swing.Op(op), r.Bytes(), r.Bytes()})
	}
	status := r.Uint()
	if status > math.MaxUint8 || !swing.Status(status).Valid() {
		r.Fail(fmt.Errorf("%w: status %d", swing.ErrEncoding, status))
	}
	e.Outcome = swing.Outcome{Status: swing.Status(status), Problem: r.Text()}
	if !e.NoFuel {
		e.Outcome.Fuel = r.Uint()
	}
	if err := r.Done(); err != nil {
		return Entry{}, fmt.Errorf("decode transcript entry: %w", err)
	}
	return e, nil
}

// maxOp is the largest number a 32-bit op can have.
const maxOp = 1<<32 - 1
