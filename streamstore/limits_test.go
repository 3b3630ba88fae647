package streamstore

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"vatwarehouse/vfs"
)

// TestBlockIsBounded: an item that would make the open block too large is a fault
// of the caller, before anything is changed.
func TestBlockIsBounded(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.open.bytes = make([]byte, blockBytesMax-1000) // never touched
	defer func() {
		if recover() == nil {
			t.Error("appended to a block that is full")
		}
		if _, _, ok := s.Bounds("a"); ok {
			t.Error("the stream is there")
		}
		s.open.bytes = nil
	}()
	s.Append("a", 0, make([]byte, 1000))
}

// TestShelfIsBounded: no more files are kept open than the limit, but for those
// in use; one in use stays readable when it is dropped, and is closed after that.
func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	const files = 3 * volumesMax
	for i := range files {
		f, err := m.Create(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{byte(i)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	h := shelf{fs: m, dir: vfs.Root}
	read := func(v *volume, want int) error {
		b := make([]byte, 1)
		if _, err := v.file.ReadAt(b, 0); err != nil || b[0] != byte(want) {
			return fmt.Errorf("file %d: %d, %w", want, b[0], err)
		}
		return nil
	}
	var held []*volume
	for i := range files {
		v, err := h.acquire(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := h.acquire(fmt.Sprint(i)); again != v || err != nil {
			t.Fatalf("file %d twice: %v", i, err)
		}
		h.release(v)
		if i < files/2 {
			held = append(held, v)
		} else {
			h.release(v)
		}
	}
	if n := len(h.volumes); n > files/2+1 {
		t.Errorf("%d volumes, %d in use", n, len(held))
	}
	h.forget("0")
	h.forget("0")
	h.close()
	for i, v := range held {
		if err := read(v, i); err != nil {
			t.Error(err)
		}
		h.release(v)
		if err := read(v, i); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("file %d after its last use: %v", i, err)
		}
	}
}

// TestLargeMemoryIsNotKept: of a block or an item far above the usual size, the
// memory is given up with it; of usual ones it is used again.
func TestLargeMemoryIsNotKept(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	position := uint64(0)
	for _, size := range []int{100, 10 << 20, 100} {
		s.Append("a", position, make([]byte, size))
		position++
		if _, err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		for item, err := range s.Read("a", position-1, position) {
			if err != nil || len(item) != size {
				t.Fatalf("%d bytes, %v", len(item), err)
			}
		}
		if kept := cap(s.open.bytes) > 0; kept != (size == 100) {
			t.Errorf("after an item of %d bytes the block keeps %d", size, cap(s.open.bytes))
		}
		if kept := s.scratch != nil; kept != (size == 100) {
			t.Errorf("after an item of %d bytes, memory kept for reading: %v", size, kept)
		}
	}
}
