//go:build unix

package vfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// othersWrite are the bits of a mode that let others than the owner write.
const othersWrite os.FileMode = 0o022

// duplicate returns another descriptor of an open file.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "dup", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
