package warehouse

import (
	"fmt"
	"strings"
	"time"

	"vatwarehouse/swing"
)

// Triggers are events that have snapshots fall due, whatever a Policy's rule says. A vat
// that has done nothing since its latest snapshot is never due. Their texts are
// first-message, before-device-call, timer:60s and signal.
type Triggers struct {
	// FirstMessage is a message to a vat of whose incarnation there is no snapshot yet.
	FirstMessage bool
	// BeforeDeviceCall is a delivery that has called a device: at the end of the block the
	// vat is saved, before what it calls in the next.
	BeforeDeviceCall bool
	// Timer is so much block time, in nanoseconds, since it was last up: at the end of
	// the block all paged-in vats are saved. 0 is none.
	Timer uint64
	// Signal is a call of [Warehouse.Signal]: at the end of the block all paged-in vats
	// are saved.
	Signal bool
}

// The texts of triggers.
const (
	firstMessageText     = "first-message"
	beforeDeviceCallText = "before-device-call"
	timerText            = "timer"
	signalText           = "signal"
)

// parse adds the trigger of a text, and reports whether there is such a one.
func (t *Triggers) parse(text string) bool {
	name, number, numbered := strings.Cut(text, ":")
	was := *t
	switch name {
	case firstMessageText:
		t.FirstMessage = true
	case beforeDeviceCallText:
		t.BeforeDeviceCall = true
	case signalText:
		t.Signal = true
	case timerText:
		d, err := time.ParseDuration(number)
		t.Timer = uint64(max(d, 0))
		return err == nil && d > 0 && was.Timer == 0
	}
	return !numbered && *t != was
}

// texts returns those of the triggers that are set.
func (t Triggers) texts() (all []string) {
	if t.FirstMessage {
		all = append(all, firstMessageText)
	}
	if t.BeforeDeviceCall {
		all = append(all, beforeDeviceCallText)
	}
	if t.Timer > 0 {
		all = append(all, fmt.Sprintf("%s:%s", timerText, time.Duration(t.Timer)))
	}
	if t.Signal {
		all = append(all, signalText)
	}
	return all
}

// alarm is what triggers have seen.
type alarm struct {
	begun    bool
	time, at uint64 // block time: the latest, and when the timer was last up
}

// see looks at a delivery that has taken effect.
func (w *Warehouse) see(v *vat, delivery []byte) error {
	t := w.options.Snapshots.Also
	if t == (Triggers{}) {
		return nil
	}
	kind, err := swing.DeliveryKindOf(delivery)
	if err == nil {
		w.alarm.time, err = swing.DeliveryTime(delivery)
	}
	if err != nil {
		return fmt.Errorf("read a delivery to vat %s: %w", v.id, err)
	}
	if !w.alarm.begun {
		w.alarm.begun, w.alarm.at = true, w.alarm.time
	}
	first := kind == swing.DeliverMessage && v.snapshot == v.start
	if t.FirstMessage && first || t.BeforeDeviceCall && w.counter.called {
		w.owe(v)
	}
	return nil
}

// Signal has all vats that are then paged in fall due at the next TakeDue, if the policy
// has it as a trigger. It may be called at any time, by anybody.
func (w *Warehouse) Signal() { w.signalled.Store(true) }

// ring has all paged-in vats fall due if the timer is up, or there was a signal.
func (w *Warehouse) ring() {
	t := w.options.Snapshots.Also
	up := t.Timer > 0 && w.alarm.time >= w.alarm.at && w.alarm.time-w.alarm.at >= t.Timer
	if up {
		w.alarm.at = w.alarm.time
	}
	if signalled := w.signalled.Swap(false); !up && !(signalled && t.Signal) {
		return
	}
	for _, v := range w.vats.Values() {
		if v.at > v.snapshot {
			w.owe(v)
		}
	}
}
