package trace

import "fmt"

// PageBytes is the size of a page.
const PageBytes = 4096

// Costs are what a warehouse's work takes, in nanoseconds each.
type Costs struct {
	PageIn float64 `json:"page_in_ns"` // paging in, without replay
	// PageInCrowd is how much more it is each time that there are twice as many vats in
	// memory: caches are colder.
	PageInCrowd  float64 `json:"page_in_crowd_ns"`
	PageDrop     float64 `json:"page_drop_ns"`     // giving up a page that was written
	Replay       float64 `json:"replay_ns"`        // each delivery replayed
	ReplayFuel   float64 `json:"replay_fuel_ns"`   // each unit of fuel that it uses
	PageAgain    float64 `json:"page_again_ns"`    // each page written again: see Work
	Pause        float64 `json:"pause_ns"`         // bringing an image up to date
	PausePage    float64 `json:"pause_page_ns"`    // each page written for it
	PauseExtent  float64 `json:"pause_extent_ns"`  // each time those are not in line
	NewImage     float64 `json:"new_image_ns"`     // making a vat's first image
	Snapshot     float64 `json:"snapshot_ns"`      // storing an image
	SnapshotPage float64 `json:"snapshot_page_ns"` // each page of it
}

// UsualCosts are those of docs/benchmarks.md.
var UsualCosts = Costs{
	PageIn: 97e3, PageInCrowd: 3e3, PageDrop: 400, Replay: 700, ReplayFuel: 0.5, PageAgain: 6e3,
	Pause: 10e3, PausePage: 1.7e3, PauseExtent: 4.6e3, NewImage: 50e3,
	Snapshot: 20e3, SnapshotPage: 12.7e3,
}

// Cost is what a policy would have cost.
type Cost struct {
	Policy
	Work
	Now   float64 `json:"now_ns"`   // snapshots, and all pauses
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
	times := c.Times(w)
	return Cost{
		Policy: p, Work: w, Now: times.Pause + times.Snapshot,
		Later:   times.PageIn + times.Replay + float64(w.AgainPages)*c.PageAgain,
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

// Check returns an error unless all costs are positive.
func (c Costs) Check() error {
	if min(
		c.PageIn, c.PageInCrowd, c.PageDrop, c.Replay, c.ReplayFuel, c.PageAgain, c.Pause,
		c.PausePage, c.PauseExtent, c.NewImage, c.Snapshot, c.SnapshotPage,
	) <= 0 {
		return fmt.Errorf("costs %+v, want all above 0", c)
	}
	return nil
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
