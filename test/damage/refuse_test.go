package damage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// everything describes all that is under a directory of the machine: names, modes
// and bytes.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var b []byte
		if info.Mode().IsRegular() {
			if b, err = os.ReadFile(path); err != nil {
				return err
			}
			b = bytes.TrimRight(b, "\x00")
		}
		all[path] = fmt.Sprint(info.Mode(), info.Size(), string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// somebodys is a file of bbolt that is not ours.
func somebodys(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("letters"))
		if err == nil {
			err = b.Put([]byte("aunt"), []byte("dear"))
		}
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// inPlace puts something else in the place of a file or directory of ours.
func inPlace(t *testing.T, name string, put func(path string) error) func(dir string) {
	return func(dir string) {
		path := filepath.Join(dir, name)
		err := os.RemoveAll(path)
		if err == nil {
			err = put(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusedDirectoriesAreLeftAlone: what Open cannot take, it says so, and where;
// not a byte, name or mode changes, and where it is not ours not even a lock file is
// made. (Package host tests the refusals that need no directory of ours.)
func TestRefusedDirectoriesAreLeftAlone(t *testing.T) {
	file := func(path string) error { return os.WriteFile(path, []byte("dear"), 0o600) }
	directory := func(path string) error { return os.Mkdir(path, 0o700) }
	link := func(path string) error { return os.Symlink("/etc/hostname", path) }
	bolt := func(path string) error { somebodys(t, path); return nil }
	for _, row := range []struct {
		name  string
		spoil func(dir string)
		is    error
		says  string
	}{
		{"somebody's table", inPlace(t, "table", bolt), host.ErrCorrupt, "open table"},
		{"a newer format", inPlace(t, "format", func(path string) error {
			return os.WriteFile(path, []byte("vatwarehouse 2\n"), 0o600)
		}), host.ErrFormat, `"2", this program knows version 1; use the program that made it`},
		{"another format", inPlace(t, "format", file), host.ErrFormat, `file "format" says "dear"`},
		{"no format", inPlace(t, "format", func(string) error { return nil }), host.ErrFormat,
			`it has no file "format", but holds`},
		{"a directory as format", inPlace(t, "format", directory), vfs.ErrNotPlain, `"format"`},
		{"a link as format", inPlace(t, "format", link), vfs.ErrNotPlain, `"format"`},
		{"a directory as table", inPlace(t, "table", directory), vfs.ErrNotPlain, `"table"`},
		{"a link as table", inPlace(t, "table", link), vfs.ErrNotPlain, `"table"`},
		{"a file as log", inPlace(t, "log", file), nil, "log"},
		{"a link as log", inPlace(t, "log", link), nil, "log"},
		{"a file as heaps", inPlace(t, "heaps", file), nil, "heaps"},
		{"a letter in the log", inPlace(t, "log/letter", file), host.ErrFormat, "log/letter"},
		{"a newer log", inPlace(t, "log/manifest", file), host.ErrCorrupt, "log/manifest"},
	} {
		dir := filepath.Join(t.TempDir(), "state")
		h, err := host.Open(ctx, dir, nil)
		if err == nil {
			err = errors.Join(h.SetNote(ctx, "a", []byte("b")), h.Close(ctx))
		}
		if err == nil && errors.Is(row.is, host.ErrFormat) && !strings.HasPrefix(row.says, "log/") {
			err = os.Remove(filepath.Join(dir, "lock"))
		}
		if err != nil {
			t.Fatal(err)
		}
		row.spoil(dir)
		before := everything(t, dir)
		h, err = host.Open(ctx, dir, nil)
		if err == nil {
			err = h.Close(ctx)
			t.Errorf("%s: it opens, and closes with %v", row.name, err)
			continue
		}
		if row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) ||
			!strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want %v, %q and the directory", row.name, err, row.is, row.says)
		}
		after := everything(t, dir)
		for path, was := range before {
			if after[path] != was {
				t.Errorf("%s: %s was %.200q and is %.200q", row.name, path, was, after[path])
			}
			delete(after, path)
		}
		for path := range after {
			t.Errorf("%s: %s is new", row.name, path)
		}
	}
}

// TestDirectoryInUseIsLeftAlone: a second Open changes nothing for the first.
func TestDirectoryInUseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	h, err := host.Open(ctx, dir, nil)
	if err == nil {
		err = errors.Join(h.SetNote(ctx, "a", []byte("b")), h.Commit(ctx))
	}
	if err != nil {
		t.Fatal(err)
	}
	before := everything(t, dir)
	if _, err := host.Open(ctx, dir, nil); !errors.Is(err, host.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: %v", err)
	}
	if !maps.Equal(before, everything(t, dir)) {
		t.Error("the second open changed something")
	}
	if note, ok, err := h.Note("a"); err != nil || !ok || string(note) != "b" {
		t.Errorf("note %q, %v, %v", note, ok, err)
	}
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestUnreadableFiles: the machine refuses to open one file after the other. The
// error is the machine's and names the file, or the vat's that needs it; nothing is
// taken for damaged, and once the file can be read all is as it was.
func TestUnreadableFiles(t *testing.T) {
	g := newGolden(t)
	v := g.closed
	for _, name := range v.all.names() {
		if name == "lock" {
			continue // no Open of ours opens it to read
		}
		bare, err := v.fresh()
		if err != nil {
			t.Fatal(err)
		}
		h, err := g.tryOpen(faulty{FS: bare, open: func(opened string) error {
			if opened == name {
				return &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
			}
			return nil
		}}, nil)
		if err == nil {
			err = errors.Join(g.goOn(h, nil), h.Close(ctx))
		}
		if err == nil && kindOf(name) == "heaps/code" {
			continue // no vat of this program had to be paged in
		}
		if !errors.Is(err, fs.ErrPermission) || errors.Is(err, host.ErrCorrupt) ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		left, err := treeOf(bare)
		if err != nil {
			t.Fatal(err)
		}
		again := v
		again.fresh, again.all = func() (vfs.FS, error) {
			files := vfs.NewMem()
			return files, left.write(files, tree{})
		}, left
		if j := g.judge(again, left, nil); j.is != unused {
			t.Errorf("%s, readable again: %s, %v", name, j.is, j.err)
		}
	}
}
