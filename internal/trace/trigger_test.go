package trace_test

import (
	"testing"

	"vatwarehouse/internal/trace"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// TestTriggersByHand: two vats, all in memory, two blocks and a third: when each trigger has
// which saved, followed by hand.
func TestTriggersByHand(t *testing.T) {
	t.Parallel()
	tr := &trace.Trace{Vats: []string{"v1", "v2"}}
	next := []uint64{0, 0}
	deliver := func(vat int, kind swing.DeliveryKind, time, devices uint64) {
		tr.Events = append(tr.Events, trace.Event{Kind: trace.Deliver, Vat: vat, Position: next[vat],
			Delivery: kind, OK: true, Time: time, Devices: devices})
		next[vat]++
	}
	block := func() { tr.Events = append(tr.Events, trace.Event{Kind: trace.Block}) }
	deliver(0, swing.DeliverStartVat, 100, 0)
	deliver(1, swing.DeliverStartVat, 100, 0)
	deliver(0, swing.DeliverMessage, 100, 0)
	block()
	deliver(0, swing.DeliverMessage, 104, 2)
	deliver(0, swing.DeliverMessage, 104, 0)
	deliver(1, swing.DeliverNotify, 104, 0)
	block()
	deliver(1, swing.DeliverMessage, 105, 0)
	deliver(0, swing.DeliverMessage, 105, 0)
	block()
	for _, c := range []struct {
		text              string
		snapshots, suffix uint64
	}{
		{"never", 0, 8},
		// v1 after the first block, v2 after the third.
		{"first-message", 2, 3},
		// v1 after the second: of what came after its call, too.
		{"before-device-call", 1, 4},
		// Both after the third, 5 ns after the first delivery; or after the second, or always.
		{"timer:5ns", 2, 0}, {"timer:4ns", 2, 2}, {"timer:1ns", 4, 0}, {"timer:6ns", 0, 8},
		{"first-message+before-device-call", 3, 1}, {"before-device-call+timer:5ns", 3, 0},
		{"count:2/2+first-message", 3, 2}, {"signal", 0, 8},
	} {
		var p warehouse.Policy
		if err := p.UnmarshalText([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		w := tr.Simulate(trace.Policy{Vats: 9, Rule: p})
		if w.Snapshots != c.snapshots || w.Suffix != c.suffix {
			t.Errorf("%s: %d snapshots, a suffix of %d, want %d and %d",
				c.text, w.Snapshots, w.Suffix, c.snapshots, c.suffix)
		}
	}
}
