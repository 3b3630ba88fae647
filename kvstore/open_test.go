package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vatwarehouse/vfs"
)

// TestSecondOpenIsRefused: while a bbolt table is open, a second Open says
// ErrInUse, and the first goes on.
func TestSecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	o := Options{FS: onDisk(t)}
	s := open(t, o)
	defer s.Close()
	if _, err := Open(o); !errors.Is(err, vfs.ErrInUse) {
		t.Errorf("second open: %v", err)
	}
	s.Set("k", nil)
	block(s)
	if err := errors.Join(s.Checkpoint(), s.Wait()); err != nil {
		t.Error(err)
	}
}

// TestGrowingTableWaitsForNoReader: a table that must be mapped anew at nearly
// every checkpoint, with a view held whenever one starts and while it runs, in
// line and in the background: nothing waits for ever. A deadlock is the test's
// timeout.
func TestGrowingTableWaitsForNoReader(t *testing.T) {
	t.Parallel()
	for _, inline := range []bool{true, false} {
		o := Options{FS: onDisk(t), MapBytes: 1, Inline: inline, NoSync: true, CacheBytes: -1}
		s := open(t, o)
		for i := range 40 {
			for j := range 200 {
				s.Set(fmt.Sprintf("k%d.%d", i, j), make([]byte, 200))
			}
			block(s)
			s.Get("absent") // a view
			if err := s.Checkpoint(); err != nil {
				t.Fatal(err)
			}
			s.Get("absent")
			if key, ok := s.Next("k", ""); !ok || key != "k0.0" {
				t.Fatalf("next: %q, %v", key, ok)
			}
			if i%3 == 0 {
				if err := s.Wait(); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.Get("absent")
		closed(t, s)
	}
}

// TestRotUnderAnOpenStore: the file of an open bbolt table is cut, or overwritten
// with or but for its meta pages, or the bits of its values flip. Reads and
// checkpoints say ErrCorrupt, the first failure sticks, and no later read and no
// Close waits for ever for a lock that bbolt held when it panicked.
func TestRotUnderAnOpenStore(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T, path string){
		"cut": func(t *testing.T, path string) {
			if err := os.Truncate(path, 2*pageBytes); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten": func(t *testing.T, path string) {
			b := contentOf(t, path)
			patch(t, path, 2*pageBytes, bytes.Repeat([]byte{0x5a}, len(b)-2*pageBytes))
		},
		"overwritten with its meta pages": func(t *testing.T, path string) {
			patch(t, path, 0, bytes.Repeat([]byte{0xa5}, len(contentOf(t, path))))
		},
		"flipped": func(t *testing.T, path string) {
			b := contentOf(t, path)
			for at := 0; ; at++ {
				i := bytes.Index(b[at:], []byte("the value"))
				if i < 0 {
					return
				}
				at += i
				patch(t, path, int64(at), []byte{'T'})
			}
		},
	}
	for name, rot := range rows {
		for _, write := range []bool{false, true} {
			dir := t.TempDir()
			fs, err := vfs.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, Options{FS: fs, CacheBytes: -1})
			for i := range 500 {
				s.Set(fmt.Sprintf("k%d", i), []byte("the value"))
			}
			block(s)
			if err := errors.Join(s.Checkpoint(), s.Wait()); err != nil {
				t.Fatal(err)
			}
			rot(t, filepath.Join(dir, "table"))
			if write {
				s.Set("k77", nil)
				block(s)
				s.Checkpoint()
				if err := s.Wait(); !errors.Is(err, ErrCorrupt) || !errors.Is(err, ErrBroken) {
					t.Errorf("%s: checkpoint: %v", name, err)
				}
			} else {
				s.frozen = nil // so that the read reaches the table
				if _, ok := s.Get("k77"); ok || !errors.Is(s.Err(), ErrCorrupt) {
					t.Errorf("%s: read: %v, %v", name, ok, s.Err())
				}
			}
			first := s.Err()
			s.Get("k78")
			s.Next("k78", "")
			if s.Err() != first || s.Close() != first {
				t.Errorf("%s: the first failure did not stick: %v", name, first)
			}
		}
	}
}

