package host_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// furnished is a directory on disk in which every kind of file is, closed, and its
// activityhash.
func furnished(t *testing.T) (dir string, hash swing.Hash) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	o := host.Options{
		SegmentBytes: 4 << 10, CheckpointBytes: 4 << 10, Inline: true, CacheCompiled: true, BlockCranks: 5,
		Snapshots: warehouse.Policy{Initial: 1, Interval: 2},
	}
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	_, counter := vat(t, h, "counter", "counter")
	for range 60 {
		ask(t, h, counter, "incr", 1)
	}
	if err := h.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	hash = activityhash(t, h)
	closeHost(t, h)
	return dir, hash
}

// kindsOf lists one path of each kind in a directory: files and directories, by their names
// without numbers.
func kindsOf(t *testing.T, dir string) (paths []string) {
	t.Helper()
	seen := map[string]bool{}
	numbers := regexp.MustCompile(`[0-9a-f]{8,}`)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if kind := numbers.ReplaceAllString(name, "#"); err == nil && name != "." && !seen[kind] {
			seen[kind] = true
			paths = append(paths, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// everything opens the directory and reads all of it.
func everything(dir string) error {
	h, err := host.Open(ctx, dir, &host.Options{Existing: true, CacheCompiled: true})
	if err != nil {
		return err
	}
	var faults []error
	_, err = h.Check(ctx, func(f host.Fault) { faults = append(faults, errors.New(f.String())) })
	return errors.Join(append(faults, err, h.Close(ctx))...)
}

// TestAllIsPrivate: all that a host makes is its owner's alone, whatever its umask lets be.
func TestAllIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who can write")
	}
	t.Parallel()
	dir, _ := furnished(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		info, statErr := d.Info()
		if err = errors.Join(err, statErr); err == nil && info.Mode().Perm()&0o077 != 0 && !strings.Contains(path, "compiled") {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return err
	})
	if info, statErr := os.Stat(filepath.Join(dir, "compiled")); err != nil || statErr != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("compiled is %v; %v, %v", info.Mode(), err, statErr)
	}
}

// TestLinksAreNotFollowed: with any kind of file or directory in it replaced by a link to
// what it was, or to nothing, the directory is refused or the file found wrong; and what the
// link leads to is not touched.
func TestLinksAreNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links take a privilege")
	}
	t.Parallel()
	dir, _ := furnished(t)
	kinds := kindsOf(t, dir)
	if len(kinds) < 14 {
		t.Errorf("only %v", kinds)
	}
	for _, name := range kinds {
		copied := filepath.Join(t.TempDir(), "state")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		private(t, copied)
		path, away := filepath.Join(copied, name), filepath.Join(filepath.Dir(copied), "away")
		if err := errors.Join(os.Rename(path, away), os.Symlink(away, path)); err != nil {
			t.Fatal(err)
		}
		before := contents(t, away)
		err := everything(copied)
		if !errors.Is(err, vfs.ErrNotPlain) && (err == nil || !strings.Contains(err.Error(), "not a plain file")) {
			t.Errorf("%s is a link: %v", name, err)
		}
		if !bytes.Equal(contents(t, away), before) {
			t.Errorf("%s is a link: what it leads to has changed", name)
		}
	}
}

// TestOthersCannotWriteState: with anything in it open to others, the directory is refused.
func TestOthersCannotWriteState(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who can write")
	}
	t.Parallel()
	dir, _ := furnished(t)
	for _, name := range append(kindsOf(t, dir), ".") {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o020); err != nil {
			t.Fatal(err)
		}
		if err := everything(dir); !errors.Is(err, host.ErrNotPrivate) && (err == nil || !strings.Contains(err.Error(), "only its owner can write")) {
			t.Errorf("the group can write %s: %v", name, err)
		}
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if err := everything(dir); err != nil {
		t.Error(err)
	}
}

// TestNoCompiledCode: unless it is asked for, no machine code is kept, nor any that is
// there looked at; and none goes into an export.
func TestNoCompiledCode(t *testing.T) {
	t.Parallel()
	dir, _ := furnished(t)
	planted := filepath.Join(dir, "compiled", "planted")
	if err := os.WriteFile(planted, []byte("machine code"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := export(t, h, host.Archival)
	closeHost(t, h)
	if _, err := os.Stat(planted); err != nil {
		t.Errorf("it was looked at: %v", err)
	}
	there := filepath.Join(t.TempDir(), "there")
	if _, err := host.Import(ctx, bytes.NewReader(b), there, nil); err != nil {
		t.Fatal(err)
	}
	if h, err = host.Open(ctx, there, nil); err != nil {
		t.Fatal(err)
	}
	_, counter := vat(t, h, "counter", "another")
	ask(t, h, counter, "incr", 1)
	closeHost(t, h)
	if _, err := os.Stat(filepath.Join(there, "compiled")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("compiled: %v", err)
	}
	if err := everything(dir); err != nil { // asked for it: what is not as listed goes
		t.Error(err)
	}
	if _, err := os.Stat(planted); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("planted: %v", err)
	}
}

// TestOlderCopyIsRefused: a directory that an older copy of it has taken the place of is
// refused by who remembers the activityhash; not so the true one, be it some blocks ahead.
func TestOlderCopyIsRefused(t *testing.T) {
	t.Parallel()
	dir, old := furnished(t)
	copied := filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	private(t, copied)
	h, err := host.Open(ctx, dir, &host.Options{Expect: old})
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Vat("counter")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, h, v.Root, "incr", 1)
	pinned := activityhash(t, h)
	ask(t, h, v.Root, "incr", 1)
	last := activityhash(t, h)
	if old == pinned || pinned == last {
		t.Fatal("nothing happened")
	}
	closeHost(t, h)
	for _, want := range []swing.Hash{old, pinned, last} {
		if h, err = host.Open(ctx, dir, &host.Options{Expect: want}); err != nil {
			t.Fatal(err)
		}
		closeHost(t, h)
	}
	for _, want := range []swing.Hash{pinned, last, {1}} {
		_, err = host.Open(ctx, copied, &host.Options{Expect: want})
		var rolled *host.ExpectError
		if !errors.Is(err, host.ErrRolledBack) || !errors.As(err, &rolled) || rolled.Want != want || rolled.Has != old {
			t.Errorf("%s: %v", want.Short(), err)
		}
	}
	if _, err = host.Open(ctx, "", &host.Options{Expect: old}); !errors.Is(err, host.ErrRolledBack) {
		t.Errorf("a new one: %v", err)
	}
}

// private takes from all in a copied directory what lets others write.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// contents are the bytes of a file, or of all in a directory.
func contents(t *testing.T, path string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(append(all, path...), b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
