package trace

// PageBytes is the size of a page.
const PageBytes = 4096

// Costs are what a warehouse's work takes, in nanoseconds each.
type Costs struct {
	PageIn       float64 `json:"page_in_ns"`       // paging in, without replay
	Replay       float64 `json:"replay_ns"`        // each delivery replayed
	ReplayFuel   float64 `json:"replay_fuel_ns"`   // each unit of fuel that it uses
	Snapshot     float64 `json:"snapshot_ns"`      // each snapshot
	SnapshotPage float64 `json:"snapshot_page_ns"` // each page of one
}

// Cost is what a policy would have cost.
type Cost struct {
	Policy
	Work
	Now   float64 `json:"now_ns"`   // snapshots
	Later float64 `json:"later_ns"` // page-ins with their replay
	// Bytes are those of the pages that snapshots kept, before equal pages are stored once
	// and all are compressed.
	Bytes uint64 `json:"bytes"`
}

// Total is all work together, in nanoseconds.
func (c *Cost) Total() float64 { return c.Now + c.Later }

// Price simulates a policy and says what its work costs.
func (t *Trace) Price(p Policy, c Costs) Cost {
	w := t.Simulate(p)
	return Cost{
		Policy: p, Work: w,
		Now: float64(w.Snapshots)*c.Snapshot + float64(w.SnapshotPages)*c.SnapshotPage,
		Later: float64(w.PageIns)*c.PageIn + float64(w.Replayed)*c.Replay +
			float64(w.ReplayedFuel)*c.ReplayFuel,
		Bytes: w.SnapshotPages * PageBytes,
	}
}

// Budget bounds what a policy may take; 0 is no bound.
type Budget struct {
	Memory uint64 `json:"memory"` // bytes of linear memories in memory at once
	Bytes  uint64 `json:"bytes"`  // of pages that snapshots keep
	Suffix uint64 `json:"suffix"` // deliveries to replay after a restart
}

func (b Budget) allows(c *Cost) bool {
	return (b.Memory == 0 || c.PeakMemory <= b.Memory) && (b.Bytes == 0 || c.Bytes <= b.Bytes) &&
		(b.Suffix == 0 || c.Suffix <= b.Suffix)
}

// Best returns the index of the cheapest that is within the budget, of equals the first,
// or -1 if none is.
func Best(costs []Cost, b Budget) int {
	best := -1
	for i := range costs {
		if b.allows(&costs[i]) && (best < 0 || costs[i].Total() < costs[best].Total()) {
			best = i
		}
	}
	return best
}