func patch(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// TestMemoryIsBounded: a queue whose keys come and go, and reads of many keys,
// leave nothing behind in memory beyond what the options allow.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const cacheBytes, keys = 100_000, 5000
	s := open(t, Options{FS: vfs.NewMem(), CacheBytes: cacheBytes, Inline: true})
	defer s.Close()
	for i := range keys {
		s.Set(fmt.Sprintf("k%d", i), make([]byte, 50))
	}
	block(s)
	for range 2 {
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		block(s) // so that the second one is not in vain
	}
	for i := range 20_000 {
		s.Delete(fmt.Sprintf("runQueue.%d", i))
		s.Set(fmt.Sprintf("runQueue.%d", i+5), make([]byte, 50))
		for j := range 10 {
			s.Get(fmt.Sprintf("k%d", (i*10+j)%keys))
			s.Get(fmt.Sprintf("absent%d", i*10+j))
		}
		if i%50 == 49 {
			block(s)
		}
		if i%1000 == 0 {
			s.Next("runQueue", "")
		}
	}
	for i := range keys { // within one block
		s.Get(fmt.Sprintf("k%d", i))
	}
	if st := s.Stats(); st.CachedBytes > cacheBytes+entryBytes+100 {
		t.Errorf("%d bytes cached, limit %d", st.CachedBytes, cacheBytes)
	}
	// Keys that lived over a block's end leave a tombstone each: 5 in 50.
	if n := len(s.over.entries); n > 20_000/50*6+cacheBytes/entryBytes {
		t.Errorf("%d entries for %d keys", n, s.Stats().ChangedKeys)
	}
	if n := len(s.over.fresh); n > 3000 {
		t.Errorf("%d entries wait to be ordered", n)
	}
	block(s)
	if why := tidy(s.over); why != "" {
		t.Error(why)
	}
}

// TestCacheFollowsTheReader: when the cache is full of what was read once, what
// is read next takes its place, and the table is not asked twice.
func TestCacheFollowsTheReader(t *testing.T) {
	t.Parallel()
	s := open(t, Options{FS: vfs.NewMem(), CacheBytes: 10_000})
	defer s.Close()
	for i := range 1000 {
		s.Get(fmt.Sprintf("once%d", i))
	}
	block(s)
	for i := range 30 {
		s.Get(fmt.Sprintf("often%d", i))
	}
	asked := s.Stats().TableReads
	for i := range 30 {
		s.Get(fmt.Sprintf("often%d", i))
	}
	if got := s.Stats().TableReads; got != asked {
		t.Errorf("%d reads of the table for keys just read", got-asked)
	}
}

// gate is a table whose checkpoints wait.
type gate struct {
	table
	open chan struct{}
}

func (g gate) checkpoint(position uint64, sorted func() []*entry) func() error {
	work := g.table.checkpoint(position, sorted)
	return func() error { <-g.open; return work() }
}

// TestCheckpointBesideReaders holds a checkpoint back: reads see its changes
// while it waits, whatever view of the table they began; when it is over, and
// before anyone waits for it, reads see the new table; and Close waits for it.
func TestCheckpointBesideReaders(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		s := open(t, Options{FS: fs(t), CacheBytes: -1})
		for _, key := range []string{"a", "b", "c"} {
			s.Set(key, []byte("1"))
		}
		block(s)
		if err := errors.Join(s.Checkpoint(), s.Wait()); err != nil {
			t.Fatal(err)
		}
		g := gate{s.table, make(chan struct{})}
		s.table = g
		s.Delete("b")
		s.Set("c", []byte("2"))
		block(s)
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		see := func(when string) {
			t.Helper()
			key, _ := s.Next("a", "")
			_, b := s.Get("b")
			c, _ := s.Get("c")
			if key != "activityhash" || b || string(c) != "2" {
				t.Errorf("%s: next %q, b %v, c %q", when, key, b, c)
			}
			if key, _ := s.Next("activityhash", ""); key != "c" {
				t.Errorf("%s: next %q", when, key)
			}
		}
		see("in flight")
		close(g.open)
		for s.TablePosition() < 2 && s.Err() == nil {
			runtime.Gosched()
		}
		see("over")
		s.Set("d", nil)
		block(s)
		if b, isBolt := g.table.(*boltTable); isBolt && b.tx != nil {
			t.Error("a view of the table outlives its block")
		}
		g.open = make(chan struct{})
		s.table = g
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		go close(g.open)
		closed(t, s)
		if st := s.Stats(); st.Checkpoints != 3 || s.tablePosition != 3 {
			t.Errorf("closed before the checkpoint was over: %+v", st)
		}
	})
}

// TestNothingLeaks: stores opened and closed, and tables refused, leave no file,
// no mapping and no goroutine behind.
func TestNothingLeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts what /proc shows")
	}
	count := func(path string) int {
		if b, err := os.ReadFile(path); err == nil {
			return bytes.Count(b, []byte("/table"))
		}
		names, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	o, _, path, good := boltImage(t, 150)
	files, maps := count("/proc/self/fd"), count("/proc/self/maps")
	goroutines := runtime.NumGoroutine()
	for i := range 40 {
		b := bytes.Clone(good)
		if i%2 == 0 {
			b[(i%16)*pageBytes+20] ^= 0xff
		}
		overwrite(t, path, b)
		if s, err := Open(o); err == nil {
			s.Get("k")
			closed(t, s)
		}
	}
	if n := count("/proc/self/fd"); n != files {
		t.Errorf("%d files open, were %d", n, files)
	}
	if n := count("/proc/self/maps"); n != maps {
		t.Errorf("%d mappings of tables, were %d", n, maps)
	}
	if n := runtime.NumGoroutine(); n != goroutines {
		t.Errorf("%d goroutines, were %d", n, goroutines)
	}
}
