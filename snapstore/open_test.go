package snapstore

import (
	"bytes"
	"errors"
	"testing"

	"vatwarehouse/internal/frame"
)

// TestOpenSeesThatASealedPackChangedItsLength: it does not read sealed packs, but
// it knows how long they were: what is left is scanned, and indexed again.
func TestOpenSeesThatASealedPackChangedItsLength(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 400)
	name := sp.files(t, packsDir, ".pack")[0]
	whole := readFile(t, sp.mem, name)
	f, err := frame.Decode(whole[len(packHeaderFrame(1)):])
	must(t, err)
	for _, b := range [][]byte{
		whole[:len(packHeaderFrame(1))+f.Bytes()], append(bytes.Clone(whole), 0),
	} {
		o := sp.o
		mem := sp.copy()
		o.FS = mem
		replaceFile(t, mem, name, b)
		for opening := range 2 {
			s, err := Open(o)
			must(t, err)
			faults := len(s.Report().Faults)
			if opening == 0 && faults == 0 || opening == 1 && faults != 0 {
				t.Errorf("%d bytes of %d, opening %d: %d faults", len(b), len(whole), opening, faults)
			}
			must(t, errors.Join(verify(s), s.Close()))
		}
	}
}

// TestIndexFilesOfOtherPacksAreRefused: one that gives another pack's number,
// though it fits in all else, and one whose pack is gone, are removed.
func TestIndexFilesOfOtherPacksAreRefused(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 400)
	index, pack := sp.files(t, packsDir, ".index"), sp.files(t, packsDir, ".pack")
	x, err := decodePackIndex(readFile(t, sp.mem, index[0]))
	must(t, err)
	x.pack++
	replaceFile(t, sp.mem, index[0], x.encode())
	for _, name := range pack[1:] {
		must(t, sp.mem.Remove(name))
	}
	s, err := Open(sp.o)
	must(t, err)
	if f := s.Report().Faults; len(f) != 1 || f[0].File != index[0] {
		t.Errorf("%+v", s.Report())
	}
	if left := sp.files(t, packsDir, ".index"); len(left) > 1 {
		t.Errorf("left: %q", left)
	}
	must(t, verify(s))
}
