package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// call runs f with the file's descriptor, again while a signal interrupts it,
// and keeps the descriptor from being closed meanwhile.
func call(file *os.File, op string, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for failed = unix.EINTR; failed == unix.EINTR; {
			failed = f(int(fd))
		}
	})
	if err != nil { // the one reason there is, under the name that others give it
		failed = os.ErrClosed
	}
	if failed != nil {
		return &os.PathError{Op: op, Path: file.Name(), Err: failed}
	}
	return nil
}

// syncFile leaves out times, which nobody here reads: fsync would commit the
// journal for them even where no block was added.
func syncFile(f *os.File) error { return call(f, "fdatasync", unix.Fdatasync) }

func syncDir(f *os.File) error { return f.Sync() }

func preallocate(f *os.File, size int64) error {
	err := call(f, "fallocate", func(fd int) error { return unix.Fallocate(fd, 0, 0, size) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return f.Truncate(size)
	}
	return err
}

func lock(f *os.File) error {
	err := call(f, "flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}
