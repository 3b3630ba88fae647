package host_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/portable"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestBadRowsAreRefused: an export of which every hash is right, but one row, of each kind
// in turn, is cut short or is something else, is refused with the row's name; so is a feed.
func TestBadRowsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRuns(t, vfs.NewMem(), stepOptions())
	r.step(t, 3)
	first, done := export(t, r.h, host.Archival)
	for !r.step(t, 100) {
	}
	whole, _ := export(t, r.h, host.Archival)
	numbers := regexp.MustCompile(`[0-9a-f]{16,}|[0-9]+`)
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for _, row := range takeApart(t, whole).rows {
		kind := numbers.ReplaceAllString(row.Key, "#")
		if v := regexp.MustCompile(`^v[0-9]+\.v\.|^local\.note\.|\.q$|^device\..*\.v\.`); seen[kind] || v.MatchString(row.Key) {
			continue // bytes of the vats', the devices' and the embedder's
		}
		seen[kind] = true
		for _, bad := range [][]byte{{0xff}, append(bytes.Clone(row.Value), 0), bytes.Repeat([]byte{byte(rng.Uint32())}, 200)} {
			f := takeApart(t, whole)
			f.row(t, row.Key).Value = bad
			_, err := host.Import(ctx, bytes.NewReader(f.bytes(t)), "", nil)
			var named *host.RowError
			if !errors.Is(err, host.ErrCorrupt) || !errors.As(err, &named) || named.Key != row.Key {
				t.Errorf("row %q is %x: %v", row.Key, bad, err)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d kinds of rows: %v", len(seen), seen)
	}

	var feed bytes.Buffer
	if _, err := r.h.Feed(ctx, done.Base, &feed); err != nil {
		t.Fatal(err)
	}
	files := vfs.NewMem()
	importInto(t, first, files, stepOptions())
	h := open(t, files, stepOptions())
	for _, bad := range [][]byte{{0xff}, {}, []byte("something else")} {
		for _, key := range []string{"run", "crank", "ids", "v1.i", "unknown", "kp7.q"} {
			f := takeApart(t, feed.Bytes())
			f.sets[len(f.sets)-1] = withRow(t, f.sets[len(f.sets)-1], portable.Row{Key: key, Value: bad})
			_, err := h.Apply(ctx, bytes.NewReader(f.bytes(t)), swing.Hash{})
			var named *host.RowError
			if !errors.Is(err, host.ErrCorrupt) || !errors.As(err, &named) || named.Key != key {
				t.Errorf("fed row %q is %x: %v", key, bad, err)
			}
		}
	}
	if _, err := h.Apply(ctx, bytes.NewReader(feed.Bytes()), swing.Hash{}); err != nil {
		t.Error(err)
	}
	check(t, h)
}

// TestUnknownRowsAreRefused: a row that the kernel never writes does not come in.
func TestUnknownRowsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRuns(t, vfs.NewMem(), stepOptions())
	r.step(t, 3)
	whole, _ := export(t, r.h, host.Archival)
	for _, key := range []string{
		"a", "v", "v0.o", "v1", "v1.", "v1.z", "v1.oo", "v999.o", "ko1.x", "ko01", "ko99999", "kp40.z", "gc.1.2.3", "run.1", "zz", "device.", "v1.c.kp40",
	} {
		f := takeApart(t, whole)
		at, has := slices.BinarySearchFunc(f.rows, key, func(r portable.Row, key string) int { return bytes.Compare([]byte(r.Key), []byte(key)) })
		if has {
			t.Fatalf("row %q is there", key)
		}
		f.rows = slices.Insert(f.rows, at, portable.Row{Key: key, Value: []byte{0x80}})
		_, err := host.Import(ctx, bytes.NewReader(f.bytes(t)), "", nil)
		var named *host.RowError
		if !errors.Is(err, host.ErrCorrupt) || !errors.As(err, &named) || named.Key != key {
			t.Errorf("row %q: %v", key, err)
		}
	}
}

// withRow puts a row into a change set.
func withRow(t *testing.T, set []byte, row portable.Row) []byte {
	t.Helper()
	list, err := kvstore.DecodeChanges(set)
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(c kvstore.Change) bool { return c.Key == row.Key })
	list = append(list, kvstore.Change{Key: row.Key, Value: row.Value})
	slices.SortFunc(list, func(a, b kvstore.Change) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return kvstore.AppendChanges(nil, list)
}
