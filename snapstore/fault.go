package snapstore

import (
	"errors"
	"fmt"

	"vatwarehouse/swing"
)

var (
	// ErrCorrupt is returned when stored bytes are not what was written. The
	// error is, or wraps, a *Fault, which names the place.
	ErrCorrupt = errors.New("corrupt")
	// ErrNotFound is returned for a heap, or a part of one, or code, that is not
	// stored.
	ErrNotFound = errors.New("not stored")
	// ErrTooLarge is returned for a heap or code beyond the limits in Options.
	ErrTooLarge = errors.New("too large")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("snapshot store is closed")
)

// Fault is damage found in a file of the store. It is an error, and errors.Is
// takes it for ErrCorrupt.
type Fault struct {
	File    string
	Offset  int64
	Object  swing.Hash // what was sought or found there; zero if it is not known
	Problem string
}

// Error says where the damage is and what was found there.
func (f *Fault) Error() string {
	object := ""
	if !f.Object.IsZero() {
		object = " (" + f.Object.Short() + "…)"
	}
	return fmt.Sprintf("corrupt: %s at %d%s: %s", f.File, f.Offset, object, f.Problem)
}

// Is makes a Fault an ErrCorrupt.
func (f *Fault) Is(target error) bool { return target == ErrCorrupt }

// faultsMax bounds a list of faults. Of a store with more, the rest is counted
// by none: it is beyond repair by then.
const faultsMax = 1000

// faultList is a bounded list of faults.
type faultList []Fault

func (l *faultList) add(f *Fault) {
	if len(*l) < faultsMax {
		*l = append(*l, *f)
	}
}

// damaged reports whether err says that bytes are wrong or absent, rather than
// that they could not be read.
func damaged(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotFound)
}
