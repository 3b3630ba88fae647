package kernel

import (
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Device is a part of the kernel that the embedder provides: what vats can ask at once,
// and have answered at once. It keeps its state in the kernel's store, through the
// [DeviceContext] it is handed, and nowhere else: what a crank that is rolled back did
// never was. Its answers are recorded in the caller's transcript; a replay does not ask
// it again. An error is the caller's to catch; a panic is a failure of ours.
type Device interface {
	Call(d *DeviceContext, method string, args swing.CapData[swing.KRef],
	) (swing.CapData[swing.KRef], error)
}

// Ticker is a device that is told when the block time has changed.
type Ticker interface {
	Tick(d *DeviceContext)
}

// Receiver is a device that takes what the embedder hands it.
type Receiver interface {
	Receive(d *DeviceContext, data swing.CapData[swing.KRef]) error
}

// Post is something that a device sends to the embedder: released, like an [Output],
// once its block is durable.
type Post struct {
	Device string
	Data   swing.CapData[swing.KRef]
}

// Rows of devices: device.NAME is the device's object; device.NAME.v.KEY its state;
// device.NAME.r.KREF how often it holds a reference.
func deviceKey(name string) string           { return "device." + name }
func deviceStateKey(name, key string) string { return deviceKey(name) + ".v." + key }
func deviceHoldKey(name string, ref swing.KRef) string {
	return deviceKey(name) + ".r." + string(ref)
}

// AddDevice makes a device known to the kernel, and returns its object, which is held
// for the embedder until Release: whoever is given it can call the device.
func (k *Kernel) AddDevice(b Buffer, name string) (swing.KRef, error) {
	if err := checkNameText(name); err != nil {
		return "", err
	}
	if k.devices[name] == nil || strings.Contains(name, ".") {
		return "", refuse("there is no device %q", name)
	}
	if has(b, deviceKey(name)) {
		return "", refuse("the device %q is there already", name)
	}
	c := k.begin(b)
	ref := c.newService(service{kind: deviceService, device: name})
	b.Set(deviceKey(name), []byte(ref))
	c.pin(ref, 1)
	c.sealInput()
	return ref, nil
}

// Devices returns the names of the devices that were added, sorted. It passes over their
// states, which may be long.
func Devices(b vatkeeper.KV) (names []string) {
	prefix := deviceKey("")
	for key, ok := b.Next(prefix, endOf(prefix)); ok; key, ok = b.Next(key, endOf(prefix)) {
		name, _, stateful := strings.Cut(key[len(prefix):], ".")
		if stateful {
			key = endOf(deviceStateKey(name, ""))
			continue
		}
		names = append(names, name)
	}
	return names
}

// DeviceRef returns the object of a device.
func DeviceRef(b vatkeeper.KV, name string) (swing.KRef, bool) {
	v, ok := b.Get(deviceKey(name))
	return swing.KRef(v), ok
}

// Receive hands something to a device.
func (k *Kernel) Receive(b Buffer, name string, data swing.CapData[swing.KRef]) (Report, error) {
	receiver, ok := k.devices[name].(Receiver)
	if !ok || !has(b, deviceKey(name)) {
		return Report{}, refuse("there is no device %q that takes anything", name)
	}
	if err := k.checkMessage(b, swing.Message[swing.KRef]{Args: data}); err != nil {
		return Report{}, err
	}
	c := k.begin(b)
	start := b.Savepoint()
	if err := receiver.Receive(&DeviceContext{c, name}, data); err != nil {
		c.rollback(start)
		return Report{}, refuse("device %s: %w", name, err)
	}
	c.sealInput()
	return c.report, nil
}

// tick tells the devices of a new time.
func (c *crank) tick() {
	for _, name := range Devices(c.b) {
		if t, ok := c.devices[name].(Ticker); ok {
			t.Tick(&DeviceContext{c, name})
		}
	}
}

// callDevice answers a vat's call of a device. What the vat has asked for before takes
// effect first.
func (c *crank) callDevice(
	j *judgement, before []transcript.Exchange, request []byte,
) (answer []byte, illegal string) {
	if c.judge(j, before); j.illegal != "" {
		return nil, j.illegal
	}
	at := len(before)
	ids := readIDs(c.b)
	x := transcript.Exchange{Op: swing.OpCall, Request: request}
	s, changes, err := j.vk.Out(at, x, c.options.Limits, &ids.Allocation)
	if err != nil {
		return nil, err.Error()
	}
	c.apply(j.vk.ID(), changes)
	ids.write(c.b)
	sv, rule := c.deviceOf(j.vk, s)
	if rule != "" {
		return nil, (&vatkeeper.IllegalError{Syscall: at, Op: x.Op, Rule: rule}).Error()
	}
	told, changes := j.vk.AnswerIn(c.ask(sv.device, s.Message.Method, s.Message.Args))
	// What the vat has exported for the call the device may not have kept.
	c.loose = append(c.loose, s.Message.Args.Slots...)
	c.apply(j.vk.ID(), changes)
	return swing.AppendCallAnswer(nil, told), ""
}

// deviceOf returns the device that a call is for, or the rule that the call breaks.
func (c *crank) deviceOf(vk vatkeeper.Keeper, s swing.Syscall[swing.KRef]) (service, string) {
	for _, ref := range s.Message.Args.Slots {
		if ref.Kind() == swing.Promise {
			return service{}, "a device takes no promises"
		}
	}
	sv, ok := c.serviceOf(s.Target)
	if !ok || sv.kind != deviceService {
		e, _ := vk.ByKRef(s.Target)
		return service{}, fmt.Sprintf("%s is no device", e.VRef)
	}
	return sv, ""
}

// ask calls a device.
func (c *crank) ask(
	name, method string, args swing.CapData[swing.KRef],
) (a swing.CallAnswer[swing.KRef]) {
	device := c.devices[name]
	if device == nil {
		panic(fmt.Sprintf("kernel: there is no device %q", name))
	}
	data, err := device.Call(&DeviceContext{c, name}, method, args)
	if err != nil {
		return swing.CallAnswer[swing.KRef]{Failed: true, Data: errorData(err.Error())}
	}
	return swing.CallAnswer[swing.KRef]{Data: data}
}

// serviceOf returns what an object of the kernel's is, and whether it is one.
func (c *crank) serviceOf(ref swing.KRef) (service, bool) {
	if ref.Kind() != swing.Object || !has(c.b, serviceKey(ref)) {
		return service{}, false
	}
	return readService(c.b, ref), true
}

// serveDevice answers a message to a device as if it were a call.
func (c *crank) serveDevice(name string, m swing.Message[swing.KRef]) {
	a := c.ask(name, m.Method, m.Args)
	if m.Result != "" {
		c.resolve(swing.Resolution[swing.KRef]{Promise: m.Result, Rejected: a.Failed, Data: a.Data})
	}
}

// DeviceContext is what a device sees of the kernel during one call. It must not be kept.
type DeviceContext struct {
	c    *crank
	name string
}

// Time returns the block time, in nanoseconds since the Unix epoch.
func (d *DeviceContext) Time() uint64 { return readTime(d.c.b) }

// Get reads a value of the device's state.
func (d *DeviceContext) Get(key string) (value []byte, ok bool) {
	return d.c.b.Get(deviceStateKey(d.name, key))
}

// Set writes a value of the device's state.
func (d *DeviceContext) Set(key string, value []byte) {
	d.c.b.Set(deviceStateKey(d.name, key), value)
}

// Delete deletes a key of the device's state; that it is absent is no fault.
func (d *DeviceContext) Delete(key string) { d.c.b.Delete(deviceStateKey(d.name, key)) }

// Next returns the least key of the device's state that is greater than one.
func (d *DeviceContext) Next(after string) (key string, ok bool) {
	prefix := deviceStateKey(d.name, "")
	key, ok = d.c.b.Next(prefix+after, endOf(prefix))
	return strings.TrimPrefix(key, prefix), ok
}

// Hold keeps a reference for the device until as many calls of Release.
func (d *DeviceContext) Hold(ref swing.KRef) { d.holds(ref, 1) }

// Release lets go of a reference that the device holds.
func (d *DeviceContext) Release(ref swing.KRef) { d.holds(ref, -1) }

func (d *DeviceContext) holds(ref swing.KRef, n int) {
	addCount(d.c.b, deviceHoldKey(d.name, ref), n)
	d.c.count(ref, n)
}

// Send queues a message that nobody waits for the answer of. The device holds, or was
// just handed, the references in it.
func (d *DeviceContext) Send(target swing.KRef, method string, args swing.CapData[swing.KRef]) {
	m := swing.Message[swing.KRef]{Method: method, Args: args}
	d.c.enqueue(event{kind: eventSend, target: target, message: m})
}

// Post sends something to the embedder, once the block is durable.
func (d *DeviceContext) Post(data swing.CapData[swing.KRef]) {
	data.Body, data.Slots = slices.Clone(data.Body), slices.Clone(data.Slots)
	d.c.report.Posts = append(d.c.report.Posts, Post{d.name, data})
}
