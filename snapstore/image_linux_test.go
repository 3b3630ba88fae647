package snapstore

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestMappedVatsSeeTheirOwnMemory: two vats map one image privately and write.
// The first is paused in a copy, the other in place once it is alone; each drops
// its written pages, maps what Pause returned, and sees its own memory, as far as
// it has grown. This is how the worker uses images.
func TestMappedVatsSeeTheirOwnMemory(t *testing.T) {
	t.Parallel()
	dir, err := vfs.Open(t.TempDir())
	must(t, err)
	s, err := Open(Options{FS: dir})
	must(t, err)
	base, id := born(t, s, 1)
	must(t, s.Close())
	s, err = Open(Options{FS: dir}) // without the pinned image
	must(t, err)
	first, second := mapVat(t, s, id, base), mapVat(t, s, id, base)
	src := newSource(3)
	for range 20 {
		first.deliver(t, s, src)
		second.deliver(t, s, src)
	}
	if first.copies != 1 || second.copies != 0 {
		t.Errorf("%d and %d copies, want 1 and 0", first.copies, second.copies)
	}
	must(t, errors.Join(s.Close(), dir.Close()))
}

// mappedVat is a vat whose memory is a mapping.
type mappedVat struct {
	vat
	memory []byte
	copies int
}

func mapVat(t *testing.T, s *Store, id swing.Hash, c content) *mappedVat {
	t.Helper()
	img, err := s.Image(id)
	must(t, err)
	v := &mappedVat{vat: vat{c.clone(), img}}
	v.remap(t)
	return v
}

func (v *mappedVat) remap(t *testing.T) {
	t.Helper()
	if v.memory != nil {
		must(t, syscall.Munmap(v.memory))
	}
	fd, ok := v.img.Fd()
	if !ok {
		t.Fatal("an image on disk has no descriptor")
	}
	const access = syscall.PROT_READ | syscall.PROT_WRITE
	m, err := syscall.Mmap(int(fd), 0, int(v.img.Size()), access, syscall.MAP_PRIVATE)
	must(t, err)
	v.memory = m
}

// deliver writes pages through the mapping, pauses, drops them and looks.
func (v *mappedVat) deliver(t *testing.T, s *Store, src source) {
	t.Helper()
	before := len(v.content.memory)
	dirty := src.change(&v.content, 6*wasmPageBytes)
	for _, p := range dirty {
		if at := int(p.Index) * swing.PageBytes; at < before {
			copy(v.memory[at:], p.Data)
		}
	}
	img, err := s.Pause(v.img, v.state(), dirty)
	must(t, err)
	if img != v.img || len(v.content.memory) > before {
		if img != v.img {
			v.copies++
		}
		v.img = img
		v.remap(t)
	} else {
		must(t, syscall.Madvise(v.memory, syscall.MADV_DONTNEED))
	}
	if !bytes.Equal(v.memory, v.content.memory) {
		t.Fatal("the vat sees another memory than its own")
	}
}

// TestCommitsReadImagesAlike: a heap that grows, with few pages written and many,
// scattered and in a row, has the twin's ID, whether commits read its image from
// a mapping, from the file because too many are mapped, or from memory. What is
// mapped goes with the image.
func TestCommitsReadImagesAlike(t *testing.T) {
	t.Parallel()
	dir := func() vfs.FS {
		d, err := vfs.Open(t.TempDir())
		must(t, err)
		t.Cleanup(func() { d.Close() })
		return d
	}
	for _, c := range []struct {
		fs             vfs.FS
		others, mapped int64
	}{{dir(), 0, 1}, {dir(), mappedImagesMax, 0}, {vfs.NewMem(), 0, 0}} {
		s, err := Open(Options{FS: c.fs})
		must(t, err)
		s.mapped.Store(c.others)
		img := commitGrowing(t, s)
		if got := s.mapped.Load() - c.others; got != c.mapped {
			t.Errorf("%d images are mapped, want %d", got, c.mapped)
		}
		img.Release()
		must(t, s.Close())
		if got := s.mapped.Load() - c.others; got != 0 {
			t.Errorf("%d images are mapped after Close", got)
		}
	}
}

// commitGrowing commits a heap that becomes 1024 pages large.
func commitGrowing(t *testing.T, s *Store) *Image {
	t.Helper()
	src := newSource(4)
	c := content{heap: src.heap("p")}
	img, _, err := s.Genesis(c.state(), nil)
	must(t, err)
	for round := range 16 {
		c.memory = append(c.memory, make([]byte, 4*wasmPageBytes)...)
		var dirty []swing.Page
		for i := range len(c.memory) / swing.PageBytes {
			if round%4 > 0 && src.IntN(1<<(2*round%8)) > 0 {
				continue
			}
			page := c.memory[i*swing.PageBytes:][:swing.PageBytes]
			copy(page, src.page())
			dirty = append(dirty, swing.Page{Index: uint32(i), Data: page})
		}
		img, err = s.Pause(img, c.state(), dirty)
		must(t, err)
		info, err := s.Commit(img)
		must(t, err)
		if info.ID != c.id() || info.Pages != len(dirty) {
			t.Fatalf("round %d: %v of %d pages, want %v of %d",
				round, info.ID, info.Pages, c.id(), len(dirty))
		}
		must(t, readable(s, info.ID, c))
	}
	return img
}
