package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Measure is one thing that is measured at a point.
type Measure struct {
	Name, About string
	Of          func(m Measured) float64 // 0: the way does not have it
}

// Measures returns all there are.
func Measures() []Measure {
	return []Measure{
		{"page-in", "µs, the median", func(m Measured) float64 { return m.PageInP50 }},
		{"page-in-p99", "µs, the 99th percentile", func(m Measured) float64 { return m.PageInP99 }},
		{"replayed", "deliveries", func(m Measured) float64 { return float64(m.Replayed) }},
		{"replay", "deliveries/s", func(m Measured) float64 { return m.ReplayRate }},
		{"evict", "µs, the median", func(m Measured) float64 { return m.EvictP50 }},
		{"snapshot", "µs, the median", func(m Measured) float64 { return m.SnapshotP50 }},
		{
			"snapshot-p99",
			"µs, the 99th percentile",
			func(m Measured) float64 { return m.SnapshotP99 },
		},
		{
			"kib",
			"KiB stored for a snapshot",
			func(m Measured) float64 { return m.SnapshotBytes / 1024 },
		},
		{"image", "µs to make the image after a crash, the median",
			func(m Measured) float64 { return m.ImageP50 }},
		{
			"mib",
			"MiB of memory of its own",
			func(m Measured) float64 { return m.Resident / (1 << 20) },
		},
	}
}

// Cut says what of a measured sweep a table shows: measures along one axis, the others at
// their base.
type Cut struct {
	Axis     string
	Measures []string
	Relative bool // each as so many times what the first way has there
}

// Table is a part of a measured sweep. Cells without a value are 0.
type Table struct {
	Head  []string
	Rows  []string // what each row is, on the axis
	Cells [][]float64
}

// Table cuts a table: a row for each value on the axis, and a column for each way and
// measure.
func (s *Sweep) Table(file *SurfaceFile, c Cut) (*Table, error) {
	chosen, err := measuresOf(c.Measures)
	if err != nil {
		return nil, err
	}
	axes := s.axes()
	n := slices.IndexFunc(axes, func(a sweepAxis) bool { return a.name == c.Axis })
	if n < 0 {
		return nil, fmt.Errorf("no axis %q: there are %s", c.Axis, strings.Join(AxisNames(), ", "))
	}
	t := &Table{Head: []string{c.Axis}}
	for _, m := range chosen {
		for _, way := range s.Ways {
			t.Head = append(t.Head, columnName(way, m.Name, len(s.Ways), len(chosen)))
		}
	}
	base := Point{}
	for _, a := range axes {
		a.set(&base, 0)
	}
	for i := range axes[n].n {
		p := base
		axes[n].set(&p, i)
		row, err := s.row(file, p, chosen, c.Relative)
		if err != nil {
			return nil, err
		}
		t.Rows, t.Cells = append(t.Rows, axes[n].at(i)), append(t.Cells, row)
	}
	return t, nil
}

// measuresOf returns the measures of those names.
func measuresOf(names []string) (chosen []Measure, err error) {
	var all []string
	for _, m := range Measures() {
		all = append(all, m.Name)
	}
	for _, name := range names {
		n := slices.Index(all, name)
		if n < 0 {
			return nil, fmt.Errorf("no measure %q: there are %s", name, strings.Join(all, ", "))
		}
		chosen = append(chosen, Measures()[n])
	}
	return chosen, nil
}

// columnName says of a column what tells it from the others.
func columnName(way, measure string, ways, measures int) string {
	switch {
	case measures == 1:
		return way
	case ways == 1:
		return measure
	}
	return way + ", " + measure
}

// row returns the cells of a row.
func (s *Sweep) row(
	file *SurfaceFile, p Point, measures []Measure, relative bool,
) (row []float64, err error) {
	for _, measure := range measures {
		first := 0.0
		for i, way := range s.Ways {
			p.Way = way
			plain, err := p.plain()
			if err != nil {
				return nil, err
			}
			m, ok := file.Has(plain)
			if !ok {
				return nil, fmt.Errorf("not measured: %s", plain)
			}
			value := measure.Of(m)
			if i == 0 {
				first = value
			}
			if relative && first > 0 {
				value /= first
			}
			row = append(row, value)
		}
	}
	return row, nil
}
