package streamstore_test

import (
	"errors"
	"fmt"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// TestStreamsBeginAnywhere: in a new log streams begin at whatever position their
// first item has. They keep it through archives, closing, opening and crashes, and
// can be given up from there on.
func TestStreamsBeginAnywhere(t *testing.T) {
	t.Parallel()
	starts := map[string]uint64{"a": 0, "b": 7, "kv": 1 << 40, "out": 1<<63 - 50}
	m := vfs.NewMem()
	o := streamstore.Options{FS: m, SegmentBytes: 600, PreallocateBytes: -1}
	s := open(t, o)
	for n := range uint64(12) {
		for name, start := range starts {
			s.Append(name, start+n, fmt.Appendf(nil, "%s %d", name, n))
		}
		commit(t, s)
	}
	sound := func(s *streamstore.Store, from uint64) {
		t.Helper()
		for name, start := range starts {
			low, end, ok := s.Bounds(name)
			if low > start+from || end != start+12 || !ok {
				t.Fatalf("%s: [%d, %d)", name, low, end)
			}
			at := from
			for item, err := range s.Read(name, start+from, end) {
				if want := fmt.Sprint(name, " ", at); err != nil || string(item) != want {
					t.Fatalf("%s: %q, want %q, %v", name, item, want, err)
				}
				at++
			}
			for _, err := range s.Read(name, low-1, end) {
				if low > 0 && !errors.Is(err, streamstore.ErrRange) {
					t.Fatalf("%s before its start: %v", name, err)
				}
			}
		}
		if faults := verify(t, s); faults != nil {
			t.Fatalf("faults %q", faults)
		}
	}
	sound(s, 0)
	archive(t, s)
	sound(s, 0)
	crashed := o
	crashed.FS = m.Crash(1, 0)
	sound(open(t, crashed), 0)
	must(t, s.Close())
	s = open(t, o)
	sound(s, 0)
	for name, start := range starts {
		s.Retain(name, start+5)
	}
	archive(t, s)
	must(t, s.Close())
	sound(open(t, o), 5)
}
