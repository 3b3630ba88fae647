package worker

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/tetratelabs/wazero/experimental"

	"vatwarehouse/swing"
)

// Image is what a worker's memory starts as. It must not change while a worker
// is based on it, but for pages that the worker has written, as Rebase says.
type Image interface {
	io.ReaderAt
	// Size is the memory's size in bytes, a multiple of 64 KiB.
	Size() int64
	// Fd returns the descriptor of a file to map, and whether there is one.
	Fd() (uintptr, bool)
}

// region is one worker's linear memory.
type region interface {
	experimental.LinearMemory
	// written appends the indexes of the pages of [0, size) that were, or may
	// have been, written since the base, in order.
	written(pages []uint32, size uint64) ([]uint32, error)
	// rebase says that img now holds [0, img.Size()) as it is in memory, and that
	// pages are the ones that written named for it.
	rebase(img Image, pages []uint32) error
	// prefetch makes pages ready to be written. They count as written.
	prefetch(pages []uint32) error
}

// newRegion returns memory that holds img and can grow to max bytes.
func (e *Engine) newRegion(img Image, max uint64) (region, error) {
	grant := e.options.Grant
	if grant == nil {
		return e.ungranted(img, max)
	}
	if err := grant(uint64(img.Size())); err != nil {
		return nil, fmt.Errorf("get %d bytes of memory: %w", img.Size(), err)
	}
	r, err := e.ungranted(img, max)
	return &grantedRegion{region: r, size: uint64(img.Size()), grant: grant}, err
}

// grantedRegion is memory whose every growth is asked for.
type grantedRegion struct {
	region
	size  uint64
	grant func(bytes uint64) error
	short error // why one was not granted
}

// Reallocate implements experimental.LinearMemory. Were it to return nil, the program
// would be told that there is no memory, which another machine may have: a panic ends
// the delivery, and [Worker.Deliver] returns the error.
func (r *grantedRegion) Reallocate(size uint64) []byte {
	if size > r.size {
		if err := r.grant(size); err != nil {
			r.short = fmt.Errorf("get %d bytes of memory: %w", size, err)
			panic(r.short)
		}
		r.size = size
	}
	return r.region.Reallocate(size)
}

func (e *Engine) ungranted(img Image, max uint64) (region, error) {
	if e.options.Memory == MemoryMapped {
		if fd, ok := img.Fd(); ok && canMap {
			return e.mapRegion(img, fd, max)
		}
	}
	return copyRegion(img, max)
}

// heapRegion is memory on Go's heap, copied from the image. It grows by
// doubling, so that a growing program does not copy its memory at every page.
type heapRegion struct {
	buf  []byte
	max  uint64
	base Image
}

// spareMemory is that of workers that are gone (*[]byte), for others to copy images to.
var spareMemory sync.Pool

func copyRegion(img Image, max uint64) (region, error) {
	size := int(img.Size())
	r := &heapRegion{max: max, base: img}
	if spare, _ := spareMemory.Get().(*[]byte); spare != nil && fits(size, cap(*spare)) {
		r.buf = (*spare)[:size]
	} else {
		r.buf = make([]byte, size)
	}
	n, err := img.ReadAt(r.buf, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read image: %w", err)
	}
	clear(r.buf[n:cap(r.buf)])
	return r, nil
}

// fits reports whether so much room is not much more than is needed.
func fits(size, room int) bool { return size <= room && room <= 2*size }

// Reallocate implements experimental.LinearMemory. Memory never shrinks, and
// never was larger than it is, so what lies behind its end is zero.
func (r *heapRegion) Reallocate(size uint64) []byte {
	if size > r.max {
		return nil
	}
	if size > uint64(cap(r.buf)) {
		grown := make([]byte, len(r.buf), min(max(size, 2*uint64(cap(r.buf))), r.max))
		copy(grown, r.buf)
		r.buf = grown
	}
	if size > uint64(len(r.buf)) {
		r.buf = r.buf[:size]
	}
	return r.buf[:size]
}

// Free implements experimental.LinearMemory.
func (r *heapRegion) Free() {
	buf := r.buf
	r.buf = nil
	spareMemory.Put(&buf)
}

func (r *heapRegion) written(pages []uint32, size uint64) ([]uint32, error) {
	return compare(pages, r.buf[:size], r.base)
}

func (r *heapRegion) rebase(img Image, _ []uint32) error {
	r.base = img
	return nil
}

// prefetch does nothing: all memory is there.
func (r *heapRegion) prefetch([]uint32) error { return nil }

// compareBytes is how much of the image is read at a time.
const compareBytes = 64 << 10

// chunks are for what is read of images (*[compareBytes]byte).
var chunks = sync.Pool{New: func() any { return new([compareBytes]byte) }}

// compare appends the indexes of the pages in which memory differs from the
// image, or from zero behind the image's end.
func compare(pages []uint32, memory []byte, img Image) ([]uint32, error) {
	chunk, _ := chunks.Get().(*[compareBytes]byte)
	defer chunks.Put(chunk)
	for at := 0; at < len(memory); at += compareBytes {
		n := max(0, min(compareBytes, int(img.Size())-at))
		if _, err := img.ReadAt(chunk[:n], int64(at)); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read image: %w", err)
		}
		clear(chunk[n:])
		for p := 0; p < compareBytes; p += swing.PageBytes {
			if !bytes.Equal(chunk[p:p+swing.PageBytes], memory[at+p:at+p+swing.PageBytes]) {
				pages = append(pages, uint32((at+p)/swing.PageBytes))
			}
		}
	}
	return pages, nil
}
