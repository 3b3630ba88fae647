package vfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vatwarehouse/vfs"
)

// TestLinksAreRefused: by every method, at the end of a name and on the way,
// whether the link leads inside or outside, and nothing behind it changes.
func TestLinksAreRefused(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(outside, []byte("secret"), 0o600))
	dir := t.TempDir()
	d := openDir(t, dir)
	create(t, d, "inside", "inside")
	must(t, d.Mkdir("real"))
	create(t, d, "real/x", "x")
	targets := map[string]string{
		"out": outside, "in": "inside", "way": "real", "up": "..", "broken": "nowhere",
	}
	for link, target := range targets {
		must(t, os.Symlink(target, filepath.Join(dir, link)))
		for what, err := range everyMethod(d, link) {
			switch what {
			case "create", "mkdir":
				if !errors.Is(err, fs.ErrExist) {
					t.Errorf("%s %s: got %v, want ErrExist", what, link, err)
				}
			case "rename to": // fails on "b", which is not there
			default:
				if !errors.Is(err, vfs.ErrNotPlain) {
					t.Errorf("%s %s: got %v, want ErrNotPlain", what, link, err)
				}
			}
		}
		mustBe(t, d.Rename("inside", link), vfs.ErrNotPlain)
		_, err := d.OpenFile(link, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		mustBe(t, err, vfs.ErrNotPlain)
	}
	for what, err := range everyMethod(d, "way/x") {
		if what != "rename to" && what != "rename from" && !errors.Is(err, vfs.ErrNotPlain) {
			t.Errorf("%s way/x: got %v, want ErrNotPlain", what, err)
		}
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "secret" {
		t.Errorf("outside: %q, %v", b, err)
	}
	if content(t, d, "inside") != "inside" || content(t, d, "real/x") != "x" {
		t.Error("something behind a link changed")
	}
}

// TestModes: what is made is the owner's alone.
func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	d := openDir(t, dir)
	create(t, d, "a", "")
	must(t, d.Mkdir("d"))
	lock, err := d.Lock("lock")
	must(t, err)
	defer lock.Close()
	for name, want := range map[string]os.FileMode{".": 0o700, "a": 0o600, "d": 0o700, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

// TestOthersCannotWrite: what others can write is refused by every method, at the end of a
// name and on the way; an empty directory is made private, and no other is.
func TestOthersCannotWrite(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who can write")
	}
	for _, mode := range []os.FileMode{0o720, 0o702, 0o777} {
		dir := t.TempDir()
		must(t, os.Chmod(dir, mode))
		d := openDir(t, dir)
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v is made %v, %v", mode, info.Mode(), err)
		}
		create(t, d, "a", "a")
		must(t, d.Mkdir("d"))
		create(t, d, "d/x", "x")
		must(t, os.Chmod(dir, mode))
		_, err := vfs.Open(dir)
		mustBe(t, err, vfs.ErrNotPrivate)
		must(t, os.Chmod(dir, 0o755))
		openDir(t, dir)
		must(t, os.Chmod(filepath.Join(dir, "a"), mode&^0o100))
		must(t, os.Chmod(filepath.Join(dir, "d"), mode))
		_, err = d.Open("a")
		mustBe(t, err, vfs.ErrNotPrivate)
		_, err = d.Lock("a")
		mustBe(t, err, vfs.ErrNotPrivate)
		_, err = d.OpenFile("a", os.O_RDWR, 0o600)
		mustBe(t, err, vfs.ErrNotPrivate)
		mustBe(t, d.Rename("a", "b"), vfs.ErrNotPrivate)
		_, err = d.Open("d/x")
		mustBe(t, err, vfs.ErrNotPrivate)
		_, err = d.Create("d/y")
		mustBe(t, err, vfs.ErrNotPrivate)
		_, err = d.List("d")
		mustBe(t, err, vfs.ErrNotPrivate)
		mustBe(t, d.SyncDir("d"), vfs.ErrNotPrivate)
	}
}

// TestOpenDirectory: an absent one is made, its parents are not; a file is none.
func TestOpenDirectory(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	_, err := vfs.Open(filepath.Join(base, "no", "dir"))
	mustBe(t, err, fs.ErrNotExist)
	file := filepath.Join(base, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := vfs.Open(file); err == nil {
		t.Error("opened a file as a directory")
	}
	one := openDir(t, filepath.Join(base, "dir"))
	create(t, one, "a", "hello")
	two := openDir(t, filepath.Join(base, "dir"))
	if got := content(t, two, "a"); got != "hello" {
		t.Errorf("got %q", got)
	}
	lock, err := one.Lock("lock")
	must(t, err)
	_, err = two.Lock("lock")
	mustBe(t, err, vfs.ErrInUse)
	must(t, lock.Close())
}

// TestForeignNamesAreListed: the stores must see what they did not make.
func TestForeignNamesAreListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "READ_ME"), nil, 0o600))
	if got := list(t, d, vfs.Root); got != "READ_ME" {
		t.Errorf("there is %q", got)
	}
}

// TestDescriptor: a file of the machine has one, a file in memory has none.
func TestDescriptor(t *testing.T) {
	t.Parallel()
	if _, ok := create(t, openDir(t, t.TempDir()), "a", "").Fd(); !ok {
		t.Error("no descriptor in a directory")
	}
	if _, ok := create(t, vfs.NewMem(), "a", "").Fd(); ok {
		t.Error("a descriptor in memory")
	}
}
