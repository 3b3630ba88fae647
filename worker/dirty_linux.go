package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"vatwarehouse/swing"
)

// How a private file mapping tells which of its pages were written: such a
// page is present or swapped out, and is neither a page of the file nor the
// shared page of zeros. Behind the file the same rule finds what was written in
// anonymous memory. It needs no privilege and no write hooks.

// pagemap is /proc/self/pagemap, opened once for the process.
var pagemap = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/pagemap") })

// The categories of PAGEMAP_SCAN (linux/fs.h).
const (
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsPFNZero = 1 << 5
)

// pagemapScan is ioctl number PAGEMAP_SCAN.
const pagemapScan = 0xc0606610

// scanRegionsMax is how many regions one call may return. Some kernels (6.18)
// report regions twice when given room for more.
const scanRegionsMax = 512

// pageRegion is struct page_region.
type pageRegion struct{ start, end, categories uint64 }

// scanArgument is struct pm_scan_arg.
type scanArgument struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, returned                         uint64
}

// scanner is the room one scan needs. It lives on the heap: the kernel is
// handed its addresses, and a goroutine's stack may move.
type scanner struct {
	arg     scanArgument
	regions [scanRegionsMax]pageRegion
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// scanPages appends the pages of memory that were written, by PAGEMAP_SCAN. It
// fails with errors.ErrUnsupported where the kernel has no such call.
func scanPages(pages []uint32, memory []byte) ([]uint32, error) {
	if len(memory) == 0 {
		return pages, nil
	}
	f, err := pagemap()
	if err != nil {
		return nil, fmt.Errorf("open pagemap: %w", err)
	}
	s := scanners.Get().(*scanner)
	defer scanners.Put(s)
	base := uint64(uintptr(unsafe.Pointer(&memory[0])))
	s.arg = scanArgument{
		size: uint64(unsafe.Sizeof(s.arg)), start: base, end: base + uint64(len(memory)),
		vec: uint64(uintptr(unsafe.Pointer(&s.regions[0]))), vecLen: scanRegionsMax,
		inverted: pageIsFile | pageIsPFNZero, mask: pageIsFile | pageIsPFNZero,
		anyOf: pageIsPresent | pageIsSwapped, returned: pageIsFile,
	}
	for s.arg.start < s.arg.end {
		n, _, errno := unix.Syscall(
			unix.SYS_IOCTL, f.Fd(), pagemapScan, uintptr(unsafe.Pointer(&s.arg)))
		if errno == unix.ENOTTY || errno == unix.EINVAL {
			return nil, errors.ErrUnsupported
		}
		if errno != 0 {
			return nil, fmt.Errorf("scan pagemap: %w", errno)
		}
		for _, r := range s.regions[:n] {
			for at := r.start; at < r.end; at += swing.PageBytes {
				pages = append(pages, uint32((at-base)/swing.PageBytes))
			}
		}
		s.arg.start = s.arg.walkEnd
	}
	return pages, nil
}

// The bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	entryIsFile    = 1 << 61
	entryIsSwapped = 1 << 62
	entryIsPresent = 1 << 63
)

// pagemapEntries is how many entries are read at a time: 4 MiB of memory.
const pagemapEntries = 1024

// readPagemap appends the pages of memory that were written, by reading the
// entries of all of them. Without privilege an entry does not tell the shared
// page of zeros; such a page counts as written, which costs a comparison later
// and loses nothing.
func readPagemap(pages []uint32, memory []byte) ([]uint32, error) {
	if len(memory) == 0 {
		return pages, nil
	}
	f, err := pagemap()
	if err != nil {
		return nil, fmt.Errorf("open pagemap: %w", err)
	}
	var entries [8 * pagemapEntries]byte
	first := int64(uintptr(unsafe.Pointer(&memory[0]))) / swing.PageBytes
	total := len(memory) / swing.PageBytes
	for at := 0; at < total; at += pagemapEntries {
		chunk := entries[:8*min(pagemapEntries, total-at)]
		if _, err := f.ReadAt(chunk, 8*(first+int64(at))); err != nil {
			return nil, fmt.Errorf("read pagemap: %w", err)
		}
		for i := 0; i < len(chunk); i += 8 {
			entry := binary.LittleEndian.Uint64(chunk[i:])
			if entry&(entryIsPresent|entryIsSwapped) != 0 && entry&entryIsFile == 0 {
				pages = append(pages, uint32(at+i/8))
			}
		}
	}
	return pages, nil
}
