package vfs

import (
	"os"

	"golang.org/x/sys/windows"
)

// othersWrite is empty: modes do not say who can write here.
const othersWrite os.FileMode = 0

// anonymous returns an empty file that goes when it is closed everywhere.
func anonymous(label string) (*os.File, error) {
	f, err := os.CreateTemp("", label)
	if err != nil {
		return nil, err
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		return nil, err
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	const flags = windows.FILE_ATTRIBUTE_TEMPORARY | windows.FILE_FLAG_DELETE_ON_CLOSE
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	handle, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, share, nil,
		windows.OPEN_EXISTING, flags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(handle), name), nil
}

// duplicate returns another handle of an open file.
func duplicate(f *os.File) (*os.File, error) {
	self := windows.CurrentProcess()
	var handle windows.Handle
	err := windows.DuplicateHandle(self, windows.Handle(f.Fd()), self, &handle, 0, false,
		windows.DUPLICATE_SAME_ACCESS)
	if err != nil {
		return nil, &os.PathError{Op: "duplicate", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(handle), f.Name()), nil
}
