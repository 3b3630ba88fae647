package streamstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// fill appends n items of about size bytes to each stream, a block for each row.
func fill(t *testing.T, s *streamstore.Store, streams []string, n, size int) {
	t.Helper()
	for range n {
		for _, stream := range streams {
			_, end, _ := s.Bounds(stream)
			s.Append(stream, end, itemAt(stream, end, size))
		}
		commit(t, s)
	}
}

func itemAt(stream string, position uint64, size int) []byte {
	b := []byte(fmt.Sprintf("%s@%d ", stream, position))
	return append(b, bytes.Repeat([]byte{byte(position)}, max(0, size-len(b)))...)
}

// wantItems fails unless the stream holds exactly [start, end), as fill made it.
func wantItems(t *testing.T, s *streamstore.Store, stream string, start, end uint64, size int) {
	t.Helper()
	if gotStart, gotEnd, _ := s.Bounds(stream); gotStart != start || gotEnd != end {
		t.Fatalf("%s: [%d, %d), want [%d, %d)", stream, gotStart, gotEnd, start, end)
	}
	at := start
	for item, err := range s.Read(stream, start, end) {
		must(t, err)
		if !bytes.Equal(item, itemAt(stream, at, size)) {
			t.Fatalf("%s@%d is %.40q", stream, at, item)
		}
		at++
	}
	if at != end {
		t.Fatalf("%s: read up to %d of %d", stream, at, end)
	}
}

func archive(t *testing.T, s *streamstore.Store) streamstore.ArchiveStats {
	t.Helper()
	st, err := s.Archive()
	must(t, err)
	must(t, s.Verify(func(f streamstore.Fault) { t.Errorf("fault %+v", f) }))
	return st
}

// TestArchiveKeepsAllThatIsNotGivenUp: over many archives, reopenings, and reads
// from every position on.
func TestArchiveKeepsAllThatIsNotGivenUp(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	for round := range uint64(6) {
		fill(t, s, []string{"a", "b"}, 20, 150)
		if round%2 == 1 {
			fill(t, s, []string{"seldom"}, 1, 150)
		}
		st := archive(t, s)
		if st.Segments == 0 || st.Archives != st.Segments || st.Dropped != 0 ||
			st.ArchiveBytes >= st.SegmentBytes {
			t.Errorf("round %d: %+v", round, st)
		}
		if round%3 == 2 {
			must(t, s.Close())
			s = open(t, scriptOptions(m))
		}
	}
	wantItems(t, s, "a", 0, 120, 150)
	wantItems(t, s, "b", 0, 120, 150)
	wantItems(t, s, "seldom", 0, 3, 150)
	if st := s.Stats(); st.Archives < 10 || st.Segments != 1 {
		t.Errorf("stats %+v", st)
	}
	for from := range uint64(120) {
		to := min(from+from%7, 120)
		want := ""
		for i := from; i < to; i++ {
			want += string(itemAt("a", i, 150)) + " "
		}
		if got := items(s, "a", from, to); got != strings.TrimSuffix(want, " ") {
			t.Fatalf("[%d, %d): %.60q", from, to, got)
		}
	}
}

// TestRetainActsWithArchive: until then nothing changes, not even over a crash;
// then what is given up is gone for good, and only that.
func TestRetainActsWithArchive(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a", "b"}, 50, 150)
	s.Retain("a", 30)
	s.Retain("a", 20)   // no way back
	s.Retain("none", 5) // is nobody's
	wantItems(t, s, "a", 0, 50, 150)
	wantItems(t, open(t, scriptOptions(m.Crash(0, 0))), "a", 0, 50, 150)
	st := archive(t, s)
	if st.Dropped != 30 {
		t.Errorf("%+v", st)
	}
	for _, s := range []*streamstore.Store{s, open(t, scriptOptions(m.Crash(0, 0)))} {
		wantItems(t, s, "a", 30, 50, 150)
		wantItems(t, s, "b", 0, 50, 150)
		if got := items(s, "a", 29, 31); !strings.Contains(got, streamstore.ErrRange.Error()) {
			t.Errorf("given up: %q", got)
		}
	}
}

// TestRetainReachesOnlyWhatIsArchived: what lies in the last segment stays until
// that is archived too.
func TestRetainReachesOnlyWhatIsArchived(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a"}, 40, 150)
	s.Retain("a", 40)
	archive(t, s)
	start, _, _ := s.Bounds("a")
	if start == 0 || start >= 40 {
		t.Errorf("a starts at %d", start)
	}
	wantItems(t, open(t, scriptOptions(m.Crash(0, 0))), "a", start, 40, 150)
	fill(t, s, []string{"b"}, 40, 150)
	archive(t, s)
	wantItems(t, s, "a", 40, 40, 150)
	s.Append("a", 40, nil) // goes on where it ended
}

