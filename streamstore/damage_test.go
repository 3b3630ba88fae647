package streamstore_test

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// files are the names and bytes of a log's directory.
type files map[string][]byte

func filesOf(t testing.TB, f vfs.FS) files {
	t.Helper()
	all := files{}
	names, err := f.List("log")
	must(t, err)
	for _, name := range names {
		all[name] = bytesOf(t, f, path.Join("log", name))
	}
	return all
}

func bytesOf(t testing.TB, f vfs.FS, name string) []byte {
	t.Helper()
	file, err := f.Open(name)
	must(t, err)
	defer file.Close()
	size, err := file.Size()
	must(t, err)
	b := make([]byte, size)
	if size > 0 {
		_, err = file.ReadAt(b, 0)
		must(t, err)
	}
	return b
}

// disk returns a file system that holds the files, all durable.
func (a files) disk(t *testing.T) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	must(t, m.Mkdir("log"))
	for _, name := range slices.Sorted(maps.Keys(a)) {
		file, err := m.Create(path.Join("log", name))
		must(t, err)
		_, err = file.WriteAt(a[name], 0)
		must(t, err)
		must(t, file.Sync())
	}
	must(t, errors.Join(m.SyncDir("log"), m.SyncDir(vfs.Root)))
	return m
}

func (a files) names(suffix string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sample is a small log with several segments, two archives and a manifest. Its
// last step is a crash, or a Close. The twin has the whole of it.
func sample(t *testing.T, clean bool) (files, *twin) {
	t.Helper()
	m := vfs.NewMem()
	o := scriptOptions(m)
	o.SegmentBytes, o.PreallocateBytes = 300, 100
	s, _, err := streamstore.Open(o)
	must(t, err)
	w := newTwin()
	for i := range 10 {
		for j := range 3 {
			stream := fmt.Sprintf("s%d", (i+j)%3)
			item := []byte(strings.Repeat(fmt.Sprintf("<%d.%d>", i, j), 2+j*3))
			s.Append(stream, w.append(stream, 7, item), item)
		}
		w.attempt()
		w.acked, err = s.Commit()
		must(t, err)
		if i == 5 {
			s.Retain("s1", 9)
			w.retain["s1"] = 9
			_, err := s.Archive()
			must(t, err)
		}
	}
	if clean {
		must(t, s.Close())
	} else {
		m = m.Crash(0, 100)
	}
	return filesOf(t, m), w
}

// verdict is what became of damage.
type verdict int

const (
	detected verdict = iota // an error says so
	cut                     // the last block is gone, and Open said so
	harmless                // the state is the same
)

// judge opens a damaged log and reads all of it. What must not be is an error:
// a wrong item, a block lost without a word, or an error that is not ErrCorrupt.
func (a files) judge(t *testing.T, w *twin, clean bool) (verdict, error) {
	m := a.disk(t)
	last := uint64(len(w.ends) - 1)
	s, rec, err := streamstore.Open(scriptOptions(m))
	if err != nil {
		if !errors.Is(err, streamstore.ErrCorrupt) {
			return 0, err
		}
		if got := filesOf(t, m); !maps.EqualFunc(got, a, slices.Equal) {
			return 0, fmt.Errorf("the directory was changed, though %w", err)
		}
		return detected, nil
	}
	err = w.check(s, min(rec.Block, last))
	verr := s.Verify(func(streamstore.Fault) {})
	s.Close()
	switch {
	case len(rec.Damaged) > 0 && err != nil && errors.Is(verr, streamstore.ErrCorrupt):
		return detected, nil
	case len(rec.Damaged) > 0:
		return 0, fmt.Errorf("called damaged: %v; read: %v; verified: %w", rec.Damaged, err, verr)
	case err != nil && !errors.Is(err, streamstore.ErrCorrupt):
		return 0, err
	case (err != nil) && (verr == nil):
		return 0, fmt.Errorf("Verify did not find: %w", err)
	case verr != nil && !errors.Is(verr, streamstore.ErrCorrupt):
		return 0, verr
	case verr != nil:
		return detected, nil
	case rec.Block == last:
		return harmless, nil
	case clean || rec.Block != last-1 || rec.CutFile == "":
		return 0, fmt.Errorf("silently back at block %d of %d: %+v", rec.Block, last, rec)
	}
	return cut, nil
}

// TestEveryFlippedBitIsFound: each bit of each file of a log that was closed, and
// of one that was not. In the first, all are found. In the second, the last
// block may be cut, which is reported; and what was only set aside is harmless.
func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		all, w := sample(t, clean)
		count := map[verdict]int{}
		for name, b := range all {
			for bit := range 8 * len(b) {
				if (testing.Short() || raceEnabled) && bit%7 != 0 {
					continue
				}
				b[bit/8] ^= 1 << (bit % 8)
				v, err := all.judge(t, w, clean)
				if err != nil || clean && v != detected {
					t.Fatalf("clean %v, %s, bit %d of byte %d: verdict %d, %v",
						clean, name, bit%8, bit/8, v, err)
				}
				if v == harmless && b[bit/8] != 1<<(bit%8) {
					t.Fatalf("%s, bit %d of byte %d: harmless, but not set aside", name, bit%8, bit/8)
				}
				b[bit/8] ^= 1 << (bit % 8)
				count[v]++
			}
		}
		t.Logf("clean %v: %d detected, %d cut, %d harmless",
			clean, count[detected], count[cut], count[harmless])
		if !clean && (count[cut] == 0 || count[harmless] == 0) {
			t.Error("the sample shows neither a cut nor space set aside")
		}
	}
}

