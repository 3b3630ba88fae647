package streamstore_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// frames splits a segment's bytes up to where they stop to be frames.
func frames(b []byte) (all []frame.Frame, offsets []int) {
	for off := 0; ; {
		f, err := frame.Decode(b[off:])
		if err != nil {
			return all, append(offsets, off)
		}
		all, offsets = append(all, f), append(offsets, off)
		off += f.Bytes()
	}
}

// oneSegment is a log of some blocks of one record each, all in one segment.
func oneSegment(t testing.TB, blocks int, item func(i int) string) files {
	t.Helper()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.SegmentBytes = 1 << 20
	s := open(t, o)
	for i := range blocks {
		s.Append("a", uint64(i), []byte(item(i)))
		commit(t, s)
	}
	return filesOf(t, m.Crash(0, 100))
}

func numbered(i int) string { return "item " + strings.Repeat(string(rune('0'+i)), 20) }

const segment1 = "00000001.segment"

// TestTornTailIsReported: cut where the last whole block ends, with the bytes cut
// and the reason; what is left stays, and the cut is durable, with and without
// sync: bytes cut must never come back behind new ones.
func TestTornTailIsReported(t *testing.T) {
	t.Parallel()
	for _, noSync := range []bool{false, true} {
		tornTailIsReported(t, noSync)
	}
}

func tornTailIsReported(t *testing.T, noSync bool) {
	all := oneSegment(t, 3, numbered)
	_, offsets := frames(all[segment1])
	end, last := offsets[len(offsets)-1], offsets[len(offsets)-4] // three frames a block
	all[segment1][end-1] ^= 1
	m := all.disk(t)
	o := scriptOptions(m)
	o.NoSync = noSync
	s, rec, err := streamstore.Open(o)
	must(t, err)
	defer s.Close()
	if rec.Clean || rec.Block != 2 || rec.CutFile != "log/"+segment1 || rec.CutOffset != int64(last) ||
		rec.CutBytes != int64(len(all[segment1])-last) ||
		!strings.Contains(rec.CutReason, "check failed") {
		t.Errorf("recovery %+v, want a cut at %d", rec, last)
	}
	if got := items(s, "a", 0, 2); got != numbered(0)+" "+numbered(1) {
		t.Errorf("left: %q", got)
	}
	if b := filesOf(t, m.Crash(0, 0))[segment1]; len(b) != last {
		t.Errorf("after a crash the segment has %d bytes, want %d", len(b), last)
	}
}

// TestDamageBeforeLaterBlocksIsNamed: a bad block with a good one behind it is
// damage: ErrCorrupt names the segment, the offset, and how it is known.
func TestDamageBeforeLaterBlocksIsNamed(t *testing.T) {
	t.Parallel()
	all := oneSegment(t, 4, numbered)
	_, offsets := frames(all[segment1])
	second := offsets[4]           // header, then opening, record, closing of block 1
	all[segment1][offsets[5]] ^= 1 // the record's length
	_, _, err := streamstore.Open(scriptOptions(all.disk(t)))
	for _, want := range []string{
		"log/" + segment1,
		"at byte " + strconv.Itoa(second),
		"record at byte " + strconv.Itoa(offsets[5]),
		"at byte " + strconv.Itoa(offsets[7]) + " all before that was durable",
	} {
		if !errors.Is(err, streamstore.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %q", err, want)
		}
	}
}

// TestItemsCannotImitateBlocks: an item that holds a copy of the bytes of a whole
// later block, or of another log's, does not turn a torn tail into damage: it
// would have to know the log's identity.
func TestItemsCannotImitateBlocks(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.SegmentBytes, o.Identity = 1<<20, 42
	s := open(t, o)
	for i := range 9 {
		s.Append("a", uint64(i), []byte(numbered(i)))
		commit(t, s)
	}
	foreign := filesOf(t, m)[segment1]
	all := oneSegment(t, 3, func(i int) string { return string(foreign[:1000]) })
	_, offsets := frames(all[segment1])
	all[segment1][offsets[len(offsets)-3]+5] = 7 // the last record's header
	s, rec, err := streamstore.Open(scriptOptions(all.disk(t)))
	if err != nil || rec.Block != 2 || rec.CutFile == "" {
		t.Errorf("recovery %+v, %v", rec, err)
	}
	if s != nil {
		must(t, s.Close())
	}
}

