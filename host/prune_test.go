package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestPrunedGoesOn: a run that is pruned at random points, with random policies,
// crashed and opened between, ends like one that was not; what is gone cannot be
// read, the rest can, and checks.
func TestPrunedGoesOn(t *testing.T) {
	t.Parallel()
	seeds := 5
	if testing.Short() {
		seeds = 1
	}
	want := newRuns(t, vfs.NewMem(), stepOptions())
	for !want.step(t, 100) {
	}
	var all host.Pruned
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		o := stepOptions()
		o.SegmentBytes, o.CheckpointBytes, o.KeepBlocks = 2<<10, 1<<10, 0
		files := vfs.NewMem()
		r := newRuns(t, files, o)
		for over := false; !over; {
			over = r.step(t, 1+rng.IntN(8))
			done, err := r.h.Prune(ctx, host.PrunePolicy{
				Margin: uint64(rng.IntN(3)) * 4, Dead: rng.IntN(2) == 0, Outputs: uint64(rng.IntN(4)),
			})
			if err != nil {
				t.Fatal(err)
			}
			all.Entries += done.Entries
			all.BytesFreed += done.BytesFreed
			all.ArchivesRemoved += done.ArchivesRemoved
			check(t, r.h)
			switch rng.IntN(3) {
			case 0:
				left := files.Crash(uint64(seed), 100)
				closeHost(t, r.h)
				files, r.files = left, left
				r.open(t)
			case 1:
				closeHost(t, r.h)
				r.open(t)
			}
			export(t, r.h, host.Operational)
			b, _ := export(t, r.h, host.Debug)
			importInto(t, b, vfs.NewMem(), host.Options{})
		}
		if _, err := r.h.Export(ctx, host.Archival, &bytes.Buffer{}); !incomplete(err, "not kept any more") {
			t.Errorf("archival: %v", err)
		}
		a, err := want.h.Activityhash()
		if err != nil || a != activityhash(t, r.h) {
			t.Errorf("seed %d: ended at %s, not %s", seed, activityhash(t, r.h), a)
		}
		vats, err := r.h.Vats()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range vats { // every vat is brought back from what is left
			if v.Alive && len(v.Snapshots) > 0 {
				if _, err := r.h.Replay(ctx, v.ID, host.ReplayOptions{FromSnapshot: true}); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		}
		done, err := r.h.Prune(ctx, host.PrunePolicy{})
		stats, err2 := r.h.Stats()
		if err = errors.Join(err, err2); err != nil || stats.Pruned.Entries < done.Entries {
			t.Errorf("seed %d: %+v, %+v, %v", seed, done, stats.Pruned, err)
		}
	}
	if all.Entries < 50*uint64(seeds) || all.ArchivesRemoved == 0 || all.BytesFreed == 0 {
		t.Errorf("pruned %+v", all)
	}
}

func incomplete(err error, says string) bool {
	var e *host.IncompleteError
	return errors.As(err, &e) && strings.Contains(err.Error(), says)
}

// snapped makes a directory with a vat that has two snapshots, and one that has none.
func snapped(t *testing.T) (dir string, root swing.KRef, v host.Vat) {
	t.Helper()
	dir = t.TempDir() + "/state"
	o := stepOptions()
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	id, root := vat(t, h, "counter", "c")
	vat(t, h, "pingpong", "young")
	for range 40 {
		ask(t, h, root, "incr", 1)
	}
	if err := h.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	v, err = h.Vat(string(id))
	if err != nil || len(v.Snapshots) != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	closeHost(t, h)
	return dir, root, v
}

