package streamstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

func open(t testing.TB, o streamstore.Options) *streamstore.Store {
	t.Helper()
	s, _, err := streamstore.Open(o)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func commit(t testing.TB, s *streamstore.Store) {
	t.Helper()
	_, err := s.Commit()
	must(t, err)
}

// items reads positions of a stream as one string, or the error.
func items(s *streamstore.Store, stream string, from, to uint64) string {
	var all []string
	for item, err := range s.Read(stream, from, to) {
		if err != nil {
			return "error: " + err.Error()
		}
		all = append(all, string(item))
	}
	return strings.Join(all, " ")
}

func wantPanic(t *testing.T, what, text string, f func()) {
	t.Helper()
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, text) {
			t.Errorf("%s: panic %q, want one with %q", what, got, text)
		}
	}()
	f()
}

// TestBlockBecomesVisibleTogether: the open block can be read, and is gone if the
// log is dropped without a commit.
func TestBlockBecomesVisibleTogether(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	s.Append("a", 5, []byte("five"))
	s.Append("b", 0, []byte("zero"))
	if block, err := s.Commit(); block != 1 || err != nil {
		t.Fatalf("block %d, %v", block, err)
	}
	s.Append("a", 6, []byte("six"))
	s.Append("c", 9, nil)
	if got := items(s, "a", 5, 7); got != "five six" {
		t.Errorf("with the open block: %q", got)
	}
	if start, end, ok := s.Bounds("c"); start != 9 || end != 10 || !ok {
		t.Errorf("c: [%d, %d) %v", start, end, ok)
	}
	s = open(t, scriptOptions(m.Crash(0, 100)))
	if got := fmt.Sprint(s.Streams()); got != "[a b]" {
		t.Errorf("streams %v", got)
	}
	if start, end, ok := s.Bounds("a"); start != 5 || end != 6 || !ok {
		t.Errorf("a: [%d, %d) %v", start, end, ok)
	}
	if _, _, ok := s.Bounds("c"); ok {
		t.Error("there is a stream c")
	}
}

// TestOneWriteOneSyncPerBlock: what a commit costs, once the segment is there.
func TestOneWriteOneSyncPerBlock(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	s := open(t, streamstore.Options{FS: f})
	s.Append("a", 0, []byte("first"))
	commit(t, s)
	before := f.Operations()
	for i := range uint64(100) {
		for j := range uint64(10) {
			s.Append("a", 1+10*i+j, bytes.Repeat([]byte("x"), 100))
		}
		commit(t, s)
	}
	if n := f.Operations() - before; n != 200 {
		t.Errorf("%d operations for 100 blocks, want 200", n)
	}
	st := s.Stats()
	if st.Blocks != 101 || st.Items != 1001 || st.Streams != 1 || st.Segments != 1 || st.Syncs != 102 {
		t.Errorf("stats %+v", st)
	}
	if size := int64(st.BytesAppended); st.DiskBytes < size || st.DiskBytes > size+4<<20 {
		t.Errorf("%d bytes on disk of %d appended", st.DiskBytes, size)
	}
}

// TestEmptyCommit: changes nothing and returns the last block.
func TestEmptyCommit(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	s := open(t, scriptOptions(f))
	before := f.Operations()
	if block, err := s.Commit(); block != 0 || err != nil || f.Operations() != before {
		t.Errorf("block %d, %v, %d operations", block, err, f.Operations()-before)
	}
	s.Append("a", 0, nil)
	commit(t, s)
	if block, err := s.Commit(); block != 1 || err != nil {
		t.Errorf("block %d, %v", block, err)
	}
}

// TestAppendOutOfPlacePanics: a position that is not the end, and what breaks a
// limit, are faults of the caller.
func TestAppendOutOfPlacePanics(t *testing.T) {
	t.Parallel()
	s := open(t, scriptOptions(vfs.NewMem()))
	s.Append("a", 3, nil)
	wantPanic(t, "gap", "append a@5, the end is 4", func() { s.Append("a", 5, nil) })
	wantPanic(t, "again", "append a@3, the end is 4", func() { s.Append("a", 3, nil) })
	wantPanic(t, "no name", "name of 0 bytes", func() { s.Append("", 0, nil) })
	long := strings.Repeat("x", 256)
	wantPanic(t, "long name", "name of 256 bytes", func() { s.Append(long, 0, nil) })
	wantPanic(t, "long item", "item of 4001 bytes", func() { s.Append("a", 4, make([]byte, 4001)) })
	s.Append("a", 4, make([]byte, 4000))
	s.Append(strings.Repeat("x", 255), math.MaxUint64-1, nil)
	commit(t, s)
}

