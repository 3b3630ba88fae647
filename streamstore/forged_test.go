package streamstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// forge returns a segment's bytes with the body of one frame changed, and every
// check and seed from there on put right: only what the fields say is wrong.
func forge(t *testing.T, b []byte, i int, change func(body []byte) []byte) []byte {
	t.Helper()
	all, _ := frames(b)
	if i >= len(all) {
		t.Fatalf("there is no frame %d of %d", i, len(all))
	}
	var out []byte
	seed := all[0].Seed
	for j, f := range all {
		body := f.Body
		if j == i {
			body = change(slices.Clone(body))
		}
		out, seed = frame.Append(out, f.Kind, seed, body)
	}
	return out
}

// plus returns a change that adds to a number of the body.
func plus(offset, size int, n uint64) func([]byte) []byte {
	return func(body []byte) []byte {
		if size == 4 {
			v := binary.LittleEndian.Uint32(body[offset:])
			binary.LittleEndian.PutUint32(body[offset:], v+uint32(n))
		} else {
			v := binary.LittleEndian.Uint64(body[offset:])
			binary.LittleEndian.PutUint64(body[offset:], v+n)
		}
		return body
	}
}

// TestContradictionsAreDamage: frames whose checks and seeds are right but which
// say what cannot be. No crash makes such; each is ErrCorrupt, wherever it is.
func TestContradictionsAreDamage(t *testing.T) {
	t.Parallel()
	good := oneSegment(t, 3, numbered)[segment1]
	const header, opening, record, closing = 0, 7, 8, 9 // of block 3, the last
	for what, c := range map[string]struct {
		frame  int
		change func([]byte) []byte
	}{
		"another log's header":     {header, plus(12, 8, 1)},
		"another segment's header": {header, plus(20, 4, 1)},
		"a header of no kind":      {header, func(b []byte) []byte { return b[1:] }},
		"unknown flags":            {header, plus(32-7, 8, 1<<60)},
		"another log's block":      {opening, plus(8, 8, 1)},
		"a block too early":        {opening, plus(16, 8, ^uint64(0))},
		"a block too late":         {opening, plus(16, 8, 1)},
		"a block of no magic":      {opening, plus(0, 8, 1)},
		"the end of another block": {closing, plus(0, 8, 1)},
		"a record too many":        {closing, plus(8, 4, 1)},
		"a byte too many":          {closing, plus(12, 8, 1)},
		"a record too early":       {record, func(b []byte) []byte { b[2]--; return b }},
		"a record too late":        {record, func(b []byte) []byte { b[2]++; return b }},
		"a record of no stream":    {record, func(b []byte) []byte { b[0] = 0; return b }},
		"a record of a short name": {record, func([]byte) []byte { return []byte{9, 'a'} }},
		"a record in a longer form": {record, func(b []byte) []byte {
			return append([]byte{1, 'a', 0x82, 0}, b[3:]...)
		}},
	} {
		bad := forge(t, good, c.frame, c.change)
		s, rec, err := streamstore.Open(scriptOptions(files{segment1: bad}.disk(t)))
		if !errors.Is(err, streamstore.ErrCorrupt) || !strings.Contains(err.Error(), segment1) {
			t.Errorf("%s: %+v, %v", what, rec, err)
		}
		if s != nil {
			must(t, s.Close())
		}
	}
	same := forge(t, good, header, func(b []byte) []byte { return b })
	s, rec, err := streamstore.Open(scriptOptions(files{segment1: same}.disk(t)))
	if err != nil || rec.Block != 3 {
		t.Fatalf("unchanged: %+v, %v", rec, err)
	}
	must(t, s.Close())
}

