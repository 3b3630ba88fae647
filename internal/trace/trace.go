package trace

import (
	"errors"

	"vatwarehouse/swing"
)

// The ways bytes fail to be a trace.
var (
	// ErrFormat marks bytes that are not what the format says.
	ErrFormat = errors.New("not a trace")
	// ErrCut marks a trace without its end.
	ErrCut = errors.New("trace cut short")
)

// Trace is a whole trace.
type Trace struct {
	Head
	Vats   []string // in the order of their first event
	Events []Event
}

// Head is what stands before the events.
type Head struct {
	About string // where it was recorded, for people
	// Footprints says that Memory and Written of deliveries are known.
	Footprints bool
}

// Kind is what an event is.
type Kind uint8

// The kinds of events.
const (
	// Deliver is a delivery to a vat.
	Deliver Kind = 1
	// Discard is the end of a vat's worker, if it had one: its heap was of no more use.
	Discard Kind = 2
	// Block is the end of a block, where snapshots that are due are taken.
	Block Kind = 3
	// Idle is when nothing was left to deliver.
	Idle Kind = 4
)

// ofVat reports whether events of the kind are of a vat.
func (k Kind) ofVat() bool { return k == Deliver || k == Discard }

// Event is one event. Only a Deliver has all fields; a Discard has Vat.
type Event struct {
	Kind     Kind
	Vat      int    // its number in Vats
	Position uint64 // of the delivery in the vat's transcript
	Delivery swing.DeliveryKind
	Time     uint64 // block time, in nanoseconds since the Unix epoch
	OK       bool   // it took effect
	PagedIn  bool   // the vat was paged in for it when this was recorded
	Fuel     uint64
	Syscalls uint64
	// Bytes are those of the delivery, and of its syscalls and what they were answered, as
	// its transcript entry has them; Devices is how many of its syscalls were device calls.
	Bytes, Devices uint64
	// Waiting is how many events waited in the run-queue when it began, itself not counted:
	// so many deliveries of messages and of settled promises were known to come.
	Waiting uint64
	// Nanoseconds are how long it took, paging in included.
	Nanoseconds uint64
	Memory      uint64   // bytes of linear memory after it
	Written     []uint32 // numbers of the pages it wrote, ascending
}

// Deliveries returns how many deliveries there are.
func (t *Trace) Deliveries() (n int) {
	for i := range t.Events {
		if t.Events[i].Kind == Deliver {
			n++
		}
	}
	return n
}