// TestArchivesNobodyNeedsAreRemoved: in the order that their last reader gives
// them up, whichever stream that is; the disk then holds little.
func TestArchivesNobodyNeedsAreRemoved(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a", "b", "c"}, 60, 150)
	archive(t, s)
	full := s.Stats()
	for i, stream := range []string{"b", "a"} {
		s.Retain(stream, 60)
		if st := archive(t, s); st.Removed != 0 {
			t.Errorf("%d streams given up: %+v", i+1, st)
		}
	}
	s.Retain("c", 30)
	if st := archive(t, s); st.Removed == 0 {
		t.Errorf("half of the last given up: %+v", st)
	}
	s.Retain("c", 60)
	if st := archive(t, s); st.Removed == 0 {
		t.Errorf("all given up: %+v", st)
	}
	if st := s.Stats(); st.Archives != 0 || st.DiskBytes > full.DiskBytes/2 {
		t.Errorf("before %+v, after %+v", full, st)
	}
	fill(t, s, []string{"a"}, 3, 150)
	must(t, s.Close())
	s = open(t, scriptOptions(m))
	_, end, _ := s.Bounds("a")
	if got := items(s, "a", 60, end); end != 63 || strings.Contains(got, "error") {
		t.Errorf("afterwards: %q", got)
	}
}

// TestStreamGivenUpIsForgotten: once nothing of it is in a segment; its name may
// then start anywhere.
func TestStreamGivenUpIsForgotten(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a", "b"}, 30, 150)
	fill(t, s, []string{"b"}, 30, 150)
	s.Retain("a", math.MaxUint64)
	if st := archive(t, s); st.Forgotten != 1 {
		t.Errorf("%+v", st)
	}
	if got := fmt.Sprint(s.Streams()); got != "[b]" {
		t.Errorf("streams %v", got)
	}
	s.Append("a", 1000, itemAt("a", 1000, 150))
	commit(t, s)
	fill(t, s, []string{"a", "b"}, 30, 150)
	for _, s := range []*streamstore.Store{s, open(t, scriptOptions(m.Crash(0, 0)))} {
		wantItems(t, s, "a", 1000, 1031, 150)
		wantItems(t, s, "b", 0, 90, 150)
		archive(t, s)
		wantItems(t, s, "a", 1000, 1031, 150)
	}
}

// TestOpenBlockIsNotArchived: a stream that is only in the open block when
// Archive runs does not exist after a crash, nor does its position.
func TestOpenBlockIsNotArchived(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a"}, 40, 150)
	s.Append("new", 7, nil)
	s.Append("a", 40, nil)
	s.Retain("a", 41)
	archive(t, s)
	after := open(t, scriptOptions(m.Crash(0, 0)))
	if _, _, ok := after.Bounds("new"); ok {
		t.Error("the stream of the open block is there")
	}
	start, end, _ := after.Bounds("a")
	if end != 40 || start > end {
		t.Errorf("a: [%d, %d)", start, end)
	}
	after.Append("new", 3, nil)
	commit(t, after)
	commit(t, s)
}

// TestArchiveWhileReading: a reader passes from archives to segments, and these
// become archives behind and before it.
func TestArchiveWhileReading(t *testing.T) {
	t.Parallel()
	const size = 150
	for every := uint64(1); every < 60; every++ {
		s := open(t, scriptOptions(vfs.NewMem()))
		fill(t, s, []string{"a", "b"}, 30, size)
		archive(t, s)
		fill(t, s, []string{"a", "b"}, 60, size)
		at := uint64(0)
		for item, err := range s.Read("a", 0, 90) {
			must(t, err)
			if !bytes.Equal(item, itemAt("a", at, size)) {
				t.Fatalf("every %d: a@%d is %.40q", every, at, item)
			}
			if at++; at%every == 0 {
				fill(t, s, []string{"b"}, 1, size)
				archive(t, s)
			}
		}
		if at != 90 {
			t.Fatalf("every %d: read up to %d", every, at)
		}
	}
}

// TestArchiveOfLargeItems: items around the size of a pack, and far beyond.
func TestArchiveOfLargeItems(t *testing.T) {
	t.Parallel()
	s := open(t, streamstore.Options{FS: vfs.NewMem(), SegmentBytes: 1 << 20})
	sizes := []int{0, 1, 65530, 65536, 65540, 3, 200000, 1 << 20, 5}
	for i, size := range sizes {
		s.Append("a", uint64(i), itemAt("a", uint64(i), size))
		s.Append("noise", uint64(i), noise(size))
		commit(t, s)
	}
	fill(t, s, []string{"b"}, 1, 10) // in the next segment
	if st := archive(t, s); st.Archives != 1 || st.Items != 2*(len(sizes)-1) {
		t.Errorf("%+v", st)
	}
	i := uint64(0)
	for item, err := range s.Read("a", 0, uint64(len(sizes))) {
		must(t, err)
		if !bytes.Equal(item, itemAt("a", i, sizes[i])) {
			t.Errorf("item of %d bytes differs", sizes[i])
		}
		i++
	}
	i = 0
	for item, err := range s.Read("noise", 0, uint64(len(sizes))) {
		must(t, err)
		if !bytes.Equal(item, noise(sizes[i])) {
			t.Errorf("noise of %d bytes differs", sizes[i])
		}
		i++
	}
}

