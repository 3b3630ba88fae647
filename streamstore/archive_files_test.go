package streamstore_test

import (
	"maps"
	"math"
	"strings"
	"sync"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// meddling is a file system that does something when a file is made.
type meddling struct {
	vfs.FS
	name string
	then func()
}

func (f *meddling) Create(name string) (vfs.File, error) {
	if name == f.name && f.then != nil {
		then := f.then
		f.then = nil
		then()
	}
	return f.FS.Create(name)
}

// TestStreamGoesOnWhileItIsForgotten: given up, and appended to again between the
// moment that Archive looks and the one it acts. The new items stay.
func TestStreamGoesOnWhileItIsForgotten(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := &meddling{FS: m, name: "log/manifest.tmp"}
	s := open(t, scriptOptions(f))
	fill(t, s, []string{"a", "b"}, 30, 150)
	fill(t, s, []string{"b"}, 30, 150)
	s.Retain("a", math.MaxUint64)
	f.then = func() { fill(t, s, []string{"a"}, 2, 150) }
	if st := archive(t, s); st.Forgotten != 1 {
		t.Errorf("%+v", st)
	}
	wantItems(t, s, "a", 30, 32, 150)
	wantItems(t, open(t, scriptOptions(m.Crash(0, 0))), "a", 30, 32, 150)
	fill(t, s, []string{"b"}, 30, 150)
	archive(t, s)
	wantItems(t, s, "b", 0, 90, 150)
}

// TestArchiveWithNothingToDo: touches no file.
func TestArchiveWithNothingToDo(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	s := open(t, scriptOptions(f))
	for range 3 {
		before, reads := f.Operations(), f.Reads()
		if st, err := s.Archive(); err != nil || st != (streamstore.ArchiveStats{}) ||
			f.Operations() != before || f.Reads() != reads {
			t.Errorf("%+v, %v, %d operations", st, err, f.Operations()-before)
		}
		fill(t, s, []string{"a"}, 20, 150)
		s.Retain("a", 1)
		archive(t, s)
	}
}

// TestRemovedFilesAreClosed: a file that Archive removed after it was read is not
// kept open. Descriptors and the space behind them would leak.
func TestRemovedFilesAreClosed(t *testing.T) {
	t.Parallel()
	f := &counting{FS: vfs.NewMem(), open: map[string]int{}}
	s := open(t, scriptOptions(f))
	for round := range uint64(5) {
		fill(t, s, []string{"a"}, 20, 150)
		start, end, _ := s.Bounds("a")
		wantItems(t, s, "a", start, end, 150)
		s.Retain("a", 20*round)
		archive(t, s)
	}
	there := filesOf(t, f.FS)
	for name, n := range f.counts() {
		if _, ok := there[strings.TrimPrefix(name, "log/")]; !ok && n > 0 {
			t.Errorf("%s is removed, and open %d times", name, n)
		}
	}
	must(t, s.Close())
	for name, n := range f.counts() {
		if n != 0 {
			t.Errorf("after Close %s is open %d times", name, n)
		}
	}
}

// counting is a file system that counts how often each file is open.
type counting struct {
	vfs.FS
	mu   sync.Mutex
	open map[string]int
}

func (c *counting) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.open)
}

func (c *counting) opened(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[name]++
	return &countedFile{f, c, name}, nil
}

func (c *counting) Open(name string) (vfs.File, error) {
	f, err := c.FS.Open(name)
	return c.opened(name, f, err)
}

func (c *counting) Create(name string) (vfs.File, error) {
	f, err := c.FS.Create(name)
	return c.opened(name, f, err)
}

type countedFile struct {
	vfs.File
	c    *counting
	name string
}

func (f *countedFile) Close() error {
	f.c.mu.Lock()
	defer f.c.mu.Unlock()
	f.c.open[f.name]--
	return f.File.Close()
}
