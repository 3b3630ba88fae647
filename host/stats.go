package host

import (
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/snapstore"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// Stats are what a Host counts: the kernel's totals since the directory was
// made, everything else since Open.
type Stats struct {
	Kernel       kernel.Counters
	Activityhash swing.Hash

	Open       time.Duration // how long the Host has been open
	Blocks     uint64
	Cranks     uint64
	Deliveries uint64
	Syscalls   uint64
	// EntryBytes and ChangeBytes are what transcript entries and changes of keys
	// take by themselves, before the log frames them.
	EntryBytes, ChangeBytes uint64
	// Snapshots taken, the pages hashed for them, and what they added to the store.
	Snapshots     uint64
	SnapshotPages uint64
	SnapshotBytes int64
	// Spent is the time spent keeping vats, beside running them. What is done in the
	// background counts as well, and so does waiting for that.
	Spent  warehouse.Spent
	Pruned Pruned

	Vats  warehouse.Stats
	Log   streamstore.Stats
	Table kvstore.Stats
	Heaps snapstore.Stats
}

// Stats returns the counts.
func (h *Host) Stats() (Stats, error) {
	return read(h, func() (Stats, error) {
		return Stats{
			Kernel: kernel.ReadCounters(h.kv), Activityhash: h.kv.Activityhash(),
			Open: time.Since(h.totals.opened), Blocks: h.totals.blocks,
			Cranks: h.totals.cranks, Deliveries: h.totals.deliveries, Syscalls: h.totals.syscalls,
			EntryBytes: h.totals.entryBytes, ChangeBytes: h.totals.changeBytes,
			Snapshots: h.totals.snapshots, SnapshotPages: h.totals.snapshotPages,
			SnapshotBytes: h.totals.snapshotBytes, Spent: h.clock.spent,
			Pruned: h.totals.pruned,
			Vats:   h.vats.Stats(),
			Log:    h.log.Stats(), Table: h.kv.Stats(), Heaps: h.heaps.Stats(),
		}, nil
	})
}
