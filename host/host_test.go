package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// TestAnswersSurviveEverything: a counter counts on through eviction, reopening
// and both, and its history checks and replays.
func TestAnswersSurviveEverything(t *testing.T) {
	files := vfs.NewMem()
	var root swing.KRef
	total := uint64(0)
	for round := range 4 {
		h := open(t, files, host.Options{MaxVats: 1})
		if round == 0 {
			_, root = vat(t, h, "counter", "c")
			vat(t, h, "counter", "other")
		}
		for range 5 {
			total += 3
			if got := ask(t, h, root, "incr", 3); got != total {
				t.Fatalf("round %d: counted %d, want %d", round, got, total)
			}
			if err := h.Evict(ctx, "v1"); err != nil {
				t.Fatal(err)
			}
		}
		done := check(t, h)
		if done.Vats != 2 || done.Snapshots == 0 || done.Outputs != 5*(round+1) {
			t.Errorf("round %d: checked %+v", round, done)
		}
		replayed, err := h.Replay(ctx, "v1", host.ReplayOptions{})
		if err != nil || replayed.Deliveries != uint64(1+5*(round+1)) || replayed.Snapshots == 0 {
			t.Errorf("round %d: replayed %+v, %v", round, replayed, err)
		}
		if replayed, err = h.Replay(ctx, "v1", host.ReplayOptions{FromSnapshot: true}); err != nil || replayed.From == 0 {
			t.Errorf("round %d: replayed %+v, %v", round, replayed, err)
		}
		closeHost(t, h)
	}
}

