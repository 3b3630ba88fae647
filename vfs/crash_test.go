package vfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"

	"vatwarehouse/vfs"
)

const sector = 512

// drawn counts over many seeds what a crash makes of one file: "-" if absent.
func drawn(t *testing.T, m *vfs.Mem, name string, keep int) map[string]int {
	t.Helper()
	states := map[string]int{}
	for seed := range uint64(300) {
		after := m.Crash(seed, keep)
		names, err := after.List(vfs.Root)
		must(t, err)
		state := "-"
		for _, n := range names {
			if n == name {
				state = content(t, after, name)
			}
		}
		states[state]++
	}
	return states
}

// wantStates fails unless each of the states was drawn, and no other.
func wantStates(t *testing.T, got map[string]int, want ...string) {
	t.Helper()
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("never drawn: %.80q", w)
		}
		delete(got, w)
	}
	for g := range got {
		t.Errorf("drawn: %.80q", g)
	}
}

// synced returns a file system with one file, its content and name durable.
func synced(t *testing.T, text string) (*vfs.Mem, vfs.File) {
	m := vfs.NewMem()
	file := create(t, m, "a", text)
	must(t, file.Sync())
	must(t, m.SyncDir(vfs.Root))
	return m, file
}

// TestSyncedSurvivesEveryCrash: whatever is kept of what came later.
func TestSyncedSurvivesEveryCrash(t *testing.T) {
	t.Parallel()
	m, _ := synced(t, "hello")
	for _, keep := range []int{0, 1, 50, 99, 100} {
		wantStates(t, drawn(t, m, "a", keep), "hello")
	}
}

// TestUnsyncedWrite: kept in some seeds, lost in others; at 0 never, at 100 always.
func TestUnsyncedWrite(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "hello")
	put(t, file, 1, "u")
	wantStates(t, drawn(t, m, "a", 50), "hello", "hullo")
	wantStates(t, drawn(t, m, "a", 0), "hello")
	wantStates(t, drawn(t, m, "a", 100), "hullo")
	must(t, file.Sync())
	wantStates(t, drawn(t, m, "a", 0), "hullo")
}

// TestWritesAreLostOutOfOrder: the later of two may be there without the earlier.
func TestWritesAreLostOutOfOrder(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "..")
	put(t, file, 0, "1")
	put(t, file, 1, "2")
	wantStates(t, drawn(t, m, "a", 50), "..", "1.", ".2", "12")
}

// TestWriteIsTornBySector: each sector of a write for itself, the length too.
func TestWriteIsTornBySector(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "")
	one, two, zero := strings.Repeat("1", sector), "2", strings.Repeat("\x00", sector)
	put(t, file, 0, one+two)
	wantStates(t, drawn(t, m, "a", 50), "", one, one+"\x00", zero+two, one+two, zero+"\x00")
}

// TestSectorsLieByFileOffset: a write across a sector's bound is torn there.
func TestSectorsLieByFileOffset(t *testing.T) {
	t.Parallel()
	m, file := synced(t, strings.Repeat(".", sector+2))
	put(t, file, sector-1, "12")
	head := strings.Repeat(".", sector-1)
	wantStates(t, drawn(t, m, "a", 50), head+"...", head+"1..", head+".2.", head+"12.")
}

// TestTruncateMayBeLost: as may what was written before and after it.
func TestTruncateMayBeLost(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "hello")
	must(t, file.Truncate(1))
	wantStates(t, drawn(t, m, "a", 50), "hello", "h")
	must(t, file.Sync())
	must(t, file.Preallocate(3))
	wantStates(t, drawn(t, m, "a", 50), "h", "h\x00\x00")
	put(t, file, 1, "o")
	wantStates(t, drawn(t, m, "a", 50), "h", "ho", "h\x00", "ho\x00", "h\x00\x00")
}

// TestNewNameMayBeLost: until its directory is synced, the file's sync or not.
func TestNewNameMayBeLost(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	file := create(t, m, "a", "hello")
	wantStates(t, drawn(t, m, "a", 50), "-", "", "hello", "\x00\x00\x00\x00\x00")
	must(t, file.Sync())
	wantStates(t, drawn(t, m, "a", 50), "-", "hello")
	must(t, m.SyncDir(vfs.Root))
	wantStates(t, drawn(t, m, "a", 0), "hello")
	must(t, m.Remove("a"))
	wantStates(t, drawn(t, m, "a", 50), "-", "hello")
	must(t, m.SyncDir(vfs.Root))
	wantStates(t, drawn(t, m, "a", 50), "-")
}

