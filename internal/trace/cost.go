package trace

// PageBytes is the size of a page.
const PageBytes = 4096

// Costs are what a warehouse's work takes, in nanoseconds each.
type Costs struct {
	PageIn       float64 `json:"page_in_ns"`       // paging in, without replay
	Replay       float64 `json:"replay_ns"`        // each delivery replayed
	ReplayFuel   float64 `json:"replay_fuel_ns"`   // each unit of fuel that it uses
	PageAgain    float64 `json:"page_again_ns"`    // each page written again: see Work
	Snapshot     float64 `json:"snapshot_ns"`      // each snapshot
	SnapshotPage float64 `json:"snapshot_page_ns"` // each page of one
}

// UsualCosts are those of docs/benchmarks.md.
var UsualCosts = Costs{
	PageIn: 97e3, Replay: 700, ReplayFuel: 0.5, PageAgain: 6e3,
	Snapshot: 30e3, SnapshotPage: 19e3,
}

// pauseShare is what a pause costs beside a snapshot of as many pages: see
// docs/benchmarks.md. Each snapshot has one in it.
const pauseShare = 1.0 / 3

// snapshots returns what so many snapshots cost, of so many pages together.
func (c Costs) snapshots(n, pages uint64) float64 {
	return float64(n)*c.Snapshot + float64(pages)*c.SnapshotPage
}

// replays returns what it costs to replay so many deliveries, so much fuel and so many pages.
func (c Costs) replays(deliveries, fuel, pages uint64) float64 {
	return float64(deliveries)*c.Replay + float64(fuel)*c.ReplayFuel +
		float64(pages)*c.PageAgain
}

// Cost is what a policy would have cost.
type Cost struct {
	Policy
	Work
	Now   float64 `json:"now_ns"`   // snapshots, and pauses that are in none
	Later float64 `json:"later_ns"` // page-ins with their replay, and pages written again
	// Restart is the replay of the suffix, once: the process ends with the trace, and all
	// vats that live are used again. Page-ins are not counted in it.
	Restart float64 `json:"restart_ns"`
	// Bytes are those of the pages that snapshots kept, before equal pages are stored once
	// and all are compressed.
	Bytes uint64 `json:"bytes"`
}

// Total is all work together, in nanoseconds.
func (c *Cost) Total() float64 { return c.Now + c.Later + c.Restart }

// Price simulates a policy and says what its work costs.
func (t *Trace) Price(p Policy, c Costs) Cost {
	w := t.Simulate(p)
	return Cost{
		Policy: p, Work: w,
		Now: c.snapshots(w.Snapshots, w.SnapshotPages) + pauseShare*c.snapshots(
			w.Pauses-min(w.Pauses, w.Snapshots),
			w.PausedPages-min(w.PausedPages, w.SnapshotPages)),
		Later: float64(w.PageIns)*c.PageIn + float64(w.AgainPages)*c.PageAgain +
			c.replays(w.Replayed, w.ReplayedFuel, w.ReplayedPages),
		Restart: c.replays(w.Suffix, w.SuffixFuel, w.SuffixPages),
		Bytes:   w.SnapshotPages * PageBytes,
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
