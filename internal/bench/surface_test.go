package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// small is a point that takes little time.
func small(way string, suffix int) Point { return Point{1, 2, suffix, way} }

// TestSurfaceMeasuresEveryWay: each way is measured so often, replays what it says, and
// what it has none of is 0. A snapshot of the warehouse's stores less than a full copy.
func TestSurfaceMeasuresEveryWay(t *testing.T) {
	const suffix = 5
	replays := map[string]int{"snapshot": suffix, "full-copy": suffix, "naive": 200 + suffix}
	names, _ := Ways()
	bytes := map[string]float64{}
	for _, name := range names {
		r := &Run{Dir: t.TempDir()}
		m, err := Surface(t.Context(), r, small(name, suffix), 3)
		if err != nil {
			t.Fatal(err)
		}
		bytes[name] = m.SnapshotBytes
		bad := m.PageInP50 <= 0 || m.PageInP99 < m.PageInP50 || m.Rounds != 3 ||
			m.Replayed != replays[name] || (m.ReplayRate > 0) != (m.Replayed > 0) ||
			(m.SnapshotP50 > 0) != (name != "wazero")
		if bad {
			t.Errorf("%+v", m)
		}
		if left, err := os.ReadDir(r.Dir); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", name, left, err)
		}
	}
	if bytes["snapshot"] == 0 || bytes["snapshot"]*10 > bytes["full-copy"] || bytes["naive"] != 0 {
		t.Errorf("bytes of snapshots: %v", bytes)
	}
	if _, err := Surface(t.Context(), &Run{}, small("magic", 0), 3); err == nil {
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
		if _, err := Surface(ctx, r, small(name, 1), 1000); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
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

// TestLeft: what is left is estimated by what is most like it.
func TestLeft(t *testing.T) {
	done := []Measured{
		{Point: Point{1, 1, 0, "a"}, Seconds: 1}, {Point: Point{1, 1, 0, "b"}, Seconds: 3},
		{Point: Point{2, 1, 0, "b"}, Seconds: 8},
	}
	for _, c := range []struct {
		p    Point
		want time.Duration
	}{
		{Point{1, 9, 9, "a"}, time.Second},
		{Point{1, 9, 9, "c"}, 2 * time.Second},
		{Point{9, 9, 9, "a"}, 4 * time.Second},
	} {
		if got := Left(done, []Point{c.p, c.p}); got != 2*c.want {
			t.Errorf("%v: %v, want %v", c.p, got, 2*c.want)
		}
	}
	if got := Left(nil, []Point{{}}); got != 0 {
		t.Errorf("nothing measured: %v", got)
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
