package snapstore

import (
	"errors"
	"fmt"
	"math"
	"path"
	"sync"
	"sync/atomic"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// Options say where a Store is and bound what it takes. All of them are
// private: none changes an ID.
type Options struct {
	// FS holds the store's files; there is no default.
	FS vfs.FS
	// Dir is the store's directory, made if need be; "heaps".
	Dir string
	// HeapBytesMax bounds a heap's memory, before anything is allocated for it;
	// swing.DefaultLimits().MemoryBytes. At most 4 GiB.
	HeapBytesMax int64
	// CodeBytesMax bounds a program's code; 16 MiB.
	CodeBytesMax int
	// PackBytes is the length at which a pack is closed and the next begun; 64
	// MiB. At most 1 GiB.
	PackBytes int64
	// Uncompressed stores pages as they are: snapshots take less time and several times
	// the room. What is stored already stays as it is, and a store may have both.
	Uncompressed bool
	// BufferBytes is how much is gathered in memory before it is written to the
	// pack; 1 MiB.
	BufferBytes int
	// UnusedImages is how many images that nobody uses are kept; 64. Below 0
	// none is.
	UnusedImages int
	// UnusedImageBytes bounds the memory in those images, zero pages not
	// counted; 1 GiB.
	UnusedImageBytes int64
}

// Defaults and limits of the options.
const (
	dirDefault              = "heaps"
	codeBytesDefault        = 16 << 20
	packBytesDefault        = 64 << 20
	packBytesMax            = 1 << 30
	bufferBytesDefault      = 1 << 20
	unusedImagesDefault     = 64
	unusedImageBytesDefault = 1 << 30
)

func (o Options) withDefaults() Options {
	setDefault(&o.Dir, dirDefault)
	setDefault(&o.HeapBytesMax, int64(swing.DefaultLimits().MemoryBytes))
	setDefault(&o.CodeBytesMax, codeBytesDefault)
	setDefault(&o.PackBytes, packBytesDefault)
	setDefault(&o.BufferBytes, bufferBytesDefault)
	setDefault(&o.UnusedImages, unusedImagesDefault)
	setDefault(&o.UnusedImageBytes, unusedImageBytesDefault)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) validate() error {
	switch {
	case o.FS == nil:
		return errors.New("snapshot store: no file system")
	case o.HeapBytesMax < 0 || o.HeapBytesMax > treeBytesMax:
		return fmt.Errorf(
			"snapshot store: heaps of %d bytes, at most %d",
			o.HeapBytesMax,
			treeBytesMax,
		)
	case o.PackBytes < 0 || o.PackBytes > packBytesMax:
		return fmt.Errorf(
			"snapshot store: packs of %d bytes, at most %d",
			o.PackBytes,
			packBytesMax,
		)
	case o.CodeBytesMax < 0 || o.CodeBytesMax > math.MaxInt32:
		return fmt.Errorf("snapshot store: code of %d bytes", o.CodeBytesMax)
	case o.BufferBytes < 0 || int64(o.BufferBytes) > packBytesMax:
		return fmt.Errorf("snapshot store: a buffer of %d bytes", o.BufferBytes)
	}
	return nil
}

// Store holds heap snapshots, the images made of them, and programs' code. Its
// methods may be called from several goroutines.
//
// Locks are taken in this order: collecting, world, an image's, syncing, mu.
type Store struct {
	o      Options
	report Report

	// collecting keeps Collect and Verify apart, and each from itself.
	collecting sync.Mutex
	// world is held shared by all that goes from a hash to its bytes, and alone
	// by Collect while it removes packs.
	world sync.RWMutex
	// syncing keeps the order of one sync's steps.
	syncing sync.Mutex

	mapped atomic.Int64 // how many images are mapped for commits

	mu       sync.Mutex // guards all below, and the fields of Image that say so
	closed   bool
	failed   error // the first write that failed; no other is tried after it
	index    index
	packs    map[uint32]*pack
	active   *pack
	buf      []byte  // the active pack's bytes that are not written yet
	unsealed []*pack // closed for more, neither synced nor indexed yet
	next     uint32  // the next pack's number
	written  bool    // the active pack was written since it was synced
	newNames bool    // packs were made since their directory was synced
	live     int64   // bytes of live records, as the last Collect found
	left     int64   // length of all packs when it ended
	images   imageCache
	counts   counts
}

type counts struct {
	commits, dedupHits, materialised uint64
}

// Stats are facts about a Store at one moment.
type Stats struct {
	Objects       int   // pages, nodes and heaps stored
	Packs         int   // pack files
	PackBytes     int64 // their length, what is not written yet included
	BufferedBytes int   // of these, not written yet
	IndexBytes    int64 // memory taken by the index of objects

	Images       int   // image files
	UnusedImages int   // of these, used by nobody
	UnusedBytes  int64 // memory in unused images, zero pages not counted

	Commits      uint64 // since Open
	DedupHits    uint64 // objects that a commit found stored already, since Open
	Materialised uint64 // images made from the packs, since Open
}

// Stats returns facts about the store.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Objects: s.index.count - s.index.condemned, Packs: len(s.packs), PackBytes: s.packBytes(),
		BufferedBytes: len(s.buf), IndexBytes: s.index.bytes(),
		Images: len(s.images.all), UnusedImages: s.images.unused.Len(),
		UnusedBytes: s.images.unusedBytes,
		Commits:     s.counts.commits, DedupHits: s.counts.dedupHits,
		Materialised: s.counts.materialised,
	}
}

// packBytes returns the length of all packs; mu is held.
func (s *Store) packBytes() (n int64) {
	for _, p := range s.packs {
		n += p.size
	}
	return n
}

// Report returns what Open found that was not as it had been left.
func (s *Store) Report() Report { return s.report }

// usable returns why the store cannot be used at all, or nil.
func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return nil
}

// writable returns why nothing can be stored, or nil.
func (s *Store) writable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return s.failed
}

// fail remembers the first failed write and returns it; mu is held. After it
// nothing more is written: what a failed write or sync left is not known.
func (s *Store) fail(err error) error {
	if s.failed == nil {
		s.failed = err
	}
	return s.failed
}

// Close waits for the calls that are running, syncs what is stored, removes the
// images and closes all files. A mapping of an image may be read on where a
// mapping outlives its file's name. Closing twice is no fault.
func (s *Store) Close() error {
	s.collecting.Lock()
	defer s.collecting.Unlock()
	s.world.Lock()
	defer s.world.Unlock()
	if s.usable() != nil {
		return nil
	}
	var errs []error
	if s.writable() == nil {
		errs = append(errs, s.Sync())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, img := range s.images.sorted() {
		errs = append(errs, s.removeImage(img))
	}
	s.images = newImageCache()
	errs = append(errs, s.closePacks())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close snapshot store: %w", err)
	}
	return nil
}

func (s *Store) closePacks() error {
	var errs []error
	for _, p := range s.packs {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(errs...)
}

// removeFile closes a file and removes its name.
func (s *Store) removeFile(f vfs.File, name string) error {
	return errors.Join(f.Close(), s.o.FS.Remove(name))
}

// The directories of a store.
const (
	packsDir  = "packs"
	imagesDir = "images"
	codeDir   = "code"
)

// in returns the name of a file, or of a directory of the store.
func (s *Store) in(parts ...string) string {
	return path.Join(append([]string{s.o.Dir}, parts...)...)
}
