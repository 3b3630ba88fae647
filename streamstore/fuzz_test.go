package streamstore_test

import (
	"errors"
	"slices"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/streamstore"
)

// FuzzOpen: any bytes as a segment, in frames that are right, behind a header
// that is: no panic; either an error that says what is wrong, or a log that
// reads, verifies and goes on.
func FuzzOpen(f *testing.F) {
	all := oneSegment(f, 3, numbered)[segment1]
	parts, offsets := frames(all)
	head, rest := all[:offsets[1]], all[offsets[1]:offsets[len(parts)]]
	f.Add(rest)
	f.Add(rest[:len(rest)-30])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		a := files{segment1: append(slices.Clone(head), rechain(b, parts[0].Check)...)}
		s, _, err := streamstore.Open(scriptOptions(a.disk(t)))
		if err != nil {
			if !errors.Is(err, streamstore.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		for _, stream := range s.Streams() {
			start, end, _ := s.Bounds(stream)
			for _, err := range s.Read(stream, start, end) {
				must(t, err)
			}
		}
		must(t, s.Verify(func(f streamstore.Fault) { t.Errorf("fault %+v", f) }))
		_, end, _ := s.Bounds("s0")
		s.Append("s0", end, nil)
		commit(t, s)
		must(t, s.Close())
	})
}

// rechain makes frames of b where its lengths say that they are, with right
// checks and the seeds of one chain.
func rechain(b []byte, seed uint32) (all []byte) {
	for {
		n, err := frame.DecodeLength(b)
		if err != nil || len(b) < frame.HeaderBytes+n {
			return append(all, b...)
		}
		all, seed = frame.Append(all, b[4], seed, b[frame.HeaderBytes:][:n])
		b = b[frame.HeaderBytes+n:]
	}
}
