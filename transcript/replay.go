package transcript

import (
	"bytes"
	"fmt"

	"vatwarehouse/swing"
)

// Replayer is the Syscaller that reads a record again: it compares each
// syscall with the entry's and answers as the entry says.
type Replayer struct {
	entry Entry
	next  int
	err   *DivergenceError
}

// NewReplayer returns a Replayer of one entry.
func NewReplayer(e Entry) *Replayer { return &Replayer{entry: e} }

// Begin has a Replayer go on with another entry.
func (r *Replayer) Begin(e Entry) { *r = Replayer{entry: e} }

// Syscall implements [swing.Syscaller]. It stops the delivery at the first
// syscall that is not the recorded one.
func (r *Replayer) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	got := Exchange{Op: op, Request: request}
	if r.next == len(r.entry.Exchanges) {
		r.diverge("no further syscall", Describe(got))
		return nil, false
	}
	want := r.entry.Exchanges[r.next]
	if want.Op != op || !bytes.Equal(want.Request, request) {
		r.diverge(Describe(want), Describe(got))
		return nil, false
	}
	r.next++
	return want.Answer, true
}

func (r *Replayer) diverge(want, got string) {
	r.err = &DivergenceError{Position: r.entry.Position, Syscall: r.next, Want: want, Got: got}
}

// Finish says whether the delivery repeated itself, given how it ended now and the fuel
// that it used, which counts only if the entry has it.
func (r *Replayer) Finish(o swing.Outcome) error {
	if r.entry.NoFuel {
		o.Fuel = 0
	}
	switch {
	case r.err != nil:
	case r.next < len(r.entry.Exchanges):
		r.diverge(Describe(r.entry.Exchanges[r.next]), "the end: "+o.String())
	case o != r.entry.Outcome:
		r.diverge(r.entry.Ending(), Entry{Outcome: o, NoFuel: r.entry.NoFuel}.Ending())
		r.err.Syscall = AtOutcome
	default:
		return nil
	}
	return r.err
}

// What stands for the end of a delivery, or for what is delivered, where a syscall index
// is due.
const (
	AtOutcome  = -1
	AtDelivery = -2
)

// DivergenceError says that a replayed vat did not repeat itself: its program,
// engine or history is not the recorded one. (SwingSet: anachrophobia.)
type DivergenceError struct {
	Vat      swing.VatID // set by whoever knows it
	Position uint64
	Syscall  int    // index within the delivery, or AtOutcome, or AtDelivery
	Want     string // what the transcript says
	Got      string // what the replay did
}

// Error shows the place and both sides.
func (e *DivergenceError) Error() string {
	const text = "replay of vat %s diverged at position %d, %s\n  recorded: %s\n  replayed: %s"
	return fmt.Sprintf(text, e.Vat, e.Position, e.Where(), e.Want, e.Got)
}

// Where says which part of the delivery differs.
func (e *DivergenceError) Where() string {
	switch e.Syscall {
	case AtOutcome:
		return "its outcome"
	case AtDelivery:
		return "what is delivered"
	}
	return fmt.Sprintf("syscall %d", e.Syscall)
}

var (
	_ swing.Syscaller = (*Recorder)(nil)
	_ swing.Syscaller = (*Replayer)(nil)
)
