package host

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/warehouse"
)

// Snapshot is the record of one heap snapshot of a vat.
type Snapshot struct {
	Vat      swing.VatID
	Position uint64     // entries [0, Position) are in it
	ID       swing.Hash // of the heap
	// Transcript is the hash of the vat's span up to Position.
	Transcript  swing.Hash
	Engine      string // what ran the program: see worker.Engine.Fingerprint
	Incarnation uint64
	StoredBytes int64 // what making it added to the store
}

// snapshotVersion is the first field of every record.
const snapshotVersion = 1

const snapshotPrefix = "local.snap."

func snapshotKey(vat swing.VatID, position uint64) string {
	return fmt.Sprintf("%s%s.%016x", snapshotPrefix, vat, position)
}

func (s Snapshot) encode() []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 6), snapshotVersion)
	b = swing.AppendHash(swing.AppendHash(b, s.ID), s.Transcript)
	b = swing.AppendUint(swing.AppendText(b, s.Engine), s.Incarnation)
	return swing.AppendUint(b, uint64(s.StoredBytes))
}

// decodeSnapshot reads a record. The store verifies its bytes, so one that
// does not decode was written wrong by us.
func decodeSnapshot(key string, value []byte) (s Snapshot) {
	vat, position, _ := strings.Cut(strings.TrimPrefix(key, snapshotPrefix), ".")
	at, err := strconv.ParseUint(position, 16, 64)
	r := swing.NewReader(value)
	r.Fields(6)
	if v := r.Uint(); v != snapshotVersion {
		r.Fail(fmt.Errorf("snapshot record version %d", v))
	}
	s = Snapshot{
		Vat: swing.VatID(vat), Position: at, ID: r.Hash(), Transcript: r.Hash(),
		Engine: r.Text(), Incarnation: r.Uint(), StoredBytes: int64(r.Uint()),
	}
	if err == nil {
		err = r.Done()
	}
	if err != nil {
		panic(fmt.Sprintf("host: row %s: %v", key, err))
	}
	return s
}

// snapshotsOf returns a vat's snapshots, latest first.
func (h *Host) snapshotsOf(vat swing.VatID) (all []Snapshot) {
	for key, value := range h.kv.Scan(snapshotPrefix + string(vat) + ".") {
		all = append(all, decodeSnapshot(key, value))
	}
	slices.Reverse(all)
	return all
}

// snapshots are the heap snapshots being made.
type snapshots struct {
	job background
	// batch is being stored by the job; finished waits for the next block.
	batch, finished []*taking
	sync            time.Duration // what syncing the batch took, once the job has ended
}

// taking is one snapshot being made.
type taking struct {
	vat  swing.VatID
	at   *home
	img  *snapstore.Image
	span transcript.Span
	info snapstore.Info
	took time.Duration
}

func (s *snapshots) stop() {
	_, _ = s.job.wait() // what it found no longer matters
	s.batch, s.finished = nil, nil
}

// takeSnapshots is called at the end of every block. It writes the records of
// snapshots that are stored and synced, and starts on those that have fallen
// due, unless the background is still busy with earlier ones.
func (h *Host) takeSnapshots(ctx context.Context) error {
	if h.snaps.job.busy() {
		ended, err := h.snaps.job.poll()
		if !ended {
			return nil
		}
		if err := h.snapshotsEnded(err); err != nil {
			return err
		}
	}
	h.recordSnapshots()
	due, err := h.vats.TakeDue(ctx)
	if err != nil {
		return err
	}
	for _, vat := range due {
		if at := h.homes.byVat[vat]; at != nil && at.span.End > at.snapshot {
			at.owed, at.snapshot = true, at.span.End
			h.homes.back(at)
			t := &taking{vat: vat, at: at, img: at.img, span: at.span}
			h.snaps.batch = append(h.snaps.batch, t)
		}
	}
	if len(h.snaps.batch) == 0 {
		return nil
	}
	batch := h.snaps.batch
	h.snaps.job.start(h.options.Inline, func() (err error) {
		h.snaps.sync, err = store(h.heaps, batch, h.clock.now)
		return err
	})
	if !h.options.Inline {
		return nil
	}
	if err := h.finishSnapshots(); err != nil {
		return err
	}
	h.recordSnapshots()
	return nil
}

