package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// gear is what a device asks of a kernel, or of the model. So the same devices work on
// both sides, and what they are offered is what is compared.
type gear interface {
	Time() uint64
	Get(key string) ([]byte, bool)
	Set(key string, value []byte)
	Delete(key string)
	Next(after string) (string, bool)
	Hold(ref kref)
	Release(ref kref)
	Send(target kref, method string, args kcap)
	Post(data kcap)
}

var _ gear = (*kernel.DeviceContext)(nil)

// cell is a device that keeps what it is handed.
type cell struct{}

// Call implements kernel.Device.
func (c cell) Call(d *kernel.DeviceContext, method string, args kcap) (kcap, error) {
	return c.call(d, method, args)
}

func (cell) call(d gear, method string, args kcap) (answer kcap, err error) {
	switch method {
	case "set":
		answer = take(d, "held")
		keep(d, "held", args)
	case "take":
		answer = take(d, "held")
	case "get":
		answer = kept(d, "held")
	case "more":
		d.Set("list."+string(args.Body), []byte{byte(d.Time() / 1000)})
	case "keys":
		for key, ok := d.Next("list."); ok && len(answer.Body) < 20; key, ok = d.Next(key) {
			v, _ := d.Get(key)
			answer.Body = append(append(answer.Body, key[len(key)-1]), v...)
		}
	case "less":
		if key, ok := d.Next("list."); ok {
			d.Delete(key)
		}
	case "late":
		keep(d, "late", kcap{Body: args.Body})
		d.Post(args)
		return kcap{}, errors.New("too \"late\"")
	default:
		return kcap{}, fmt.Errorf("no %s", method)
	}
	return answer, nil
}

// bell is a device that tells those it knows what happens.
type bell struct{ cell }

// Call implements kernel.Device.
func (b bell) Call(d *kernel.DeviceContext, method string, args kcap) (kcap, error) {
	return b.call(d, method, args)
}

// Tick implements kernel.Ticker.
func (b bell) Tick(d *kernel.DeviceContext) { b.tick(d) }

// Receive implements kernel.Receiver.
func (b bell) Receive(d *kernel.DeviceContext, data kcap) error { return b.receive(d, data) }

func (b bell) call(d gear, method string, args kcap) (answer kcap, err error) {
	switch {
	case method == "ring" && len(args.Slots) > 0:
		d.Send(args.Slots[0], "ring", kcap{Body: args.Body, Slots: args.Slots[1:]})
	case method == "add" && len(args.Slots) > 0:
		keep(d, "at."+string(args.Body), args)
	case method == "post":
		d.Post(args)
	default:
		return b.cell.call(d, method, args)
	}
	return answer, nil
}

// tick lets every other one of those it knows go.
func (bell) tick(d gear) {
	n := 0
	for key, ok := d.Next("at."); ok && strings.HasPrefix(key, "at."); key, ok = d.Next(key) {
		all := kept(d, key)
		for _, ref := range all.Slots {
			d.Send(ref, "tick", kcap{Body: []byte(fmt.Sprint(d.Time() % 100))})
		}
		if n++; n%2 == 0 {
			take(d, key)
			d.Post(all)
		}
	}
}

func (bell) receive(d gear, data kcap) error {
	d.Set("last", data.Body)
	d.Post(data)
	key, ok := d.Next("at.")
	if !ok || !strings.HasPrefix(key, "at.") {
		return errors.New("nobody hears it")
	}
	for _, ref := range kept(d, key).Slots {
		d.Send(ref, "inbound", data)
	}
	return nil
}

// keep keeps data under a key, in place of what was there.
func keep(d gear, key string, c kcap) {
	for _, ref := range c.Slots {
		d.Hold(ref)
	}
	take(d, key)
	d.Set(key, swing.AppendCapData(nil, c))
}

func kept(d gear, key string) kcap {
	v, ok := d.Get(key)
	if !ok {
		return kcap{}
	}
	return swing.ReadCapData[kref](swing.NewReader(slices.Clone(v)))
}

// take returns what is kept under a key, and lets go of it.
func take(d gear, key string) kcap {
	c := kept(d, key)
	d.Delete(key)
	for _, ref := range c.Slots {
		d.Release(ref)
	}
	return c
}

// deviceNames are of those that may be added; their spelling is near to one another's
// rows.
var deviceNames = []string{"bell", "bell-2", "bell0", "cell"}

func newDevices() map[string]kernel.Device {
	return map[string]kernel.Device{
		"bell": bell{}, "bell-2": bell{}, "bell0": bell{}, "cell": cell{},
	}
}

// hears reports whether a device can be told of time, and handed things.
func hears(name string) bool { return name != "cell" }

// desk is the model as a device sees it.
type desk struct {
	m    *model
	name string
	r    *report
}

func (m *model) device(name string) *device {
	for i := range m.devices {
		if m.devices[i].name == name {
			return &m.devices[i]
		}
	}
	return nil
}

