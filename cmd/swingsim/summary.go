package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/warehouse"
)

// summary is what a run did and where it stands, as --json prints it. Cranks,
// deliveries and messages are of all time, and with the activityhash the same
// however it came about; everything from ran_cranks on is of this run.
type summary struct {
	Scenario     string `json:"scenario"`
	About        string `json:"about"`
	Seed         string `json:"seed"`
	Identity     string `json:"identity"`
	Directory    string `json:"directory"`
	Created      bool   `json:"created"`
	Nothing      bool   `json:"nothing_to_do"`
	Interrupted  bool   `json:"interrupted"`
	Activityhash string `json:"activityhash"`
	Vats         int    `json:"vats"`
	VatsEnded    int    `json:"vats_ended"`
	VatsHeld     int    `json:"vats_held"`
	Cranks       uint64 `json:"cranks"`
	Deliveries   uint64 `json:"deliveries"`
	Messages     uint64 `json:"messages"`
	Rounds       uint64 `json:"rounds"`

	RanCranks      uint64  `json:"ran_cranks"`
	RanDeliveries  uint64  `json:"ran_deliveries"`
	Seconds        float64 `json:"seconds"`
	DeliveriesPerS float64 `json:"deliveries_per_s"`
	Syscalls       uint64  `json:"syscalls"`
	Blocks         uint64  `json:"blocks"`

	MaxVats    int    `json:"max_vats"`
	PagedIn    int    `json:"paged_in"`
	PagedBytes uint64 `json:"paged_bytes"`
	PageIns    uint64 `json:"page_ins"`
	Evictions  uint64 `json:"evictions"`
	Replayed   uint64 `json:"replayed"`

	// Spent is what keeping vats took, beside running them.
	Spent spentSeconds `json:"spent"`

	Snapshots     uint64 `json:"snapshots"`
	SnapshotPages uint64 `json:"snapshot_pages"`
	SnapshotBytes int64  `json:"snapshot_bytes"`
	LogBytes      uint64 `json:"log_bytes"`
	DirBytes      int64  `json:"dir_bytes"`

	Ended []endedVat `json:"ended"`
	Audit *sim.Audit `json:"audit"`
}

// spentSeconds is the time spent on each kind of work, in seconds.
type spentSeconds struct {
	Compile  float64 `json:"compile_s"`
	PageIn   float64 `json:"page_in_s"` // without replay
	Replay   float64 `json:"replay_s"`
	Pause    float64 `json:"pause_s"`
	Snapshot float64 `json:"snapshot_s"` // without pausing
	Sync     float64 `json:"sync_s"`     // of snapshots
}

func secondsSpent(s warehouse.Spent) spentSeconds {
	return spentSeconds{
		Compile: s.Compile.Seconds(), PageIn: s.PageIn.Seconds(), Replay: s.Replay.Seconds(),
		Pause: s.Pause.Seconds(), Snapshot: s.Snapshot.Seconds(),
		Sync: s.Sync.Seconds(),
	}
}

// endedVat is a vat whose life is over.
type endedVat struct {
	Vat     string `json:"vat"`
	Name    string `json:"name"`
	Failure bool   `json:"failure"`
	Info    string `json:"info"`
}

// endedMax bounds the ended vats that a summary lists.
const endedMax = 20

// fill takes the counts from the host, before it is closed. A host counts since it
// was opened, which is what this run did.
func (s *summary) fill(h *host.Host, r sim.Result, elapsed time.Duration) error {
	st, err := h.Stats()
	if err != nil {
		return err
	}
	vats, err := h.Vats()
	if err != nil {
		return err
	}
	*s = summary{
		Scenario: r.Scenario, About: r.About, Seed: r.Seed, Identity: r.Identity.String(),
		Created: r.Created, Nothing: r.Nothing, Activityhash: st.Activityhash.String(),
		Vats: len(vats), Cranks: st.Kernel.Cranks, Deliveries: st.Kernel.Deliveries,
		Messages: r.Messages, Rounds: r.Steps - r.SetupSteps,
		RanCranks: st.Cranks, RanDeliveries: st.Deliveries,
		Seconds: elapsed.Seconds(), Syscalls: st.Syscalls, Blocks: st.Blocks,
		MaxVats: h.Options().MaxVats, PagedIn: st.Vats.PagedIn, PagedBytes: st.Vats.PagedBytes,
		PageIns: st.Vats.PageIns, Evictions: st.Vats.Evictions, Replayed: st.Vats.Replayed,
		Spent:     secondsSpent(st.Spent),
		Snapshots: st.Snapshots, SnapshotPages: st.SnapshotPages, SnapshotBytes: st.SnapshotBytes,
		LogBytes: st.Log.BytesAppended, DirBytes: st.Log.DiskBytes + st.Heaps.PackBytes,
		Ended: []endedVat{}, Audit: r.Audit,
	}
	if elapsed > 0 {
		s.DeliveriesPerS = float64(s.RanDeliveries) / elapsed.Seconds()
	}
	for _, v := range vats {
		if v.Held {
			s.VatsHeld++
		}
		if v.Alive {
			continue
		}
		if s.VatsEnded++; s.VatsEnded <= endedMax {
			s.Ended = append(s.Ended, endedVat{
				string(v.ID), v.Name, v.End.Failure, sim.Show(v.End.Info.Body),
			})
		}
	}
	return nil
}