// TestCommittedInputsSurvive: what Commit acknowledged is there after the
// process is gone without Close; what it did not is not.
func TestCommittedInputsSurvive(t *testing.T) {
	files := vfs.NewMem()
	h, err := host.Open(ctx, "", &host.Options{FS: files, Inline: true})
	if err != nil {
		t.Fatal(err)
	}
	_, root := vat(t, h, "counter", "c")
	send(t, h, root, "incr", 1)
	if err := h.SetNote(ctx, "step", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := h.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	send(t, h, root, "incr", 1)
	if err := h.SetNote(ctx, "step", []byte("2")); err != nil {
		t.Fatal(err)
	}
	after := open(t, files.Crash(1, 0), host.Options{})
	if note, ok, err := after.Note("step"); err != nil || !ok || string(note) != "1" {
		t.Errorf("note %q, %v, %v", note, ok, err)
	}
	if ran := run(t, after); ran.Deliveries != 2 { // the start and one message
		t.Errorf("ran %+v", ran)
	}
	check(t, after)
}

// TestOutputsOnlyOnceDurable: the Observer hears of a resolution when its block
// is in the log, and Outputs gives every one again.
func TestOutputsOnlyOnceDurable(t *testing.T) {
	files := vfs.NewFaulty(vfs.NewMem())
	var heard []host.Output
	h := open(t, files, host.Options{
		Inline: true, BlockCranks: 3, Observer: host.Observer{
			Output: func(o host.Output) { heard = append(heard, o) },
		},
	})
	_, root := vat(t, h, "counter", "c")
	var want []swing.KRef
	for range 10 {
		want = append(want, send(t, h, root, "incr", 1))
	}
	run(t, h)
	var got []swing.KRef
	for i, o := range heard {
		if o.Number != uint64(i) || o.Rejected {
			t.Errorf("output %d is %+v", i, o)
		}
		got = append(got, o.Promise)
	}
	if !slices.Equal(got, want) {
		t.Errorf("heard of %v, want %v", got, want)
	}
	again, err := h.Outputs(3, 4)
	if err != nil || len(again) != 4 || again[0].Promise != want[3] || again[3].Number != 6 {
		t.Errorf("outputs from 3: %+v, %v", again, err)
	}
}

// TestDirectoryErrors: each directory that cannot be opened is refused with its
// reason, and left as it was.
func TestDirectoryErrors(t *testing.T) {
	in := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	used := t.TempDir()
	h, err := host.Open(ctx, used, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closeHost(t, h)
	seeded := t.TempDir()
	s, err := host.Open(ctx, seeded, &host.Options{Seed: "one"})
	if err != nil {
		t.Fatal(err)
	}
	closeHost(t, s)
	other := swing.DefaultLimits()
	other.Slots = 7
	rows := []struct {
		name, dir string
		o         host.Options
		is        error
		says      string
	}{
		{"in use", used, host.Options{}, host.ErrInUse, used},
		{"foreign", in(map[string]string{"letter.txt": "dear"}), host.Options{}, host.ErrFormat, "letter.txt"},
		{"newer", in(map[string]string{"format": "vatwarehouse 9\n"}), host.Options{}, host.ErrFormat, `version "9"`},
		{"not ours", in(map[string]string{"format": "something else"}), host.Options{}, host.ErrFormat, "something else"},
		{"seed", seeded, host.Options{Seed: "two"}, host.ErrOptions, `made with "one"`},
		{"limits", seeded, host.Options{Limits: other}, host.ErrOptions, "limits"},
		{"absent", filepath.Join(t.TempDir(), "nowhere"), host.Options{Existing: true}, host.ErrNotFound, "nothing"},
		{"a file", filepath.Join(in(map[string]string{"f": ""}), "f"), host.Options{}, nil, "not a directory"},
	}
	for _, r := range rows {
		before := listing(t, r.dir)
		h, err := host.Open(ctx, r.dir, &r.o)
		if err == nil {
			closeHost(t, h)
		}
		if err == nil || (r.is != nil && !errors.Is(err, r.is)) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: %v, want %v and %q", r.name, err, r.is, r.says)
		}
		if after := listing(t, r.dir); after != before {
			t.Errorf("%s: the directory changed from\n%s\nto\n%s", r.name, before, after)
		}
	}
}

// listing names everything under a directory, with sizes.
func listing(t *testing.T, dir string) (text string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && d.Name() != "lock" {
			text += fmt.Sprintln(path, info.Size())
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return text
}

// TestClosedHost: every call says so, and Close may be repeated.
func TestClosedHost(t *testing.T) {
	h := open(t, vfs.NewMem(), host.Options{})
	closeHost(t, h)
	_, err := h.Run(ctx, host.Policy{})
	_, statsErr := h.Stats()
	for _, err := range []error{err, statsErr, h.Commit(ctx), h.SetTime(ctx, 1<<62)} {
		if !errors.Is(err, host.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

// TestFailedWritePoisons: after a sync fails nothing goes on, and reopening has
// the last block.
func TestFailedWritePoisons(t *testing.T) {
	mem := vfs.NewMem()
	files := vfs.NewFaulty(mem)
	h, err := host.Open(ctx, "", &host.Options{FS: files, Inline: true})
	if err != nil {
		t.Fatal(err)
	}
	_, root := vat(t, h, "counter", "c")
	ask(t, h, root, "incr", 1)
	want := activityhash(t, h)
	send(t, h, root, "incr", 1)
	files.Arm(vfs.Fault{At: files.Operations() + 1, Err: errDisk, Sticky: true})
	if _, err := h.Run(ctx, host.Policy{}); !errors.Is(err, errDisk) {
		t.Fatalf("run: %v", err)
	}
	if _, err := h.Run(ctx, host.Policy{}); !errors.Is(err, host.ErrPoisoned) || !errors.Is(err, errDisk) {
		t.Errorf("run again: %v", err)
	}
	if err := h.Close(ctx); !errors.Is(err, errDisk) {
		t.Errorf("close: %v", err)
	}
	again := open(t, mem.Crash(1, 0), host.Options{})
	if got := activityhash(t, again); got != want {
		t.Errorf("activityhash %v, want %v", got, want)
	}
	if got := ask(t, again, root, "incr", 1); got != 2 {
		t.Errorf("counted %d", got)
	}
	check(t, again)
}

// TestCancelledRun: a cancelled context ends at a crank boundary with all kept.
func TestCancelledRun(t *testing.T) {
	files := vfs.NewMem()
	h := open(t, files, host.Options{})
	_, root := vat(t, h, "counter", "c")
	for range 10 {
		send(t, h, root, "incr", 1)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if ran, err := h.Run(cancelled, host.Policy{}); !errors.Is(err, context.Canceled) || ran.Cranks != 0 {
		t.Errorf("ran %+v, %v", ran, err)
	}
	if ran, err := h.Run(ctx, host.Policy{Cranks: 3}); err != nil || ran.Cranks != 3 || ran.Idle {
		t.Errorf("ran %+v, %v", ran, err)
	}
	if ran, err := h.Run(ctx, host.Policy{Deliveries: 4}); err != nil || ran.Deliveries != 4 {
		t.Errorf("ran %+v, %v", ran, err)
	}
	if ran := run(t, h); !ran.Idle || ran.Deliveries != 7 {
		t.Errorf("ran %+v", ran)
	}
}

// TestDamagedTranscript: the vat cannot be paged in, and the error says where;
// held, it loses nothing, and everything else goes on.
func TestDamagedTranscript(t *testing.T) {
	dir := t.TempDir()
	o := host.Options{MaxVats: 1, Snapshots: warehouse.Policy{Initial: warehouse.Never}}
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	_, bad := vat(t, h, "counter", "bad")
	_, good := vat(t, h, "counter", "good")
	ask(t, h, bad, "incr", 1)
	ask(t, h, good, "incr", 1)
	damageTranscript(t, h, dir)
	h, err = host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeHost(t, h)
	first := send(t, h, bad, "incr", 1)
	other := send(t, h, good, "incr", 1)
	_, err = h.Run(ctx, host.Policy{})
	var vatErr *host.VatError
	if !errors.As(err, &vatErr) || vatErr.Vat != "v1" || !strings.Contains(err.Error(), "position") {
		t.Fatalf("run: %v", err)
	}
	if err := h.Hold(ctx, "v1"); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if p, err := h.Promise(other); err != nil || p.State != kernel.Fulfilled {
		t.Errorf("the other vat answered %v, %v", p.State, err)
	}
	if p, err := h.Promise(first); err != nil || p.State != kernel.Unresolved {
		t.Errorf("the held vat answered %v, %v", p.State, err)
	}
	if v, err := h.Vat("bad"); err != nil || !v.Held || v.Waiting != 1 {
		t.Errorf("vat %+v, %v", v, err)
	}
	faults := 0
	if _, err := h.Check(ctx, func(host.Fault) { faults++ }); err != nil || faults == 0 {
		t.Errorf("check found %d faults, %v", faults, err)
	}
}

// damageTranscript closes the Host and alters one byte of the first vat's
// second entry.
func damageTranscript(t *testing.T, h *host.Host, dir string) {
	t.Helper()
	entries, err := h.Transcript("v1", 1, 2)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	closeHost(t, h)
	names, err := filepath.Glob(filepath.Join(dir, "log", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(b, entries[0].Delivery); at >= 0 {
			b[at+5] ^= 1
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Logf("altered %s at %d", filepath.Base(name), at+5)
			return
		}
	}
	t.Fatal("the entry is in no file as it is")
}

// TestDamagedSnapshot: it is reported and passed over, for an older one or for
// the whole transcript, and the answers are right.
func TestDamagedSnapshot(t *testing.T) {
	for _, damaged := range []int{1, 2} {
		dir := t.TempDir()
		o := host.Options{Snapshots: warehouse.Policy{Initial: 1, Interval: 1}, Inline: true}
		h, err := host.Open(ctx, dir, &o)
		if err != nil {
			t.Fatal(err)
		}
		_, root := vat(t, h, "counter", "c")
		for range 4 {
			ask(t, h, root, "incr", 1)
		}
		v, err := h.Vat("c")
		if err != nil || len(v.Snapshots) != 2 {
			t.Fatalf("snapshots %v, %v", v.Snapshots, err)
		}
		closeHost(t, h)
		damageHeaps(t, dir, v.Snapshots[:damaged])
		var faults []error
		o.Observer.Fault = func(err error) { faults = append(faults, err) }
		if h, err = host.Open(ctx, dir, &o); err != nil {
			t.Fatal(err)
		}
		// Each is told of twice: what Open cut out of the pack, and what is passed over.
		if got := ask(t, h, root, "incr", 1); got != 5 || len(faults) != 2*damaged {
			t.Errorf("%d damaged: counted %d, faults %v", damaged, got, faults)
		}
		stats, err := h.Stats()
		if want := uint64([]int{0, 1, 5}[damaged]); err != nil || stats.Vats.Replayed != want {
			t.Errorf("%d damaged: replayed %d, want %d", damaged, stats.Vats.Replayed, want)
		}
		closeHost(t, h)
	}
}

// damageHeaps alters the root objects of snapshots in their packs.
func damageHeaps(t *testing.T, dir string, snapshots []host.Snapshot) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "heaps", "packs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snapshots {
		found := false
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if at := bytes.Index(b, s.ID[:]); at >= 0 && !strings.HasSuffix(name, ".index") {
				b[at+swing.HashBytes+3] ^= 1
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
				found = true
			}
		}
		if !found {
			t.Fatalf("snapshot %v is in no pack of %v", s.ID, names)
		}
	}
}

// TestSlog: every crank and block is a structured record.
func TestSlog(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := open(t, vfs.NewMem(), host.Options{Logger: logger})
	_, root := vat(t, h, "counter", "c")
	ask(t, h, root, "incr", 1)
	if err := h.Terminate(ctx, "v1", "enough"); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var last map[string]any
	for line := range strings.Lines(out.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		kinds[record["msg"].(string)]++
		if record["msg"] == "crank" && record["kind"] == "delivery" {
			last = record
		}
	}
	if kinds["crank"] != 4 || kinds["block"] == 0 || kinds["vat ended"] != 1 {
		t.Errorf("records %v", kinds)
	}
	for _, field := range []string{"crank", "vat", "position", "delivery", "outcome", "syscalls",
		"crankhash", "activityhash", "seconds"} {
		if _, ok := last[field]; !ok {
			t.Errorf("a crank's record has no %s: %v", field, last)
		}
	}
}

// TestPreload: the vats that were in memory at Close are again at Open.
func TestPreload(t *testing.T) {
	files := vfs.NewMem()
	h := open(t, files, host.Options{MaxVats: 2})
	for i := range 4 {
		vat(t, h, "counter", fmt.Sprint("c", i))
	}
	run(t, h)
	closeHost(t, h)
	h = open(t, files, host.Options{Preload: true})
	stats, err := h.Stats()
	if err != nil || stats.Vats.PagedIn != 2 || stats.Vats.PageIns != 2 {
		t.Errorf("stats %+v, %v", stats.Vats, err)
	}
	if v, err := h.Vat("c3"); err != nil || !v.PagedIn {
		t.Errorf("c3 %+v, %v", v, err)
	}
	if v, err := h.Vat("c0"); err != nil || v.PagedIn {
		t.Errorf("c0 %+v, %v", v, err)
	}
}

// TestOldSnapshotsGo: only as many as are kept have records, and what only the
// others needed is cleared from the store in time.
func TestOldSnapshotsGo(t *testing.T) {
	h := open(t, vfs.NewMem(), host.Options{
		Inline: true, KeepSnapshots: 3, Snapshots: warehouse.Policy{Initial: 1, Interval: 1},
	})
	_, root := vat(t, h, "counter", "c")
	for range 10 {
		ask(t, h, root, "incr", 1)
	}
	v, err := h.Vat("c")
	if err != nil || len(v.Snapshots) != 3 || v.Snapshots[0].Position != 11 {
		t.Errorf("snapshots %+v, %v", v.Snapshots, err)
	}
	check(t, h)
}