// noise is bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(n) + 0x9e3779b97f4a7c15
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// TestArchiveOfManyStreams: more streams than one frame of the table holds.
func TestArchiveOfManyStreams(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, streamstore.Options{FS: m, SegmentBytes: 200 << 10, PreallocateBytes: -1})
	var streams []string
	for i := range 1500 {
		streams = append(streams, fmt.Sprintf("transcript.v%d", i))
	}
	fill(t, s, streams, 3, 60)
	fill(t, s, []string{"last"}, 2, 200<<10)
	archive(t, s)
	for _, stream := range streams {
		wantItems(t, s, stream, 0, 3, 60)
	}
	all, _ := frames(filesOf(t, m)["00000001.archive"])
	tables := 0
	for _, f := range all {
		if f.Kind == 8 {
			if tables++; len(f.Body) > 5000 {
				t.Errorf("a table of %d bytes", len(f.Body))
			}
		}
	}
	if tables < 5 {
		t.Errorf("%d tables of 1500 streams", tables)
	}
}

// TestArchiveRefusesDamage: a segment that has gone bad is not archived, and
// nothing is removed; the log itself goes on.
func TestArchiveRefusesDamage(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	fill(t, s, []string{"a"}, 40, 150)
	f, err := m.Open("log/" + segment1)
	must(t, err)
	_, err = f.WriteAt([]byte("bad"), 200)
	must(t, err)
	before := fmt.Sprint(filesOf(t, m).names(""))
	for range 2 {
		_, err = s.Archive()
		if !errors.Is(err, streamstore.ErrCorrupt) || !errors.Is(err, streamstore.ErrBroken) ||
			!strings.Contains(err.Error(), segment1) {
			t.Errorf("got %v", err)
		}
	}
	if after := fmt.Sprint(filesOf(t, m).names("")); after != before {
		t.Errorf("files %v became %v", before, after)
	}
	fill(t, s, []string{"b"}, 3, 150)
}

// TestFullDiskDuringArchive: the log is usable, and an archive is possible once
// it is opened again with space.
func TestFullDiskDuringArchive(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := vfs.NewFaulty(m)
	s := open(t, scriptOptions(f))
	fill(t, s, []string{"a"}, 40, 150)
	f.Arm(vfs.Fault{At: f.Operations() + 2, Err: syscall.ENOSPC, Short: true})
	if _, err := s.Archive(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	fill(t, s, []string{"a"}, 10, 150)
	must(t, s.Close())
	s = open(t, scriptOptions(m))
	archive(t, s)
	wantItems(t, s, "a", 0, 50, 150)
}

// TestArchiveBesideWriterAndReaders: Archive, Verify, Read and Stats run while
// another goroutine appends. Every read sees whole streams. Run with -race.
func TestArchiveBesideWriterAndReaders(t *testing.T) {
	t.Parallel()
	s := open(t, scriptOptions(vfs.NewMem()))
	const blocks = 300
	streams := []string{"a", "b", "c"}
	fill(t, s, streams, 1, 100)
	done := make(chan struct{})
	var others sync.WaitGroup
	loop := func(f func() error) {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var runs atomic.Int32
	loop(func() error { _, err := s.Archive(); runs.Add(1); return err })
	loop(func() error { return s.Verify(func(f streamstore.Fault) { t.Errorf("fault %+v", f) }) })
	for _, stream := range streams[:2] {
		loop(func() error { s.Stats(); return readWhole(s, stream, 100) })
	}
	for i := range blocks {
		fill(t, s, streams, 1, 100)
		if i%10 == 9 {
			s.Retain("a", uint64(i/2))
			s.Retain("c", uint64(i))
			for due := runs.Load() + 2; runs.Load() < due && !t.Failed(); {
				runtime.Gosched() // so that one has begun and ended since
			}
		}
	}
	close(done)
	others.Wait()
	start, _, _ := s.Bounds("a")
	wantItems(t, s, "a", start, blocks+1, 100)
	wantItems(t, s, "b", 0, blocks+1, 100)
	if st := s.Stats(); st.Archives == 0 {
		t.Errorf("nothing was archived: %+v", st)
	}
}

// readWhole reads a stream from a start that may have been given up meanwhile.
func readWhole(s *streamstore.Store, stream string, size int) error {
	start, end, _ := s.Bounds(stream)
	at := start
	for item, err := range s.Read(stream, start, end) {
		if now, _, _ := s.Bounds(stream); err != nil && now > at {
			return nil
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(item, itemAt(stream, at, size)) {
			return fmt.Errorf("%s@%d is %.40q", stream, at, item)
		}
		at++
	}
	return nil
}
