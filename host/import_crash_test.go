package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// shortState is a small export, and a feed that goes on from it, with the export
// that the two make.
func shortState(t *testing.T) (first, feed, second []byte) {
	t.Helper()
	o := stepOptions()
	o.Interpreter, o.SegmentBytes, o.CheckpointBytes = true, 2<<10, 1<<10
	h := open(t, vfs.NewMem(), o)
	_, root := vat(t, h, "counter", "c")
	_, other := vat(t, h, "pingpong", "p")
	for range 9 {
		ask(t, h, root, "incr", 1)
	}
	first, done := export(t, h, host.Debug)
	for range 11 {
		ask(t, h, root, "incr", 1)
	}
	vat(t, h, "glutton", "g")
	send(t, h, other, "read")
	run(t, h)
	var b bytes.Buffer
	if _, err := h.Feed(ctx, done.Base, &b); err != nil {
		t.Fatal(err)
	}
	second, _ = export(t, h, host.Debug)
	return first, b.Bytes(), second
}

func crashOptions(files vfs.FS) host.Options {
	return host.Options{
		FS: files, Inline: true, Interpreter: true, SegmentBytes: 2 << 10, CheckpointBytes: 1 << 10,
		KeepSnapshots: 2,
	}
}

// attempt imports, and if so told applies a feed.
func attempt(files vfs.FS, first, feed []byte) error {
	o := crashOptions(files)
	_, err := host.Import(ctx, bytes.NewReader(first), "", &host.ImportOptions{Host: o})
	if err != nil || feed == nil {
		return err
	}
	return applyTo(files, feed)
}

func applyTo(files vfs.FS, feed []byte) error {
	o := crashOptions(files)
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return err
	}
	_, err = h.Apply(ctx, bytes.NewReader(feed), swing.Hash{})
	return errors.Join(err, h.Close(ctx))
}

// exportOf opens what is there, and exports it.
func exportOf(files vfs.FS) ([]byte, error) {
	o := crashOptions(files)
	o.Existing = true
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = h.Export(ctx, host.Debug, &b)
	if err == nil {
		_, err = h.Check(ctx, func(f host.Fault) { err = errors.Join(err, errors.New(f.String())) })
	}
	return b.Bytes(), errors.Join(err, h.Close(ctx))
}

// TestImportCutAtEveryOperation: an import that stops at its k-th file operation, by
// a crash or a failure, for every k, leaves nothing that opens, or the whole; and
// then another import makes the whole.
func TestImportCutAtEveryOperation(t *testing.T) {
	t.Parallel()
	first, _, _ := shortState(t)
	count := vfs.NewFaulty(vfs.NewMem())
	if err := attempt(count, first, nil); err != nil {
		t.Fatal(err)
	}
	refused, whole := 0, 0
	step := 1
	if testing.Short() {
		step = 7
	}
	for k := 1; k <= count.Operations(); k += step {
		for _, fault := range []vfs.Fault{{At: k, Crash: true}, {At: k, Err: errDisk, Sticky: true}} {
			mem := vfs.NewMem()
			files := vfs.NewFaulty(mem)
			files.Arm(fault)
			if err := attempt(files, first, nil); err == nil {
				t.Fatalf("operation %d (%s): no error", k, files.Fired())
			}
			for _, keep := range []int{0, 50, 100} {
				left := mem.Crash(uint64(k), keep)
				b, err := exportOf(left)
				switch {
				case err == nil && bytes.Equal(b, first):
					whole++
					continue
				case errors.Is(err, host.ErrUnfinished), errors.Is(err, host.ErrNotFound):
					refused++
				default:
					t.Fatalf(
						"operation %d (%s), %d %% kept: %d bytes, %v",
						k,
						files.Fired(),
						keep,
						len(b),
						err,
					)
				}
				if errors.Is(err, host.ErrNotFound) {
					left = mem.Crash(uint64(k), keep) // exportOf has left its lock
				}
				if err := attempt(left, first, nil); err != nil {
					t.Fatalf(
						"operation %d (%s), %d %% kept: again: %v",
						k,
						files.Fired(),
						keep,
						err,
					)
				}
				if b, err := exportOf(left); err != nil || !bytes.Equal(b, first) {
					t.Fatalf(
						"operation %d (%s), %d %% kept: after the second: %v",
						k,
						files.Fired(),
						keep,
						err,
					)
				}
			}
		}
	}
	t.Logf("%d operations: %d refused, %d whole", count.Operations(), refused, whole)
	if !testing.Short() && (refused < 3*count.Operations() || whole == 0) {
		t.Errorf("%d refused, %d whole of %d operations", refused, whole, count.Operations())
	}
}

