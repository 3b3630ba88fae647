package kvstore

import (
	"maps"
	"slices"
	"testing"

	"vatwarehouse/vfs"
)

// TestPastIsWhatWas: over random lives, with checkpoints and rollbacks, the past has
// every key as it was when the watch began, and names exactly those that differ.
func TestPastIsWhatWas(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		for _, seed := range seeds(12) {
			r := newRig(t, seed, fs(t))
			var past *Past
			var was map[string]string
			for step := range 3000 {
				before := r.s
				r.step()
				if past != nil && before == r.s && step%50 == 0 {
					r.checkPast(past, was)
				}
				switch {
				case before != r.s:
					past = nil // another store
				case len(r.s.journal) == 0 && r.rng.IntN(20) == 0:
					past, was = r.s.Watch(), maps.Clone(r.twin.now)
				}
			}
		}
	})
}

func (r *rig) checkPast(past *Past, was map[string]string) {
	var differ []string
	for key := range maps.Keys(was) {
		if now, ok := r.twin.now[key]; key != ActivityKey && (!ok || now != was[key]) {
			differ = append(differ, key)
		}
		if got, ok := past.Get(key); key != ActivityKey && (!ok || string(got) != was[key]) {
			r.fatalf("past of %q: %q, %v, want %q", key, got, ok, was[key])
		}
	}
	for key := range r.twin.now {
		if _, had := was[key]; key != ActivityKey && !had {
			differ = append(differ, key)
			if got, ok := past.Get(key); ok {
				r.fatalf("past of %q: %q, want none", key, got)
			}
		}
	}
	slices.Sort(differ)
	if got := past.Changed(); !slices.Equal(got, differ) {
		r.fatalf("changed: %q, want %q", got, differ)
	}
}

// TestWatchInsideACrankPanics: what a rollback could undo is not watched.
func TestWatchInsideACrankPanics(t *testing.T) {
	t.Parallel()
	s := open(t, Options{FS: vfs.NewMem()})
	s.Set("a", nil)
	defer closed(t, s)
	defer func() {
		if recover() == nil {
			t.Error("watched inside a crank")
		}
	}()
	s.Watch()
}