// Signal has all vats in memory saved at the end of the block under way, or of the next, if
// Options.Snapshots has the trigger signal. It may be called at any time, from any
// goroutine, also while Run runs; it does not wait.
func (h *Host) Signal() { h.vats.Signal() }

// store makes a batch of snapshots durable, and returns how long the sync took. It may run
// beside the Host's owner.
func store(
	heaps *snapstore.Store, batch []*taking, now func() time.Duration,
) (sync time.Duration, err error) {
	for _, t := range batch {
		started := now()
		if t.info, err = heaps.Commit(t.img); err != nil {
			return 0, fmt.Errorf("snapshot of vat %s at position %d: %w", t.vat, t.span.End, err)
		}
		t.took = now() - started
	}
	started := now()
	if err := heaps.Sync(); err != nil {
		return 0, fmt.Errorf("sync snapshots: %w", err)
	}
	return now() - started, nil
}

// finishSnapshots waits for the snapshots under way.
func (h *Host) finishSnapshots() error {
	if ended, err := h.snaps.job.wait(); ended {
		return h.snapshotsEnded(err)
	}
	return nil
}

func (h *Host) snapshotsEnded(err error) error {
	if err != nil {
		return h.poison(err)
	}
	for _, t := range h.snaps.batch {
		t.at.owed, t.at.base = false, t.info.ID
		h.totals.snapshots++
		h.totals.snapshotBytes += t.info.StoredBytes
		h.totals.snapshotPages += uint64(t.info.Pages)
		h.clock.Spent(t.vat, warehouse.TaskSnapshot, t.took)
	}
	if len(h.snaps.batch) > 0 {
		h.clock.Spent("", warehouse.TaskSync, h.snaps.sync)
	}
	h.snaps.finished = append(h.snaps.finished, h.snaps.batch...)
	h.snaps.batch = nil
	return nil
}

// recordSnapshots writes the records of what is durable, and takes back those
// of snapshots that are older than need be.
func (h *Host) recordSnapshots() {
	for _, t := range h.snaps.finished {
		if vatkeeper.New(t.vat, h.kv).Alive() {
			h.record(t)
		}
		if h.homes.byVat[t.vat] == t.at {
			h.homes.leave(t.vat)
		}
	}
	h.snaps.finished = nil
}

func (h *Host) record(t *taking) {
	s := Snapshot{
		Vat: t.vat, Position: t.span.End, ID: t.info.ID, Transcript: t.span.Hash,
		Engine: h.engine.Fingerprint(), Incarnation: t.span.Incarnation,
		StoredBytes: t.info.StoredBytes,
	}
	h.kv.Set(snapshotKey(s.Vat, s.Position), s.encode())
	all := h.snapshotsOf(t.vat)
	for _, old := range all[min(len(all), h.options.KeepSnapshots):] {
		h.kv.Delete(snapshotKey(old.Vat, old.Position))
	}
}

// forgetSnapshots takes back the records of a vat that is gone.
func (h *Host) forgetSnapshots(vat swing.VatID) {
	for _, s := range h.snapshotsOf(vat) {
		h.kv.Delete(snapshotKey(vat, s.Position))
	}
}

// collect clears the snapshot store of what no record, home or program needs.
// It is called right after a commit: nothing is then between two records.
func (h *Host) collect() {
	if h.snaps.job.busy() || !h.heaps.CollectDue() {
		return
	}
	var live []swing.Hash
	for key, value := range h.kv.Scan(snapshotPrefix) {
		live = append(live, decodeSnapshot(key, value).ID)
	}
	for _, at := range h.homes.byVat {
		live = append(live, at.base)
	}
	for _, img := range h.homes.genesis {
		live = append(live, img.Heap().ID())
	}
	h.snaps.job.start(h.options.Inline, func() error {
		if _, err := h.heaps.Collect(live); err != nil {
			return fmt.Errorf("collect snapshots: %w", err)
		}
		return nil
	})
}
