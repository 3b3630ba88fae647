package host_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

const goldenDir, goldenHash, goldenExport = "testdata/v1.tar.gz", "testdata/v1.txt", "testdata/v1.vw"

// makeGolden makes the directory that is kept: vats of four programs, one of them
// dead, promises, notes, snapshots, archived segments, a table behind its log.
func makeGolden(t *testing.T, dir string) {
	t.Helper()
	o := host.Options{
		Inline: true, SegmentBytes: 4 << 10, CheckpointBytes: 8 << 10, BlockCranks: 20,
		Snapshots: warehouse.Policy{Initial: 2, Interval: 10}, Seed: "golden",
	}
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
	closeHost(t, h)
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
	total := ask(t, h, c.Root, "incr", 1000)
	if total != 1300 {
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

// TestGoldenDirectory: the directory and the export that the first version with this
// schema made open, check without a fault, and go on to the recorded activityhash.
// They are kept: a version that cannot open them is another format or schema.
func TestGoldenDirectory(t *testing.T) {
	t.Parallel()
	if *rewrite {
		writeGolden(t)
	}
	want, err := os.ReadFile(goldenHash)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	unpack(t, goldenDir, dir)
	imported := filepath.Join(t.TempDir(), "state")
	f, err := os.Open(goldenExport)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Import(ctx, f, imported, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, imported} {
		h, err := host.Open(ctx, dir, &host.Options{Existing: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := goOn(t, h); got != string(want) {
			t.Errorf("%s goes on\n%s\nnot\n%s", dir, got, want)
		}
		closeHost(t, h)
	}
}

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
		if err != nil || e.IsDir() || strings.HasPrefix(path, "compiled/") || path == "lock" {
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
	if err := os.WriteFile(goldenDir, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := export(t, h, host.Archival)
	hashes := goOn(t, h)
	closeHost(t, h)
	err = errors.Join(os.WriteFile(goldenExport, x, 0o644), os.WriteFile(goldenHash, []byte(hashes), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, name, dir string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		path := filepath.Join(dir, filepath.FromSlash(head.Name))
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
}
