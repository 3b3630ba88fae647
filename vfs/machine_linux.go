package vfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// anonymous returns an empty file without a name, in memory.
func anonymous(label string) (*os.File, error) {
	fd, err := unix.MemfdCreate(label, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, &os.PathError{Op: "memfd_create", Path: label, Err: err}
	}
	return os.NewFile(uintptr(fd), label), nil
}
