package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// small is a point that takes little time.
func small(way string, suffix int) Point {
	return Point{HeapMiB: 1, DirtyPages: 2, Suffix: suffix, Way: way}
}

// TestSurfaceMeasuresEveryWay: each way is measured so often, under each option that it
// has a use for, replays what it says, and what it has none of is 0. A snapshot of the
// warehouse's stores less than a full copy, and less if it is compressed; copied memory is
// the process's own.
func TestSurfaceMeasuresEveryWay(t *testing.T) {
	const suffix = 5
	s := Sweep{
		HeapsMiB: []int{1}, DirtyPages: []int{2}, Suffixes: []int{suffix},
		Detectors: []string{"scan", "pagemap", "compare"}, Memories: []string{"mapped", "copied"},
		Compressions: []string{"lz4", "none"}, Prefetches: []string{"off", "prefetch"},
		Axes: []string{"detector", "memory", "compression", "prefetch"},
	}
	s.Ways, _ = Ways()
	points, err := s.Points()
	if err != nil || len(points) != len(s.Ways)+2*3+1+1 {
		t.Fatalf("%v, %v", points, err)
	}
	r := &Run{Dir: t.TempDir()}
	turns := 0
	all, err := Surface(t.Context(), r, points, 3, func() { turns++ })
	if err != nil || len(all) != len(points) || turns != 3*len(points) {
		t.Fatalf("%d turns, %v", turns, err)
	}
	replays := map[string]int{
		"snapshot": suffix, "full-copy": suffix, "naive": 200 + suffix,
	}
	of := map[string]Measured{}
	for i, m := range all {
		of[m.Keeping()] = m
		if m.Way == "by-cost" { // it has none taken of so little
			replays[m.Way] = max(m.Replayed, 2*suffix)
		}
		hosted := slices.Contains([]string{"snapshot", "pause", "on-evict", "by-cost"}, m.Way)
		saves := slices.Contains([]string{"snapshot", "full-copy", "naive"}, m.Way)
		bad := m.Point != points[i] || m.PageInP50 <= 0 || m.PageInP99 < m.PageInP50 ||
			m.Rounds != 3 || m.Replayed != replays[m.Way] ||
			(m.ReplayRate > 0) != (m.Replayed > 0) || (m.SnapshotP50 > 0) != saves ||
			(m.EvictP50 > 0) != hosted || (m.ImageP50 > 0) != (m.Way == "snapshot") ||
			m.Seconds <= 0
		if bad {
			t.Errorf("%#v", m)
		}
	}
	full, plain := of["full-copy"].SnapshotBytes, of["snapshot, none"].SnapshotBytes
	compressed := of["snapshot"].SnapshotBytes
	if compressed == 0 || compressed >= plain || plain*10 > full || of["naive"].SnapshotBytes != 0 {
		t.Errorf("bytes of snapshots: %v, %v plain, %v whole", compressed, plain, full)
	}
	if left, err := os.ReadDir(r.Dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	magic := []Point{small("snapshot", 0), small("magic", 0)}
	if _, err := Surface(t.Context(), r, magic, 3, func() {}); err == nil {
		t.Error("a way that there is not")
	}
}

// TestSurfaceStops: a context that has ended ends each way with its error.
func TestSurfaceStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	names, _ := Ways()
	for _, name := range names {
		r := &Run{Dir: t.TempDir()}
		_, err := Surface(ctx, r, []Point{small(name, 1)}, 1000, func() {})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSweep: each axis is varied by itself, one of several in all combinations, the first
// values being the base; points of one vat are together, and none is there twice. An
// option is no part of a point whose way has no use for it.
func TestSweep(t *testing.T) {
	s := Sweep{
		HeapsMiB: []int{4, 8}, DirtyPages: []int{1, 2}, Suffixes: []int{0, 9},
		Detectors: []string{"compare", "scan"}, Memories: []string{"mapped", "copied"},
		Compressions: []string{"lz4", "none"}, Prefetches: []string{"off"}, Ways: []string{"pause", "wazero"},
		Axes: []string{"heap", "dirty+suffix", "memory", "compression"},
	}
	points, err := s.Points()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range points {
		got = append(got, fmt.Sprint(p.HeapMiB, p.DirtyPages, p.Suffix, " ", p.Keeping()))
	}
	want := []string{
		"4 1 0 pause, compare", "4 1 0 wazero", "4 1 0 pause, copied",
		"8 1 0 pause, compare", "8 1 0 wazero", "4 1 9 pause, compare", "4 1 9 wazero",
		"4 2 0 pause, compare", "4 2 0 wazero", "4 2 9 pause, compare", "4 2 9 wazero",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s.Axes = []string{"heap+magic"}
	if _, err := s.Points(); err == nil {
		t.Error("an axis that there is not")
	}
}

// TestSurfaceFileGoesOn: a file cut at every length goes on with the points whose lines
// are whole, and what is added is read again; another machine, and other rounds, are
// refused and change nothing.
func TestSurfaceFileGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "points")
	m := Machine{CPU: "x"}
	points := []Measured{{Point: small("a", 1), Seconds: 1}, {Point: small("b", 2), Seconds: 3}}
	whole := writePoints(t, path, m, points)
	for n := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSurface(path, m, 7)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		lines := bytes.Count(whole[:n], []byte("\n"))
		if want := max(lines-1, 0); len(s.Done) != want {
			t.Fatalf("cut at %d: %d points, want %d", n, len(s.Done), want)
		}
		for _, p := range points[len(s.Done):] {
			if err := s.Append(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, whole) {
			t.Fatalf("cut at %d: %v, %s", n, err, b)
		}
	}
	if _, err := OpenSurface(path, Machine{CPU: "y"}, 7); err == nil {
		t.Error("another machine's file is gone on with")
	}
	if _, err := OpenSurface(path, m, 8); err == nil {
		t.Error("a file of other rounds is gone on with")
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("one line of something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSurface(other, m, 7); err == nil {
		t.Error("a file of something else is overwritten")
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, whole) {
		t.Errorf("refusing changes the file: %v", err)
	}
}

func writePoints(t *testing.T, path string, m Machine, points []Measured) []byte {
	t.Helper()
	s, err := OpenSurface(path, m, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if err := s.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, _, err := ReadSurface(b); err != nil || !reflect.DeepEqual(s.Done, points) {
		t.Fatalf("%v, %v", s, err)
	}
	return b
}

// TestLeft: what is left is expected to take as many times longer than thought as what was
// measured of the same way, or else as all that was; it grows with all that there is to do.
func TestLeft(t *testing.T) {
	p := Point{HeapMiB: 64, DirtyPages: 16, Suffix: 20, Way: "snapshot"}
	thought := Left(nil, []Point{p}, 50)
	longer := []Point{p, p, p}
	longer[0].HeapMiB, longer[1].DirtyPages, longer[2].Suffix = 128, 32, 40
	for _, q := range longer {
		if got := Left(nil, []Point{q}, 50); got <= thought {
			t.Errorf("%v: %v, and %v: %v", q, got, p, thought)
		}
	}
	other := p
	other.Way = "naive"
	done := []Measured{
		{Point: p, Rounds: 50, Seconds: 3 * thought.Seconds()},
		{Point: other, Rounds: 50, Seconds: 5 * Left(nil, []Point{other}, 50).Seconds()},
	}
	near := func(got, want time.Duration) bool { return (got - want).Abs() < time.Millisecond }
	if got := Left(done, []Point{p, p}, 50); !near(got, 6*thought) {
		t.Errorf("of the same way: %v, want %v", got, 6*thought)
	}
	p.Way = "full-copy"
	fresh := Left(nil, []Point{p}, 50)
	if got := Left(done, []Point{p}, 50); got <= 3*fresh || got >= 5*fresh {
		t.Errorf("of another way: %v, thought %v", got, fresh)
	}
	if got := Left(done, nil, 50); got != 0 {
		t.Errorf("nothing is left: %v", got)
	}
}

// TestTable: a table has each measure along an axis by each way, of what the file has, and
// says what is not there.
func TestTable(t *testing.T) {
	s := Sweep{
		HeapsMiB: []int{4, 8}, DirtyPages: []int{1}, Suffixes: []int{0},
		Detectors: []string{"scan"}, Memories: []string{"mapped"}, Compressions: []string{"lz4"}, Prefetches: []string{"off"},
		Ways: []string{"pause", "wazero"}, Axes: []string{"heap"},
	}
	points, err := s.Points()
	if err != nil {
		t.Fatal(err)
	}
	file := &SurfaceFile{}
	for i, p := range points {
		m := Measured{Point: p, PageInP50: float64(10 * (i + 1)), PageInP99: float64(100 * (i + 1))}
		file.Done = append(file.Done, m)
	}
	for _, c := range []struct {
		cut  Cut
		want Table
	}{
		{Cut{"heap", []string{"page-in"}, false}, Table{
			[]string{"heap", "pause", "wazero"}, []string{"4", "8"}, [][]float64{{10, 20}, {30, 40}},
		}},
		{Cut{"dirty", []string{"page-in", "page-in-p99"}, true}, Table{
			[]string{"dirty", "pause, page-in", "wazero, page-in", "pause, page-in-p99",
				"wazero, page-in-p99"}, []string{"1"}, [][]float64{{1, 2, 1, 2}},
		}},
	} {
		got, err := s.Table(file, c.cut)
		if err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%v, %v, want %v", got, err, c.want)
		}
	}
	file.Done = file.Done[:3]
	for _, c := range []Cut{
		{"heap", []string{"page-in"}, false}, {"magic", []string{"page-in"}, false},
		{"dirty", []string{"magic"}, false},
	} {
		if _, err := s.Table(file, c); err == nil {
			t.Errorf("%v can be shown", c)
		}
	}
}

// TestPercentile: it is the value at its place in order, for samples of every size.
func TestPercentile(t *testing.T) {
	var s sample
	for i := range 200 {
		s = append(sample{float64(i + 1)}, s...)
		want := float64((99*(i+1) + 99) / 100)
		if got := s.percentile(99); got != want {
			t.Errorf("of %d: %v, want %v", i+1, got, want)
		}
	}
}
