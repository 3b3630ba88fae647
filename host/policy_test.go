package host_test

import (
	"context"
	"errors"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// TestSignal: at the end of the block after a signal, the vats in memory are saved, once; and
// nothing is if the policy has no such trigger.
func TestSignal(t *testing.T) {
	for text, want := range map[string]uint64{"signal": 2, "never": 0} {
		o := host.Options{Inline: true}
		if err := o.Snapshots.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		h := open(t, vfs.NewMem(), o)
		_, first := vat(t, h, "counter", "c")
		_, second := vat(t, h, "counter", "d")
		taken := func() uint64 {
			ask(t, h, first, "incr", 1)
			ask(t, h, second, "incr", 1)
			st, err := h.Stats()
			if err != nil {
				t.Fatal(err)
			}
			return st.Snapshots
		}
		if n := taken(); n != 0 {
			t.Errorf("%s: %d without a signal", text, n)
		}
		h.Signal()
		if err := h.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := taken(); n != want {
			t.Errorf("%s: %d after a signal, want %d", text, n, want)
		}
		closeHost(t, h)
	}
}

// TestTakeSnapshot: what is asked for is saved, though the policy is never; the vat comes
// back from it; asked again, it is the same one.
func TestTakeSnapshot(t *testing.T) {
	ctx := context.Background()
	files := vfs.NewMem()
	o := host.Options{Snapshots: warehouse.Policy{Initial: warehouse.Never}}
	h := open(t, files, o)
	_, root := vat(t, h, "counter", "c")
	for range 5 {
		ask(t, h, root, "incr", 1)
	}
	first, err := h.TakeSnapshot(ctx, "v1")
	if err != nil || first.Position != 6 || first.Vat != "v1" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := h.TakeSnapshot(ctx, "v1"); err != nil || again != first {
		t.Errorf("again: %+v, %v", again, err)
	}
	ask(t, h, root, "incr", 1)
	second, err := h.TakeSnapshot(ctx, "v1")
	if err != nil || second.Position != 7 {
		t.Errorf("second: %+v, %v", second, err)
	}
	if _, err := h.TakeSnapshot(ctx, "v9"); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("of a vat that is not: %v", err)
	}
	check(t, h)
	closeHost(t, h)
	h = open(t, files, o)
	if got := ask(t, h, root, "incr", 1); got != 7 {
		t.Errorf("counted %d", got)
	}
	if s, err := h.Stats(); err != nil || s.Vats.Replayed != 0 {
		t.Errorf("%d replayed, %v", s.Vats.Replayed, err)
	}
	closeHost(t, h)
}
