package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func syncFile(f *os.File) error { return f.Sync() }

// syncDir does nothing: Windows has no way to flush a directory's names.
func syncDir(*os.File) error { return nil }

func preallocate(f *os.File, size int64) error { return f.Truncate(size) }

func lock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrInUse
	}
	return err
}
