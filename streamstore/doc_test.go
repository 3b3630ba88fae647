package streamstore

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// table is a format table of doc.go: fields one behind the other.
type table struct {
	name string
	kind int
	rows [][2]int // offset, size; size 0 for the rest
}

// tables parses the tables with offsets out of doc.go.
func tables(t *testing.T) (all []table) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`^//\t(\w+) \(kind (\d+)`)
	row := regexp.MustCompile(`^//\t(\d+)\s+(?:(\d+)\s\s+)?\S`)
	for line := range strings.Lines(string(text)) {
		if m := head.FindStringSubmatch(line); m != nil {
			kind, _ := strconv.Atoi(m[2])
			all = append(all, table{name: m[1], kind: kind})
		} else if m := row.FindStringSubmatch(line); m != nil && len(all) > 0 {
			offset, _ := strconv.Atoi(m[1])
			size, _ := strconv.Atoi(m[2])
			last := &all[len(all)-1]
			last.rows = append(last.rows, [2]int{offset, size})
		}
	}
	return all
}

// TestTablesAreTheFormat: each table of doc.go is without gaps and as long as the
// bodies that the code writes; each kind is documented once.
func TestTablesAreTheFormat(t *testing.T) {
	t.Parallel()
	sizes := map[int]int{} // of the bodies of a sample, by kind; the shortest
	note := func(b []byte) {
		for len(b) > 0 {
			f, err := frame.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			kind := int(f.Kind)
			if have, ok := sizes[kind]; !ok || len(f.Body) < have {
				sizes[kind] = len(f.Body)
			}
			b = b[f.Bytes():]
		}
	}
	for _, b := range sampleFiles(t) {
		note(b)
	}
	seen := map[int]bool{}
	for _, tab := range tables(t) {
		if seen[tab.kind] {
			t.Errorf("kind %d twice", tab.kind)
		}
		seen[tab.kind] = true
		at, open := 0, len(tab.rows) == 0
		for _, row := range tab.rows {
			if row[0] != at {
				t.Errorf("%s (kind %d): a field at %d, want %d", tab.name, tab.kind, row[0], at)
			}
			at += row[1]
			open = open || row[1] == 0
		}
		size, ok := sizes[tab.kind]
		if !ok {
			t.Errorf("%s (kind %d): not in the sample", tab.name, tab.kind)
		}
		if at != size && !open || at > size {
			t.Errorf("%s (kind %d): %d bytes, the code writes %d", tab.name, tab.kind, at, size)
		}
	}
	for kind := range sizes {
		if !seen[kind] && kind != kindPacked { // which shares a table with kindPlain
			t.Errorf("kind %d is not documented", kind)
		}
	}
}

// sampleFiles returns the bytes of a log that has every kind of file and frame.
func sampleFiles(t *testing.T) (all [][]byte) {
	t.Helper()
	m := vfs.NewMem()
	s, _, err := Open(Options{FS: m, SegmentBytes: 100, PreallocateBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(4) {
		s.Append("a", i, []byte(strings.Repeat("x", int(40*i))))
		if _, err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Archive(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := m.List("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := m.Open("log/" + name)
		if err != nil {
			t.Fatal(err)
		}
		size, _ := f.Size()
		b := make([]byte, size)
		if err := readFull(f, b, 0); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}