// TestIdentityIsRandom: two new logs have different ones unless told, so that no
// file of one is taken for the other's.
func TestIdentityIsRandom(t *testing.T) {
	t.Parallel()
	var heads [][]byte
	for range 2 {
		m := vfs.NewMem()
		s := open(t, streamstore.Options{FS: m, PreallocateBytes: -1})
		s.Append("a", 0, nil)
		commit(t, s)
		heads = append(heads, filesOf(t, m)[segment1])
	}
	if len(heads[0]) != len(heads[1]) || bytes.Equal(heads[0], heads[1]) {
		t.Errorf("two logs of %d and %d bytes, equal: %v",
			len(heads[0]), len(heads[1]), bytes.Equal(heads[0], heads[1]))
	}
}

// twoLives returns the bytes of one log whose last block was written twice: once
// before a crash that lost it, and once after, with another item of equal size.
func twoLives(t *testing.T) (stale, live []byte) {
	t.Helper()
	before := oneSegment(t, 2, numbered)
	var lives [][]byte
	for _, item := range []string{"stale", "alive"} {
		m := before.disk(t)
		s := open(t, scriptOptions(m))
		s.Append("a", 2, []byte(item))
		commit(t, s)
		lives = append(lives, filesOf(t, m)[segment1])
	}
	return lives[0], lives[1]
}

// TestStaleRecordIsNotTakenForLive: a whole record of an earlier life in place of
// the one that belongs there verifies by itself, has the right stream, position
// and size, and is found by the chain alone. A reader that forgot the chain is
// simulated by a closing frame that follows the stale record: then the twin's
// comparison finds the wrong item.
func TestStaleRecordIsNotTakenForLive(t *testing.T) {
	t.Parallel()
	stale, live := twoLives(t)
	all, offsets := frames(live)
	record, closing := offsets[len(all)-2], offsets[len(all)-1]
	mixed := slices.Clone(live)
	copy(mixed[record:closing], stale[record:closing])
	s, rec, err := streamstore.Open(scriptOptions(files{segment1: mixed}.disk(t)))
	if err != nil || rec.Block != 2 || !strings.Contains(rec.CutReason, "out of its chain") {
		t.Fatalf("recovery %+v, %v", rec, err)
	}
	must(t, s.Close())

	w := newTwin()
	for i, item := range []string{numbered(0), numbered(1), "alive"} {
		w.append("a", 0, []byte(item))
		w.attempt()
		w.acked = uint64(i + 1)
	}
	s, block, err := w.survive(scriptOptions(files{segment1: live}.disk(t)))
	if err != nil || block != 3 {
		t.Fatalf("the live log: block %d, %v", block, err)
	}
	must(t, s.Close())
	staleFrames, _ := frames(stale)
	last := all[len(all)-1]
	forged, _ := frame.Append(nil, last.Kind, staleFrames[len(all)-2].Check, last.Body)
	copy(mixed[closing:], forged)
	if _, block, err := w.survive(scriptOptions(files{segment1: mixed}.disk(t))); err == nil ||
		!strings.Contains(err.Error(), "a@2 differs") {
		t.Errorf("a reader without the chain: block %d, %v", block, err)
	}
}

// TestZeroedStartOfSegment: without sync, a header that a crash lost is a torn
// tail; with it, the block behind says that the header was durable.
func TestZeroedStartOfSegment(t *testing.T) {
	t.Parallel()
	for _, noSync := range []bool{false, true} {
		m := vfs.NewMem()
		o := scriptOptions(m)
		o.NoSync = noSync
		s := open(t, o)
		s.Append("a", 0, make([]byte, 600))
		commit(t, s)
		all := filesOf(t, m)
		_, offsets := frames(all[segment1])
		clear(all[segment1][:offsets[1]])
		s, rec, err := streamstore.Open(scriptOptions(all.disk(t)))
		if noSync && (err != nil || rec.Block != 0 || rec.CutOffset != 0) {
			t.Errorf("no sync: recovery %+v, %v", rec, err)
		}
		if !noSync && !errors.Is(err, streamstore.ErrCorrupt) {
			t.Errorf("sync: recovery %+v, %v", rec, err)
		}
		if s != nil {
			must(t, s.Close())
		}
	}
}