// TestSegmentOfAnotherLogIsDamage: also where nothing says what was durable, as
// after NoSync: a crash may lose segments, but does not bring another log's.
func TestSegmentOfAnotherLogIsDamage(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.NoSync, o.SegmentBytes = true, 200
	s := open(t, o)
	fill(t, s, []string{"a"}, 4, 150)
	all := filesOf(t, m)
	names := all.names(".segment")
	for what, change := range map[string]func([]byte) []byte{
		"identity": plus(12, 8, 1), "number": plus(20, 4, 1), "version": plus(8, 4, 1<<31),
	} {
		a := maps.Clone(all)
		a[names[1]] = forge(t, all[names[1]], 0, change)
		_, rec, err := streamstore.Open(scriptOptions(a.disk(t)))
		if what == "version" {
			if !errors.Is(err, streamstore.ErrVersion) {
				t.Errorf("%s: %+v, %v", what, rec, err)
			}
		} else if !errors.Is(err, streamstore.ErrCorrupt) {
			t.Errorf("%s: %+v, %v", what, rec, err)
		}
	}
	a := maps.Clone(all) // one that does not follow may be left by a crash
	a[names[1]] = forge(t, all[names[1]], 0, plus(24, 8, 1))
	s, rec, err := streamstore.Open(scriptOptions(a.disk(t)))
	if err != nil || rec.CutFile != "log/"+names[1] || rec.CutOffset != 0 || len(s.Streams()) != 1 {
		t.Errorf("first block: %+v, %v", rec, err)
	}
	must(t, s.Close())
}

// TestArchivesThatDisagree: an archive put in place of another under an open log,
// whole in itself, which holds less of a stream, holds it not at all, or says that
// there is nothing before it. Reading across says so and yields no wrong item.
func TestArchivesThatDisagree(t *testing.T) {
	t.Parallel()
	const name = "00000002.archive"
	for what, change := range map[string]func([]byte) []byte{
		// of the table: first stream 0; name "a", first, count, archive before
		"one less": func(b []byte) []byte { b[7]--; return b },
		"renamed":  func(b []byte) []byte { b[5] = 'A'; return b },
		"no more":  func(b []byte) []byte { b[8] = 0; return b },
		"loops":    func(b []byte) []byte { b[8] = 2; return b },
	} {
		m, s := life(t, 1, true)
		b := filesOf(t, m)[name]
		all, _ := frames(b)
		table := slices.IndexFunc(all, func(f frame.Frame) bool { return f.Kind == 8 })
		bad := forge(t, b, table, change)
		overwrite(t, m, name, bad, 0, len(bad))
		_, end, _ := s.Bounds("a")
		n := 0
		var last error
		for _, err := range s.Read("a", 0, end) {
			if last = err; err == nil {
				n++
			}
		}
		if !errors.Is(last, streamstore.ErrCorrupt) || !strings.Contains(last.Error(), "archive") {
			t.Errorf("%s: %d items, then %v", what, n, last)
		}
		if faults := verify(t, s); len(faults) == 0 {
			t.Errorf("%s: Verify finds nothing", what)
		}
	}
}

// life is a log of one identity whose items are drawn from a seed: two lives have
// the same blocks, sizes and positions, and other bytes.
func life(t *testing.T, seed uint64, archived bool) (*vfs.Mem, *streamstore.Store) {
	t.Helper()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.SegmentBytes = 3000
	s := open(t, o)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range uint64(12) {
		for _, stream := range []string{"a", "b"} {
			item := make([]byte, 500) // that do not compress: so archives are of one size
			for i := range item {
				item[i] = byte(rng.Uint32())
			}
			s.Append(stream, i, item)
		}
		commit(t, s)
	}
	if archived {
		archive(t, s)
	}
	return m, s
}

