package host_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/warehouse"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

// lastOfRewriter1 is the last schema of which the directory that is kept was made with the
// first rewriter.
const lastOfRewriter1 = 2

// golden is the name of what is kept of a schema: a directory, an export, and what they go
// on to.
func golden(schema uint64, suffix string) string {
	return fmt.Sprintf("testdata/v%d%s", schema, suffix)
}

const goldenDir, goldenExport, goldenHash = ".tar.gz", ".vw", ".txt"

// makeGolden makes the directory that is kept: vats of four programs, one of them
// dead, promises, notes, snapshots, archived segments, a table behind its log, and
// something in every queue.
func makeGolden(t *testing.T, dir string) {
	t.Helper()
	o := host.Options{
		Inline: true, SegmentBytes: 4 << 10, CheckpointBytes: 8 << 10, BlockCranks: 20,
		Snapshots: warehouse.Policy{Initial: 2, Interval: 10}, Seed: "golden",
	}
	o.CleanupRows, o.ReapFuel, o.Limits = 1, goldenReapFuel, goldenLimits()
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	_, counter := vat(t, h, "counter", "c")
	_, p := vat(t, h, "pingpong", "p")
	_, q := vat(t, h, "pingpong", "q")
	_, mortal := vat(t, h, "puppet", "m")
	for _, pair := range [][2]swing.KRef{{p, q}, {q, p}} {
		introduce := host.Message{Method: "peer", Body: []byte{0x81, 0xf6}, Slots: pair[1:]}
		if err := h.SendOnly(ctx, pair[0], introduce); err != nil {
			t.Fatal(err)
		}
		run(t, h)
	}
	for n := range uint64(25) {
		ask(t, h, counter, "incr", n)
		send(t, h, p, "ping", 2)
	}
	if err := h.SendOnly(ctx, mortal, host.Message{Method: "do", Body: []byte("\x81\x81\x64trap")}); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if err := h.SetNote(ctx, "golden", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	leaveBusy(t, h, counter)
	closeHost(t, h)
}

// goldenReapFuel is after how much fuel vats of the latest directory are reaped.
const goldenReapFuel = 400_000_000

// goldenLimits are those of the latest directory.
func goldenLimits() swing.Limits {
	l := swing.DefaultLimits()
	l.Fuel, l.Depth = 50_000_000, 1200
	return l
}

// expectOptions sees that what an older schema did not have has its default.
func expectOptions(t *testing.T, h *host.Host, schema uint64) {
	t.Helper()
	limits, reap := swing.DefaultLimits(), uint64(host.Never)
	if schema == kernel.SchemaVersion {
		limits, reap = goldenLimits(), goldenReapFuel
	}
	if got := h.Options(); got.Limits != limits || got.ReapFuel != reap {
		t.Errorf("schema %d: limits %+v, reaped after %d", schema, got.Limits, got.ReapFuel)
	}
	if c, err := h.Vat("c"); err != nil || c.Options.ReapFuel != reap {
		t.Errorf("schema %d: %+v, %v", schema, c.Options, err)
	}
}

// watchers are the vats that wait for the promise of the vat "hands".
var watchers = []string{"w1", "w2", "w3"}

// leaveBusy leaves much to be done: subscribers and messages wait for a promise, messages
// for a held vat; a vat has been cleaned up in part; one is to be told what was dropped;
// there are events in the run-queue and the acceptance queue.
func leaveBusy(t *testing.T, h *host.Host, counter swing.KRef) {
	t.Helper()
	_, hands := vat(t, h, "puppet", "hands")
	var roots []swing.KRef
	for _, name := range watchers {
		_, root := vat(t, h, "puppet", name)
		roots = append(roots, root)
	}
	held, slow := vat(t, h, "counter", "held")
	var rows []swing.Syscall[swing.VRef]
	for i := range byte(20) {
		rows = append(rows, swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte{i + 1}})
	}
	rich, store := vat(t, h, "puppet", "rich")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	script := func(to swing.KRef, body []byte) {
		t.Helper()
		must(h.SendOnly(ctx, to, host.Message{Method: "do", Body: body}))
	}
	script(store, calls(rows...))
	watch := calls(
		swing.Syscall[swing.VRef]{Op: swing.OpSubscribe, Target: "p-60"},
		tell("p-60", "later", nil),
	)
	var tells []swing.Syscall[swing.VRef]
	for _, w := range []swing.VRef{"o-50", "o-51", "o-52"} {
		tells = append(tells, tell(w, "meet", nil, "p+1", "o+5"), tell(w, "do", watch))
	}
	must(h.SendOnly(ctx, hands, host.Message{Method: "meet", Slots: roots}))
	script(hands, calls(tells...))
	run(t, h)
	must(h.Terminate(ctx, rich, "no longer wanted"))
	must(h.Hold(ctx, held))
	send(t, h, slow, "incr", 1)
	_, err := h.Run(ctx, host.Policy{Cranks: 6})
	must(err)
	for _, root := range roots {
		script(root, calls(swing.Syscall[swing.VRef]{Op: swing.OpDropImports, Refs: []swing.VRef{"o-50"}}))
	}
	send(t, h, counter, "incr", 1)
	_, err = h.Run(ctx, host.Policy{Deliveries: 3})
	must(err)
	send(t, h, counter, "incr", 1)
}

