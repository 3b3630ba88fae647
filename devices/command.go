package devices

import (
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// Command takes commands of the embedding program's to a vat, and brings the answers
// back. A command is what Host.Receive is handed: [n, …], of which n, from 1, is a number
// of the embedder's choice that no open command has. Its methods:
//
//	register(handler)        commands are sent to the handler from now on: inbound(n, …)
//	respond(n, rejected, …)  answers an open command: [n, rejected, …] comes out as an
//	                         output of the Host, once it is durable
//	broadcast(…)             [0, false, …] comes out: nobody has asked for it
//	open(after) → [n, …]     the open commands with a greater number, 100 at most
//
// The handler may answer in any order, and whoever has the device can answer for it, as
// when its vat has ended. [ReadResponse] takes outputs apart. References in an output are
// held by nobody on its behalf.
//
// Its state is a row, handler, with the object that it holds, and one for each open
// command, empty: c.N, N in 16 hex digits.
type Command struct{}

// openMax bounds what open answers.
const openMax = 100

func commandKey(n uint64) string { return fmt.Sprintf("c.%016x", n) }

// Call implements kernel.Device.
func (c Command) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (answer swing.CapData[swing.KRef], err error) {
	in := swing.ReadArguments(args)
	switch method {
	case "register":
		return register(d, in)
	case "respond":
		n, rejected := in.Uint(), in.Bool()
		data := response(n, rejected, in)
		if err := in.Done("a number, whether it is rejected, and values"); err != nil {
			return answer, err
		}
		if _, ok := d.Get(commandKey(n)); !ok {
			return answer, fmt.Errorf("there is no open command %d", n)
		}
		d.Delete(commandKey(n))
		d.Post(data)
	case "broadcast":
		data := response(0, false, in)
		if err := in.Done("values"); err != nil {
			return answer, err
		}
		d.Post(data)
	case "open":
		after := in.Uint()
		return c.open(d, after), in.Done("a number")
	default:
		return answer, fmt.Errorf("there is no method %s", method)
	}
	return numbers(), nil
}

// Receive implements kernel.Receiver.
func (Command) Receive(d *kernel.DeviceContext, data swing.CapData[swing.KRef]) error {
	in := swing.ReadArguments(data)
	n := in.Uint()
	if in.Rest(); n == 0 || in.Done("") != nil {
		return errors.New("want a list of a number from 1 and values")
	}
	if _, ok := d.Get(commandKey(n)); ok {
		return fmt.Errorf("command %d is open", n)
	}
	if err := inbound(d, data); err != nil {
		return err
	}
	d.Set(commandKey(n), nil)
	return nil
}

// open returns the first open commands after one.
func (Command) open(d *kernel.DeviceContext, after uint64) swing.CapData[swing.KRef] {
	var all []uint64
	key, ok := d.Next(commandKey(after))
	for ; ok && key[0] == 'c' && len(all) < openMax; key, ok = d.Next(key) {
		all = append(all, mustHex(key[2:]))
	}
	return numbers(all...)
}

// response is what comes out: a number, whether it is rejected, and what is left of in.
func response(
	n uint64, rejected bool, in *swing.Arguments[swing.KRef],
) swing.CapData[swing.KRef] {
	left, values, slots := in.Rest()
	b := swing.AppendUint(swing.AppendArray(nil, 2+left), n)
	b = append(swing.AppendBool(b, rejected), values...)
	return swing.CapData[swing.KRef]{Body: b, Slots: slots}
}

// Response is how a command was answered. A broadcast has the number 0.
type Response struct {
	Number   uint64
	Rejected bool
	Values   swing.CapData[swing.KRef] // a list
}

// ReadResponse takes the data of an output of a Command apart.
func ReadResponse(data swing.CapData[swing.KRef]) (r Response, err error) {
	in := swing.ReadArguments(data)
	r.Number, r.Rejected = in.Uint(), in.Bool()
	left, values, slots := in.Rest()
	r.Values.Body, r.Values.Slots = append(swing.AppendArray(nil, left), values...), slots
	return r, in.Done("an output of a command device")
}
