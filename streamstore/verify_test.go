package streamstore_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// rot flips a bit of a file behind the log's back.
func rot(t *testing.T, m *vfs.Mem, name string, at int) {
	t.Helper()
	f, err := m.Open("log/" + name)
	must(t, err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, int64(at))
	must(t, err)
	b[0] ^= 4
	_, err = f.WriteAt(b, int64(at))
	must(t, err)
}

// verify returns the faults as text: file, offset, stream@position.
func verify(t *testing.T, s *streamstore.Store) (faults []string) {
	t.Helper()
	err := s.Verify(func(f streamstore.Fault) {
		faults = append(faults, fmt.Sprintf("%s %d %s@%d", f.File, f.Offset, f.Stream, f.Position))
	})
	if errors.Is(err, streamstore.ErrCorrupt) != (len(faults) > 0) {
		t.Errorf("%v, with faults %q", err, faults)
	}
	return faults
}

// TestVerifyNamesEachFault: of each sort of frame of a segment that rots while
// the log is open, the file, the offset and the first item concerned; what is
// between two faults is verified.
func TestVerifyNamesEachFault(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.SegmentBytes = 1 << 20
	s := open(t, o)
	for i := range uint64(10) {
		for j := range uint64(3) {
			s.Append("a", 3*i+j, []byte(numbered(int(i))))
		}
		commit(t, s)
	}
	_, offsets := frames(filesOf(t, m)[segment1]) // header, then five a block
	if got := verify(t, s); got != nil {
		t.Fatalf("before: %q", got)
	}
	cases := []struct{ frame, position int }{
		{0, -1}, {2, 0}, {8, 4}, {1 + 5*3, -1}, {5 + 5*5, -1}, {3 + 5*9, 28}, {5 + 5*9, -1},
	}
	var want []string
	for _, c := range cases {
		rot(t, m, segment1, offsets[c.frame]+9)
		item := "@0"
		if c.position >= 0 {
			item = fmt.Sprintf("a@%d", c.position)
		}
		want = append(want, fmt.Sprintf("log/%s %d %s", segment1, offsets[c.frame], item))
		if got := verify(t, s); !slices.Equal(got, want) {
			t.Errorf("frame %d: got %q, want %q", c.frame, got, want)
		}
	}
	if got := items(s, "a", 3, 6); !strings.Contains(got, "a@4") || !strings.Contains(got, segment1) {
		t.Errorf("reading: %q", got)
	}
	if got := items(s, "a", 5, 8); strings.Contains(got, "error") {
		t.Errorf("reading what is whole: %q", got)
	}
}

// TestVerifyNamesFaultsOfArchives: of each frame of an archive, its offset, and
// of its packs the first item; reads of other packs go on.
func TestVerifyNamesFaultsOfArchives(t *testing.T) {
	t.Parallel()
	const size = 30000 // two items a pack
	m := vfs.NewMem()
	s := open(t, streamstore.Options{FS: m, SegmentBytes: 200 << 10})
	for i := range uint64(8) {
		for _, stream := range []string{"a", "b"} {
			s.Append(stream, i, noise(size))
		}
		commit(t, s)
	}
	archive(t, s)
	const name = "00000001.archive"
	all, offsets := frames(filesOf(t, m)[name])
	if len(all) < 6 {
		t.Fatalf("%d frames", len(all))
	}
	for i := range all {
		rot(t, m, name, offsets[i]+20)
		faults := verify(t, s)
		want := fmt.Sprintf("log/%s %d ", name, offsets[i])
		if len(faults) != 1 || i < len(all)-2 && !strings.HasPrefix(faults[0], want) {
			t.Errorf("frame %d: got %q, want %q", i, faults, want)
		}
		if item := []string{"", " a@0", " a@2"}; i < 3 && !strings.HasSuffix(faults[0], item[i]) {
			t.Errorf("frame %d: got %q", i, faults)
		}
		if i == 1 { // the first pack
			if got := items(s, "a", 0, 1); !strings.Contains(got, name) {
				t.Errorf("reading it: %.60q", got)
			}
			if got := items(s, "a", 2, 4); strings.Contains(got, "error") {
				t.Errorf("reading another: %.60q", got)
			}
		}
		rot(t, m, name, offsets[i]+20)
	}
	if got := verify(t, s); got != nil {
		t.Errorf("afterwards: %q", got)
	}
}

