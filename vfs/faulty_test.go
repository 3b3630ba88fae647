package vfs_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"vatwarehouse/vfs"
)

// changes are the operations that a Faulty numbers, in an order that works.
var changes = []struct {
	name string
	run  func(vfs.FS, *vfs.File) error
}{
	{"mkdir d", func(f vfs.FS, _ *vfs.File) error { return f.Mkdir("d") }},
	{"create d/a", func(f vfs.FS, file *vfs.File) (err error) {
		made, err := f.Create("d/a")
		if err == nil {
			*file = made
		}
		return err
	}},
	{"preallocate d/a", func(_ vfs.FS, file *vfs.File) error { return (*file).Preallocate(9) }},
	{"write d/a", func(_ vfs.FS, file *vfs.File) error {
		_, err := (*file).WriteAt([]byte("hello"), 0)
		return err
	}},
	{"truncate d/a", func(_ vfs.FS, file *vfs.File) error { return (*file).Truncate(5) }},
	{"sync d/a", func(_ vfs.FS, file *vfs.File) error { return (*file).Sync() }},
	{"sync directory d", func(f vfs.FS, _ *vfs.File) error { return f.SyncDir("d") }},
	{"rename d/a to d/b", func(f vfs.FS, _ *vfs.File) error { return f.Rename("d/a", "d/b") }},
	{"remove d/b", func(f vfs.FS, _ *vfs.File) error { return f.Remove("d/b") }},
	{"open file c", func(f vfs.FS, _ *vfs.File) error {
		_, err := f.OpenFile("c", os.O_RDWR|os.O_CREATE, 0o600)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		return err
	}},
}

// TestFaultAtEveryOperation: the k-th change fails with the chosen error and does
// not reach the file system; a sticky fault fails all from there on, a crash
// reads too.
func TestFaultAtEveryOperation(t *testing.T) {
	t.Parallel()
	for k := 1; k <= len(changes); k++ {
		for _, fault := range []vfs.Fault{
			{At: k, Err: syscall.EIO}, {At: k, Err: syscall.ENOSPC, Sticky: true}, {At: k, Crash: true},
		} {
			m := vfs.NewMem()
			f := vfs.NewFaulty(m)
			f.Arm(fault)
			want := fault.Err
			if fault.Crash {
				want = vfs.ErrCrashed
			}
			create(t, m, "stand-in", "") // for where Create is what fails
			file, err := f.Open("stand-in")
			must(t, err)
			for i, c := range changes {
				if i+1 != k && !(i+1 > k && (fault.Sticky || fault.Crash)) {
					c.run(f, &file) // may fail, where the k-th would have prepared it
					continue
				}
				before := dump(t, m.Crash(1, 100).Crash(1, 100))
				mustBe(t, c.run(f, &file), want)
				if after := dump(t, m); after != before {
					t.Fatalf("fault at %d: %q became %q", k, before, after)
				}
			}
			if n := f.Operations(); n < k || n > len(changes) {
				t.Errorf("fault at %d: %d operations counted", k, n)
			}
			_, err = f.List(vfs.Root)
			if errors.Is(err, vfs.ErrCrashed) != fault.Crash {
				t.Errorf("fault at %d: list: %v", k, err)
			}
			_, err = f.Lock("lock")
			if errors.Is(err, vfs.ErrCrashed) != fault.Crash {
				t.Errorf("fault at %d: lock: %v", k, err)
			}
		}
	}
}

// TestOperationsAreNumbered: each change once, in order, and named when it fails.
func TestOperationsAreNumbered(t *testing.T) {
	t.Parallel()
	var file vfs.File
	f := vfs.NewFaulty(vfs.NewMem())
	for i, c := range changes {
		f.Arm(vfs.Fault{At: i + 2, Err: syscall.EIO}) // the next one, not this one
		must(t, c.run(f, &file))
		if n := f.Operations(); n != i+1 || f.Fired() != "" {
			t.Fatalf("%s: %d operations, fired %q", c.name, n, f.Fired())
		}
	}
	for i, c := range changes {
		f := vfs.NewFaulty(vfs.NewMem())
		var file vfs.File
		for _, earlier := range changes[:i] {
			must(t, earlier.run(f, &file))
		}
		f.Arm(vfs.Fault{At: i + 1, Err: syscall.EIO})
		err := c.run(f, &file)
		mustBe(t, err, syscall.EIO)
		if want := c.name; len(f.Fired()) < len(want) || f.Fired()[len(f.Fired())-len(want):] != want {
			t.Errorf("fired %q, want %q", f.Fired(), want)
		}
	}
}

// TestShortWrite: half of the bytes reach the file, and the count says so.
func TestShortWrite(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := vfs.NewFaulty(m)
	file := create(t, f, "a", "......")
	f.Arm(vfs.Fault{At: f.Operations() + 1, Err: syscall.ENOSPC, Short: true})
	n, err := file.WriteAt([]byte("hello!"), 0)
	mustBe(t, err, syscall.ENOSPC)
	if n != 3 || content(t, m, "a") != "hel..." {
		t.Errorf("%d bytes, content %q", n, content(t, m, "a"))
	}
	put(t, file, 0, "hello!") // once only
}

// TestFaultyReads: the k-th operation that changes nothing fails, changes do not.
func TestFaultyReads(t *testing.T) {
	t.Parallel()
	reads := []func(vfs.FS) error{
		func(f vfs.FS) error { _, err := f.List(vfs.Root); return err },
		func(f vfs.FS) error {
			file, err := f.Open("a")
			if err == nil {
				err = file.Close()
			}
			return err
		},
		func(f vfs.FS) error { return f.(*handle).read() },
		func(f vfs.FS) error { _, err := f.(*handle).file.Size(); return err },
	}
	for k := 1; k <= len(reads); k++ {
		faulty := vfs.NewFaulty(vfs.NewMem())
		f := &handle{faulty, create(t, faulty, "a", "hello")}
		faulty.Arm(vfs.Fault{At: k, Reads: true, Err: syscall.EIO})
		for i, read := range reads {
			err := read(f)
			if (i+1 == k) != errors.Is(err, syscall.EIO) {
				t.Errorf("fault at %d: read %d: %v", k, i+1, err)
			}
		}
		if faulty.Reads() != len(reads) || faulty.Operations() != 2 {
			t.Errorf("%d reads, %d changes", faulty.Reads(), faulty.Operations())
		}
		must(t, f.Mkdir("d"))
	}
}

type handle struct {
	vfs.FS
	file vfs.File
}

func (h *handle) read() error {
	_, err := h.file.ReadAt(make([]byte, 5), 0)
	return err
}

// TestFaultNeedsAnError: a fault without one is a fault of the test.
func TestFaultNeedsAnError(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	f.Arm(vfs.Fault{At: 1})
	defer func() {
		if recover() == nil {
			t.Error("armed without an error")
		}
	}()
	f.Mkdir("d")
}
