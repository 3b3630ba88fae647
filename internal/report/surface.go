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
		if !slices.Contains(s.ways, p.Way) {
			s.ways = append(s.ways, p.Way)
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
	if len(f.Done) > 0 {
		s.Figures = append(s.Figures, cut(f.Done).figure())
	}
	s.Tables = []Table{allPoints(f.Done)}
	return s
}

// figure draws what was measured over each axis, for each value of the others.
func (s *surface) figure() Figure {
	all := dimensions()
	over := Choice{Name: "over"}
	f := Figure{Title: "What it costs to keep a vat", Choices: []Choice{{}}}
	for i, d := range all {
		over.Options = append(over.Options, d.label)
		c := Choice{Name: d.label, First: len(s.values[i]) / 2}
		for _, v := range s.values[i] {
			c.Options = append(c.Options, fmt.Sprint(v))
		}
		f.Choices = append(f.Choices, c)
	}
	f.Choices[0] = over
	for i := range all {
		a, b := (i+1)%len(all), (i+2)%len(all)
		for j, va := range s.values[a] {
			for k, vb := range s.values[b] {
				of := make([]int, len(f.Choices))
				of[0], of[1+i], of[1+a], of[1+b] = i, anyOption, j, k
				plots := s.plots(i, func(p bench.Point) bool {
					return all[a].of(p) == va && all[b].of(p) == vb
				})
				for n := range plots {
					plots[n].Note = fmt.Sprintf(
						"%s: %d; %s: %d",
						all[a].label,
						va,
						all[b].label,
						vb,
					)
				}
				f.Views = append(f.Views, View{Of: of, Plots: plots})
			}
		}
	}
	return f
}

// plots draws all measures over an axis, for the points that are within.
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
			points[p.Way][place] = p
		}
	}
	plots := []Plot{}
	for _, m := range measures() {
		name := strings.ReplaceAll(m.key+"-over-"+d.key, "_", "-")
		plot := Plot{Name: name, Title: m.title, Y: m.unit, LogY: true, X: []Scale{x}}
		for i, way := range s.ways {
			l := Line{Label: way, Colour: i}
			some := false
			for _, p := range points[way] {
				v := None()
				if p != nil && m.of(p) > 0 {
					v, some = m.of(p), true
				}
				l.Values = append(l.Values, v)
			}
			if some {
				plot.Lines = append(plot.Lines, l)
			}
		}
		if len(plot.Lines) > 0 {
			plots = append(plots, plot)
		}
	}
	return plots
}

// allPoints is a table of all that was measured.
func allPoints(points []bench.Measured) Table {
	t := Table{Name: "points", Title: "All points", Sorted: -1, Rows: [][]any{}}
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
		row = append(row, p.Way)
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