// TestProcessDiesBetweenWriteAndSync: what the next opening finds in the cache it
// makes durable before it speaks of it.
func TestProcessDiesBetweenWriteAndSync(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := vfs.NewFaulty(m)
	s := open(t, scriptOptions(f))
	s.Append("a", 0, []byte("one"))
	commit(t, s)
	f.Arm(vfs.Fault{At: f.Operations() + 2, Crash: true}) // the next commit's sync
	s.Append("a", 1, []byte("two"))
	if _, err := s.Commit(); !errors.Is(err, vfs.ErrCrashed) {
		t.Fatal(err)
	}
	s, rec, err := streamstore.Open(scriptOptions(m))
	must(t, err)
	if rec.Block != 2 {
		t.Fatalf("recovery %+v", rec)
	}
	after := open(t, scriptOptions(m.Crash(0, 0)))
	if got := items(after, "a", 0, 2); got != "one two" {
		t.Errorf("after a crash of the machine: %q", got)
	}
	must(t, s.Close())
}

// TestDamageAfterCloseIsNamed: in a log that was closed, the last block too; the
// error names the segment, the offset and the reason.
func TestDamageAfterCloseIsNamed(t *testing.T) {
	t.Parallel()
	all, _ := sample(t, true)
	names := all.names(".segment")
	name := names[len(names)-1]
	_, offsets := frames(all[name])
	at := offsets[len(offsets)-2] // the last frame
	all[name][at+1] ^= 1
	_, _, err := streamstore.Open(scriptOptions(all.disk(t)))
	for _, want := range []string{
		"log/" + name, "byte " + strconv.Itoa(at), "in a log that was closed",
	} {
		if !errors.Is(err, streamstore.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %q", err, want)
		}
	}
}

// written is a file system that notes what is written where.
type written struct {
	vfs.FS
	notes map[string]int // "name offset bytes" to how often
}

func (w written) Open(name string) (vfs.File, error) {
	f, err := w.FS.Open(name)
	return writtenFile{f, w, name}, err
}

type writtenFile struct {
	vfs.File
	w    written
	name string
}

func (f writtenFile) WriteAt(b []byte, at int64) (int, error) {
	f.w.notes[f.name+" "+strconv.FormatInt(at, 10)+" "+string(b)]++
	return f.File.WriteAt(b, at)
}

// TestLastBlockIsWrittenAgain: after an unclean end, as the disk may have failed
// to take it while the machine's cache shows it. After a clean one, and without
// sync, nothing is written. A header with no block behind it counts as a block.
func TestLastBlockIsWrittenAgain(t *testing.T) {
	t.Parallel()
	all := oneSegment(t, 3, numbered)
	_, offsets := frames(all[segment1])
	cases := map[string]struct {
		from, to int
		noSync   bool
	}{
		"three blocks": {offsets[7], offsets[10], false},
		"no block":     {0, offsets[1], false},
		"without sync": {0, offsets[10], true},
	}
	for what, c := range cases {
		a := files{segment1: all[segment1][:c.to]}
		w := written{a.disk(t), map[string]int{}}
		o := scriptOptions(w)
		o.NoSync = c.noSync
		s, _, err := streamstore.Open(o)
		must(t, err)
		want := map[string]int{}
		if !c.noSync {
			want["log/"+segment1+" "+strconv.Itoa(c.from)+" "+string(all[segment1][c.from:c.to])] = 1
		}
		if !maps.Equal(w.notes, want) {
			t.Errorf("%s: wrote %v, want %v", what, w.notes, want)
		}
		must(t, s.Close())
		clear(w.notes)
		s, _, err = streamstore.Open(o)
		must(t, err)
		if len(w.notes) != 0 {
			t.Errorf("%s, closed: wrote %v", what, w.notes)
		}
		must(t, s.Close())
	}
}