// TestFilesOfAnotherLifeAreFound: a segment or an archive of another history of
// the same log: of the same number, size and blocks.
func TestFilesOfAnotherLifeAreFound(t *testing.T) {
	t.Parallel()
	for _, archived := range []bool{false, true} {
		m1, _ := life(t, 1, archived)
		m2, _ := life(t, 2, archived)
		one, two := filesOf(t, m1), filesOf(t, m2)
		if fmt.Sprint(one.names("")) != fmt.Sprint(two.names("")) || len(one) < 4 {
			t.Fatalf("files %v and %v", one.names(""), two.names(""))
		}
		for name := range one {
			if len(one[name]) != len(two[name]) {
				t.Fatalf("%s: %d and %d bytes", name, len(one[name]), len(two[name]))
			}
			a := files{}
			for other, b := range one {
				a[other] = b
			}
			a[name] = two[name]
			_, _, err := streamstore.Open(scriptOptions(a.disk(t)))
			if !errors.Is(err, streamstore.ErrCorrupt) {
				t.Errorf("archived %v, %s of another life: %v", archived, name, err)
			}
		}
	}
}

// TestBlockOfAnotherLifeIsCut: the last block replaced by one of another history,
// whole in itself: it does not follow, so it is a torn tail.
func TestBlockOfAnotherLifeIsCut(t *testing.T) {
	t.Parallel()
	last := func(item string) ([]byte, []int) {
		b := oneSegment(t, 3, func(i int) string { return fmt.Sprint(item, i) })[segment1]
		_, offsets := frames(b)
		return b, offsets
	}
	one, offsets := last("one")
	two, _ := last("two")
	copy(one[offsets[7]:], two[offsets[7]:])
	s, rec, err := streamstore.Open(scriptOptions(files{segment1: one}.disk(t)))
	if err != nil || rec.Block != 2 || rec.CutOffset != int64(offsets[7]) ||
		!strings.Contains(rec.CutReason, "out of its chain") {
		t.Errorf("recovery %+v, %v", rec, err)
	}
	must(t, s.Close())
}

// overwrite puts the bytes of another life's file over a part of one that is in
// use, as a disk would that lost a later write.
func overwrite(t *testing.T, m *vfs.Mem, name string, other []byte, from, to int) {
	t.Helper()
	f, err := m.Open("log/" + name)
	must(t, err)
	_, err = f.WriteAt(other[from:to], int64(from))
	must(t, err)
}

// TestRecordOfAnotherLifeIsFound: put in its place under an open log, where it
// verifies by itself: Verify names it, Archive refuses the segment.
func TestRecordOfAnotherLifeIsFound(t *testing.T) {
	t.Parallel()
	m1, s := life(t, 1, false)
	m2, _ := life(t, 2, false)
	other := filesOf(t, m2)[segment1]
	_, offsets := frames(other)
	overwrite(t, m1, segment1, other, offsets[6], offsets[7]) // a@1
	want := fmt.Sprintf("log/%s %d a@1", segment1, offsets[6])
	if faults := verify(t, s); !slices.Equal(faults, []string{want}) {
		t.Errorf("faults %q, want %q", faults, want)
	}
	if _, err := s.Archive(); !errors.Is(err, streamstore.ErrCorrupt) {
		t.Errorf("archived it: %v", err)
	}
}

// TestPackOfAnotherLifeIsFound: likewise in an archive.
func TestPackOfAnotherLifeIsFound(t *testing.T) {
	t.Parallel()
	m1, s := life(t, 1, true)
	m2, _ := life(t, 2, true)
	const name = "00000001.archive"
	other := filesOf(t, m2)[name]
	_, offsets := frames(other)
	overwrite(t, m1, name, other, offsets[1], offsets[2])
	// The pack fits the header before it; what is after it does not follow.
	want := fmt.Sprintf("log/%s %d @0", name, offsets[2])
	if faults := verify(t, s); !slices.Equal(faults, []string{want}) {
		t.Errorf("faults %q, want %q", faults, want)
	}
}

