package snapstore

import (
	"bytes"
	"errors"
	"path"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestDamageIsHealedByTheNextCommit: pages and nodes rot in a sealed pack. While
// nobody has noticed, a new snapshot may rest on them; once a reader or Verify
// has, the next commit of an image that has them stores them again, though the
// vat has not touched them, and both snapshots are whole.
func TestDamageIsHealedByTheNextCommit(t *testing.T) {
	t.Parallel()
	for _, noticed := range []string{"reader", "verify"} {
		mem := vfs.NewMem()
		s, err := Open(Options{FS: mem, PackBytes: 4 << 10})
		must(t, err)
		c := content{memory: make([]byte, wasmPageBytes)}
		for i := range c.memory {
			c.memory[i] = byte(i / swing.PageBytes)
		}
		img, first, err := s.Genesis(c.state(), []Segment{{Data: bytes.Clone(c.memory)}})
		must(t, err)
		must(t, s.Sync())
		name := path.Join(dirDefault, packsDir, "00000001.pack")
		b := readFile(t, mem, name)
		// The last record is the first heap's own, which no image has any more
		// once the vat went on.
		for at := len(packHeaderFrame(1)); at < len(b)-150; at += 90 {
			b[at] ^= 0x40
		}
		replaceFile(t, mem, name, b)
		switch noticed {
		case "reader":
			if err := s.VerifyHeap(first.ID); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("damage not found: %v", err)
			}
		case "verify":
			if verify(s) == nil {
				t.Fatal("damage not found")
			}
		}
		// A reader notices one object a time: as many commits may be needed.
		for range 40 {
			c.heap.Clock++
			img, err = s.Pause(img, c.state(), nil)
			must(t, err)
			info, err := s.Commit(img)
			must(t, err)
			if s.VerifyHeap(first.ID) == nil {
				must(t, s.VerifyHeap(info.ID))
				break
			}
		}
		must(t, s.VerifyHeap(first.ID))
	}
}

// TestAnImageThatRottedHealsNothing: a page is damaged in the packs and in the
// image's file. The commit says so and stores nothing wrong.
func TestAnImageThatRottedHealsNothing(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{FS: vfs.NewMem()})
	must(t, err)
	img, info, err := s.Genesis(swing.Heap{Size: wasmPageBytes}, []Segment{{Data: []byte{1}}})
	must(t, err)
	hash := img.tree.levels[0][0]
	s.index.condemn(classPage, &hash, s.index.find(classPage, &hash).place)
	_, err = img.file.WriteAt([]byte{2}, 0)
	must(t, err)
	var f *Fault
	if _, err := s.Commit(img); !errors.As(err, &f) || f.File != img.name || f.Object != hash {
		t.Errorf("commit: %v", err)
	}
	if err := s.VerifyHeap(info.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("verify: %v", err)
	}
	// A page the vat has written since needs no healing.
	c := content{memory: make([]byte, wasmPageBytes)}
	img, err = s.Pause(img, c.state(), deliver(&c, 0, 0, 3))
	must(t, err)
	info, err = s.Commit(img)
	must(t, errors.Join(err, readable(s, info.ID, c)))
}
