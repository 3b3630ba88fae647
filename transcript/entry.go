package transcript

import (
	"fmt"
	"math"

	"vatwarehouse/swing"
)

// EntryVersion is the first field of every item.
const EntryVersion = 1

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
}

// Append appends the item of e to b.
func (e Entry) Append(b []byte) []byte {
	b = swing.AppendUint(swing.AppendArray(b, 6), EntryVersion)
	b = swing.AppendBytes(swing.AppendUint(b, e.Position), e.Delivery)
	b = swing.AppendArray(b, 3*len(e.Exchanges))
	for _, x := range e.Exchanges {
		b = swing.AppendBytes(swing.AppendUint(b, uint64(x.Op)), x.Request)
		b = swing.AppendBytes(b, x.Answer)
	}
	return swing.AppendText(swing.AppendUint(b, uint64(e.Outcome.Status)), e.Outcome.Problem)
}

// exchangesHint bounds what Decode allocates before it has seen the exchanges.
const exchangesHint = 256

// Decode reads what Append appends. Byte strings alias item.
func Decode(item []byte) (Entry, error) {
	r := swing.NewReader(item)
	r.Fields(6)
	if v := r.Uint(); r.Err() == nil && v != EntryVersion {
		r.Fail(fmt.Errorf("%w: entry version %d, want %d", swing.ErrEncoding, v, EntryVersion))
	}
	e := Entry{Position: r.Uint(), Delivery: r.Bytes()}
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
	if err := r.Done(); err != nil {
		return Entry{}, fmt.Errorf("decode transcript entry: %w", err)
	}
	return e, nil
}

// maxOp is the largest number a 32-bit op can have.
const maxOp = 1<<32 - 1