func (k desk) self() *device { return k.m.device(k.name) }

func (k desk) find(key string) (at int, found bool) {
	return slices.BinarySearchFunc(k.self().state, key, func(p pair, key string) int {
		return strings.Compare(p.key, key)
	})
}

// Time implements gear.
func (k desk) Time() uint64 { return k.m.time }

// Get implements gear.
func (k desk) Get(key string) ([]byte, bool) {
	at, found := k.find(key)
	if !found {
		return nil, false
	}
	return []byte(k.self().state[at].value), true
}

// Set implements gear.
func (k desk) Set(key string, value []byte) {
	at, found := k.find(key)
	d := k.self()
	d.state = slices.Clone(d.state)
	if !found {
		d.state = slices.Insert(d.state, at, pair{})
	}
	d.state[at] = pair{key, string(value)}
}

// Delete implements gear.
func (k desk) Delete(key string) {
	if at, found := k.find(key); found {
		d := k.self()
		d.state = slices.Delete(slices.Clone(d.state), at, at+1)
	}
}

// Next implements gear.
func (k desk) Next(after string) (string, bool) {
	at, found := k.find(after)
	if found {
		at++
	}
	if at == len(k.self().state) {
		return "", false
	}
	return k.self().state[at].key, true
}

// Hold implements gear.
func (k desk) Hold(ref kref) { k.self().holds = with(k.self().holds, ref) }

// Release implements gear.
func (k desk) Release(ref kref) {
	d := k.self()
	at := slices.Index(d.holds, ref)
	d.holds = slices.Delete(slices.Clone(d.holds), at, at+1)
}

// Send implements gear.
func (k desk) Send(target kref, method string, args kcap) {
	k.m.mark("a message from a device")
	k.m.acceptance = append(k.m.acceptance, event{target: target, method: method, args: args})
}

// Post implements gear.
func (k desk) Post(data kcap) {
	k.m.mark("a post")
	k.r.posts = append(k.r.posts, post{k.name, data})
}

// addDevice is the embedder's.
func (m *model) addDevice(name string) (ref kref, ok bool) {
	if !slices.Contains(deviceNames, name) || m.device(name) != nil {
		return "", false
	}
	ref = m.newService(service{kind: aDevice, device: name})
	m.devices = append(m.devices, device{name: name, ref: ref})
	slices.SortFunc(m.devices, func(a, b device) int { return strings.Compare(a.name, b.name) })
	m.pins = append(m.pins, ref)
	return ref, true
}

// ask has a device answer.
func (m *model) ask(name, method string, args kcap, r *report) (a swing.CallAnswer[kref]) {
	call := bell{}.call
	if !hears(name) {
		call = cell{}.call
	}
	data, err := call(desk{m, name, r}, method, args)
	if err != nil {
		m.mark("an error of a device")
		return swing.CallAnswer[kref]{Failed: true, Data: errorData(err.Error())}
	}
	return swing.CallAnswer[kref]{Data: data}
}

// tick tells the devices of a new time, the first by name first.
func (m *model) tick(r *report) {
	for i := range m.devices {
		if name := m.devices[i].name; hears(name) && !m.fault("a device that sleeps") {
			bell{}.tick(desk{m, name, r})
		}
	}
}

// receive is the embedder's.
func (m *model) receive(name string, data kcap) (r report, ok bool) {
	if m.device(name) == nil || !hears(name) || !m.known(data.Slots...) {
		return report{}, false
	}
	undo := m.clone()
	if err := (bell{}).receive(desk{m, name, &r}, data); err != nil {
		m.mark("a device that does not take it")
		if !m.fault("what a device did before it refused") {
			*m = *undo
		}
		return report{}, false
	}
	m.mark("a device that takes it")
	m.collect(&r)
	return r, true
}

// callDevice answers a call during a delivery, or says that it ends here.
func (t *turn) callDevice(s *vcall, what string) (answer []byte, ok bool) {
	m := t.m
	if t.broken != "" {
		m.mark("a call after what is illegal")
		t.refused = t.broken
		return nil, false
	}
	t.refused = what
	if s == nil || t.tooLarge(*s) {
		return nil, false
	}
	target, ok := t.out(s.Target)
	if !ok {
		return nil, false
	}
	args, ok := t.dataOut(s.Message.Args)
	if !ok {
		return nil, false
	}
	for _, ref := range args.Slots {
		if ref.Kind() == swing.Promise && !m.fault("a promise that a device takes") {
			return nil, t.illegal("to call a device with a promise")
		}
	}
	called := m.service(target)
	if called == nil || called.kind != aDevice {
		return nil, t.illegal("to call what is no device")
	}
	t.refused = ""
	m.mark("callNow")
	a := m.ask(called.device, s.Message.Method, args, t.report)
	told := swing.CallAnswer[vref]{Failed: a.Failed, Data: m.dataIn(t.self(), a.Data)}
	return swing.AppendCallAnswer(nil, told), true
}