// TestNameWithoutContent: a synced directory does nothing for its files.
func TestNameWithoutContent(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	create(t, m, "a", "hello")
	must(t, m.SyncDir(vfs.Root))
	wantStates(t, drawn(t, m, "a", 0), "")
}

// TestRenameIsOne: after a crash old or new name, never both, never neither.
func TestRenameIsOne(t *testing.T) {
	t.Parallel()
	m, _ := synced(t, "new")
	file := create(t, m, "b", "old")
	must(t, file.Sync())
	must(t, m.SyncDir(vfs.Root))
	must(t, m.Rename("a", "b"))
	states := map[string]int{}
	for seed := range uint64(300) {
		after := m.Crash(seed, 50)
		states[list(t, after, vfs.Root)+" "+content(t, after, "b")]++
	}
	wantStates(t, states, "a b old", "b new")
}

// TestRenamedTwice: a file has one name, whichever of its renames are kept.
func TestRenamedTwice(t *testing.T) {
	t.Parallel()
	m, _ := synced(t, "x")
	must(t, m.Rename("a", "b"))
	must(t, m.Rename("b", "c"))
	create(t, m, "a", "")
	states := map[string]int{}
	for seed := range uint64(300) {
		states[list(t, m.Crash(seed, 50), vfs.Root)]++
	}
	wantStates(t, states, "a", "b", "c", "a b", "a c")
}

// TestDirectoryMayBeLost: with all that is in it, synced or not.
func TestDirectoryMayBeLost(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	must(t, m.Mkdir("d"))
	must(t, create(t, m, "d/a", "x").Sync())
	must(t, m.SyncDir("d"))
	if got := list(t, m.Crash(1, 0), vfs.Root); got != "" {
		t.Fatalf("there is %q", got)
	}
	must(t, m.SyncDir(vfs.Root))
	if got := content(t, m.Crash(1, 0), "d/a"); got != "x" {
		t.Fatalf("got %q", got)
	}
}

// TestCrashLeavesTheOriginal: it goes on as if nothing was, and holds its locks;
// what came of the crash is synced, unlocked, and goes its own way.
func TestCrashLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "hello")
	lock, err := m.Lock("lock")
	must(t, err)
	put(t, file, 0, "j")
	after := m.Crash(1, 100)
	put(t, file, 0, "c")
	if got := content(t, after.Crash(1, 0), "a"); got != "jello" {
		t.Fatalf("after the crash: %q", got)
	}
	if got := content(t, m, "a"); got != "cello" {
		t.Fatalf("the original: %q", got)
	}
	other, err := after.Lock("lock")
	must(t, err)
	must(t, other.Close())
	_, err = m.Lock("lock")
	mustBe(t, err, vfs.ErrInUse)
	must(t, lock.Close())
}

// TestCrashIsDrawnFromTheSeed: the same seed, the same state.
func TestCrashIsDrawnFromTheSeed(t *testing.T) {
	t.Parallel()
	m := randomHistory(t, 3, 200).m
	for seed := range uint64(20) {
		if a, b := dump(t, m.Crash(seed, 50)), dump(t, m.Crash(seed, 50)); a != b {
			t.Fatalf("seed %d: %q and %q", seed, a, b)
		}
	}
}

func dump(t *testing.T, f vfs.FS) string { return dumpDir(t, f, vfs.Root) }

func dumpDir(t *testing.T, f vfs.FS, dir string) string {
	t.Helper()
	var b strings.Builder
	names, err := f.List(dir)
	must(t, err)
	for _, name := range names {
		name = path.Join(dir, name)
		if _, err := f.List(name); errors.Is(err, vfs.ErrNotPlain) {
			fmt.Fprintf(&b, "%s=%q ", name, content(t, f, name))
		} else {
			fmt.Fprintf(&b, "%s/ %s", name, dumpDir(t, f, name))
		}
	}
	return b.String()
}

// saver is the smallest store there is: it replaces a file by the rules.
type saver struct {
	fs                vfs.FS
	noSync, noSyncDir bool // planted faults
}

func (s saver) save(text string) error {
	file, err := s.fs.Create("new")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	if !s.noSync {
		if err := file.Sync(); err != nil {
			return err
		}
	}
	if err := s.fs.Rename("new", "a"); err != nil {
		return err
	}
	if s.noSyncDir {
		return nil
	}
	return s.fs.SyncDir(vfs.Root)
}

