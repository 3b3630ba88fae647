package streamstore_test

import (
	"strings"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// TestRandomUseEqualsTwin: appends, commits, retention, archives and reopenings
// in random order; after each reopening and at the end the whole log equals the
// twin.
func TestRandomUseEqualsTwin(t *testing.T) {
	t.Parallel()
	for seed := range scaled(150) {
		c := newScript(seed, scriptOptions(vfs.NewMem()))
		if err := c.run(300); err != nil || c.fails != nil {
			t.Fatalf("seed %d: %v, world: %v", seed, err, c.fails)
		}
		if err := c.reopen(); err != nil || c.fails != nil {
			t.Fatalf("seed %d: %v, world: %v", seed, err, c.fails)
		}
	}
}

// TestRandomUseOnDisk: the same on the machine's file system, where a process that
// dies leaves everything it wrote.
func TestRandomUseOnDisk(t *testing.T) {
	t.Parallel()
	for seed := range scaled(6) {
		d, err := vfs.Open(t.TempDir())
		must(t, err)
		c := newScript(seed, scriptOptions(d))
		if err := c.run(200); err != nil || c.fails != nil {
			t.Fatalf("seed %d: %v, world: %v", seed, err, c.fails)
		}
		if err := c.reopen(); err != nil || c.fails != nil {
			t.Fatalf("seed %d: %v, world: %v", seed, err, c.fails)
		}
		must(t, c.s.Close())
		must(t, d.Close())
	}
}

// TestSameUseSameBytes: the files of two logs used alike are equal, to the byte.
func TestSameUseSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range scaled(20) {
		var all [2]files
		for i := range all {
			m := vfs.NewMem()
			c := newScript(seed, scriptOptions(m))
			if err := c.run(200); err != nil || c.fails != nil {
				t.Fatalf("seed %d: %v, world: %v", seed, err, c.fails)
			}
			must(t, c.s.Close())
			all[i] = filesOf(t, m)
		}
		for name, b := range all[0] {
			if string(b) != string(all[1][name]) {
				t.Errorf("seed %d: %s differs", seed, name)
			}
		}
		if len(all[0]) != len(all[1]) {
			t.Errorf("seed %d: files %v and %v", seed, all[0].names(""), all[1].names(""))
		}
	}
}

// TestNeighboursAreReadAtOnce: records that lie together take one read of the
// file, records far apart one each; neither reads what lies between.
func TestNeighboursAreReadAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		between int // bytes of another stream between two items
		reads   int
	}{
		{0, 1}, {4000, 1}, {9000, 20},
	} {
		f := vfs.NewFaulty(vfs.NewMem())
		s := open(t, streamstore.Options{FS: f})
		for i := range uint64(20) {
			s.Append("a", i, []byte(strings.Repeat("x", 50)))
			s.Append("b", i, make([]byte, c.between))
		}
		commit(t, s)
		items(s, "a", 0, 1) // opens the file
		before := f.Reads()
		if got := items(s, "a", 0, 20); len(got) != 20*51-1 {
			t.Errorf("%d bytes between: %q", c.between, got)
		}
		if n := f.Reads() - before; n != c.reads {
			t.Errorf("%d bytes between: %d reads, want %d", c.between, n, c.reads)
		}
	}
}

// TestReadIsInPieces: what is read ahead of the reader is bounded, by items and by
// bytes, so that who stops early has not paid for all.
func TestReadIsInPieces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, size, reads int }{
		{1024, 1, 1}, {1025, 1, 2}, {3000, 1, 3}, {100, 100 << 10, 10}, {5, 2 << 20, 5},
	} {
		f := vfs.NewFaulty(vfs.NewMem())
		s := open(t, streamstore.Options{FS: f})
		for i := range uint64(c.n) {
			s.Append("a", i, make([]byte, c.size))
		}
		commit(t, s)
		items(s, "a", 0, 1)
		before := f.Reads()
		for _, err := range s.Read("a", 0, uint64(c.n)) {
			must(t, err)
		}
		if n := f.Reads() - before; n != c.reads {
			t.Errorf("%d items of %d bytes: %d reads, want %d", c.n, c.size, n, c.reads)
		}
		before = f.Reads()
		for range s.Read("a", 0, uint64(c.n)) {
			break
		}
		if n := f.Reads() - before; n != 1 {
			t.Errorf("%d items of %d bytes: %d reads for the first", c.n, c.size, n)
		}
	}
}

// TestReadTakesItsTime: more items than one step takes, and larger than what one
// step reads, in a row and of all sizes.
func TestReadTakesItsTime(t *testing.T) {
	t.Parallel()
	s := open(t, streamstore.Options{FS: vfs.NewMem(), SegmentBytes: 3 << 20})
	sizes := []int{10, 1 << 20, 5, 3 << 20, 0, 700 << 10, 700 << 10}
	position := uint64(0)
	add := func(size int) {
		s.Append("a", position, itemAt("a", position, size))
		position++
	}
	for _, size := range sizes {
		add(size)
		commit(t, s)
	}
	for range 3000 {
		add(8)
	}
	commit(t, s)
	at := uint64(0)
	for item, err := range s.Read("a", 0, position) {
		must(t, err)
		size := 8
		if at < uint64(len(sizes)) {
			size = sizes[at]
		}
		if string(item) != string(itemAt("a", at, size)) {
			t.Fatalf("a@%d is %.40q", at, item)
		}
		at++
	}
	if at != position {
		t.Errorf("read up to %d of %d", at, position)
	}
}

// TestReadsWithinReads: two readers at once, one inside the other, do not disturb
// each other's items.
func TestReadsWithinReads(t *testing.T) {
	t.Parallel()
	s := open(t, scriptOptions(vfs.NewMem()))
	fill(t, s, []string{"a", "b"}, 30, 150)
	archive(t, s)
	fill(t, s, []string{"a", "b"}, 30, 150)
	at := uint64(0)
	for outer, err := range s.Read("a", 0, 60) {
		must(t, err)
		wantItems(t, s, "b", 0, 60, 150)
		if string(outer) != string(itemAt("a", at, 150)) {
			t.Fatalf("a@%d is %.40q", at, outer)
		}
		at++
	}
}