// TestEveryTruncationIsFound: each file of a log, at each length. In one that was
// closed all are found. In one that was not, the last segment may have lost
// blocks, as after a crash; it then has the state of the ones before.
func TestEveryTruncationIsFound(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		all, w := sample(t, clean)
		segments := all.names(".segment")
		for name, b := range all {
			for n := range b {
				all[name] = b[:n]
				v, err := all.judge(t, w, clean)
				switch {
				case !clean && name == segments[len(segments)-1]:
					s, block, err := w.atMost(scriptOptions(all.disk(t)))
					if err != nil {
						t.Fatalf("%s, %d of %d bytes: block %d, %v", name, n, len(b), block, err)
					}
					s.Close()
				case err != nil || v != detected:
					t.Fatalf("clean %v, %s, %d of %d bytes: verdict %d, %v",
						clean, name, n, len(b), v, err)
				}
			}
			all[name] = b
		}
	}
}

// atMost opens a log that may have lost any number of blocks.
func (w *twin) atMost(o streamstore.Options) (*streamstore.Store, uint64, error) {
	o.NoSync = true
	return w.survive(o)
}

// TestWrongFilesAreFound: files missing, swapped, duplicated, from another log or
// an older state of this one. Each case must fail with ErrCorrupt.
func TestWrongFilesAreFound(t *testing.T) {
	t.Parallel()
	other := func() files {
		m := vfs.NewMem()
		o := scriptOptions(m)
		o.SegmentBytes, o.Identity = 300, 99
		c := newScript(5, o)
		must(t, errors.Join(c.run(200), c.fails, c.s.Close()))
		return filesOf(t, m)
	}()
	for _, clean := range []bool{true, false} {
		all, w := sample(t, clean)
		segments, archives := all.names(".segment"), all.names(".archive")
		if len(segments) < 3 || len(archives) < 2 {
			t.Fatalf("the sample has %v and %v", segments, archives)
		}
		cases := map[string]func(a files){}
		for _, name := range append(segments[:len(segments)-1:len(segments)-1], archives...) {
			cases["without "+name] = func(a files) { delete(a, name) }
		}
		for i, name := range segments {
			cases["other log's "+name] = func(a files) { a[name] = other.largest(".segment") }
			for _, second := range segments[:i] {
				cases[second+" as "+name] = func(a files) { a[name] = a[second] }
				cases["swapped "+second+" "+name] = func(a files) { a[name], a[second] = a[second], a[name] }
			}
		}
		cases["a segment twice"] = func(a files) { a["0000000f.segment"] = a[segments[0]] }
		cases["segments renamed"] = func(a files) {
			for i, name := range segments {
				a[fmt.Sprintf("%08x.segment", 100+i)] = a[name]
				delete(a, name)
			}
		}
		cases["swapped archives"] = func(a files) {
			a[archives[0]], a[archives[1]] = a[archives[1]], a[archives[0]]
		}
		cases["other log's archive"] = func(a files) { a[archives[0]] = other.largest(".archive") }
		cases["an unknown archive"] = func(a files) { a["0000000f.archive"] = a[archives[0]] }
		cases["without manifest"] = func(a files) { delete(a, "manifest") }
		cases["other log's manifest"] = func(a files) { a["manifest"] = other["manifest"] }
		cases["other log's mark"] = func(a files) { a["closed"] = other["closed"] }
		for _, name := range []string{archives[0], "manifest"} {
			cases["longer "+name] = func(a files) { a[name] = append(slices.Clone(a[name]), 0) }
		}
		if clean {
			cases["longer mark"] = func(a files) { a["closed"] = append(slices.Clone(a["closed"]), 0) }
			cases["without the last segment"] = func(a files) { delete(a, segments[len(segments)-1]) }
			cases["longer segment"] = func(a files) {
				name := segments[len(segments)-1]
				a[name] = append(slices.Clone(a[name]), 0)
			}
		}
		for what, change := range cases {
			a := maps.Clone(all)
			change(a)
			if v, err := a.judge(t, w, clean); err != nil || v != detected {
				t.Errorf("clean %v, %s: verdict %d, %v", clean, what, v, err)
			}
		}
	}
}

func (a files) largest(suffix string) []byte {
	var best []byte
	for _, name := range a.names(suffix) {
		if len(a[name]) > len(best) {
			best = a[name]
		}
	}
	return best
}

// TestOlderFilesAreFound: a file put back as it was earlier in the same log,
// while all others are the latest.
func TestOlderFilesAreFound(t *testing.T) {
	t.Parallel()
	for seed := range scaled(10) {
		m := vfs.NewMem()
		c := newScript(seed, scriptOptions(m))
		var older []files
		for range 12 {
			must(t, errors.Join(c.run(25), c.fails))
			c.w.back(c.w.acked)
			must(t, c.s.Close())
			older = append(older, filesOf(t, m))
			c.s, _, c.fails = streamstore.Open(c.o)
			must(t, c.fails)
		}
		now := older[len(older)-1]
		for _, then := range older[:len(older)-1] {
			for name := range then {
				if _, ok := now[name]; !ok || slices.Equal(then[name], now[name]) {
					continue
				}
				a := maps.Clone(now)
				a[name] = then[name]
				if v, err := a.judge(t, c.w, true); err != nil || v != detected {
					t.Fatalf("seed %d, older %s: verdict %d, %v", seed, name, v, err)
				}
			}
		}
	}
}
