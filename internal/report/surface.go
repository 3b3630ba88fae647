package report

import (
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/internal/bench"
)

// measure is what was measured at a point; 0 is that its way does not have it.
type measure struct {
	key, title, unit string
	of               func(*bench.Measured) float64
}

func measures() []measure {
	return []measure{
		{"page_in_p50_us", "Page-in, median", "µs",
			func(m *bench.Measured) float64 { return m.PageInP50 }},
		{"page_in_p99_us", "Page-in, 99th percentile", "µs",
			func(m *bench.Measured) float64 { return m.PageInP99 }},
		{"snapshot_p50_us", "Snapshot, median", "µs",
			func(m *bench.Measured) float64 { return m.SnapshotP50 }},
		{"snapshot_p99_us", "Snapshot, 99th percentile", "µs",
			func(m *bench.Measured) float64 { return m.SnapshotP99 }},
		{"evict_p50_us", "Eviction, median", "µs",
			func(m *bench.Measured) float64 { return m.EvictP50 }},
		{"image_p50_us", "Image after a crash, median", "µs",
			func(m *bench.Measured) float64 { return m.ImageP50 }},
		{"snapshot_bytes", "Stored by a snapshot", "bytes",
			func(m *bench.Measured) float64 { return m.SnapshotBytes }},
		{"replay_per_s", "Replay", "deliveries/s",
			func(m *bench.Measured) float64 { return m.ReplayRate }},
		{"resident_bytes", "Memory of the process", "bytes",
			func(m *bench.Measured) float64 { return m.Resident }},
	}
}

// dimension is an axis of the surface.
type dimension struct {
	key, label string
	of         func(bench.Point) int
}

func dimensions() []dimension {
	return []dimension{
		{"heap_mib", "heap, MiB", func(p bench.Point) int { return int(p.HeapMiB) }},
		{"dirty_pages", "pages written", func(p bench.Point) int { return int(p.DirtyPages) }},
		{"suffix", "suffix, deliveries", func(p bench.Point) int { return p.Suffix }},
	}
}

// surface is a measured surface, cut along its axes.
type surface struct {
	points []bench.Measured
	ways   []string // in the order of their first point
	values [][]int  // of each dimension, ascending
}

func cut(points []bench.Measured) *surface {
	s := &surface{points: points}
	for _, p := range points {
		if !slices.Contains(s.ways, p.Keeping()) {
			s.ways = append(s.ways, p.Keeping())
		}
	}
	for _, d := range dimensions() {
		var values []int
		for i := range points {
			values = append(values, d.of(points[i].Point))
		}
		slices.Sort(values)
		s.values = append(s.values, slices.Compact(values))
	}
	return s
}

// surfaceSection shows a measured surface.
func surfaceSection(file string, f *bench.SurfaceFile) Section {
	s := Section{Name: "surface", Title: "Surface of trade-offs", Figures: []Figure{}}
	about := []string{file, f.Machine.CPU, f.Machine.System, f.Machine.FileSystem, f.Machine.Go}
	s.About = strings.Join(slices.DeleteFunc(about, func(a string) bool { return a == "" }), ", ")
	s.Facts = []Fact{{"points", len(f.Done)}, {"measured, times each", f.Rounds},
		{"processors", f.Machine.CPUs}}
	all := cut(f.Done)
	for axis, values := range all.values {
		if len(values) > 1 {
			s.Figures = append(s.Figures, all.figure(axis))
		}
	}
	s.Tables = []Table{}
	if usual := all.atUsual(); len(usual) > 1 && len(usual) < len(f.Done) {
		p := usual[0].Point
		t := pointsTable("ways", fmt.Sprintf("All ways at heap, MiB: %d; pages written: %d; "+
			"suffix, deliveries: %d", p.HeapMiB, p.DirtyPages, p.Suffix), usual)
		s.Tables = append(s.Tables, t)
	}
	s.Tables = append(s.Tables, pointsTable("points", "All points", f.Done))
	return s
}

// atUsual returns what was measured where most was.
func (s *surface) atUsual() (points []bench.Measured) {
	for _, p := range s.points {
		usual := true
		for d, of := range dimensions() {
			usual = usual && of.of(p.Point) == s.values[d][s.usual(d)]
		}
		if usual {
			points = append(points, p)
		}
	}
	return points
}

