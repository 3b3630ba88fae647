package vfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"vatwarehouse/vfs"
)

// untouchable is a FS whose test fails when anything of it is changed or locked.
type untouchable struct {
	vfs.FS
	t testing.TB
}

func (u untouchable) wrong(what, name string) { u.t.Errorf("%s %s in the base", what, name) }

func (u untouchable) Create(name string) (vfs.File, error) {
	u.wrong("create", name)
	return u.FS.Create(name)
}
func (u untouchable) Rename(from, to string) error { u.wrong("rename", from); return nil }
func (u untouchable) Remove(name string) error     { u.wrong("remove", name); return nil }
func (u untouchable) Mkdir(name string) error      { u.wrong("mkdir", name); return nil }
func (u untouchable) SyncDir(name string) error    { u.wrong("sync", name); return nil }
func (u untouchable) Lock(name string) (io.Closer, error) {
	u.wrong("lock", name)
	return u.FS.Lock(name)
}
func (u untouchable) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	if flag != os.O_RDONLY {
		u.wrong("open to write", name)
	}
	return u.FS.OpenFile(name, flag, perm)
}

func (u untouchable) Open(name string) (vfs.File, error) {
	f, err := u.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return untouchableFile{f, name, u}, nil
}

type untouchableFile struct {
	vfs.File
	name string
	u    untouchable
}

func (f untouchableFile) WriteAt(p []byte, at int64) (int, error) {
	f.u.wrong("write", f.name)
	return len(p), nil
}
func (f untouchableFile) Truncate(int64) error    { f.u.wrong("truncate", f.name); return nil }
func (f untouchableFile) Preallocate(int64) error { f.u.wrong("preallocate", f.name); return nil }
func (f untouchableFile) Sync() error             { f.u.wrong("sync", f.name); return nil }

// fill makes a few files and directories, all of them durable.
func fill(t *testing.T, f vfs.FS) {
	t.Helper()
	must(t, f.Mkdir("d"))
	must(t, f.Mkdir("d/e"))
	must(t, f.Mkdir("empty"))
	for i, name := range []string{"a", "b", "d/a", "d/e/a", "d/e/b"} {
		file := create(t, f, name, strings.Repeat(fmt.Sprint(i), 700*(i+1)))
		must(t, file.Sync())
	}
	for _, dir := range []string{vfs.Root, "d", "d/e", "empty"} {
		must(t, f.SyncDir(dir))
	}
}

// bases are what an overlay is laid over, each filled.
var bases = map[string]func(t *testing.T) vfs.FS{
	"mem": func(t *testing.T) vfs.FS { m := vfs.NewMem(); fill(t, m); return m },
	"dir": func(t *testing.T) vfs.FS { d := openDir(t, t.TempDir()); fill(t, d); return d },
	"overlay": func(t *testing.T) vfs.FS {
		m := vfs.NewMem()
		fill(t, m)
		return vfs.Overlay(m)
	},
}

// deed does one drawn thing with a file system, the same with equal draws, and says
// what came of it.
func deed(f vfs.FS, rng *rand.Rand) string {
	names := []string{"a", "b", "c", "d/a", "d/b", "d/e/a", "d/e/b", "empty/a", "none/a", "d"}
	dirs := []string{vfs.Root, "d", "d/e", "empty", "none"}
	name, dir := names[rng.IntN(len(names))], dirs[rng.IntN(len(dirs))]
	size, mark := rng.IntN(3000), byte('a'+rng.IntN(26))
	var err error
	switch kind := rng.IntN(12); kind {
	case 0:
		var file vfs.File
		if file, err = f.Create(name); err == nil {
			err = file.Close()
		}
	case 1:
		err = f.Remove(name)
	case 2:
		to := filepath.ToSlash(filepath.Join(filepath.Dir(name), string("abc"[rng.IntN(3)])))
		err = f.Rename(name, to)
	case 3:
		err = f.SyncDir(dir)
	case 4:
		var list []string
		list, err = f.List(dir)
		return fmt.Sprint(list, kindOf(err))
	case 5:
		if dir != vfs.Root {
			err = f.Mkdir(dir)
		}
	default:
		return deedInFile(f, name, kind, size, mark)
	}
	return kindOf(err)
}