// TestApplyCutAtEveryOperation: a feed whose application stops at its k-th file
// operation leaves the directory before it or after it, and can be applied then.
func TestApplyCutAtEveryOperation(t *testing.T) {
	t.Parallel()
	first, feed, second := shortState(t)
	count := vfs.NewFaulty(vfs.NewMem())
	if err := attempt(count, first, nil); err != nil {
		t.Fatal(err)
	}
	from := count.Operations()
	base, err := host.ReadBase(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	start := base.Block()
	if err := applyTo(count, feed); err != nil {
		t.Fatal(err)
	}
	before, after := 0, 0
	step := 1
	if testing.Short() {
		step = 5
	}
	for k := from + 1; k <= count.Operations(); k += step {
		for _, fault := range []vfs.Fault{{At: k, Crash: true}, {At: k, Err: errDisk, Sticky: true}} {
			mem := vfs.NewMem()
			files := vfs.NewFaulty(mem)
			files.Arm(fault)
			_ = attempt(files, first, feed) // failing to archive the log is only told
			for _, keep := range []int{0, 50, 100} {
				where := fmt.Sprintf("operation %d (%s), %d %% kept", k-from, files.Fired(), keep)
				left := mem.Crash(uint64(k), keep)
				b, err := exportOf(left)
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				if bytes.Equal(b, second) {
					after++
					continue
				}
				if before++; !bytes.Equal(b, first) && !strings.Contains(where, "heaps/code") &&
					!strings.Contains(where, "log/") {
					t.Fatalf("%s: neither before nor after", where)
				}
				if base, err := host.ReadBase(bytes.NewReader(b)); err != nil ||
					base.Block() != start {
					t.Fatalf("%s: at block %d, not %d: %v", where, base.Block(), start, err)
				}
				if err := applyTo(left, feed); err != nil {
					t.Fatalf("%s: again: %v", where, err)
				}
				if b, err = exportOf(left); err != nil || !bytes.Equal(b, second) {
					t.Fatalf("%s: after the second: %v", where, err)
				}
			}
		}
	}
	t.Logf("%d operations: %d before, %d after", count.Operations()-from, before, after)
	if before == 0 || after == 0 {
		t.Errorf("%d before, %d after", before, after)
	}
}

// TestDamagedExportIsRefused: an export with any byte changed, or cut anywhere, is
// refused, and what it left is not opened; steps keep it short.
func TestDamagedExportIsRefused(t *testing.T) {
	t.Parallel()
	first, feed, _ := shortState(t)
	step := 131
	if testing.Short() {
		step = 997
	}
	for _, of := range [][]byte{first, feed} {
		for at := 0; at < len(of); at += step {
			for _, b := range [][]byte{of[:at], append(bytes.Clone(of[:at]), append([]byte{of[at] ^ 4}, of[at+1:]...)...)} {
				files := vfs.NewMem()
				err := attempt(files, b, nil)
				if &of[0] == &feed[0] {
					if err = attempt(files, first, nil); err == nil {
						err = applyTo(files, b)
					}
					if got, err := exportOf(files); err != nil || !bytes.Equal(got, first) {
						t.Fatalf("byte %d of a feed: the directory is another: %v", at, err)
					}
				} else if _, err := exportOf(files); !errors.Is(err, host.ErrUnfinished) && !errors.Is(err, host.ErrNotFound) {
					t.Fatalf("byte %d: it opens: %v", at, err)
				}
				if !errors.Is(err, host.ErrCorrupt) && !errors.Is(err, host.ErrFormat) {
					t.Fatalf("byte %d of %d: %v", at, len(of), err)
				}
			}
		}
	}
}
