package devices

import (
	"fmt"

	"vatwarehouse/swing"
)

// arguments reads the arguments of a call.
type arguments struct {
	r     *swing.Reader
	slots []swing.KRef
	left  int
	bad   bool
}

func readArguments(args swing.CapData[swing.KRef]) *arguments {
	a := &arguments{r: swing.NewReader(args.Body), slots: args.Slots}
	if len(args.Body) > 0 { // else there are none
		a.left = a.r.Array()
	}
	return a
}

func (a *arguments) uint() uint64 {
	a.left--
	return a.r.Uint()
}

func (a *arguments) text() string {
	a.left--
	return a.r.Text()
}

func (a *arguments) bytes() []byte {
	a.left--
	return a.r.Bytes()
}

func (a *arguments) ref() (ref swing.KRef) {
	a.left--
	if !a.r.Null() || len(a.slots) == 0 {
		a.bad = true
		return ""
	}
	ref, a.slots = a.slots[0], a.slots[1:]
	return ref
}

// done returns why the arguments are not those of the method, or nil.
func (a *arguments) done(want string) error {
	if a.bad || a.left != 0 || len(a.slots) > 0 || a.r.Done() != nil {
		return fmt.Errorf("want %s", want)
	}
	return nil
}

// numbers is a list of numbers.
func numbers(values ...uint64) swing.CapData[swing.KRef] {
	b := swing.AppendArray(nil, len(values))
	for _, v := range values {
		b = swing.AppendUint(b, v)
	}
	return swing.CapData[swing.KRef]{Body: b}
}