func reopen(t *testing.T, dir string, o host.Options) *host.Host {
	t.Helper()
	o.Existing, o.Inline = true, true
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestPruneIsRefused: nothing goes where an archive is to be kept, or of a vat whose
// snapshots another engine made.
func TestPruneIsRefused(t *testing.T) {
	t.Parallel()
	dir, _, _ := snapped(t)
	h := reopen(t, dir, host.Options{Archival: true})
	if _, err := h.Prune(ctx, host.PrunePolicy{}); !errors.Is(err, host.ErrRefused) {
		t.Errorf("an archive: %v", err)
	}
	closeHost(t, h)
	h = reopen(t, dir, host.Options{Interpreter: true})
	done, err := h.Prune(ctx, host.PrunePolicy{Dead: true})
	if err != nil || done.Entries != 0 || done.Skipped != 1 {
		t.Errorf("another engine: %+v, %v", done, err)
	}
	if _, err := h.Export(ctx, host.Operational, &bytes.Buffer{}); err != nil {
		t.Errorf("another engine: %v", err) // from birth, since no snapshot is trusted
	}
	closeHost(t, h)
}

// TestRepairThenPrune: of a vat whose newer snapshot is gone nothing goes. Repair
// drops that record, and nothing else; then what lies before the older one goes.
func TestRepairThenPrune(t *testing.T) {
	t.Parallel()
	dir, root, v := snapped(t)
	h := reopen(t, dir, host.Options{})
	if list, err := h.Repair(ctx); err != nil || len(list) != 0 {
		t.Errorf("nothing is wrong: %v, %v", list, err)
	}
	bad := v.Snapshots[0]
	bad.ID[0] ^= 1
	host.SetSnapshot(h, bad)
	faults := 0
	if _, err := h.Check(ctx, func(host.Fault) { faults++ }); err != nil || faults == 0 {
		t.Errorf("check: %d faults, %v", faults, err)
	}
	if done, err := h.Prune(ctx, host.PrunePolicy{}); err != nil || done.Entries != 0 || done.Skipped != 1 {
		t.Errorf("a snapshot that is gone: %+v, %v", done, err)
	}
	list, err := h.Repair(ctx)
	if err != nil || len(list) != 1 || list[0].Snapshot.Position != v.Snapshots[0].Position ||
		!strings.Contains(list[0].Why, "not stored") && !strings.Contains(list[0].Why, "not found") {
		t.Errorf("repair: %+v, %v", list, err)
	}
	check(t, h)
	older := v.Snapshots[1].Position
	done, err := h.Prune(ctx, host.PrunePolicy{Margin: 3})
	if err != nil || done.Entries != older-3 || done.Vats != 1 || done.Skipped != 0 {
		t.Errorf("repaired: %+v, %v", done, err)
	}
	if got := ask(t, h, root, "incr", 1); got != 41 {
		t.Errorf("counted %d", got)
	}
	closeHost(t, h)
}

// TestPrunedSaysSo: who asks for what is gone is told, and what he can do; what is
// kept can be read; and a vat that cannot come back without it says why.
func TestPrunedSaysSo(t *testing.T) {
	t.Parallel()
	dir, root, v := snapped(t)
	h := reopen(t, dir, host.Options{})
	if done, err := h.Prune(ctx, host.PrunePolicy{}); err != nil || done.Vats != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	older := v.Snapshots[1].Position
	if _, err := h.Transcript(v.ID, older-1, older+1); !errors.Is(err, host.ErrPruned) {
		t.Errorf("read what is gone: %v", err)
	}
	if e, err := h.Transcript(v.ID, older, older+4); err != nil || len(e) != 4 {
		t.Errorf("read what is kept: %d, %v", len(e), err)
	}
	if _, err := h.Transcript("v2", 0, 1); err != nil {
		t.Error(err)
	}
	if _, err := h.Replay(ctx, v.ID, host.ReplayOptions{}); !errors.Is(err, host.ErrPruned) {
		t.Errorf("replay from birth: %v", err)
	}
	says := fmt.Sprintf("entries 0 to %d of vat v1", older)
	if _, err := h.ExportVat(ctx, v.ID, &bytes.Buffer{}); !incomplete(err, says) {
		t.Errorf("export of the vat: %v", err)
	}
	if _, err := h.Export(ctx, host.Replay, &bytes.Buffer{}); !incomplete(err, says) {
		t.Errorf("replay export: %v", err)
	}
	check(t, h)
	closeHost(t, h)
	h = reopen(t, dir, host.Options{Interpreter: true})
	send(t, h, root, "incr", 1)
	var stuck *host.VatError
	if _, err := h.Run(ctx, host.Policy{}); !errors.As(err, &stuck) ||
		!strings.Contains(err.Error(), "no snapshot of it can be used here (wazero") {
		t.Errorf("another engine: %v", err)
	}
	if _, err := h.Export(ctx, host.Operational, &bytes.Buffer{}); !incomplete(err, "of vat v1") {
		t.Errorf("another engine: %v", err)
	}
	closeHost(t, h)
}

// TestFeedNeedsItsChanges: a feed is refused, with what to do, where the log has not
// kept the change sets, or a transcript was pruned beyond the base; and a base or a
// root of another history is not accepted.
func TestFeedNeedsItsChanges(t *testing.T) {
	t.Parallel()
	o := stepOptions()
	o.KeepBlocks, o.CheckpointBytes, o.SegmentBytes = 0, 1, 1<<10
	h := open(t, vfs.NewMem(), o)
	_, root := vat(t, h, "counter", "c")
	ask(t, h, root, "incr", 1)
	_, first := export(t, h, host.Operational)
	for range 40 {
		ask(t, h, root, "incr", 1)
	}
	_, err := h.Feed(ctx, first.Base, &bytes.Buffer{})
	if !errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), "begin with a new export") {
		t.Errorf("changes that are gone: %v", err)
	}
	b, second := export(t, h, host.Operational)
	files := vfs.NewMem()
	importInto(t, b, files, host.Options{})
	ask(t, h, root, "incr", 1)
	var feed bytes.Buffer
	if _, err := h.Feed(ctx, second.Base, &feed); err != nil {
		t.Fatal(err)
	}
	f := open(t, files, host.Options{})
	if _, err := f.Apply(ctx, bytes.NewReader(feed.Bytes()), second.Root); !errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), "its root is") {
		t.Errorf("another root: %v", err)
	}
	if _, err := f.Apply(ctx, bytes.NewReader(b), swing.Hash{}); !errors.Is(err, host.ErrRefused) {
		t.Errorf("a state: %v", err)
	}
	ask(t, f, root, "read")
	if _, err := f.Apply(ctx, bytes.NewReader(feed.Bytes()), swing.Hash{}); !errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), "it goes on from block") {
		t.Errorf("a directory that ran: %v", err)
	}
	other := open(t, vfs.NewMem(), host.Options{Seed: "other"})
	if _, err := other.Feed(ctx, second.Base, &bytes.Buffer{}); !errors.Is(err, host.ErrRefused) {
		t.Errorf("another history: %v", err)
	}
	if _, err := h.Export(ctx, "all", &bytes.Buffer{}); !errors.Is(err, host.ErrRefused) {
		t.Errorf("no mode: %v", err)
	}
	if _, err := host.Import(ctx, bytes.NewReader(b), "", &host.ImportOptions{Root: first.Root}); !errors.Is(err, host.ErrRefused) {
		t.Errorf("another root: %v", err)
	}
}

