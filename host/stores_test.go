package host_test

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// counted makes a directory in which a counter has counted to 3, each time in a
// block of its own, with the table at the last block but one, and leaves it as a
// crash does.
func counted(t *testing.T) (files *vfs.Mem, root swing.KRef) {
	t.Helper()
	files = vfs.NewMem()
	o := host.Options{FS: files, Inline: true, CheckpointBytes: 1}
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		t.Fatal(err)
	}
	_, root = vat(t, h, "counter", "c")
	for range 3 {
		ask(t, h, root, "incr", 1)
	}
	return files.Crash(0, 100), root
}

// alter changes bytes of a file, or its length.
func alter(t *testing.T, files vfs.FS, name string, change func(b []byte) []byte) {
	t.Helper()
	b := contentOf(t, files, name)
	f, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b = change(b)
	_, err = f.WriteAt(b, 0)
	if err = errors.Join(err, f.Truncate(int64(len(b))), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func contentOf(t *testing.T, files vfs.FS, name string) []byte {
	t.Helper()
	f, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	size, err := f.Size()
	b := make([]byte, size)
	if err == nil && size > 0 {
		_, err = f.ReadAt(b, 0)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

const firstSegment = "log/00000001.segment"

// TestTableProvesItsBlocks: in a log that was not closed the table holds a block of
// which the log has lost the end. That is no torn tail: nothing is cut, so that
// whoever has a copy of the log's last bytes can put them back.
func TestTableProvesItsBlocks(t *testing.T) {
	files, root := counted(t)
	whole := contentOf(t, files, firstSegment)
	alter(t, files, firstSegment, func(b []byte) []byte { return b[:200] })
	_, err := host.Open(ctx, "", &host.Options{FS: files})
	if !errors.Is(err, host.ErrCorrupt) || !strings.Contains(err.Error(), firstSegment) {
		t.Fatalf("open: %v", err)
	}
	if b := contentOf(t, files, firstSegment); len(b) != 200 {
		t.Errorf("the segment has %d bytes after that", len(b))
	}
	alter(t, files, firstSegment, func([]byte) []byte { return whole })
	h := open(t, files, host.Options{})
	if got := ask(t, h, root, "incr", 1); got != 4 {
		t.Errorf("counted %d", got)
	}
	check(t, h)
}

// TestTableFromTheLogAlone: without a table the log makes up for it while it has
// every block, and the directory is refused, with none made, once it has not.
func TestTableFromTheLogAlone(t *testing.T) {
	files, root := counted(t)
	if err := files.Remove("table"); err != nil {
		t.Fatal(err)
	}
	h := open(t, files, host.Options{CheckpointBytes: 1, SegmentBytes: 2 << 10, Inline: true})
	for want := range uint64(20) {
		if got := ask(t, h, root, "incr", 1); got != want+4 {
			t.Fatalf("counted %d, want %d", got, want+4)
		}
	}
	closeHost(t, h)
	if err := files.Remove("table"); err != nil {
		t.Fatal(err)
	}
	_, err := host.Open(ctx, "", &host.Options{FS: files})
	if !errors.Is(err, host.ErrCorrupt) || !strings.Contains(err.Error(), `no file "table"`) {
		t.Errorf("open: %v", err)
	}
	if _, err := files.Open("table"); err == nil {
		t.Error("a table was made")
	}
}

// TestMendingIsTold: what the stores mend when they are opened, the Observer is
// told: a lost head of bbolt's, bytes in a pack that are no record.
func TestMendingIsTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var faults []error
	o := host.Options{Inline: true, Observer: host.Observer{
		Fault: func(err error) { faults = append(faults, err) },
	}}
	reopen := func() *host.Host {
		h, err := host.Open(ctx, dir, &o)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := reopen()
	_, root := vat(t, h, "counter", "c")
	for range 3 {
		ask(t, h, root, "incr", 1)
	}
	closeHost(t, h)
	pack := "heaps/packs/00000001.pack"
	for name, says := range map[string]string{"table": "table: ", pack: path.Base(pack)} {
		file := filepath.Join(dir, name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[50] ^= 1
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		faults = []error{errors.New("told")}
		closeHost(t, reopen())
		if !strings.Contains(errors.Join(faults...).Error(), says) {
			t.Errorf("%s: told %v", name, faults)
		}
	}
}

// TestForeignDirectoryGetsNoLock: a directory that says it is something else, or of
// a later version, is left without so much as a lock file.
func TestForeignDirectoryGetsNoLock(t *testing.T) {
	for _, text := range []string{"something else", "vatwarehouse 9\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "format"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := host.Open(ctx, dir, nil); !errors.Is(err, host.ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("%q: %v, %v", text, names, err)
		}
	}
}

// TestHalfMadeDirectory: a directory whose making was cut off before there was a format
// file is made anew, whichever of its first files are left; with another file beside
// them it is not ours.
func TestHalfMadeDirectory(t *testing.T) {
	for _, left := range [][]string{{"lock"}, {"format.new"}, {"lock", "format.new"}} {
		dir := t.TempDir()
		for _, name := range left {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("va"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		letter := filepath.Join(dir, "letter")
		if err := os.WriteFile(letter, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := host.Open(ctx, dir, nil); !errors.Is(err, host.ErrFormat) {
			t.Errorf("%q and a letter: %v", left, err)
		}
		if err := os.Remove(letter); err != nil {
			t.Fatal(err)
		}
		h, err := host.Open(ctx, dir, nil)
		if err != nil {
			t.Errorf("%q: %v", left, err)
			continue
		}
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestStrangeFilesOfStores: a file in the log that is not the log's is named, and of
// the same kind as a directory that is not ours.
func TestStrangeFilesOfStores(t *testing.T) {
	files, _ := counted(t)
	f, err := files.Create("log/letter")
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = host.Open(ctx, "", &host.Options{FS: files})
	if !errors.Is(err, host.ErrFormat) || !strings.Contains(err.Error(), "log/letter") {
		t.Errorf("open: %v", err)
	}
}
