package snapstore

import (
	"strings"
	"sync"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestImageIsMadeOnce: many goroutines ask for one heap at once; all get one
// image, and no file is left of the others'.
func TestImageIsMadeOnce(t *testing.T) {
	t.Parallel()
	s, mem := memStore(t, Options{UnusedImages: -1})
	want, id := born(t, s, 1)
	for range 30 {
		var all sync.WaitGroup
		images := make([]*Image, 8)
		for i := range images {
			all.Go(func() {
				img, err := s.Image(id)
				if err != nil {
					t.Error(err)
					return
				}
				images[i] = img
			})
		}
		all.Wait()
		for _, img := range images {
			if img != images[0] {
				t.Fatal("two images of one heap")
			}
		}
		must(t, sameImage(images[0], want))
		for _, img := range images {
			img.Release()
		}
	}
	if names, err := mem.List("heaps/images"); err != nil || len(names) != 0 {
		t.Errorf("images left: %q, %v", names, err)
	}
}

// atCreate is a file system that does something before the next image is made.
type atCreate struct {
	vfs.FS
	do func()
}

func (a *atCreate) Create(name string) (vfs.File, error) {
	if do := a.do; do != nil && strings.HasSuffix(name, ".image") {
		a.do = nil
		do()
	}
	return a.FS.Create(name)
}

// TestTheFirstImageMadeIsKept: while an image is being made, another of the same
// heap is finished. Both callers get that one.
func TestTheFirstImageMadeIsKept(t *testing.T) {
	t.Parallel()
	fs := &atCreate{FS: vfs.NewMem()}
	s, err := Open(Options{FS: fs, UnusedImages: -1})
	must(t, err)
	want, id := born(t, s, 1)
	var inner *Image
	fs.do = func() {
		inner, err = s.Image(id)
		must(t, err)
	}
	outer, err := s.Image(id)
	must(t, err)
	if outer != inner || s.Stats().Images != 1 || s.Stats().Materialised != 2 {
		t.Errorf("two images: %+v", s.Stats())
	}
	inner.Release()
	must(t, sameImage(outer, want))
	outer.Release()
	if st := s.Stats(); st.Images != 0 {
		t.Errorf("%+v", st)
	}
}

// TestUncompressed: pages stored as they are make the same heap, of the same ID, and
// take more room; a store that compresses reads them, and the other way round.
func TestUncompressed(t *testing.T) {
	t.Parallel()
	var ids []swing.Hash
	var room []int64
	for _, plain := range []bool{false, true} {
		o := Options{Uncompressed: plain, UnusedImages: -1}
		mem := vfs.NewMem()
		o.FS = mem
		s, err := Open(o)
		must(t, err)
		want, id := born(t, s, 1)
		ids, room = append(ids, id), append(room, s.Stats().PackBytes)
		must(t, s.Close())
		o.Uncompressed = !plain
		s, err = Open(o)
		must(t, err)
		img, err := s.Image(id)
		must(t, err)
		must(t, sameImage(img, want))
		img.Release()
		if _, again := born(t, s, 1); again != id {
			t.Error("another heap is born")
		}
		if s.Stats().PackBytes != room[len(room)-1] {
			t.Errorf("what is stored is stored again: %d bytes, %v", s.Stats().PackBytes, room)
		}
		must(t, s.Close())
	}
	if ids[0] != ids[1] || room[1] < room[0]*3/2 {
		t.Errorf("IDs %v, %v bytes compressed and not", ids, room)
	}
}
