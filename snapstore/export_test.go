package snapstore

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// exportAll exports the heaps of a store, of which another knows some.
func exportAll(t *testing.T, s *Store, known, ids []swing.Hash) (objects [][]byte) {
	t.Helper()
	e := s.NewExport(func(b []byte) error {
		objects = append(objects, slices.Clone(b))
		return nil
	})
	for _, id := range known {
		must(t, e.Known(id))
	}
	for _, id := range ids {
		must(t, e.Heap(id))
	}
	return objects
}

var errNoMore = errors.New("no more objects")

// importAll imports them, and sees that every object is asked for.
func importAll(s *Store, objects [][]byte, known, ids []swing.Hash) error {
	at := 0
	m := s.NewImport(func() ([]byte, error) {
		if at == len(objects) {
			return nil, errNoMore
		}
		at++
		return objects[at-1], nil
	})
	for _, id := range known {
		if err := m.Known(id); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := m.Heap(id); err != nil {
			return err
		}
	}
	if at != len(objects) {
		return errors.New("objects are left over")
	}
	return s.Sync()
}

// TestExportedHeapsAreTheSame: heaps of random histories come out of another store
// whole, each object once, in two parts of which the second leaves out the first.
func TestExportedHeapsAreTheSame(t *testing.T) {
	t.Parallel()
	heaps := 0
	for seed := range uint64(8) {
		w, err := newTwin(seed, smallOptions(vfs.NewMem()))
		must(t, err)
		for range 150 {
			repeat(t, seed, w.step())
		}
		ids := w.ids()
		heaps += len(ids)
		half := ids[:len(ids)/2]
		first := exportAll(t, w.s, nil, half)
		second := exportAll(t, w.s, half, ids)
		if all := exportAll(t, w.s, nil, ids); len(all) != len(first)+len(second) {
			t.Errorf("seed %d: %d objects in one part, %d and %d in two", seed, len(all), len(first), len(second))
		}
		other, mem := memStore(t, Options{PackBytes: 64 << 10})
		must(t, importAll(other, first, nil, half))
		must(t, importAll(other, second, half, ids))
		if got := other.Stats().Objects; got != len(first)+len(second) {
			t.Errorf("seed %d: %d objects stored of %d", seed, got, len(first)+len(second))
		}
		must(t, other.Close())
		other, err = Open(Options{FS: mem})
		must(t, err)
		for _, id := range ids {
			must(t, other.VerifyHeap(id))
			if h, err := other.Stored(id); err != nil || h.ID() != id {
				t.Errorf("seed %d: heap %v, %v", seed, h, err)
			}
		}
		must(t, verify(other))
		again := exportAll(t, other, nil, ids)
		if !slices.EqualFunc(again, exportAll(t, w.s, nil, ids), bytes.Equal) {
			t.Errorf("seed %d: exported again it differs", seed)
		}
		must(t, other.Close())
	}
	if heaps < 40 {
		t.Errorf("%d heaps", heaps)
	}
}

// TestImportTakesNothingElse: no object with a flipped bit, missing, doubled, cut or
// in another's place is taken, and nothing of a heap that is not whole is found.
func TestImportTakesNothingElse(t *testing.T) {
	t.Parallel()
	s, _ := memStore(t, Options{})
	_, id := born(t, s, 1)
	objects := exportAll(t, s, nil, []swing.Hash{id})
	if len(objects) < 10 {
		t.Fatalf("%d objects", len(objects))
	}
	refuse := func(what string, at int, changed [][]byte) {
		other, _ := memStore(t, Options{})
		err := importAll(other, changed, nil, []swing.Hash{id})
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, errNoMore) {
			t.Errorf("%s of %d: %v", what, at, err)
		}
		if err := other.VerifyHeap(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of %d: the heap is there: %v", what, at, err)
		}
		must(t, other.Close())
	}
	for at, b := range objects {
		with := func(b ...[]byte) [][]byte {
			return slices.Concat(objects[:at], b, objects[at+1:])
		}
		for bit := 0; bit < 8*len(b); bit += 1 + len(b)/16 {
			flipped := slices.Clone(b)
			flipped[bit/8] ^= 1 << (bit % 8)
			refuse("bit", at, with(flipped))
		}
		refuse("cut", at, with(b[:len(b)-1]))
		refuse("without", at, with())
		if at+1 < len(objects) { // what follows the last is the caller's to see
			refuse("double", at, with(b, b))
			swapped := slices.Clone(objects)
			swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
			refuse("swapped", at, swapped)
		}
	}
	small, _ := memStore(t, Options{HeapBytesMax: 1})
	if err := importAll(small, objects, nil, []swing.Hash{id}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	if err := s.NewExport(func([]byte) error { return nil }).Heap(swing.Hash{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a heap that there is not: %v", err)
	}
	if err := s.NewExport(func([]byte) error { return errNoMore }).Heap(id); !errors.Is(err, errNoMore) {
		t.Errorf("a sink that fails: %v", err)
	}
	if _, err := s.Stored(swing.Hash{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("stored: %v", err)
	}
}