// bytesOnDisk adds up the files of the directory; in memory it is what the
// stores say.
func (a *app) bytesOnDisk(inMemory int64) (total int64, err error) {
	if a.dir == "" {
		return inMemory, nil
	}
	err = filepath.WalkDir(a.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure directory: %w", err)
	}
	return total, nil
}

// printSummary prints a summary for people.
func (a *app) printSummary(s *summary) {
	where := "in memory"
	if s.Directory != "" {
		where = "in " + s.Directory
	}
	fmt.Fprintf(a.out, "%s: %s\nseed %s, %s\n", s.Scenario, s.About, s.Seed, where)
	f := facts{a.out}
	if s.Nothing {
		fmt.Fprintln(a.out,
			"It had ended already, and nothing was done: --deliveries makes it longer.")
	}
	f.heading("what happened")
	f.fact("vats", "%s%s", grouped(s.Vats), endings(s.VatsEnded, s.VatsHeld))
	f.fact("messages sent", "%s in %s", grouped(s.Messages), count(s.Rounds, "round", "rounds"))
	f.fact("deliveries", "%s%s", grouped(s.Deliveries), ofThese(s.RanDeliveries, s.Deliveries))
	f.fact("cranks", "%s%s", grouped(s.Cranks), ofThese(s.RanCranks, s.Cranks))
	f.heading("speed")
	f.fact("time", "%.2f s", s.Seconds)
	f.fact("deliveries", "%s a second", grouped(int64(s.DeliveriesPerS)))
	f.fact("syscalls", "%s", grouped(s.Syscalls))
	f.fact("blocks", "%s", grouped(s.Blocks))
	f.heading("memory")
	f.fact("paged in", "%s of %s, %s", count(s.PagedIn, "vat", "vats"), grouped(s.Vats),
		size(s.PagedBytes))
	f.fact("page-ins", "%s", grouped(s.PageIns))
	f.fact("evictions", "%s", grouped(s.Evictions))
	f.fact("replayed", "%s", count(s.Replayed, "delivery", "deliveries"))
	f.fact("time for that", "page-ins %.2f s, replay %.2f s, compiling programs %.2f s",
		s.Spent.PageIn, s.Spent.Replay, s.Spent.Compile)
	f.heading("storage")
	f.fact("snapshots", "%s, %s of pages stored", grouped(s.Snapshots), size(s.SnapshotBytes))
	f.fact("time for them", "images of memory %.2f s, storing them %.2f s, sync %.2f s",
		s.Spent.Pause, s.Spent.Snapshot, s.Spent.Sync)
	f.fact("log written", "%s", size(s.LogBytes))
	f.fact("stored in all", "%s", size(s.DirBytes))
	a.printEnded(s)
	a.printAudit(s.Audit)
	fmt.Fprintf(a.out, "\nactivityhash %s\n", s.Activityhash)
}

// endings says how many vats are not alive, or not free.
func endings(ended, held int) string {
	text := ""
	if ended > 0 {
		text += ", " + grouped(ended) + " ended"
	}
	if held > 0 {
		text += ", " + grouped(held) + " held back"
	}
	return text
}

// ofThese says how many of all were of this run, unless all were.
func ofThese(ran, all uint64) string {
	if ran == all {
		return ""
	}
	return fmt.Sprintf(" in all, %s of these now", grouped(ran))
}

func (a *app) printEnded(s *summary) {
	if len(s.Ended) == 0 {
		return
	}
	f := facts{a.out}
	f.heading("vats that ended")
	for _, v := range s.Ended {
		f.fact(strings.TrimSpace(v.Vat+" "+v.Name), "%s", plain(v.Info))
	}
	if s.VatsEnded > len(s.Ended) {
		f.fact("and more", "%s", grouped(s.VatsEnded-len(s.Ended)))
	}
}

// printAudit prints what the vats answered, and what held of it.
func (a *app) printAudit(audit *sim.Audit) {
	if audit == nil {
		return
	}
	f := facts{a.out}
	f.heading("audit")
	for _, q := range audit.Asked {
		var sums []string
		for _, sum := range q.Sums {
			sums = append(sums, sum.Name+" "+grouped(sum.Sum))
		}
		f.fact(q.Group, "%s: %s", count(q.Vats, "vat", "vats"), strings.Join(sums, ", "))
		if q.Answered < q.Vats {
			f.fact("", "BROKEN  %s did not answer; first %s",
				count(q.Vats-q.Answered, "vat", "vats"), plain(q.Problem))
		}
	}
	for _, k := range audit.Checks {
		if k.Broken > 0 {
			f.fact("", "BROKEN  %s (%d of %d): %s", k.About, k.Broken, k.Cases, k.First)
			continue
		}
		f.fact("", "holds   %s (%s)", k.About, count(k.Cases, "case", "cases"))
	}
	for _, k := range audit.Asserts {
		if k.Holds {
			f.fact("", "holds   %s", k.About)
			continue
		}
		f.fact("", "BROKEN  %s: %s %s answered %s, not %s", k.About, k.Vat, plain(k.Call),
			plain(k.Actual), plain(k.Expected))
	}
}
