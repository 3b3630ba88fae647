package worker

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"vatwarehouse/swing"
)

// canMap says that this system can map images.
const canMap = true

// mappingsPerWorker is how many memory mappings a mapped region takes: the
// image, and what lies behind it.
const mappingsPerWorker = 2

// mappingsSpare is left to the rest of the process: Go's own heap, stacks and
// libraries, and what the snapshot store maps to read. Go dies when it cannot map.
const mappingsSpare = 4000

// mappingsDefault is Linux's default of vm.max_map_count.
const mappingsDefault = 65530

// mappingsMax returns how many mapped regions this process may have.
func mappingsMax() int64 {
	limit := mappingsDefault
	if b, err := os.ReadFile("/proc/sys/vm/max_map_count"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			limit = n
		}
	}
	return int64(max(0, limit-mappingsSpare) / mappingsPerWorker)
}

// mappedRegion is address space of max bytes: the image, mapped
// copy-on-write, and zero pages behind it. Writing to the image's part makes
// private pages; the file is never written through it.
type mappedRegion struct {
	engine *Engine
	all    []byte // max bytes of address space
	base   Image
	mapped int64 // how much of it maps the base, which may have grown since
}

func (e *Engine) mapRegion(img Image, fd uintptr, max uint64) (region, error) {
	if e.mapped.Add(1) > e.mapMax {
		e.mapped.Add(-1)
		return nil, fmt.Errorf("%d vats are paged in, as many as vm.max_map_count allows", e.mapMax)
	}
	all, err := unix.MmapPtr(-1, 0, nil, uintptr(max), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		e.mapped.Add(-1)
		return nil, fmt.Errorf("reserve %d bytes of memory: %w", max, err)
	}
	r := &mappedRegion{engine: e, all: unsafe.Slice((*byte)(all), max)}
	// Huge pages would make one written byte count as 512 pages.
	err = unix.Madvise(r.all, unix.MADV_NOHUGEPAGE)
	if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: a kernel without huge pages
		r.Free()
		return nil, fmt.Errorf("set up %d bytes of memory: %w", max, err)
	}
	if err := r.attach(img, fd); err != nil {
		r.Free()
		return nil, err
	}
	return r, nil
}

// attach maps the image over the start of the region.
func (r *mappedRegion) attach(img Image, fd uintptr) error {
	r.base, r.mapped = img, img.Size()
	if r.mapped == 0 {
		return nil
	}
	_, err := unix.MmapPtr(int(fd), 0, unsafe.Pointer(&r.all[0]), uintptr(r.mapped),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_NORESERVE|unix.MAP_FIXED)
	if err != nil {
		return fmt.Errorf("map image of %d bytes: %w", r.mapped, err)
	}
	return nil
}

// Reallocate implements experimental.LinearMemory: growth is bookkeeping.
func (r *mappedRegion) Reallocate(size uint64) []byte {
	if size > uint64(len(r.all)) {
		return nil
	}
	return r.all[:size:size]
}

// Free implements experimental.LinearMemory.
func (r *mappedRegion) Free() {
	if r.all == nil {
		return
	}
	if err := unix.MunmapPtr(unsafe.Pointer(&r.all[0]), uintptr(len(r.all))); err != nil {
		panic(fmt.Sprintf("worker: unmap %d bytes at %p: %v", len(r.all), &r.all[0], err))
	}
	r.all = nil
	r.engine.mapped.Add(-1)
}

// rebase drops the private pages: the image holds them now. Where the image is
// still the same file and has not grown, telling the kernel to forget them is
// enough; otherwise the new one is mapped.
func (r *mappedRegion) rebase(img Image, pages []uint32) error {
	fd, ok := img.Fd()
	if !ok {
		return errors.New("rebase mapped memory on an image that is no file")
	}
	if img != r.base || img.Size() != r.mapped {
		return r.attach(img, fd)
	}
	return r.forget(pages)
}

// forgetRuns is how many separate madvise calls are made before one over the
// whole region is cheaper.
const forgetRuns = 64

func (r *mappedRegion) forget(pages []uint32) error {
	runs := runsOf(pages)
	if len(runs) > forgetRuns {
		runs = [][2]uint32{{0, uint32(r.mapped / swing.PageBytes)}}
	}
	for _, run := range runs {
		part := r.all[int(run[0])*swing.PageBytes : int(run[1])*swing.PageBytes]
		if err := unix.Madvise(part, unix.MADV_DONTNEED); err != nil {
			return fmt.Errorf("drop %d bytes of memory: %w", len(part), err)
		}
	}
	return nil
}

// prefetch faults runs of pages in at once, for writing. Where the kernel cannot (before
// 5.14) they are faulted in one by one, when they are written.
func (r *mappedRegion) prefetch(pages []uint32) error {
	for _, run := range runsOf(pages) {
		part := r.all[int(run[0])*swing.PageBytes : int(run[1])*swing.PageBytes]
		err := unix.Madvise(part, unix.MADV_POPULATE_WRITE)
		if errors.Is(err, unix.EINVAL) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("fault in %d bytes of memory: %w", len(part), err)
		}
	}
	return nil
}

// runsOf joins neighbouring pages into half-open runs.
func runsOf(pages []uint32) (runs [][2]uint32) {
	for _, p := range pages {
		if n := len(runs); n > 0 && runs[n-1][1] == p {
			runs[n-1][1]++
			continue
		}
		runs = append(runs, [2]uint32{p, p + 1})
	}
	return runs
}

func (r *mappedRegion) written(pages []uint32, size uint64) ([]uint32, error) {
	switch r.engine.options.Detector {
	case DetectCompare:
		return compare(pages, r.all[:size], r.base)
	case DetectScan:
		found, err := scanPages(pages, r.all[:size])
		if !errors.Is(err, errors.ErrUnsupported) {
			return found, err
		}
	}
	return readPagemap(pages, r.all[:size])
}

// bareRegion is one private mapping of an image and nothing else.
type bareRegion struct{ all []byte }

func mapBare(img Image) (*bareRegion, error) {
	fd, ok := img.Fd()
	if !ok {
		return nil, errors.New("map bare: the image is no file")
	}
	all, err := unix.Mmap(int(fd), 0, int(img.Size()),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("map bare: %w", err)
	}
	return &bareRegion{all}, nil
}

// Reallocate implements experimental.LinearMemory.
func (r *bareRegion) Reallocate(size uint64) []byte { return r.all[:min(size, uint64(len(r.all)))] }

// Free implements experimental.LinearMemory.
func (r *bareRegion) Free() {
	if err := unix.Munmap(r.all); err != nil {
		panic(fmt.Sprintf("worker: unmap bare: %v", err))
	}
}
