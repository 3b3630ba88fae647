package host_test

import (
	"context"
	"errors"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

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
