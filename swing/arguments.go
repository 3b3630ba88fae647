package swing

import (
	"errors"
	"fmt"
)

// Arguments reads data in the form that the kernel's objects, devices and the example
// vats use: a list of values, in which null stands for the next slot. No body is the empty
// list. It takes values in their order; after the first that is not as asked for, and
// beyond the last, it gives zeros, and [Arguments.Done] says so in the end.
type Arguments[R Ref] struct {
	// Values has what is left of the list. More is to be called for each value that is
	// taken from it directly.
	Values *Reader
	// Slots are those that no value has stood for yet.
	Slots   []R
	left    int
	missing bool
}

// ReadArguments begins to read data.
func ReadArguments[R Ref](data CapData[R]) *Arguments[R] {
	a := &Arguments[R]{Values: NewReader(data.Body), Slots: data.Slots}
	if len(data.Body) > 0 {
		a.left = a.Values.Array()
	}
	return a
}

// More reports whether there is a value left, which the caller is to take.
func (a *Arguments[R]) More() bool {
	if a.left == 0 {
		a.missing = true
		return false
	}
	a.left--
	return a.Values.Err() == nil
}

// Left returns how many values are left.
func (a *Arguments[R]) Left() int { return a.left }

// Uint takes a number.
func (a *Arguments[R]) Uint() (n uint64) {
	if a.More() {
		n = a.Values.Uint()
	}
	return n
}

// Text takes a text.
func (a *Arguments[R]) Text() (s string) {
	if a.More() {
		s = a.Values.Text()
	}
	return s
}

// Bytes takes a byte string. It aliases the body.
func (a *Arguments[R]) Bytes() (b []byte) {
	if a.More() {
		b = a.Values.Bytes()
	}
	return b
}

// Bool takes false or true.
func (a *Arguments[R]) Bool() bool { return a.More() && a.Values.Bool() }

// Ref takes a reference: a null, and the next slot.
func (a *Arguments[R]) Ref() (ref R) {
	if !a.More() {
		return ""
	}
	if !a.Values.Null() || len(a.Slots) == 0 {
		a.Values.Fail(errors.New("want a null that stands for a slot"))
		return ""
	}
	ref, a.Slots = a.Slots[0], a.Slots[1:]
	return ref
}

// Rest takes all that is left: how many values, their bytes one after the other, into
// which it does not look, and the slots.
func (a *Arguments[R]) Rest() (n int, values []byte, slots []R) {
	n, slots = a.left, a.Slots
	for a.left > 0 && a.More() {
		values = append(values, a.Values.Raw()...)
	}
	a.left, a.Slots = 0, nil
	return n, values, slots
}

// Done returns why the arguments are not what was wanted, or nil: all were taken, none
// was missing, and every slot is one that a value stands for.
func (a *Arguments[R]) Done(want string) error {
	if a.missing || len(a.Slots) > 0 {
		return fmt.Errorf("want %s", want)
	}
	return a.DoneShort(want)
}

// DoneShort is Done for who takes arguments that are missing at the end for empty, and
// passes over slots.
func (a *Arguments[R]) DoneShort(want string) error {
	if a.left > 0 || a.Values.Done() != nil {
		return fmt.Errorf("want %s", want)
	}
	return nil
}
