package streamstore_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/v1 anew")

const goldenDir = "testdata/v1"

// golden makes the log that is kept in testdata: every kind of file and frame.
func golden(t *testing.T) files {
	t.Helper()
	m := vfs.NewMem()
	s := open(t, streamstore.Options{
		FS: m, SegmentBytes: 1500, PreallocateBytes: -1, Identity: 0x0123456789abcdef,
	})
	fill(t, s, []string{"kv", "transcript.v1", "transcript.v2"}, 12, 120)
	s.Retain("transcript.v1", 3)
	archive(t, s)
	fill(t, s, []string{"kv", "out"}, 2, 90)
	must(t, s.Close())
	return filesOf(t, m)
}

// TestFormatOfVersion1: a log written by the first release opens, reads and
// verifies, and the same use still writes the same bytes. Only a new version may
// change them. The packs are compressed by a library: those only have to read.
func TestFormatOfVersion1(t *testing.T) {
	t.Parallel()
	now := golden(t)
	if *rewrite {
		must(t, os.RemoveAll(goldenDir))
		must(t, os.MkdirAll(goldenDir, 0o755))
		for name, b := range now {
			must(t, os.WriteFile(filepath.Join(goldenDir, name), b, 0o644))
		}
	}
	kept := files{}
	entries, err := os.ReadDir(goldenDir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(goldenDir, e.Name()))
		must(t, err)
		kept[e.Name()] = b
	}
	if a, b := slices.Sorted(maps.Keys(kept)), slices.Sorted(maps.Keys(now)); !slices.Equal(a, b) {
		t.Fatalf("kept %v, written %v", a, b)
	}
	for _, name := range append(now.names(".segment"), "closed") {
		if !bytes.Equal(kept[name], now[name]) {
			t.Errorf("%s: written\n%x, kept\n%x", name, now[name], kept[name])
		}
	}
	s := open(t, streamstore.Options{FS: kept.disk(t)})
	wantItems(t, s, "transcript.v1", 3, 12, 120)
	wantItems(t, s, "transcript.v2", 0, 12, 120)
	wantItems(t, s, "out", 0, 2, 90)
	if _, end, _ := s.Bounds("kv"); end != 14 {
		t.Errorf("kv ends at %d", end)
	}
	if faults := verify(t, s); faults != nil {
		t.Errorf("faults %q", faults)
	}
	fill(t, s, []string{"transcript.v2"}, 5, 120)
	archive(t, s)
}
