package devices

import (
	"errors"
	"fmt"
	"strconv"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// Timer wakes objects when the block time has come. All times are in nanoseconds: it
// moves with Host.SetTime only. Its methods:
//
//	now() → [time]
//	wakeAt(time, handler) → [id]
//	delay(duration, handler) → [id]
//	repeat(start, interval, handler) → [id]
//	cancel(id) → [whether it was there]
//
// A handler is an object. It is sent wake([time asked for, time now]), at the first
// change of time that reaches the time asked for. A repeater skips the times it missed,
// as SwingSet's does: the next is the first after now that is start + n × interval.
//
// Its state is a row of each kind per wake-up:
//
//	n            the next id
//	w.TIME.ID    [handler, start, interval]; the numbers in 16 hex digits, interval 0
//	             for what does not repeat
//	i.ID         the time in the key of the row above
type Timer struct{}

type wakeUp struct {
	handler         swing.KRef
	start, interval uint64
}

// Call implements kernel.Device.
func (t Timer) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (answer swing.CapData[swing.KRef], err error) {
	in := swing.ReadArguments(args)
	switch method {
	case "now":
		err = in.Done("nothing")
		return numbers(d.Time()), err
	case "wakeAt":
		at, handler := in.Uint(), in.Ref()
		if err = in.Done("a time and a handler"); err == nil {
			answer = numbers(t.set(d, at, wakeUp{handler: handler}))
		}
	case "delay":
		after, handler := in.Uint(), in.Ref()
		if err = in.Done("a duration and a handler"); err == nil {
			answer = numbers(t.set(d, saturated(d.Time(), after), wakeUp{handler: handler}))
		}
	case "repeat":
		w := wakeUp{start: in.Uint(), interval: in.Uint()}
		w.handler = in.Ref()
		if err = in.Done("a start, an interval and a handler"); err == nil && w.interval == 0 {
			err = errors.New("an interval of 0")
		}
		if err == nil {
			answer = numbers(t.set(d, w.start, w))
		}
	case "cancel":
		id := in.Uint()
		if err = in.Done("an id"); err == nil {
			answer.Body = swing.AppendBool(swing.AppendArray(nil, 1), t.cancel(d, id))
		}
	default:
		err = fmt.Errorf("there is no method %s", method)
	}
	return answer, err
}

// saturated adds two times; what is past the last there is, is the last.
func saturated(a, b uint64) uint64 {
	if a+b < a {
		return 1<<64 - 1
	}
	return a + b
}

func wakeKey(at, id uint64) string { return fmt.Sprintf("w.%016x.%016x", at, id) }
func idKey(id uint64) string       { return fmt.Sprintf("i.%016x", id) }

// set makes a wake-up, and returns its id.
func (t Timer) set(d *kernel.DeviceContext, at uint64, w wakeUp) uint64 {
	id := uint64(1)
	if v, ok := d.Get("n"); ok {
		id = mustUint(v)
	}
	d.Set("n", swing.AppendUint(nil, id+1))
	d.Hold(w.handler)
	t.write(d, at, id, w)
	return id
}

func (Timer) write(d *kernel.DeviceContext, at, id uint64, w wakeUp) {
	v := swing.AppendText(swing.AppendArray(nil, 3), w.handler)
	d.Set(wakeKey(at, id), swing.AppendUint(swing.AppendUint(v, w.start), w.interval))
	d.Set(idKey(id), swing.AppendUint(nil, at))
}

func (Timer) read(d *kernel.DeviceContext, key string) (w wakeUp) {
	v, _ := d.Get(key)
	r := swing.NewReader(v)
	r.Fields(3)
	w = wakeUp{swing.KRef(r.Text()), r.Uint(), r.Uint()}
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("devices: timer row %s: %v", key, err))
	}
	return w
}

// cancel reports whether there was such a wake-up.
func (t Timer) cancel(d *kernel.DeviceContext, id uint64) bool {
	v, ok := d.Get(idKey(id))
	if !ok {
		return false
	}
	key := wakeKey(mustUint(v), id)
	w := t.read(d, key)
	d.Delete(key)
	d.Delete(idKey(id))
	d.Release(w.handler)
	return true
}

// Tick implements kernel.Ticker: it wakes whoever is due.
func (t Timer) Tick(d *kernel.DeviceContext) {
	now := d.Time()
	const digits = 16
	// From one to the next, not from the first again: what was deleted may cost.
	for key, ok := d.Next("w."); ok && key[0] == 'w'; key, ok = d.Next(key) {
		at, id := mustHex(key[2:2+digits]), mustHex(key[3+digits:])
		if at > now {
			return
		}
		w := t.read(d, key)
		d.Send(w.handler, "wake", numbers(at, now))
		if w.interval == 0 {
			t.cancel(d, id)
			continue
		}
		d.Delete(key)
		next := saturated(now, w.interval-(now-w.start)%w.interval)
		t.write(d, next, id, w)
	}
}

func mustHex(digits string) uint64 {
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		panic(fmt.Sprintf("devices: a number in a key: %v", err))
	}
	return n
}

func mustUint(b []byte) uint64 {
	r := swing.NewReader(b)
	n := r.Uint()
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("devices: a number: %v", err))
	}
	return n
}