// TestVerifyFindsWhatIsMissing: a segment, an archive or the manifest removed, a
// segment cut short, and the manifest rotten, while the log is open.
func TestVerifyFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(m *vfs.Mem, all files) error{
		"segment": func(m *vfs.Mem, all files) error {
			return m.Remove("log/" + all.names(".segment")[0])
		},
		"archive": func(m *vfs.Mem, all files) error {
			return m.Remove("log/" + all.names(".archive")[0])
		},
		"manifest": func(m *vfs.Mem, _ files) error {
			return m.Remove("log/manifest")
		},
		"end": func(m *vfs.Mem, all files) error {
			f, err := m.Open("log/" + all.names(".segment")[0])
			if err != nil {
				return err
			}
			return f.Truncate(100)
		},
		"end at a frame": func(m *vfs.Mem, all files) error {
			names := all.names(".segment")
			name := names[len(names)-1] // behind another the chain would show it
			f, err := m.Open("log/" + name)
			if err != nil {
				return err
			}
			_, offsets := frames(all[name])
			return f.Truncate(int64(offsets[len(offsets)-2]))
		},
		"rotten manifest": func(m *vfs.Mem, _ files) error {
			rot(t, m, "manifest", 30)
			return nil
		},
	} {
		m := vfs.NewMem()
		s := open(t, scriptOptions(m))
		fill(t, s, []string{"a"}, 40, 150)
		archive(t, s)
		fill(t, s, []string{"a"}, 1, 150)
		must(t, harm(m, filesOf(t, m)))
		if got := verify(t, s); len(got) == 0 {
			t.Errorf("%s: nothing found", what)
		}
	}
}

// TestVerifyCannotRead: an I/O error is returned, and is no fault of the log.
func TestVerifyCannotRead(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	s := open(t, scriptOptions(f))
	fill(t, s, []string{"a"}, 40, 150)
	archive(t, s)
	start := f.Reads()
	if got := verify(t, s); got != nil {
		t.Fatal(got)
	}
	broken := errors.New("broken")
	for n := f.Reads() - start; n > 0; n-- {
		f.Arm(vfs.Fault{At: f.Reads() + n, Reads: true, Err: broken})
		err := s.Verify(func(f streamstore.Fault) { t.Errorf("fault %+v", f) })
		if !errors.Is(err, broken) || errors.Is(err, streamstore.ErrCorrupt) {
			t.Errorf("read %d: %v", n, err)
		}
	}
}

// TestIndexIsSmall: what 100,000 streams of a few records each take in memory
// stays below 150 bytes a stream and 40 bytes a record, and archives take it away.
func TestIndexIsSmall(t *testing.T) {
	const streams, records = 100_000, 3
	heap := func() int64 {
		runtime.GC()
		var st runtime.MemStats
		runtime.ReadMemStats(&st)
		return int64(st.HeapAlloc)
	}
	d, err := vfs.Open(t.TempDir())
	must(t, err)
	defer d.Close()
	s := open(t, streamstore.Options{FS: d, SegmentBytes: 1 << 20, NoSync: true})
	before := heap()
	for j := range uint64(records) {
		for i := range streams {
			s.Append(fmt.Sprintf("transcript.v%d", i), j, nil)
		}
		commit(t, s)
	}
	s.Append("last", 0, nil)
	commit(t, s)
	used := heap() - before
	if limit := int64(streams*150 + streams*records*40); used > limit {
		t.Errorf("%d bytes, limit %d", used, limit)
	}
	_, err = s.Archive()
	must(t, err)
	after := heap() - before
	if limit := int64(streams*150 + 8<<20); after > limit { // and the block's buffer
		t.Errorf("after archiving %d bytes, limit %d", after, limit)
	}
	t.Logf("%d bytes for %d streams of %d records; archived %d", used, streams, records, after)
	runtime.KeepAlive(s)
}

// TestFrameOverhead: what the log adds to an item, and to a block, as doc.go says.
func TestFrameOverhead(t *testing.T) {
	t.Parallel()
	s := open(t, streamstore.Options{FS: vfs.NewMem()})
	s.Append("transcript.v12", 300, make([]byte, 200))
	commit(t, s)
	const header, opening, closing = 49, 41, 36
	record := frame.HeaderBytes + 1 + len("transcript.v12") + 2 + 200
	if got := s.Stats().BytesAppended; got != uint64(header+opening+record+closing) {
		t.Errorf("%d bytes", got)
	}
}
