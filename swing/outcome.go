package swing

import "fmt"

// Status says how a delivery ended. Its number is part of every transcript.
type Status uint8

// The statuses.
const (
	// StatusOK: the program returned 0.
	StatusOK Status = 1
	// StatusFailed: the program returned non-zero; Problem is its output.
	StatusFailed Status = 2
	// StatusTrapped: the program trapped; Problem is the trap's name, the same
	// in every engine.
	StatusTrapped Status = 3
	// StatusIllegal: a syscall broke a rule; Problem says which.
	StatusIllegal Status = 4
	// StatusExited: the program asked for its own end as a failure.
	StatusExited Status = 5
	// StatusUnderflow: its meter had less than the delivery used.
	StatusUnderflow Status = 6
	// StatusOutOfFuel: the delivery used all of its fuel.
	StatusOutOfFuel Status = 7
	// StatusTooDeep: calls within calls were deeper than the limit.
	StatusTooDeep Status = 8
	// StatusOutOfMemory: the program trapped after memory.grow was refused in the
	// same delivery.
	StatusOutOfMemory Status = 9

	// lastStatus is the greatest number of a status.
	lastStatus = StatusOutOfMemory
)

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool { return s >= StatusOK && s <= lastStatus }

// String returns the status in a word.
func (s Status) String() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusFailed:
		return "failed"
	case StatusTrapped:
		return "trapped"
	case StatusIllegal:
		return "illegal syscall"
	case StatusExited:
		return "exited"
	case StatusUnderflow:
		return "meter underflow"
	case StatusOutOfFuel:
		return "out of fuel"
	case StatusTooDeep:
		return "too deep"
	case StatusOutOfMemory:
		return "out of memory"
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Outcome is how a delivery ended, as data. A vat's misbehaviour is an
// Outcome, never a Go error: it is recorded and the same everywhere.
type Outcome struct {
	Status  Status
	Problem string
	// Fuel is what the delivery used, in units, also if it took no effect.
	Fuel uint64
}

// OK reports whether the delivery took effect. If not, its crank was rolled back.
func (o Outcome) OK() bool { return o.Status == StatusOK }

// String returns the status and the problem, for people.
func (o Outcome) String() string {
	if o.Problem == "" {
		return o.Status.String()
	}
	return o.Status.String() + ": " + o.Problem
}