// TestEvidenceAcrossReads: the opening frame that proves damage is found wherever
// it lies to the bounds of the reads that search for it.
func TestEvidenceAcrossReads(t *testing.T) {
	t.Parallel()
	const readBytes = 1 << 20
	around := readBytes - (41 + 16 + 3 + 36) // a block's bytes besides the item
	for shift := -60; shift <= 60; shift += 5 {
		m := vfs.NewMem()
		s := open(t, streamstore.Options{FS: m})
		for i, size := range []int{10, around + shift, 10} {
			s.Append("a", uint64(i), bytes.Repeat([]byte("x"), size))
			commit(t, s)
		}
		_, offsets := frames(filesOf(t, m)[segment1])
		rot(t, m, segment1, offsets[5]+3) // the length of block 2's record
		_, _, err := streamstore.Open(streamstore.Options{FS: m.Crash(0, 100)})
		want := fmt.Sprintf("at byte %d all before that was durable", offsets[7])
		if !errors.Is(err, streamstore.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("shift %d: %v, want %q", shift, err, want)
		}
	}
}

// TestRandomDamage: flipped bytes, sectors zeroed, repeated or swapped, tails cut,
// in the files of a random log. What must not be is a wrong item or a block lost
// without a word; only where every block to the end is hit, in a log that was not
// closed, may it look as if it had been shorter.
func TestRandomDamage(t *testing.T) {
	t.Parallel()
	count := map[verdict]int{}
	for seed := range scaled(60) {
		clean := seed%2 == 0
		m := vfs.NewMem()
		c := newScript(seed, scriptOptions(m))
		must(t, errors.Join(c.run(200), c.fails))
		c.w.back(c.w.acked)
		if clean {
			must(t, c.s.Close())
		}
		all := filesOf(t, m)
		rng := rand.New(rand.NewPCG(seed, 1))
		for round := range 30 {
			name, b := all.damage(rng)
			was := all[name]
			all[name] = b
			v, err := all.judge(t, c.w, clean)
			if segments := all.names(".segment"); err != nil && !clean && name == segments[len(segments)-1] {
				v, err = cut, all.judgeTail(t, c.w, was, b)
			}
			if same := bytes.Equal(b, was); err != nil || clean && v != detected && !same {
				t.Fatalf("seed %d, round %d, %s: verdict %d, %v", seed, round, name, v, err)
			}
			_, offsets := frames(was)
			if used := offsets[len(offsets)-1]; v == harmless && !bytes.Equal(b[:used], was[:used]) {
				t.Fatalf("seed %d, round %d, %s: harmless, but not set aside", seed, round, name)
			}
			all[name] = was
			count[v]++
		}
	}
	t.Logf("%d detected, %d cut, %d harmless", count[detected], count[cut], count[harmless])
}

// judgeTail allows what judge does not: that several blocks are gone, if of none
// of them but the first the opening frame is left.
func (a files) judgeTail(t *testing.T, w *twin, was, b []byte) error {
	s, block, err := w.atMost(scriptOptions(a.disk(t)))
	if err != nil {
		return err
	}
	must(t, s.Close())
	all, offsets := frames(was)
	for i, f := range all {
		if f.Kind != 2 || binary.LittleEndian.Uint64(f.Body[16:]) <= block+1 {
			continue
		}
		if bytes.Equal(was[offsets[i]:offsets[i+1]], b[offsets[i]:offsets[i+1]]) {
			return fmt.Errorf("back at block %d, though byte %d opens a later one", block, offsets[i])
		}
	}
	return nil
}

// damage returns a changed copy of one of the files.
func (a files) damage(rng *rand.Rand) (name string, b []byte) {
	names := a.names("")
	name = names[rng.IntN(len(names))]
	b = slices.Clone(a[name])
	const sector = 512
	sectors := len(b)/sector + 1
	part := func(i int) []byte { return b[i*sector : min(len(b), (i+1)*sector)] }
	i, j := rng.IntN(sectors), rng.IntN(sectors)
	switch rng.IntN(5) {
	case 0:
		for range 1 + rng.IntN(3) {
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		}
	case 1:
		clear(part(i))
	case 2:
		copy(part(i), part(j))
	case 3:
		k := slices.Clone(part(i))
		copy(part(i), part(j))
		copy(part(j), k)
	case 4:
		clear(b[rng.IntN(len(b)):]) // the length was durable, the rest was not
	}
	return name, b
}