func deedInFile(f vfs.FS, name string, kind, size int, mark byte) string {
	file, err := f.Open(name)
	if err != nil {
		return kindOf(err)
	}
	n := 0
	switch kind {
	case 6:
		err = file.Truncate(int64(size))
	case 7:
		err = file.Preallocate(int64(size))
	case 8:
		err = file.Sync()
	case 9:
		n, err = file.ReadAt(make([]byte, 100), int64(size))
	default:
		n, err = file.WriteAt([]byte(strings.Repeat(string(mark), 1+size/4)), int64(size))
	}
	return fmt.Sprint(n, kindOf(errors.Join(err, file.Close())))
}

// kindOf returns which of the errors that callers tell apart it is.
func kindOf(err error) string {
	for _, known := range []error{fs.ErrNotExist, fs.ErrExist, vfs.ErrNotPlain, vfs.ErrName, io.EOF} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}

// TestOverlayIsItsBaseAndThenItself: over random rows of operations an overlay does,
// answer by answer, what a memory file system does that held the same; crashes of
// the two draw the same states; and the base is not changed, which holds what it held.
func TestOverlayIsItsBaseAndThenItself(t *testing.T) {
	t.Parallel()
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				overlayAgainstMem(t, base(t), seed)
			}
		})
	}
}

func overlayAgainstMem(t *testing.T, base vfs.FS, seed uint64) {
	m := vfs.NewMem()
	fill(t, m)
	before := dump(t, base)
	over := vfs.Overlay(untouchable{base, t})
	if seed%2 == 0 { // look at everything first, or at nothing
		dump(t, over)
	}
	one, two := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 0))
	for step := range 300 {
		if a, b := deed(m, one), deed(over, two); a != b {
			t.Fatalf("seed %d, step %d: the overlay says %s, memory %s", seed, step, b, a)
		}
	}
	if a, b := dump(t, m), dump(t, over); a != b {
		t.Fatalf("seed %d: the overlay holds\n%.2000s\nnot\n%.2000s", seed, b, a)
	}
	for crash := range uint64(20) {
		keep := int(crash*7) % 101
		if a, b := dump(t, m.Crash(crash, keep)), dump(t, over.Crash(crash, keep)); a != b {
			t.Fatalf("seed %d, crash %d: the overlay has\n%.2000s\nnot\n%.2000s", seed, crash, b, a)
		}
	}
	if after := dump(t, base); after != before {
		t.Fatalf("seed %d: the base holds\n%.2000s\nnot\n%.2000s", seed, after, before)
	}
}

// TestOverlayOpensFilesOfTheMachine: where the base has some, an overlay gives out
// files of the machine that hold what is there, are one with what Open opens, and
// change nothing below; where it has none, none.
func TestOverlayOpensFilesOfTheMachine(t *testing.T) {
	t.Parallel()
	_, err := vfs.Overlay(vfs.NewMem()).OpenFile("a", os.O_RDWR, 0)
	mustBe(t, err, errors.ErrUnsupported)
	_, err = vfs.Overlay(vfs.NewMem()).OpenFile("a", os.O_RDWR|os.O_CREATE, 0)
	mustBe(t, err, errors.ErrUnsupported)

	base := openDir(t, t.TempDir())
	fill(t, base)
	before := dump(t, base)
	over := vfs.Overlay(untouchable{base, t})
	_, err = over.OpenFile("none", os.O_RDWR, 0)
	mustBe(t, err, fs.ErrNotExist)
	_, err = over.OpenFile("a", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0)
	mustBe(t, err, fs.ErrExist)
	_, err = over.OpenFile("d", os.O_RDWR, 0)
	mustBe(t, err, vfs.ErrNotPlain)
	_, err = over.OpenFile("../a", os.O_RDWR, 0)
	mustBe(t, err, vfs.ErrName)

	held, err := over.Open("a") // opened before it moves
	must(t, err)
	one, err := over.OpenFile("a", os.O_RDWR, 0)
	must(t, err)
	two, err := over.OpenFile("a", os.O_RDWR|os.O_CREATE, 0)
	must(t, err)
	_, err = one.WriteAt([]byte("hello"), 698)
	must(t, err)
	must(t, one.Close())
	b := make([]byte, 5)
	_, err = two.ReadAt(b, 698)
	must(t, err)
	for _, file := range []vfs.File{held, create(t, over, "x", "")} {
		must(t, file.Close())
	}
	want := strings.Repeat("0", 698) + "hello"
	if string(b) != "hello" || content(t, over, "a") != want {
		t.Errorf("%q of %q", b, content(t, over, "a"))
	}
	file, err := over.Open("a")
	must(t, err)
	put(t, file, 0, "j")
	must(t, file.Truncate(3))
	must(t, file.Preallocate(2))
	must(t, file.Preallocate(4))
	must(t, file.Sync())
	must(t, file.Close())
	info, err := two.Stat()
	must(t, err)
	if content(t, over, "a") != "j00\x00" || info.Size() != 4 {
		t.Errorf("%d bytes, %q", info.Size(), content(t, over, "a"))
	}
	if got := content(t, over.Crash(0, 0), "a"); got != "j00\x00" {
		t.Errorf("after a crash: %q", got)
	}
	must(t, two.Close())
	if after := dump(t, base); after != before {
		t.Errorf("the base holds %.300s", after)
	}
}