// lostBy returns what a crash after any operation of two saves breaks, or "".
func lostBy(t *testing.T, noSync, noSyncDir bool) string {
	for k := 1; ; k++ {
		m := vfs.NewMem()
		f := vfs.NewFaulty(m)
		f.Arm(vfs.Fault{At: k, Crash: true})
		s := saver{f, noSync, noSyncDir}
		done := "-"
		for _, text := range []string{"one", "two"} {
			if s.save(text) != nil {
				break
			}
			done = text
		}
		for _, keep := range []int{0, 50, 100} {
			for state := range drawn(t, m, "a", keep) {
				whole := state == "-" || state == "one" || state == "two"
				if !whole || state < done { // they sort in the order they are saved
					return fmt.Sprintf("%s, keep %d: saved %q, found %q", f.Fired(), keep, done, state)
				}
			}
		}
		if f.Fired() == "" {
			return ""
		}
	}
}

// TestHarnessCatchesMissingSyncs: a store that obeys the rules survives a crash
// at every operation; with either sync left out it does not.
func TestHarnessCatchesMissingSyncs(t *testing.T) {
	t.Parallel()
	if got := lostBy(t, false, false); got != "" {
		t.Errorf("an obedient store lost something: %s", got)
	}
	if lostBy(t, true, false) == "" {
		t.Error("a missing Sync was not caught")
	}
	if lostBy(t, false, true) == "" {
		t.Error("a missing SyncDir was not caught")
	}
}

// TestUnsyncedIsBounded: a file or directory that is never synced keeps the
// newest changes only; older ones count as written back, none is lost.
func TestUnsyncedIsBounded(t *testing.T) {
	t.Parallel()
	m, file := synced(t, "")
	const size, writes = 1 << 20, 9
	for i := range writes {
		put(t, file, int64(i)*size, strings.Repeat("x", size))
	}
	after, err := m.Crash(1, 0).Open("a")
	must(t, err)
	if n, err := after.Size(); err != nil || n < 4*size || n >= writes*size {
		t.Errorf("of %d bytes %d are counted as written back, %v", writes*size, n, err)
	}
	for i := range 100 {
		create(t, m, fmt.Sprintf("f%d", i), "")
	}
	if n := len(strings.Fields(list(t, m.Crash(1, 0), vfs.Root))); n <= 1 || n >= 100 {
		t.Errorf("of 100 names %d are counted as written back", n-1)
	}
}

// TestCrashIsOneMoment: of two files written one after the other, each synced
// before the next is written, a crash at any time shows no later state of the
// second. Run with -race.
func TestCrashIsOneMoment(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	a, b := create(t, m, "a", "\x00"), create(t, m, "b", "\x00")
	must(t, errors.Join(a.Sync(), b.Sync(), m.SyncDir(vfs.Root)))
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := byte(1); i < 200; i++ {
			for _, file := range []vfs.File{a, b} {
				if _, err := file.WriteAt([]byte{i}, 0); err != nil {
					t.Error(err)
				}
				if err := file.Sync(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	defer writer.Wait()
	for seed := range uint64(200) {
		after := m.Crash(seed, 50)
		if first, second := content(t, after, "a"), content(t, after, "b"); first < second {
			t.Fatalf("seed %d: a is %q, b is %q", seed, first, second)
		}
	}
}

// TestCrashWantsAPercentage: anything else is a fault of the caller.
func TestCrashWantsAPercentage(t *testing.T) {
	t.Parallel()
	for _, keep := range []int{-1, 101} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("keep %d accepted", keep)
				}
			}()
			vfs.NewMem().Crash(1, keep)
		}()
	}
}

// TestMemFileIsBounded: a write far out is an error, not an allocation.
func TestMemFileIsBounded(t *testing.T) {
	t.Parallel()
	_, file := synced(t, "")
	if _, err := file.WriteAt([]byte("x"), 1<<40); err == nil {
		t.Error("wrote at 1 TiB")
	}
	if file.Truncate(1<<40) == nil || file.Preallocate(1<<40) == nil {
		t.Error("grew to 1 TiB")
	}
	mustBe(t, file.Close(), nil)
	mustBe(t, file.Close(), fs.ErrClosed)
}

// BenchmarkMemAppend: a small append and a sync, the pattern of the log.
func BenchmarkMemAppend(b *testing.B) {
	m := vfs.NewMem()
	file, err := m.Create("a")
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 1500)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	at := int64(0)
	for b.Loop() {
		if _, err := file.WriteAt(p, at); err != nil {
			b.Fatal(err)
		}
		at = (at + int64(len(p))) % (64 << 20)
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
