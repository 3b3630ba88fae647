package host_test

import (
	"testing"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// TestSpent: time is spent on what is done, and on nothing else; the Observer is told of all
// of it, and once of each snapshot.
func TestSpent(t *testing.T) {
	for text, want := range map[string]struct{ replay, pause, snapshots bool }{
		"never":       {replay: true},
		"evict":       {pause: true, snapshots: true},
		"count:3/200": {replay: true, pause: true, snapshots: true},
	} {
		var told warehouse.Spent
		snapshots := map[string]uint64{}
		o := host.Options{MaxVats: 1, Observer: host.Observer{Upkeep: func(u host.Upkeep) {
			told.Add(u.Task, u.Took)
			if u.Task == warehouse.TaskSnapshot {
				snapshots[string(u.Vat)]++
			}
		}}}
		if err := o.Snapshots.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		h := open(t, vfs.NewMem(), o)
		_, first := vat(t, h, "counter", "c")
		_, second := vat(t, h, "counter", "d")
		for range 3 {
			ask(t, h, first, "incr", 1)
			ask(t, h, second, "incr", 1)
		}
		if err := h.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		st, err := h.Stats()
		if err != nil {
			t.Fatal(err)
		}
		positive := func(what string, took time.Duration, want bool) {
			if took < 0 || (took > 0) != want {
				t.Errorf("%s: %v was spent on %s", text, took, what)
			}
		}
		positive("compiling", st.Spent.Compile, true)
		positive("page-ins", st.Spent.PageIn, true)
		positive("pauses", st.Spent.Pause, want.pause)
		positive("syncs", st.Spent.Sync, want.snapshots)
		positive("snapshots", st.Spent.Snapshot, want.snapshots)
		positive("replay", st.Spent.Replay, want.replay)
		if (st.Vats.Replayed > 0) != want.replay {
			t.Errorf("%s: %d replayed", text, st.Vats.Replayed)
		}
		if told != st.Spent {
			t.Errorf("%s: the Observer was told of %+v, it was %+v", text, told, st.Spent)
		}
		if n := snapshots["v1"] + snapshots["v2"]; n != st.Snapshots || n > 0 && snapshots["v1"] == 0 {
			t.Errorf("%s: told of snapshots %v, there were %d", text, snapshots, st.Snapshots)
		}
		closeHost(t, h)
	}
}