// TestOptionsAreChecked: each limit, and the directory that is nobody's.
func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []streamstore.Options{
		{SegmentBytes: -1}, {SegmentBytes: 1<<30 + 1}, {PreallocateBytes: 1<<30 + 1},
		{ItemBytes: -1}, {ItemBytes: 32<<20 + 1},
	} {
		o.FS = vfs.NewMem()
		if _, _, err := streamstore.Open(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	wantPanic(t, "no FS", "FS is nil", func() { streamstore.Open(streamstore.Options{}) })
	_, _, err := streamstore.Open(streamstore.Options{FS: vfs.NewMem(), Dir: "../x"})
	if !errors.Is(err, vfs.ErrName) {
		t.Errorf("directory outside: %v", err)
	}
	_, _, err = streamstore.Open(streamstore.Options{FS: vfs.NewMem(), Dir: "no/log"})
	if err == nil {
		t.Error("made a directory's parent")
	}
}

// TestReadRange: positions outside the stream are an error, an empty range none.
func TestReadRange(t *testing.T) {
	t.Parallel()
	s := open(t, scriptOptions(vfs.NewMem()))
	for i := range uint64(4) {
		s.Append("a", 10+i, []byte{byte('0' + i)})
	}
	commit(t, s)
	for _, r := range [][2]uint64{{9, 12}, {10, 15}, {0, 1}, {14, 15}, {12, 11}} {
		n := 0
		for item, err := range s.Read("a", r[0], r[1]) {
			if n++; item != nil || !errors.Is(err, streamstore.ErrRange) {
				t.Errorf("%v: %q, %v", r, item, err)
			}
		}
		if n != 1 {
			t.Errorf("%v: %d yields", r, n)
		}
	}
	if got := items(s, "none", 0, 0); !strings.Contains(got, "no such stream") {
		t.Errorf("unknown stream: %q", got)
	}
	for at := uint64(10); at <= 14; at++ {
		if got := items(s, "a", at, at); got != "" {
			t.Errorf("[%d, %d): %q", at, at, got)
		}
	}
	for item, err := range s.Read("a", 10, 14) {
		if string(item) != "0" || err != nil {
			t.Errorf("%q, %v", item, err)
		}
		break // the rest is not wanted
	}
}

// TestReadWhileAppending: the reader may use the log between two items.
func TestReadWhileAppending(t *testing.T) {
	t.Parallel()
	s := open(t, scriptOptions(vfs.NewMem()))
	var want []string
	for i := range uint64(50) {
		want = append(want, strings.Repeat(string(rune('a'+i%26)), 60))
		s.Append("a", i, []byte(want[i]))
		if i%5 == 4 {
			commit(t, s)
		}
	}
	var got []string
	for item, err := range s.Read("a", 0, 50) {
		must(t, err)
		got = append(got, string(item))
		s.Append("b", uint64(len(got)), item)
		switch len(got) {
		case 10, 30:
			commit(t, s)
		case 20:
			_, err := s.Archive()
			must(t, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	commit(t, s)
	if got := items(s, "b", 1, 51); got != strings.Join(want, " ") {
		t.Errorf("appended %q", got)
	}
}

// TestClosedLog: whatever is called on it, ErrClosed; Close itself again: nothing.
func TestClosedLog(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	s.Append("a", 0, []byte("kept"))
	commit(t, s)
	s.Append("a", 1, []byte("discarded"))
	must(t, s.Close())
	must(t, s.Close())
	s.Append("a", 1, nil)
	_, err := s.Commit()
	_, aerr := s.Archive()
	var rerr error
	for _, rerr = range s.Read("a", 0, 1) {
	}
	for _, err := range []error{err, aerr, rerr, s.Verify(nil)} {
		if !errors.Is(err, streamstore.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	s, rec, err := streamstore.Open(scriptOptions(m))
	must(t, err)
	if start, end, _ := s.Bounds("a"); !rec.Clean || rec.Block != 1 || start != 0 || end != 1 {
		t.Errorf("recovery %+v, a: [%d, %d)", rec, start, end)
	}
	must(t, s.Close())
}

// TestNewLogThatStaysEmpty: opened and closed it leaves no file, and is clean.
func TestNewLogThatStaysEmpty(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	for range 2 {
		s, rec, err := streamstore.Open(scriptOptions(m))
		must(t, err)
		if !rec.Clean || rec.Block != 0 || len(s.Streams()) != 0 {
			t.Errorf("recovery %+v, streams %v", rec, s.Streams())
		}
		s.Append("a", 0, nil) // never committed
		must(t, s.Close())
		if all := filesOf(t, m); len(all) != 0 {
			t.Errorf("there is %v", all.names(""))
		}
	}
}

// TestForeignFileIsRefused: whatever its name looks like, before anything else.
func TestForeignFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"x", "00000001.segmen", "0000001.segment", "000000001.segment", "0000000g.segment",
		"00000000.segment", "00000001.segment.tmp", "closed.tmp.tmp", "manifest2", ".segment",
	} {
		all, _ := sample(t, true)
		all[name] = []byte("x")
		m := all.disk(t)
		_, _, err := streamstore.Open(scriptOptions(m))
		if !errors.Is(err, streamstore.ErrForeign) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if len(filesOf(t, m)) != len(all) {
			t.Errorf("%s: the directory was changed", name)
		}
	}
}

// TestLeftoversAreRemoved: temporary files, archives not listed yet, segments
// archived already.
func TestLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	all, w := sample(t, false)
	segments, archives := all.names(".segment"), all.names(".archive")
	all["closed.tmp"], all["00000009.archive.tmp"] = nil, []byte("x")
	all["00000001.segment"] = []byte("archived already")
	all[strings.Replace(segments[0], "segment", "archive", 1)] = all[archives[0]]
	s, rec, err := streamstore.Open(scriptOptions(all.disk(t)))
	must(t, err)
	if len(rec.Removed) != 4 {
		t.Errorf("removed %v", rec.Removed)
	}
	must(t, w.check(s, 10))
}

// reversion returns a file's bytes with its version replaced, its check right.
func reversion(b []byte, version uint32) []byte {
	f, err := frame.Decode(b)
	if err != nil {
		panic(err)
	}
	body := slices.Clone(f.Body)
	binary.LittleEndian.PutUint32(body[8:], version)
	head, _ := frame.Append(nil, f.Kind, f.Seed, body)
	return append(head, b[f.Bytes():]...)
}

// TestNewerFormatIsNamed: each kind of file of a later version is refused as
// such, and version 0 as damage.
func TestNewerFormatIsNamed(t *testing.T) {
	t.Parallel()
	all, _ := sample(t, true)
	segments, archives := all.names(".segment"), all.names(".archive")
	for _, name := range []string{"manifest", "closed", segments[0]} {
		for version, want := range map[uint32]error{
			2: streamstore.ErrVersion, 0: streamstore.ErrCorrupt,
		} {
			was := all[name]
			all[name] = reversion(was, version)
			_, _, err := streamstore.Open(scriptOptions(all.disk(t)))
			all[name] = was
			if !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s of version %d: %v", name, version, err)
			}
		}
	}
	// The manifest pins an archive, so that only Verify can meet another version.
	all[archives[0]] = reversion(all[archives[0]], 2)
	s := open(t, scriptOptions(all.disk(t)))
	var faults []streamstore.Fault
	err := s.Verify(func(f streamstore.Fault) { faults = append(faults, f) })
	if !errors.Is(err, streamstore.ErrCorrupt) || len(faults) == 0 ||
		!errors.Is(faults[0].Err, streamstore.ErrVersion) {
		t.Errorf("archive of version 2: %v, %v", err, faults)
	}
}
