package main

import (
	"fmt"

	"vatwarehouse/internal/report"
	"vatwarehouse/internal/trace"
)

// weighedFor is what is said of a trace, as a page shows it.
func weighedFor(w *weighed) *report.Weighed {
	out := &report.Weighed{
		About: w.About, Vats: w.Vats, Deliveries: w.Deliveries, Cold: w.Cold,
		Misses: []report.Misses{{Way: "lru"}, {Way: "fewest (Belady)"}},
	}
	for i := range w.Curve {
		at := &w.Curve[i]
		out.Sizes = append(out.Sizes, at.Vats)
		for n, pageIns := range []*uint64{&at.LRU, at.Optimum} {
			out.Misses[n].PageIns = append(out.Misses[n].PageIns, pageIns)
		}
	}
	for i := range w.Policies {
		c := &w.Policies[i]
		p := report.Priced{
			Vats: c.Vats, Rule: "never", Evict: "lru",
			Now: c.Now, Later: c.Later, PageIns: c.PageIns, Replayed: c.Replayed,
			Snapshots: c.Snapshots, Pages: c.SnapshotPages, Suffix: c.Suffix, Memory: c.PeakMemory,
		}
		if c.Initial != trace.Never {
			p.Rule = fmt.Sprintf("count:%d/%d", c.Initial, c.Interval)
			p.Initial, p.Interval = c.Initial, c.Interval
		}
		out.Policies = append(out.Policies, p)
	}
	return out
}
