package main

import (
	"vatwarehouse/internal/report"
	"vatwarehouse/warehouse"
)

// weighedFor is what is said of a trace, as a page shows it.
func weighedFor(w *weighed) *report.Weighed {
	out := &report.Weighed{
		About: w.About, Vats: w.Vats, Deliveries: w.Deliveries, Cold: w.Cold,
		Misses: []report.Misses{
			{Way: "lru"}, {Way: "fewest (Belady)"}, {Way: "2q"}, {Way: "arc"}, {Way: "cost"},
			{Way: "queue"},
		},
	}
	for i := range w.Curve {
		at := &w.Curve[i]
		out.Sizes = append(out.Sizes, at.Vats)
		for n, pageIns := range []*uint64{
			&at.LRU, at.Optimum, at.TwoQ, at.ARC, at.Cost, at.Queue,
		} {
			out.Misses[n].PageIns = append(out.Misses[n].PageIns, pageIns)
		}
	}
	for i := range w.Policies {
		c := &w.Policies[i]
		p := report.Priced{
			Vats: c.Vats, Rule: c.Rule.String(), Evict: wayText(c.Evict),
			Now: c.Now, Later: c.Later, Restart: c.Restart,
			PageIns: c.PageIns, Replayed: c.Replayed, Snapshots: c.Snapshots,
			Pages: c.SnapshotPages, Suffix: c.Suffix, Memory: c.PeakMemory,
		}
		if rule := c.Rule.WithDefaults(); rule.Rule == warehouse.ByCount && rule.Initial > 0 {
			p.Initial, p.Interval = rule.Initial, rule.Interval
		}
		out.Policies = append(out.Policies, p)
	}
	return out
}
