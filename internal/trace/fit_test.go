package trace_test

import (
	"math"
	"testing"

	"vatwarehouse/internal/trace"
)

// took returns what work takes by some costs.
func took(c trace.Costs, w trace.Work) trace.Ran { return trace.Ran{Work: w, Times: c.Times(w)} }

// TestFit: costs that were other in proportion are found again from what two runs took,
// whatever costs are begun with; of what runs did not do, or did alike, as far as it can be
// told.
func TestFit(t *testing.T) {
	t.Parallel()
	few := trace.Work{PageIns: 100, Crowding: 400, Replayed: 500, ReplayedFuel: 1e6, ReplayedPages: 300,
		Pauses: 40, PausedPages: 200, PausedExtents: 90, NewImages: 10, Snapshots: 30, SnapshotPages: 150}
	many := trace.Work{PageIns: 90, Crowding: 90, Replayed: 5000, ReplayedFuel: 2e7, ReplayedPages: 400,
		Pauses: 12, PausedPages: 70, PausedExtents: 20, NewImages: 10, Snapshots: 12, SnapshotPages: 70}
	is := trace.UsualCosts
	is.PageIn, is.PageDrop, is.PageInCrowd = is.PageIn*3, is.PageDrop*3, is.PageInCrowd/2
	is.Replay, is.ReplayFuel, is.PageAgain = is.Replay/2, is.ReplayFuel/2, is.PageAgain*2
	is.Pause, is.PausePage, is.PauseExtent = is.Pause*5, is.PausePage*5, is.PauseExtent*5
	is.NewImage *= 7
	is.Snapshot, is.SnapshotPage = is.Snapshot*1.5, is.SnapshotPage*1.5
	near := func(what string, got, want trace.Costs) {
		t.Helper()
		for name, pair := range map[string][2]float64{
			"page-in": {got.PageIn, want.PageIn}, "crowd": {got.PageInCrowd, want.PageInCrowd}, "page drop": {got.PageDrop, want.PageDrop},
			"replay": {got.Replay, want.Replay},
			"fuel":   {got.ReplayFuel, want.ReplayFuel}, "page again": {got.PageAgain, want.PageAgain},
			"pause": {got.Pause, want.Pause}, "its page": {got.PausePage, want.PausePage},
			"its extent": {got.PauseExtent, want.PauseExtent},
			"new image":  {got.NewImage, want.NewImage}, "snapshot": {got.Snapshot, want.Snapshot},
			"snapshot page": {got.SnapshotPage, want.SnapshotPage},
		} {
			if math.Abs(pair[0]/pair[1]-1) > 1e-9 {
				t.Errorf("%s: %s is %v, want %v", what, name, pair[0], pair[1])
			}
		}
	}
	near("two runs", trace.UsualCosts.Fit([]trace.Ran{took(is, few), took(is, many)}), is)
	near("nothing", trace.UsualCosts.Fit([]trace.Ran{took(is, trace.Work{})}), trace.UsualCosts)

	// One run cannot tell what deliveries cost from what pages do: what it took is met.
	got := trace.UsualCosts.Fit([]trace.Ran{took(is, few)})
	if all := got.Times(few).All(); math.Abs(all/is.Times(few).All()-1) > 1e-9 {
		t.Errorf("one run takes %v, want %v", all, is.Times(few).All())
	}
	if by := got.PageAgain / trace.UsualCosts.PageAgain; math.Abs(by-got.Replay/trace.UsualCosts.Replay) > 1e-9 {
		t.Errorf("pages cost %v times as much, deliveries not", by)
	}

	// Neither may cost nothing, or less, whatever the runs took.
	odd := took(is, few)
	odd.Replay *= 20
	got = trace.UsualCosts.Fit([]trace.Ran{odd, took(is, many)})
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	if got.PageIn = 0; got.Check() == nil {
		t.Error("costs of nothing are taken")
	}
}
