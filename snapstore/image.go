package snapstore

import (
	"container/list"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// Image is a file that holds a heap's memory byte by byte, for a vat to be
// mapped from, and the state that belongs to it. Every call that returns one
// returns it acquired: it stays until as many calls of Release.
//
// An image is current or committed. Committed means that the store holds the
// heap, and that the image is found by its ID; only such images are shared, and only
// if all of that ID are in use. One that Pause returned is current, its caller's alone,
// and lost when released.
type Image struct {
	s    *Store
	file vfs.File
	name string

	// mu guards the file's bytes and what describes them.
	mu      sync.Mutex
	tree    tree    // of the last commit
	pending pageSet // pages written since
	broken  error   // why the bytes are not known any more
	mapped  []byte  // the file, for commits to read, or nil
	healed  uint64  // index.forgotten when the tree was last known to be stored

	// Guarded by Store.mu.
	heap      swing.Heap
	id        swing.Hash // of heap, once committed
	committed bool
	pinned    bool
	users     int
	bytes     int64         // memory in it, zero pages not counted
	unused    *list.Element // in imageCache.unused, while users is 0
}

// imageCache is all images. It is guarded by Store.mu.
type imageCache struct {
	all map[*Image]struct{}
	// byID are the committed images of each heap, those that nobody uses last. There are
	// several where vats came to the same heap, each in an image of its own.
	byID        map[swing.Hash][]*Image
	unused      *list.List // of *Image, the first to go last
	unusedBytes int64
	made        uint64 // numbers the files
}

func newImageCache() imageCache {
	return imageCache{
		all: map[*Image]struct{}{}, byID: map[swing.Hash][]*Image{}, unused: list.New(),
	}
}

// acquire returns an image of a heap, if there is one that nobody uses, or nil if there
// is none at all.
func (c *imageCache) acquire(id swing.Hash) *Image {
	same := c.byID[id]
	if len(same) == 0 {
		return nil
	}
	img := same[len(same)-1]
	copy(same[1:], same)
	same[0] = img
	if img.unused != nil {
		c.unused.Remove(img.unused)
		c.unusedBytes -= img.bytes
		img.unused = nil
	}
	img.users++
	return img
}

// forget makes a committed image one that is not found by its ID.
func (c *imageCache) forget(img *Image) {
	same := c.byID[img.id]
	at := slices.Index(same, img)
	if same = slices.Delete(same, at, at+1); len(same) == 0 {
		delete(c.byID, img.id)
	} else {
		c.byID[img.id] = same
	}
}

// remember makes an image that is in use one that is found by its ID.
func (c *imageCache) remember(img *Image) {
	c.byID[img.id] = slices.Insert(c.byID[img.id], 0, img)
}

// leave puts a committed image that has lost its last user among the unused, of which those
// used longest ago go first; before them one whose heap has another that nobody uses.
func (c *imageCache) leave(img *Image) {
	same := c.byID[img.id]
	last := same[len(same)-1]
	at := slices.Index(same, img)
	copy(same[at:], same[at+1:])
	same[len(same)-1] = img
	if last.unused != nil {
		img.unused = c.unused.PushBack(img)
	} else {
		img.unused = c.unused.PushFront(img)
	}
	c.unusedBytes += img.bytes
}

// drop takes an image out; its file is the caller's to remove.
func (c *imageCache) drop(img *Image) {
	if img.unused != nil {
		c.unused.Remove(img.unused)
		c.unusedBytes -= img.bytes
		img.unused = nil
	}
	if img.committed {
		c.forget(img)
	}
	delete(c.all, img)
}

// sorted returns all images in the order they were made.
func (c *imageCache) sorted() []*Image {
	return slices.SortedFunc(maps.Keys(c.all), func(a, b *Image) int {
		return strings.Compare(a.name, b.name)
	})
}

// dropUnused takes out the unused images that the filter names.
func (c *imageCache) dropUnused(filter func(img *Image) bool) (gone []*Image) {
	for at := c.unused.Front(); at != nil; {
		img := at.Value.(*Image)
		at = at.Next()
		if filter(img) {
			c.drop(img)
			gone = append(gone, img)
		}
	}
	return gone
}

// Heap returns the heap's state. Its Pages is set once the image is committed.
func (img *Image) Heap() swing.Heap {
	img.s.mu.Lock()
	defer img.s.mu.Unlock()
	h := img.heap
	h.Globals = slices.Clone(h.Globals)
	if !img.committed {
		h.Pages = swing.Hash{}
	}
	return h
}

// Size returns the memory's size in bytes.
func (img *Image) Size() int64 {
	img.s.mu.Lock()
	defer img.s.mu.Unlock()
	return int64(img.heap.Size)
}

// ReadAt reads the memory.
func (img *Image) ReadAt(b []byte, at int64) (int, error) { return img.file.ReadAt(b, at) }

// Fd returns the descriptor to map the memory from, and false if there is none.
// The mapping must be private: who writes the file writes every user's memory.
func (img *Image) Fd() (uintptr, bool) { return img.file.Fd() }

// Pin makes Pause copy this image even for its only user, so that it stays what
// it is: the heap that new vats start from.
func (img *Image) Pin() {
	img.s.mu.Lock()
	defer img.s.mu.Unlock()
	img.pinned = true
}

// Release gives the image up. Without users it is kept for a while if it is
// committed, and is gone if it is not.
func (img *Image) Release() {
	s := img.s
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	if img.users == 0 {
		s.mu.Unlock()
		panic(fmt.Sprintf("snapstore: image %s released once more than acquired", img.name))
	}
	img.users--
	var gone []*Image
	if img.users == 0 {
		gone = s.retire(img)
	}
	s.mu.Unlock()
	s.removeImages(gone)
}

// retire keeps an image without users, if it can be found, and returns the images
// that have to go; mu is held.
func (s *Store) retire(img *Image) (gone []*Image) {
	c := &s.images
	if !img.committed {
		c.drop(img)
		return []*Image{img}
	}
	c.leave(img)
	for c.unused.Len() > max(s.o.UnusedImages, 0) || c.unusedBytes > s.o.UnusedImageBytes {
		oldest := c.unused.Back().Value.(*Image)
		c.drop(oldest)
		gone = append(gone, oldest)
	}
	return gone
}

// removeImages removes the files of images that were dropped. That it fails
// says that the file system does, which makes the store unusable for writing.
func (s *Store) removeImages(gone []*Image) {
	for _, img := range gone {
		if err := s.removeImage(img); err != nil {
			s.mu.Lock()
			s.fail(fmt.Errorf("remove image: %w", err))
			s.mu.Unlock()
		}
	}
}

func (s *Store) removeImage(img *Image) error {
	return errors.Join(img.lookAway(), s.removeFile(img.file, img.name))
}

// mappedImagesMax bounds the images that are mapped for commits. A process has
// 65,530 mappings, of which the workers leave 4,000.
const mappedImagesMax = 1024

// look maps the file for commits to read, which takes a page less time than a
// call for it does. Where it cannot be mapped they read it; img.mu is held.
func (img *Image) look(size int64) {
	if int64(len(img.mapped)) >= size || img.lookAway() != nil {
		return
	}
	if img.s.mapped.Add(1) <= mappedImagesMax {
		if b, err := vfs.Map(img.file, size); err == nil {
			img.mapped = b
			return
		}
	}
	img.s.mapped.Add(-1)
}

// lookAway gives up the mapping, if there is one.
func (img *Image) lookAway() error {
	if img.mapped == nil {
		return nil
	}
	b := img.mapped
	img.mapped = nil
	img.s.mapped.Add(-1)
	return vfs.Unmap(b)
}

// checkSize returns why a heap's memory cannot be kept, or nil.
func (s *Store) checkSize(h *swing.Heap) error {
	if h.Size > uint64(s.o.HeapBytesMax) {
		return fmt.Errorf("%w: %d bytes of memory, limit %d", ErrTooLarge, h.Size, s.o.HeapBytesMax)
	}
	if h.Size%wasmPageBytes != 0 {
		panic(fmt.Sprintf("snapstore: a heap of %d bytes", h.Size))
	}
	return nil
}

// wasmPageBytes is what a heap's size is a multiple of.
const wasmPageBytes = 64 << 10

// newImage makes an image with a file of zeros, which nobody else knows of: see
// admit.
func (s *Store) newImage(h swing.Heap) (*Image, error) {
	s.mu.Lock()
	s.images.made++
	name := s.in(imagesDir, fmt.Sprintf("%016x.image", s.images.made))
	forgotten := s.index.forgotten
	s.mu.Unlock()
	f, err := s.o.FS.Create(name)
	if err != nil {
		return nil, err
	}
	img := &Image{s: s, file: f, name: name, healed: forgotten, heap: h, users: 1}
	img.heap.Globals = slices.Clone(h.Globals)
	if err := img.resize(h.Size); err != nil {
		return nil, errors.Join(err, s.removeFile(f, name))
	}
	return img, nil
}

// resize makes the file and its tree hold size bytes. A file is never made
// shorter: a mapping past its end kills the process.
func (img *Image) resize(size uint64) error {
	pages := int(size / swing.PageBytes)
	if pages < img.tree.pages() {
		panic(fmt.Sprintf("snapstore: shrink an image of %d pages to %d", img.tree.pages(), pages))
	}
	if pages > img.tree.pages() {
		if err := img.file.Truncate(int64(size)); err != nil {
			return err
		}
		img.tree.grow(pages)
		img.pending.grow(pages)
	}
	return nil
}

// admit makes a new image one of the store's. From then on Collect keeps its
// pages.
func (s *Store) admit(img *Image) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.images.all[img] = struct{}{}
	return nil
}

// Image returns the image of a stored heap: the one there is, or one made from
// the packs. Every byte read for it is verified. It fails with ErrNotFound if
// the heap, or a part of it, is not stored; with ErrCorrupt, naming the place,
// if a part is damaged; with ErrTooLarge if the heap is beyond HeapBytesMax.
func (s *Store) Image(id swing.Hash) (*Image, error) {
	s.world.RLock()
	defer s.world.RUnlock()
	img, err := s.cachedImage(id)
	if img != nil || err != nil {
		return img, err
	}
	if img, err = s.materialise(id); err != nil {
		return nil, fmt.Errorf("read snapshot %s…: %w", id.Short(), err)
	}
	return img, nil
}

func (s *Store) cachedImage(id swing.Hash) (*Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	return s.images.acquire(id), nil
}