// figure draws what was measured over an axis, for each value of the others.
func (s *surface) figure(axis int) Figure {
	all := dimensions()
	f := Figure{Title: "Over " + all[axis].label}
	others := [2]int{(axis + 1) % len(all), (axis + 2) % len(all)}
	slices.Sort(others[:])
	for _, d := range others {
		c := Choice{Name: all[d].label, First: s.usual(d)}
		for _, v := range s.values[d] {
			c.Options = append(c.Options, fmt.Sprint(v))
		}
		f.Choices = append(f.Choices, c)
	}
	a, b := all[others[0]], all[others[1]]
	for i, va := range s.values[others[0]] {
		for j, vb := range s.values[others[1]] {
			plots := s.plots(
				axis,
				func(p bench.Point) bool { return a.of(p) == va && b.of(p) == vb },
			)
			for n := range plots {
				plots[n].Note = fmt.Sprintf("%s: %d; %s: %d", a.label, va, b.label, vb)
			}
			f.Views = append(f.Views, View{Of: []int{i, j}, Plots: plots})
		}
	}
	return f
}

// usual returns the index of the value of a dimension that most points have; of those the
// one in the middle.
func (s *surface) usual(dimension int) int {
	of := dimensions()[dimension].of
	counts := make([]int, len(s.values[dimension]))
	for _, p := range s.points {
		i, _ := slices.BinarySearch(s.values[dimension], of(p.Point))
		counts[i]++
	}
	var most []int
	for i, n := range counts {
		if n == slices.Max(counts) {
			most = append(most, i)
		}
	}
	return most[len(most)/2]
}

// plots draws all measures over an axis, for the points that are within: of each way that
// has more than one of them.
func (s *surface) plots(axis int, within func(bench.Point) bool) []Plot {
	d := dimensions()[axis]
	x := Scale{Label: d.label, Log: s.values[axis][0] > 0, Marks: true}
	for _, v := range s.values[axis] {
		x.Values = append(x.Values, float64(v))
	}
	points := map[string][]*bench.Measured{} // of each way, by their place on the axis
	for _, way := range s.ways {
		points[way] = make([]*bench.Measured, len(x.Values))
	}
	for i := range s.points {
		if p := &s.points[i]; within(p.Point) {
			place, _ := slices.BinarySearch(s.values[axis], d.of(p.Point))
			points[p.Keeping()][place] = p
		}
	}
	plots := []Plot{}
	for _, m := range measures() {
		name := strings.ReplaceAll(m.key+"-over-"+d.key, "_", "-")
		plot := Plot{Name: name, Title: m.title, Y: m.unit, LogY: true, X: []Scale{x}}
		for i, way := range s.ways {
			l := Line{Label: way, Colour: i}
			have := 0
			for _, p := range points[way] {
				v := None()
				if p != nil && m.of(p) > 0 {
					v, have = m.of(p), have+1
				}
				l.Values = append(l.Values, v)
			}
			if have > 1 {
				plot.Lines = append(plot.Lines, l)
			}
		}
		if len(plot.Lines) > 0 {
			plots = append(plots, plot)
		}
	}
	return plots
}

// pointsTable is a table of what was measured.
func pointsTable(name, title string, points []bench.Measured) Table {
	t := Table{Name: name, Title: title, Sorted: -1, Rows: [][]any{}}
	for _, d := range dimensions() {
		t.Columns = append(t.Columns, Column{d.key, d.label, false})
	}
	t.Columns = append(t.Columns, Column{"way", "way", true})
	for _, m := range measures() {
		t.Columns = append(t.Columns, Column{m.key, strings.ToLower(m.title[:1]) + m.title[1:] +
			", " + m.unit, false})
	}
	for i := range points {
		p := &points[i]
		var row []any
		for _, d := range dimensions() {
			row = append(row, d.of(p.Point))
		}
		row = append(row, p.Keeping())
		for _, m := range measures() {
			if v := m.of(p); v > 0 {
				row = append(row, v)
			} else {
				row = append(row, nil)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
