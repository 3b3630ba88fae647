package host_test

import (
	"errors"
	"os"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/vfs"
)

// TestOrderIsForMemory: an order is asked in memory, where it changes the activityhash, and
// what is always first does not. A directory, or files that are given, cannot have one, and
// nothing is made of them.
func TestOrderIsForMemory(t *testing.T) {
	run := func(order kernel.Order) string {
		h, err := host.Open(ctx, "", &host.Options{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		_, one := vat(t, h, "counter", "one")
		_, two := vat(t, h, "counter", "two")
		if _, err := h.Run(ctx, host.Policy{}); err != nil {
			t.Fatal(err)
		}
		send(t, h, one, "incr", 1)
		send(t, h, two, "incr", 2)
		if _, err := h.Run(ctx, host.Policy{}); err != nil {
			t.Fatal(err)
		}
		hash, err := h.Activityhash()
		if err != nil {
			t.Fatal(err)
		}
		closeHost(t, h)
		return hash.String()
	}
	first := func([]kernel.Event, []int) int { return 0 }
	last := func(_ []kernel.Event, ready []int) int { return len(ready) - 1 }
	without, other := run(nil), run(last)
	if run(first) != without || other == without || run(last) != other {
		t.Error("the activityhash does not follow the order")
	}
	dir, files := t.TempDir(), vfs.NewMem()
	_, err := host.Open(ctx, dir, &host.Options{Order: first})
	_, filesErr := host.Open(ctx, "", &host.Options{Order: first, FS: files})
	if !errors.Is(err, host.ErrOptions) || !errors.Is(filesErr, host.ErrOptions) {
		t.Errorf("%v, %v", err, filesErr)
	}
	names, err := files.List(vfs.Root)
	entries, dirErr := os.ReadDir(dir)
	if len(names)+len(entries) > 0 || err != nil || dirErr != nil {
		t.Errorf("made %v, %v, %v, %v", names, entries, err, dirErr)
	}
}