// TestOverlayMakesFilesOfTheMachine: as the table is made, under another name, then
// renamed; and cut.
func TestOverlayMakesFilesOfTheMachine(t *testing.T) {
	t.Parallel()
	base := openDir(t, t.TempDir())
	fill(t, base)
	before := dump(t, base)
	over := vfs.Overlay(untouchable{base, t})
	fresh, err := over.OpenFile("t.new", os.O_RDWR|os.O_CREATE, 0)
	must(t, err)
	_, err = fresh.WriteAt([]byte("new"), 0)
	must(t, err)
	must(t, over.Rename("t.new", "b"))
	if content(t, over, "b") != "new" {
		t.Errorf("b is %q", content(t, over, "b"))
	}
	trunc, err := over.OpenFile("b", os.O_RDWR|os.O_TRUNC, 0)
	must(t, err)
	if content(t, over, "b") != "" {
		t.Error("not cut")
	}
	must(t, errors.Join(fresh.Close(), trunc.Close()))
	if after := dump(t, base); after != before {
		t.Errorf("the base holds %.300s", after)
	}
}

// counted is a FS that knows how many of its files are open.
type counted struct {
	vfs.FS
	open *atomic.Int64
}

func (c counted) Open(name string) (vfs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return countedFile{f, c.open}, nil
}

type countedFile struct {
	vfs.File
	open *atomic.Int64
}

func (f countedFile) Close() error { f.open.Add(-1); return f.File.Close() }

// TestOverlayClosesItsBase: with every file of an overlay closed, none of the base's
// is open, whatever was done with them.
func TestOverlayClosesItsBase(t *testing.T) {
	t.Parallel()
	dir := openDir(t, t.TempDir())
	fill(t, dir)
	var open atomic.Int64
	over := vfs.Overlay(counted{dir, &open})
	for _, name := range []string{"a", "b", "d/a", "d/e/a"} {
		var files []vfs.File
		for range 3 {
			f, err := over.Open(name)
			must(t, err)
			files = append(files, f)
		}
		if open.Load() != 1 {
			t.Errorf("%s: %d files of the base are open", name, open.Load())
		}
		switch name {
		case "b":
			put(t, files[0], 0, "x")
		case "d/a":
			f, err := over.OpenFile(name, os.O_RDWR, 0)
			must(t, err)
			must(t, f.Close())
		case "d/e/a":
			must(t, over.Remove(name))
		}
		for _, f := range files {
			must(t, f.Close())
		}
		if open.Load() != 0 {
			t.Errorf("%s: %d files of the base are left open", name, open.Load())
		}
	}
}

// TestOverlayPassesFaultsOn: what the base cannot read is an error of the overlay's,
// and nothing changes.
func TestOverlayPassesFaultsOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	fill(t, d)
	must(t, os.Symlink("a", filepath.Join(dir, "link")))
	over := vfs.Overlay(d)
	if got := list(t, over, vfs.Root); got != "a b d empty link" {
		t.Errorf("there is %q", got)
	}
	_, err := over.Open("link")
	mustBe(t, err, vfs.ErrNotPlain)
	mustBe(t, over.Remove("link"), vfs.ErrNotPlain)
	must(t, os.Remove(filepath.Join(dir, "b")))
	_, err = over.Open("b") // changed below, against the rules
	mustBe(t, err, fs.ErrNotExist)
	file, err := over.Open("a")
	must(t, err)
	must(t, os.Truncate(filepath.Join(dir, "a"), 10))
	put(t, file, 0, "x")
	if got := all(t, file); got != "x000000000" {
		t.Errorf("got %q", got)
	}
	must(t, file.Close())
}