// TestEqualStatesGiveEqualBytes: what is private and not part of the state (vats in
// memory, sizes of files, the engine) changes
// not a byte of an archive without snapshots.
func TestEqualStatesGiveEqualBytes(t *testing.T) {
	t.Parallel()
	var want []byte
	for i := range 4 {
		o := host.Options{BlockCranks: 10, Inline: true, MaxVats: 1 + 2*i, Interpreter: i == 1}
		o.Snapshots.Initial = -1 // never
		if i == 2 {
			o.SegmentBytes, o.CheckpointBytes, o.PackBytes = 4<<10, 4<<10, 64<<10
		}
		r := newRuns(t, vfs.NewMem(), o)
		for over := false; !over; {
			over = r.step(t, 1000)
		}
		b, _ := export(t, r.h, host.Archival)
		if want == nil {
			want = b
		}
		if !bytes.Equal(b, want) {
			t.Errorf("run %d differs", i)
		}
	}
}

// TestPruneFreesFiles: what is pruned goes from the disk at once where whole files of
// the log hold nothing else that is needed.
func TestPruneFreesFiles(t *testing.T) {
	t.Parallel()
	o := stepOptions()
	o.SegmentBytes, o.CheckpointBytes, o.KeepBlocks = 1<<10, 1, 0
	h := open(t, vfs.NewMem(), o)
	_, root := vat(t, h, "counter", "c")
	for range 60 {
		send(t, h, root, "incr", 1)
		run(t, h)
	}
	done, err := h.Prune(ctx, host.PrunePolicy{Outputs: 1 << 30})
	if err != nil || done.Entries < 30 || done.Outputs < 50 || done.ArchivesRemoved == 0 || done.BytesFreed == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	check(t, h)
}

// TestPruneIsRememberedByTheLog: what the log could not drop at once, because it lay
// in its last segment, goes after the directory was opened again, too.
func TestPruneIsRememberedByTheLog(t *testing.T) {
	t.Parallel()
	dir, root, v := snapped(t)
	h := reopen(t, dir, host.Options{SegmentBytes: 1 << 20})
	if _, err := h.Prune(ctx, host.PrunePolicy{}); err != nil || host.LogStart(h, v.ID) >= v.Snapshots[1].Position {
		t.Fatalf("the log starts at %d, %v", host.LogStart(h, v.ID), err)
	}
	closeHost(t, h)
	h = reopen(t, dir, host.Options{SegmentBytes: 1 << 10})
	for range 40 {
		ask(t, h, root, "incr", 1)
	}
	if start := host.LogStart(h, v.ID); start != v.Snapshots[1].Position {
		t.Errorf("the log starts at %d, want %d", start, v.Snapshots[1].Position)
	}
	check(t, h)
	closeHost(t, h)
}
