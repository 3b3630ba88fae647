package report

import (
	"cmp"
	"fmt"
	"slices"
)

// pointsMax is how many points a line of a timeline has at most.
const pointsMax = 2000

// section shows a record: its timeline, and what its vats cost.
func (r *Record) section(file string) Section {
	s := Section{
		Name: r.Scenario, Title: "Run of " + r.Scenario, About: file + ", seed " + r.Seed,
		Facts: []Fact{}, Figures: []Figure{}, Tables: []Table{},
	}
	if len(r.Blocks) > 0 {
		var deliveries uint64
		for _, b := range r.Blocks {
			deliveries += b.Deliveries
		}
		last := r.Blocks[len(r.Blocks)-1]
		s.Facts = append(s.Facts, Fact{"blocks", len(r.Blocks)}, Fact{"deliveries", deliveries},
			Fact{"seconds", last.Seconds}, Fact{"page-ins", last.PageIns},
			Fact{"evictions", last.Evictions}, Fact{"deliveries replayed", last.Replayed},
			Fact{"snapshots", last.Snapshots}, Fact{"bytes stored for them", last.SnapshotBytes})
		s.Figures = append(s.Figures, r.timeline())
	}
	if len(r.Vats) > 0 {
		s.Tables = append(s.Tables, r.costs())
	}
	return s
}

// timeline draws what happened over blocks and time.
func (r *Record) timeline() Figure {
	blocks, each := r.thinned()
	f := Figure{Title: "Timeline", Choices: []Choice{}}
	of := "in each block"
	if each > 1 {
		of = fmt.Sprintf("in each %d blocks", each)
		f.About = fmt.Sprintf("A point is %d blocks, the last perhaps fewer: what is counted "+
			"is added up, and of what varies it has the most.", each)
	}
	line := func(label string, value func(b, before *span) float64) Line {
		return lineOver(blocks, label, value)
	}
	total := func(label string, of func(*span) uint64) Line {
		return line(label, func(b, before *span) float64 { return float64(of(b) - of(before)) })
	}
	number := line("", func(b, _ *span) float64 { return float64(b.Block.Block) })
	seconds := line("", func(b, _ *span) float64 { return b.Seconds })
	x := []Scale{{Label: "block", Values: number.Values},
		{Label: "seconds since the start", Values: seconds.Values}}
	plot := func(name, title, y string, lines ...Line) Plot {
		for i := range lines {
			lines[i].Colour = i
		}
		return Plot{Name: name, Title: title, Y: y, X: x, Lines: lines}
	}
	f.Views = []View{{Of: []int{}, Plots: []Plot{
		plot("paged-in", "Vats in memory", "vats",
			line("paged in", func(b, _ *span) float64 { return float64(b.PagedIn) })),
		plot(
			"memory",
			"Memory of the vats in memory",
			"MiB",
			line(
				"linear memory",
				func(b, _ *span) float64 { return float64(b.PagedBytes) / (1 << 20) },
			),
		),
		plot("page-ins", "Page-ins and evictions", of,
			total("page-ins", func(b *span) uint64 { return b.PageIns }),
			total("evictions", func(b *span) uint64 { return b.Evictions })),
		plot("deliveries", "Deliveries, and deliveries replayed", of,
			line("delivered", func(b, _ *span) float64 { return float64(b.delivered) }),
			total("replayed", func(b *span) uint64 { return b.Replayed })),
		plot("snapshots", "Snapshots", of,
			total("snapshots", func(b *span) uint64 { return b.Snapshots })),
		plot("stored", "Stored for snapshots", "KiB "+of,
			line("stored", func(b, before *span) float64 {
				return float64(b.SnapshotBytes-before.SnapshotBytes) / (1 << 10)
			})),
		plot("spent", "Time to keep vats, beside running them", "ms "+of, spentLines(blocks)...),
		plot("queue", "Events that wait", "events",
			line("in both queues", func(b, _ *span) float64 { return float64(b.Queued) })),
		plot("rate", "Speed", "deliveries/s",
			line("deliveries/s", func(b, before *span) float64 {
				if b.Seconds <= before.Seconds {
					return None()
				}
				return float64(b.delivered) / (b.Seconds - before.Seconds)
			})),
	}}}
	return f
}

// lineOver draws a value of blocks, which may depend on those before.
func lineOver(blocks []span, label string, value func(b, before *span) float64) Line {
	l := Line{Label: label, Values: make(Values, len(blocks))}
	before := &span{}
	for i := range blocks {
		l.Values[i] = value(&blocks[i], before)
		before = &blocks[i]
	}
	return l
}

// spentLines draw what was spent in blocks.
func spentLines(blocks []span) (lines []Line) {
	const millis = 1e3
	for _, task := range []struct {
		label string
		of    func(Spent) float64
	}{
		{"page-ins", func(s Spent) float64 { return s.PageIn }},
		{"replay", func(s Spent) float64 { return s.Replay }},
		{"snapshots", func(s Spent) float64 { return s.Snapshot }},
	} {
		lines = append(lines, lineOver(blocks, task.label, func(b, before *span) float64 {
			return millis * (task.of(b.Spent) - task.of(before.Spent))
		}))
	}
	return lines
}

// span is consecutive blocks: the last of them, with the most that its levels reached.
type span struct {
	Block
	delivered uint64 // by all of them
}

// thinned puts so many blocks into one that there are at most pointsMax.
func (r *Record) thinned() (spans []span, each int) {
	each = max(1, (len(r.Blocks)+pointsMax-1)/pointsMax)
	for blocks := range slices.Chunk(r.Blocks, each) {
		s := span{Block: blocks[len(blocks)-1]}
		for _, b := range blocks {
			s.delivered += b.Deliveries
			s.Queued, s.PagedIn = max(s.Queued, b.Queued), max(s.PagedIn, b.PagedIn)
			s.PagedBytes = max(s.PagedBytes, b.PagedBytes)
		}
		spans = append(spans, s)
	}
	return spans, each
}

// costs is what each vat cost, the dearest first.
func (r *Record) costs() Table {
	t := Table{Name: "vats", Title: "Cost of each vat", Sorted: 7, Columns: []Column{
		{"vat", "vat", true}, {"name", "name", true}, {"deliveries", "deliveries", false},
		{"fuel", "fuel", false}, {"bytes", "transcript, bytes", false},
		{"page_ins", "page-ins", false}, {"replayed", "replayed", false},
		{"seconds", "in the warehouse, s", false}, {"page_in_s", "paging in, s", false},
		{"replay_s", "replaying, s", false}, {"snapshots_taken", "snapshots taken", false},
		{"snapshot_s", "for them, s", false}, {"snapshots", "snapshots kept", false},
		{"snapshot_bytes", "their bytes", false},
	}}
	vats := slices.Clone(r.Vats)
	slices.SortStableFunc(vats, func(a, b Vat) int { return cmp.Compare(b.Seconds, a.Seconds) })
	for _, v := range vats {
		t.Rows = append(t.Rows, []any{v.Vat, v.Name, v.Deliveries, v.Fuel, v.Bytes, v.PageIns,
			v.Replayed, v.Seconds, v.PageIn, v.Replay, v.Taken, v.Snapshot, v.Snapshots,
			v.StoredBytes})
	}
	return t
}
