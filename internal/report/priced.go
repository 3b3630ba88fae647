package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Weighed is what is known from a trace of other policies than the one it was recorded
// under.
type Weighed struct {
	About      string
	Vats       int
	Deliveries uint64
	Cold       uint64 // page-ins that no number of vats in memory saves
	// Misses are page-ins by ways of eviction, over numbers of vats in memory.
	Sizes    []int
	Misses   []Misses
	Policies []Priced
}

// Misses are the page-ins of one way of eviction.
type Misses struct {
	Way string
	// PageIns are those for each of the sizes; nil where they are not known.
	PageIns []*uint64
}

// Priced is what a policy would have cost. Times are in nanoseconds.
type Priced struct {
	Vats        int    // in memory
	Rule, Evict string // as run --snapshots and --evict take them
	// Initial and Interval are those of a rule that counts deliveries; 0 is another rule.
	Initial, Interval int
	Now, Later        float64 // snapshots; page-ins and replay
	Restart           float64 // replay of the suffix, once
	PageIns, Replayed uint64
	Snapshots, Pages  uint64 // pages that snapshots kept
	Suffix, Memory    uint64 // deliveries that a restart replays; bytes in memory at most
}

func (p *Priced) total() float64 { return p.Now + p.Later + p.Restart }

// AddWeighed adds what is known from a trace.
func (p *Page) AddWeighed(file string, w *Weighed) {
	s := Section{
		Name: "trace", Title: "What other policies would have cost", About: file,
		Facts: []Fact{{"deliveries", w.Deliveries}, {"vats", w.Vats},
			{"page-ins that nothing saves", w.Cold}},
		Figures: []Figure{{
			Title: "Page-ins", Choices: []Choice{},
			Views: []View{{Of: []int{}, Plots: []Plot{w.missRatio()}}},
		}},
		Tables: []Table{},
	}
	if w.About != "" && w.About != file {
		s.About += ", of " + w.About
	}
	if len(w.Policies) > 0 {
		cheapest := w.cheapest()
		views := &s.Figures[0].Views[0]
		views.Plots = append(views.Plots, work(cheapest))
		s.Figures = append(s.Figures, w.rules())
		s.Tables = []Table{
			pricedTable(
				"cheapest",
				"The cheapest rule for each number of vats in memory",
				cheapest,
			),
			pricedTable("rules", "All rules, the cheapest first", w.Policies),
		}
	}
	p.add(s)
}

// missRatio draws the share of deliveries that page in.
func (w *Weighed) missRatio() Plot {
	plot := Plot{
		Name: "miss-ratio", Title: "Deliveries that page in, by vats in memory",
		Y: "% of deliveries", X: []Scale{{Label: "vats in memory", Log: true}},
	}
	for _, n := range w.Sizes {
		plot.X[0].Values = append(plot.X[0].Values, float64(n))
	}
	percent := func(n uint64) float64 { return 100 * float64(n) / float64(w.Deliveries) }
	for _, m := range w.Misses {
		l := Line{Label: m.Way, Colour: len(plot.Lines)}
		for _, n := range m.PageIns {
			v := None()
			if n != nil {
				v = percent(*n)
			}
			l.Values = append(l.Values, v)
		}
		plot.Lines = append(plot.Lines, l)
	}
	cold := slices.Repeat(Values{percent(w.Cold)}, len(w.Sizes))
	plot.Lines = append(plot.Lines, Line{"nothing saves", len(plot.Lines), cold})
	return plot
}

// cheapest returns the cheapest policy of each number of vats in memory, ascending.
func (w *Weighed) cheapest() (list []Priced) {
	all := slices.Clone(w.Policies)
	slices.SortStableFunc(all, func(a, b Priced) int {
		return cmp.Or(cmp.Compare(a.Vats, b.Vats), cmp.Compare(a.total(), b.total()))
	})
	return slices.CompactFunc(all, func(a, b Priced) bool { return a.Vats == b.Vats })
}

const nanosPerMilli = 1e6

// work draws what the cheapest policies cost.
func work(cheapest []Priced) Plot {
	plot := Plot{
		Name: "least-work", Title: "Work with the cheapest rule of snapshots", Y: "ms",
		X: []Scale{{Label: "vats in memory", Log: true}},
		Lines: []Line{{Label: "all"}, {Label: "page-ins and replay", Colour: 1},
			{Label: "snapshots", Colour: 2}, {Label: "replay after a restart", Colour: 3}},
	}
	for i := range cheapest {
		p := &cheapest[i]
		plot.X[0].Values = append(plot.X[0].Values, float64(p.Vats))
		for l, v := range []float64{p.total(), p.Later, p.Now, p.Restart} {
			plot.Lines[l].Values = append(plot.Lines[l].Values, v/nanosPerMilli)
		}
	}
	return plot
}