func tell(to swing.VRef, method string, body []byte, slots ...swing.VRef) swing.Syscall[swing.VRef] {
	s := callNow(to, method, body, slots...)
	s.Op = swing.OpSend
	return s
}

// finish does what leaveBusy left: the promise is resolved, and the held vat let go.
func finish(t *testing.T, h *host.Host) {
	t.Helper()
	run(t, h)
	hands, err := h.Vat("hands")
	if err != nil {
		t.Fatal(err)
	}
	resolve := calls(swing.Syscall[swing.VRef]{
		Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{{Promise: "p+1"}},
	})
	if err := h.SendOnly(ctx, hands.Root, host.Message{Method: "do", Body: resolve}); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	for _, name := range watchers {
		if w, err := h.Vat(name); err != nil || w.Span.End != 5 { // start, meet, watch, drop, notify
			t.Errorf("%s has had %d deliveries, %v", name, w.Span.End, err)
		}
	}
	held, err := h.Vat("held")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Unhold(ctx, held.ID); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, h, held.Root, "incr", 1); got != 2 {
		t.Errorf("the held vat counted %d", got)
	}
}

// goOn continues what makeGolden made, and returns the activityhash before and after.
func goOn(t *testing.T, h *host.Host) string {
	t.Helper()
	before := activityhash(t, h)
	c, err := h.Vat("c")
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Vat("p")
	if err != nil {
		t.Fatal(err)
	}
	if note, _, err := h.Note("golden"); string(note) != "kept" || err != nil {
		t.Errorf("note %q, %v", note, err)
	}
	if m, err := h.Vat("m"); m.Alive || err != nil {
		t.Errorf("the mortal is alive, %v", err)
	}
	finish(t, h)
	total := ask(t, h, c.Root, "incr", 1000)
	if total != 1302 {
		t.Errorf("counted %d", total)
	}
	pinged := send(t, h, p.Root, "ping", 3)
	run(t, h)
	if a, err := h.Promise(pinged); err != nil || a.State != kernel.Fulfilled {
		t.Errorf("%+v, %v", a, err)
	}
	check(t, h)
	return fmt.Sprintf("%s\n%s\n", before, activityhash(t, h))
}

// TestGoldenDirectory: the directory and the export that the first version with each
// schema made open, check without a fault, and go on to the recorded activityhash. They
// are kept: a version that cannot open them is another format or schema; one with another
// rewriter adopts them. Run with
// -rewrite it makes those of the latest schema anew, and records what the others go on
// to.
func TestGoldenDirectory(t *testing.T) {
	t.Parallel()
	if *rewrite {
		writeGolden(t)
	}
	for schema := uint64(1); schema <= kernel.SchemaVersion; schema++ {
		dir := filepath.Join(t.TempDir(), "state")
		trial.Unpack(t, golden(schema, goldenDir), dir)
		imported := filepath.Join(t.TempDir(), "state")
		f, err := os.Open(golden(schema, goldenExport))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := host.Import(ctx, f, imported, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, dir := range []string{dir, imported} {
			h := openAdopting(t, dir, host.Options{Existing: true}, schema <= lastOfRewriter1)
			expectOptions(t, h, schema)
			got = append(got, goOn(t, h))
			closeHost(t, h)
		}
		if *rewrite {
			if err := os.WriteFile(golden(schema, goldenHash), []byte(got[0]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden(schema, goldenHash))
		if err != nil {
			t.Fatal(err)
		}
		for i, what := range []string{"directory", "export"} {
			if got[i] != string(want) {
				t.Errorf("the %s of schema %d goes on\n%s\nnot\n%s", what, schema, got[i], want)
			}
		}
	}
}

// writeGolden makes the directory and the export of the latest schema.
func writeGolden(t *testing.T) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	makeGolden(t, dir)
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path == "lock" {
			return err
		}
		content, err := fs.ReadFile(root, path)
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: path, Mode: 0o600, Size: int64(len(content))})
		}
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	})
	if err = errors.Join(err, w.Close(), z.Close(), os.MkdirAll("testdata", 0o755)); err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := export(t, h, host.Archival)
	closeHost(t, h)
	err = errors.Join(
		os.WriteFile(golden(kernel.SchemaVersion, goldenDir), b.Bytes(), 0o644),
		os.WriteFile(golden(kernel.SchemaVersion, goldenExport), x, 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
}
