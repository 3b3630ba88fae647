package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Map returns the first size bytes of a file as memory to read, which shows what
// is written to the file from then on, until Unmap. It fails with
// errors.ErrUnsupported where there is no such memory. To read in it what lies
// past the file's end, or what the disk cannot read, kills the process.
func Map(f File, size int64) ([]byte, error) {
	fd, ok := f.Fd()
	if !ok {
		return nil, errors.ErrUnsupported
	}
	b, err := unix.Mmap(int(fd), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	return b, os.NewSyscallError("mmap", err)
}

// Unmap gives up what Map returned.
func Unmap(b []byte) error { return os.NewSyscallError("munmap", unix.Munmap(b)) }
