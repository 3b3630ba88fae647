package trace

// Times are what the kinds of work take that costs are of, in nanoseconds.
type Times struct {
	PageIn   float64 // without replay
	Replay   float64
	Pause    float64 // bringing images up to date
	Snapshot float64 // storing them, without what it takes to sync
}

// All is all of them.
func (t Times) All() float64 { return t.PageIn + t.Replay + t.Pause + t.Snapshot }

// Times returns what work takes, but for pages that deliveries write again, and a restart.
func (c Costs) Times(w Work) Times {
	return Times{
		PageIn:   c.pageIns(w) + c.crowds(w),
		Replay:   c.replays(w.Replayed, w.ReplayedFuel, w.ReplayedPages),
		Pause:    c.pauses(w) + c.newImages(w),
		Snapshot: c.snapshots(w),
	}
}

// pageIns has what is given up for them: all pages that were written again, by replays and by
// deliveries, are at some time.
func (c Costs) pageIns(w Work) float64 {
	return float64(w.PageIns)*c.PageIn + float64(w.ReplayedPages+w.AgainPages)*c.PageDrop
}

// crowds is what page-ins cost for the vats that are in memory.
func (c Costs) crowds(w Work) float64 { return w.Crowding * c.PageInCrowd }

// replays returns what it costs to replay so many deliveries, so much fuel and so many pages.
func (c Costs) replays(deliveries, fuel, pages uint64) float64 {
	return float64(deliveries)*c.Replay + float64(fuel)*c.ReplayFuel +
		float64(pages)*c.PageAgain
}

func (c Costs) pauses(w Work) float64 {
	return float64(w.Pauses)*c.Pause + float64(w.PausedPages)*c.PausePage +
		float64(w.PausedExtents)*c.PauseExtent
}

func (c Costs) newImages(w Work) float64 { return float64(w.NewImages) * c.NewImage }

func (c Costs) snapshots(w Work) float64 {
	return float64(w.Snapshots)*c.Snapshot + float64(w.SnapshotPages)*c.SnapshotPage
}

// Ran is work, and what it took.
type Ran struct {
	Work
	Times
}

// Fit returns the costs with which what the runs did takes what it took. Costs that the runs
// cannot tell apart stay in proportion.
func (c Costs) Fit(runs []Ran) Costs {
	var pageIn, replay, pause, snapshot sums
	for _, r := range runs {
		pageIn.add(c.pageIns(r.Work), c.crowds(r.Work), r.PageIn)
		replay.add(c.replays(r.Replayed, r.ReplayedFuel, 0), c.replays(0, 0, r.ReplayedPages),
			r.Replay)
		pause.add(c.pauses(r.Work), c.newImages(r.Work), r.Pause)
		snapshot.add(c.snapshots(r.Work), 0, r.Snapshot)
	}
	by, crowd := pageIn.scales()
	c.PageIn, c.PageDrop, c.PageInCrowd = c.PageIn*by, c.PageDrop*by, c.PageInCrowd*crowd
	by, pages := replay.scales()
	c.Replay, c.ReplayFuel, c.PageAgain = c.Replay*by, c.ReplayFuel*by, c.PageAgain*pages
	by, images := pause.scales()
	c.Pause, c.PausePage, c.PauseExtent = c.Pause*by, c.PausePage*by, c.PauseExtent*by
	c.NewImage *= images
	by, _ = snapshot.scales()
	c.Snapshot, c.SnapshotPage = c.Snapshot*by, c.SnapshotPage*by
	return c
}

// sums are those of which a line of two variables is fitted by least squares: what one part
// of the work should cost, and another, and what both took. Each run counts the same,
// however long it was.
type sums struct{ xx, xy, yy, xt, yt, says, took float64 }

func (s *sums) add(x, y, took float64) {
	s.says, s.took = s.says+x+y, s.took+took
	if took > 0 {
		x, y = x/took, y/took
		s.xx, s.xy, s.yy = s.xx+x*x, s.xy+x*y, s.yy+y*y
		s.xt, s.yt = s.xt+x, s.yt+y
	}
}

// scales returns how many times what they should each part costs. Where they cannot be told
// apart, or one would cost nothing, that is the same for both.
func (s *sums) scales() (x, y float64) {
	const apart = 1e-6
	if d := s.xx*s.yy - s.xy*s.xy; d > apart*s.xx*s.yy {
		x, y = (s.xt*s.yy-s.yt*s.xy)/d, (s.yt*s.xx-s.xt*s.xy)/d
	}
	switch {
	case x > 0 && y > 0:
		return x, y
	case s.says > 0 && s.took > 0:
		return s.took / s.says, s.took / s.says
	default:
		return 1, 1
	}
}
