package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

// makers are the file systems that must behave alike.
var makers = map[string]func(t *testing.T) vfs.FS{
	"dir": func(t *testing.T) vfs.FS { return openDir(t, t.TempDir()) },
	"mem": func(*testing.T) vfs.FS { return vfs.NewMem() },
	"faulty without a fault": func(*testing.T) vfs.FS {
		return vfs.NewFaulty(vfs.NewMem())
	},
	"after a crash":     func(*testing.T) vfs.FS { return vfs.NewMem().Crash(1, 50) },
	"overlay of mem":    func(t *testing.T) vfs.FS { return vfs.Overlay(untouchable{vfs.NewMem(), t}) },
	"overlay of dir":    func(t *testing.T) vfs.FS { return vfs.Overlay(untouchable{openDir(t, t.TempDir()), t}) },
	"crashed overlay":   func(*testing.T) vfs.FS { return vfs.Overlay(vfs.NewMem()).Crash(1, 50) },
	"overlay of itself": func(*testing.T) vfs.FS { return vfs.Overlay(vfs.Overlay(vfs.NewMem())) },
}

func openDir(t *testing.T, dir string) *vfs.Dir {
	t.Helper()
	d, err := vfs.Open(dir)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func create(t *testing.T, f vfs.FS, name, content string) vfs.File {
	t.Helper()
	file, err := f.Create(name)
	must(t, err)
	t.Cleanup(func() { file.Close() })
	put(t, file, 0, content)
	return file
}

func put(t *testing.T, file vfs.File, at int64, content string) {
	t.Helper()
	n, err := file.WriteAt([]byte(content), at)
	must(t, err)
	if n != len(content) {
		t.Fatalf("wrote %d bytes of %d", n, len(content))
	}
}

func content(t *testing.T, f vfs.FS, name string) string {
	t.Helper()
	file, err := f.Open(name)
	must(t, err)
	defer file.Close()
	return all(t, file)
}

func all(t *testing.T, file vfs.File) string {
	t.Helper()
	size, err := file.Size()
	must(t, err)
	b := make([]byte, size)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) || n != len(b) {
		t.Fatalf("read %d bytes of %d: %v", n, len(b), err)
	}
	return string(b)
}

func list(t *testing.T, f vfs.FS, dir string) string {
	t.Helper()
	names, err := f.List(dir)
	must(t, err)
	return strings.Join(names, " ")
}

// TestConformance: every promise of FS and File, on every file system, row by row.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, maker := range makers {
		for _, c := range conformance {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, maker(t))
			})
		}
	}
}