// rules draws what the rules of snapshots cost, for each number of vats in memory.
func (w *Weighed) rules() Figure {
	f := Figure{
		Title: "Rules of snapshots", Choices: []Choice{{Name: "vats in memory"}},
		About: "Rules that count deliveries, by the interval between snapshots; what other " +
			"rules cost does not depend on it. Rules that take a number are in the table only.",
	}
	var sizes []int
	for i := range w.Policies {
		sizes = append(sizes, w.Policies[i].Vats)
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	f.Choices[0].First = len(sizes) / 2
	for i, n := range sizes {
		f.Choices[0].Options = append(f.Choices[0].Options, fmt.Sprint(n))
		var with []Priced
		for _, p := range w.Policies {
			if p.Vats == n && (p.Evict == "" || p.Evict == "lru") {
				with = append(with, p)
			}
		}
		f.Views = append(f.Views, View{Of: []int{i}, Plots: rulePlots(n, with)})
	}
	return f
}

// rulePlots draws what rules cost over the interval between snapshots.
func rulePlots(vats int, rules []Priced) []Plot {
	var intervals []int
	for i := range rules {
		if n := rules[i].Interval; n > 0 {
			intervals = append(intervals, n)
		}
	}
	slices.Sort(intervals)
	intervals = slices.Compact(intervals)
	x := Scale{Label: "deliveries between snapshots", Log: true, Marks: true}
	for _, n := range intervals {
		x.Values = append(x.Values, float64(n))
	}
	plots := []Plot{}
	plot := func(name, title, y string, of func(*Priced) float64) {
		lines := ruleLines(rules, intervals, of)
		plots = append(plots, Plot{
			Name: fmt.Sprintf("rules-%s-%d-vats", name, vats), Title: title, Y: y,
			Note: fmt.Sprintf("vats in memory: %d", vats), X: []Scale{x}, Lines: lines,
			LogY: !slices.ContainsFunc(lines, reachesZero),
		})
	}
	millis := func(of func(*Priced) float64) func(*Priced) float64 {
		return func(p *Priced) float64 { return of(p) / nanosPerMilli }
	}
	counted := func(of func(*Priced) uint64) func(*Priced) float64 {
		return func(p *Priced) float64 { return float64(of(p)) }
	}
	plot("work", "All work", "ms", millis((*Priced).total))
	plot("later", "Page-ins and replay", "ms",
		millis(func(p *Priced) float64 { return p.Later }))
	plot("now", "Snapshots", "ms", millis(func(p *Priced) float64 { return p.Now }))
	plot("replayed", "Replayed", "deliveries",
		counted(func(p *Priced) uint64 { return p.Replayed }))
	plot("pages", "Pages kept", "pages", counted(func(p *Priced) uint64 { return p.Pages }))
	plot("suffix", "Left to replay after a restart", "deliveries",
		counted(func(p *Priced) uint64 { return p.Suffix }))
	return plots
}

// reachesZero reports whether a line cannot be drawn on a logarithmic axis.
func reachesZero(l Line) bool {
	return slices.ContainsFunc(l.Values, func(v float64) bool { return v <= 0 })
}

// ruleLines are lines of rules that count, of one initial count each, and flat lines of
// rules that take no number.
func ruleLines(rules []Priced, intervals []int, of func(*Priced) float64) (lines []Line) {
	for i := range rules {
		p := &rules[i]
		label := p.Rule
		switch {
		case p.Interval > 0:
			label = fmt.Sprintf("first after %d", p.Initial)
		case strings.Contains(p.Rule, ":"):
			continue
		}
		n := slices.IndexFunc(lines, func(l Line) bool { return l.Label == label })
		if n < 0 {
			n = len(lines)
			none := slices.Repeat(Values{None()}, len(intervals))
			lines = append(lines, Line{Label: label, Colour: n, Values: none})
		}
		for at, interval := range intervals {
			if p.Interval == 0 || p.Interval == interval {
				lines[n].Values[at] = of(p)
			}
		}
	}
	return lines
}

// pricedTable lists policies, the cheapest first.
func pricedTable(name, title string, list []Priced) Table {
	t := Table{Name: name, Title: title, Sorted: 10, Ascending: true, Columns: []Column{
		{"vats", "vats in memory", false}, {"snapshots_rule", "snapshots", true},
		{"evict", "evict", true}, {"page_ins", "page-ins", false},
		{"replayed", "replayed", false}, {"snapshots", "snapshots taken", false},
		{"pages", "pages kept", false}, {"now_ms", "snapshots, ms", false},
		{"later_ms", "page-ins and replay, ms", false},
		{"restart_ms", "after a restart, ms", false}, {"total_ms", "all, ms", false},
		{"suffix", "left to replay", false}, {"memory", "memory, bytes", false},
	}}
	sorted := slices.Clone(list)
	slices.SortStableFunc(
		sorted,
		func(a, b Priced) int { return cmp.Compare(a.total(), b.total()) },
	)
	for i := range sorted {
		p := &sorted[i]
		t.Rows = append(t.Rows, []any{p.Vats, p.Rule, p.Evict, p.PageIns, p.Replayed, p.Snapshots,
			p.Pages, p.Now / nanosPerMilli, p.Later / nanosPerMilli,
			p.Restart / nanosPerMilli, p.total() / nanosPerMilli,
			p.Suffix, p.Memory})
	}
	return t
}
