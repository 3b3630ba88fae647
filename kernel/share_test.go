package kernel_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// TestParametersAreKept: what a vat was started with is held until it is upgraded with
// others or ends, and it can be upgraded with the same.
func TestParametersAreKept(t *testing.T) {
	w := newWorld(t)
	_, friend := w.vat(idle)
	var told []string
	id, _ := w.vat(func(d delivery, _ func(syscall) []byte) outcome {
		if d.Kind == swing.DeliverStartVat {
			told = append(told, fmt.Sprint(d.Params.Slots))
		}
		return done
	}, friend)
	w.run()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.k.Release(w.b, friend)
	must(err)
	upgrade := func(u kernel.UpgradeSpec) {
		t.Helper()
		_, err := w.k.Upgrade(w.b, id, u)
		must(err)
		w.run()
	}
	upgrade(kernel.UpgradeSpec{KeepParams: true})
	if o, ok := kernel.LookupObject(w.b, friend); !ok || o.Reachable != 2 { // and its c-list
		t.Errorf("while kept: %+v, %v", o, ok)
	}
	other := kcap{Body: []byte("x"), Slots: []swing.KRef{friend}}
	_, err = w.k.Upgrade(w.b, id, kernel.UpgradeSpec{KeepParams: true, Params: other})
	if !errors.Is(err, kernel.ErrInput) {
		t.Errorf("kept and others: %v", err)
	}
	upgrade(kernel.UpgradeSpec{})
	upgrade(kernel.UpgradeSpec{KeepParams: true})
	if o, _ := kernel.LookupObject(w.b, friend); o.Reachable != 1 {
		t.Errorf("once others were given: %+v", o)
	}
	if want := []string{"[o-50]", "[o-50]", "[]", "[]"}; !slices.Equal(told, want) {
		t.Errorf("started with %v, want %v", told, want)
	}
}

// TestSchedule: its numbers change one by one, from the next crank on; those that are out
// of range are refused.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		if d.Message.Method != "go" {
			return done
		}
		for n := range 4 {
			if refused := len(call(send("o+0", fmt.Sprint("own", n), ""))) > 0; refused != (n > 2) {
				t.Errorf("message %d refused: %v", n, refused)
			}
		}
		return done
	}))
	w.run()
	before := maps.Clone(w.b.rows)
	err := w.k.SetSchedule(w.b, kernel.Schedule{QueueMax: kernel.Never + 1})
	if !errors.Is(err, kernel.ErrInput) || !maps.Equal(w.b.rows, before) {
		t.Errorf("a number that is too large: %v", err)
	}
	if err := w.k.SetSchedule(w.b, kernel.Schedule{QueueMax: 3, QueueShare: 1}); err != nil {
		t.Fatal(err)
	}
	if o := kernel.ReadOptions(w.b); o.QueueMax != 3 || o.QueueShare != 1 || o.CleanupRows != 100 {
		t.Errorf("options %+v", o)
	}
	w.k = kernel.New(w.b, w, nil) // it is in the state
	w.send(root, "go")
	w.run()
	w.expect(
		"v1 message o+0.go() -> p-60", "v1 message o+0.own0()",
		"v1 message o+0.own1()", "v1 message o+0.own2()",
	)
	if d := vatkeeper.New(id, w.b).Dirt(); d.DeliveriesMax != 1000 {
		t.Errorf("dirt %+v", d)
	}
}