var conformance = []struct {
	name string
	run  func(*testing.T, vfs.FS)
}{
	{"a new file is empty and its name is taken", func(t *testing.T, f vfs.FS) {
		create(t, f, "a", "")
		if got := content(t, f, "a"); got != "" {
			t.Fatalf("got %q", got)
		}
		_, err := f.Create("a")
		mustBe(t, err, fs.ErrExist)
	}},
	{"open wants a file", func(t *testing.T, f vfs.FS) {
		_, err := f.Open("a")
		mustBe(t, err, fs.ErrNotExist)
		_, err = f.Open("d/a")
		mustBe(t, err, fs.ErrNotExist)
		must(t, f.Mkdir("d"))
		_, err = f.Open("d")
		mustBe(t, err, vfs.ErrNotPlain)
		create(t, f, "a", "")
		_, err = f.Open("a/b")
		mustBe(t, err, vfs.ErrNotPlain)
		_, err = f.Create("a/b")
		mustBe(t, err, vfs.ErrNotPlain)
		_, err = f.Create("no/b")
		mustBe(t, err, fs.ErrNotExist)
		_, err = f.Create("d")
		mustBe(t, err, fs.ErrExist)
	}},
	{"reads end with EOF", func(t *testing.T, f vfs.FS) {
		file := create(t, f, "a", "hello")
		b := make([]byte, 4)
		if n, err := file.ReadAt(b, 3); n != 2 || !errors.Is(err, io.EOF) || string(b[:2]) != "lo" {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if n, err := file.ReadAt(b, 99); n != 0 || !errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes past the end, %v", n, err)
		}
		if n, err := file.ReadAt(b, 0); n != 4 || err != nil || string(b) != "hell" {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if _, err := file.ReadAt(b, -1); err == nil {
			t.Fatal("read at -1")
		}
		if _, err := file.WriteAt(b, -1); err == nil {
			t.Fatal("wrote at -1")
		}
	}},
	{"gaps and growth read as zero", func(t *testing.T, f vfs.FS) {
		file := create(t, f, "a", "hello")
		put(t, file, 8, "x")
		must(t, file.Truncate(2))
		must(t, file.Truncate(4))
		must(t, file.Preallocate(3)) // no shorter
		must(t, file.Preallocate(6))
		if got := all(t, file); got != "he\x00\x00\x00\x00" {
			t.Fatalf("got %q", got)
		}
		if file.Truncate(-1) == nil {
			t.Fatal("truncated to -1")
		}
	}},
	{"two handles see one file", func(t *testing.T, f vfs.FS) {
		one := create(t, f, "a", "hello")
		two, err := f.Open("a")
		must(t, err)
		put(t, one, 1, "u")
		if got := all(t, two); got != "hullo" {
			t.Fatalf("got %q", got)
		}
		must(t, two.Close())
		if two.Close() == nil {
			t.Fatal("closed twice")
		}
		_, err = two.WriteAt([]byte("x"), 0)
		mustBe(t, err, fs.ErrClosed)
		_, err = two.ReadAt(make([]byte, 1), 0)
		mustBe(t, err, fs.ErrClosed)
		mustBe(t, two.Sync(), fs.ErrClosed)
		mustBe(t, two.Truncate(0), fs.ErrClosed)
	}},
	{"rename replaces", func(t *testing.T, f vfs.FS) {
		create(t, f, "a", "new")
		create(t, f, "b", "old")
		must(t, f.Rename("a", "b"))
		must(t, f.Rename("b", "b"))
		if got := content(t, f, "b"); got != "new" || list(t, f, vfs.Root) != "b" {
			t.Fatalf("b is %q, of %q", got, list(t, f, vfs.Root))
		}
		mustBe(t, f.Rename("a", "c"), fs.ErrNotExist)
		must(t, f.Mkdir("d"))
		mustBe(t, f.Rename("b", "d"), vfs.ErrNotPlain)
		mustBe(t, f.Rename("d", "e"), vfs.ErrNotPlain)
		mustBe(t, f.Rename("b", "d/b"), vfs.ErrName)
	}},
	{"removed names are gone, open files stay", func(t *testing.T, f vfs.FS) {
		file := create(t, f, "a", "hello")
		must(t, f.Remove("a"))
		mustBe(t, f.Remove("a"), fs.ErrNotExist)
		if got := all(t, file); got != "hello" {
			t.Fatalf("got %q", got)
		}
		create(t, f, "a", "other")
		if all(t, file) != "hello" || content(t, f, "a") != "other" {
			t.Fatal("two files of one name are one")
		}
	}},
	{"directories", func(t *testing.T, f vfs.FS) {
		must(t, f.Mkdir("d"))
		must(t, f.Mkdir("d"))
		must(t, f.Mkdir("d/e"))
		mustBe(t, f.Mkdir("x/e"), fs.ErrNotExist)
		create(t, f, "d/e/b", "1")
		create(t, f, "d/e/a", "2")
		create(t, f, "f", "")
		mustBe(t, f.Mkdir("f"), fs.ErrExist)
		if got := list(t, f, "d/e"); got != "a b" {
			t.Fatalf("got %q", got)
		}
		if got := list(t, f, vfs.Root); got != "d f" {
			t.Fatalf("got %q", got)
		}
		mustBe(t, f.Remove("d/e"), fs.ErrExist)
		must(t, f.Rename("d/e/a", "d/e/b"))
		must(t, f.Remove("d/e/b"))
		must(t, f.Remove("d/e"))
		if got := list(t, f, "d"); got != "" {
			t.Fatalf("got %q", got)
		}
		_, err := f.List("nothing")
		mustBe(t, err, fs.ErrNotExist)
		must(t, f.SyncDir(vfs.Root))
		must(t, f.SyncDir("d"))
		mustBe(t, f.SyncDir("nothing"), fs.ErrNotExist)
	}},
	{"sync changes nothing to be seen", func(t *testing.T, f vfs.FS) {
		file := create(t, f, "a", "hello")
		must(t, file.Sync())
		must(t, f.SyncDir(vfs.Root))
		put(t, file, 5, "!")
		if got := content(t, f, "a"); got != "hello!" {
			t.Fatalf("got %q", got)
		}
	}},
	{"one lock at a time", func(t *testing.T, f vfs.FS) {
		l, err := f.Lock("lock")
		must(t, err)
		_, err = f.Lock("lock")
		mustBe(t, err, vfs.ErrInUse)
		other, err := f.Lock("other")
		must(t, err)
		must(t, other.Close())
		must(t, l.Close())
		if l.Close() == nil {
			t.Fatal("closed twice")
		}
		l, err = f.Lock("lock")
		must(t, err)
		must(t, l.Close())
		if got := list(t, f, vfs.Root); got != "lock other" {
			t.Fatalf("got %q", got)
		}
		must(t, f.Mkdir("d"))
		_, err = f.Lock("d")
		mustBe(t, err, vfs.ErrNotPlain)
	}},
	{"bad names are refused everywhere", func(t *testing.T, f vfs.FS) {
		for _, name := range badNames {
			for what, err := range everyMethod(f, name) {
				if !errors.Is(err, vfs.ErrName) {
					t.Errorf("%s %q: got %v, want ErrName", what, name, err)
				}
			}
		}
		if got := list(t, f, vfs.Root); got != "" {
			t.Fatalf("there is %q", got)
		}
	}},
	{"random operations equal a map of strings", randomAgainstTwin},
}

var badNames = []string{
	"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/./b", "A", "a_b", "a b", "a\x00", "ä",
	"a\\b", "c:", strings.Repeat("a", 101),
}

// everyMethod calls each method of f that takes a name, and returns the errors.
func everyMethod(f vfs.FS, name string) map[string]error {
	errs := map[string]error{}
	_, errs["create"] = f.Create(name)
	_, errs["open"] = f.Open(name)
	_, errs["lock"] = f.Lock(name)
	errs["rename from"] = f.Rename(name, "b")
	errs["rename to"] = f.Rename("b", name)
	errs["remove"] = f.Remove(name)
	errs["mkdir"] = f.Mkdir(name)
	if name != vfs.Root {
		_, errs["list"] = f.List(name)
		errs["sync"] = f.SyncDir(name)
	}
	return errs
}

// twin is the simplest file system: names to content.
type twin map[string][]byte

func (w twin) write(name string, p []byte, at int) {
	b := w[name]
	for len(b) < at+len(p) {
		b = append(b, 0)
	}
	copy(b[at:], p)
	w[name] = b
}

func (w twin) truncate(name string, size int) {
	b := append([]byte{}, w[name]...)
	for len(b) < size {
		b = append(b, 0)
	}
	w[name] = b[:size]
}

func randomAgainstTwin(t *testing.T, f vfs.FS) {
	const steps, seed = 3000, 7
	rng := rand.New(rand.NewPCG(seed, 0))
	w := twin{}
	for step := range steps {
		name := fmt.Sprintf("f%d", rng.IntN(5))
		if err := randomStep(rng, f, w, name); err != nil {
			t.Fatalf("seed %d, step %d, %s: %v", seed, step, name, err)
		}
		if b, ok := w[name]; ok && content(t, f, name) != string(b) {
			t.Fatalf("seed %d, step %d: %s differs", seed, step, name)
		}
	}
	names := []string{}
	for name := range w {
		names = append(names, name)
	}
	slices.Sort(names)
	if got := list(t, f, vfs.Root); got != strings.Join(names, " ") {
		t.Fatalf("seed %d: there is %q, want %q", seed, got, names)
	}
}

// randomStep does one thing to both file systems.
func randomStep(rng *rand.Rand, f vfs.FS, w twin, name string) error {
	file, err := f.Open(name)
	if _, ok := w[name]; !ok {
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("want it absent: %v", err)
		}
		w[name] = nil
		if file, err = f.Create(name); err != nil {
			return err
		}
		return file.Close()
	}
	if err != nil {
		return err
	}
	defer file.Close()
	size := rng.IntN(3000)
	switch rng.IntN(8) {
	case 0:
		w.truncate(name, size)
		return file.Truncate(int64(size))
	case 1:
		w.truncate(name, max(size, len(w[name])))
		return file.Preallocate(int64(size))
	case 2:
		return errors.Join(file.Sync(), f.SyncDir(vfs.Root))
	case 3:
		delete(w, name)
		return f.Remove(name)
	case 4:
		to := fmt.Sprintf("f%d", rng.IntN(5))
		b := w[name]
		delete(w, name)
		w[to] = b
		return f.Rename(name, to)
	}
	p := bytes.Repeat([]byte{byte(1 + rng.IntN(255))}, 1+rng.IntN(900))
	w.write(name, p, size)
	_, err = file.WriteAt(p, int64(size))
	return err
}

// TestNoFileOfTheSystemInMemory: OpenFile works in a directory only.
func TestNoFileOfTheSystemInMemory(t *testing.T) {
	t.Parallel()
	_, err := vfs.NewMem().OpenFile("a", os.O_RDWR|os.O_CREATE, 0o600)
	mustBe(t, err, errors.ErrUnsupported)
	d := openDir(t, t.TempDir())
	f, err := d.OpenFile("a", os.O_RDWR|os.O_CREATE, 0o666)
	must(t, err)
	defer f.Close()
	_, err = f.WriteString("hello")
	must(t, err)
	if got := content(t, d, "a"); got != "hello" {
		t.Fatalf("got %q", got)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
}
