package devices

import (
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// Bridge connects vats with the embedding program. Its methods:
//
//	post(…)           what is sent comes out as an output of the Host, once it is durable;
//	                  references in it are held by nobody on its behalf
//	register(handler) what Host.Receive is handed is sent to the handler: inbound(…)
//
// Its state is one row, handler, with the object that it holds.
type Bridge struct{}

const handlerKey = "handler"

// Call implements kernel.Device.
func (Bridge) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (answer swing.CapData[swing.KRef], err error) {
	switch method {
	case "post":
		d.Post(args)
	case "register":
		return register(d, swing.ReadArguments(args))
	default:
		return answer, fmt.Errorf("there is no method %s", method)
	}
	return numbers(), nil
}

// Receive implements kernel.Receiver.
func (Bridge) Receive(d *kernel.DeviceContext, data swing.CapData[swing.KRef]) error {
	return inbound(d, data)
}

// register sets the handler that inbound sends to.
func register(
	d *kernel.DeviceContext, in *swing.Arguments[swing.KRef],
) (answer swing.CapData[swing.KRef], err error) {
	handler := in.Ref()
	if err := in.Done("a handler"); err != nil {
		return answer, err
	}
	if before, ok := d.Get(handlerKey); ok {
		d.Release(swing.KRef(before))
	}
	d.Hold(handler)
	d.Set(handlerKey, []byte(handler))
	return numbers(), nil
}

// inbound sends what the embedder hands a device to its handler.
func inbound(d *kernel.DeviceContext, data swing.CapData[swing.KRef]) error {
	handler, ok := d.Get(handlerKey)
	if !ok {
		return errors.New("nobody has registered a handler")
	}
	d.Send(swing.KRef(handler), "inbound", data)
	return nil
}

var (
	_ kernel.Ticker   = Timer{}
	_ kernel.Receiver = Bridge{}
	_ kernel.Receiver = Command{}
)
