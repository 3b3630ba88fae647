package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// ErrInUse is returned by Lock when another process, or another Lock in this
// one, holds the lock.
var ErrInUse = errors.New("in use by another process")

// ErrName is returned for a name outside the rules of this package.
var ErrName = errors.New("bad file name")

// ErrNotPrivate is returned for a file or directory that others than its owner can write.
var ErrNotPrivate = errors.New("others than its owner can write it")

// ErrNotPlain is returned for a name that leads to, or through, something other
// than a plain file or a directory, or to one where the other is due.
var ErrNotPlain = errors.New("not a plain file")

// File is an open file, readable and writable at any offset. Its methods may be
// called from several goroutines at once.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the file's length in bytes.
	Size() (int64, error)
	// Truncate sets the length. New bytes read as zero.
	Truncate(size int64) error
	// Preallocate makes the length at least size, with blocks set aside so that
	// later writes below size need no new space. New bytes read as zero.
	Preallocate(size int64) error
	// Sync makes the content and the length durable.
	Sync() error
	// Fd returns the descriptor to map the file from, and false if there is none.
	Fd() (uintptr, bool)
}

// FS is a tree of files. All methods fail with errors that satisfy errors.Is
// against fs.ErrNotExist and fs.ErrExist where those are the cause.
type FS interface {
	// Create makes a new file; it fails if the name is taken.
	Create(name string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	// Rename gives a file a new name in the same directory, replacing the file
	// that bore it.
	Rename(from, to string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// List returns the names in a directory, sorted.
	List(dir string) ([]string, error)
	// Mkdir makes a directory; that it exists is no fault.
	Mkdir(dir string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(dir string) error
	// Lock takes the named lock file for this process until Close. The file is
	// made if need be and stays.
	Lock(name string) (io.Closer, error)
	// OpenFile opens a file of the operating system, for libraries that insist
	// on one. It fails with errors.ErrUnsupported in memory.
	OpenFile(name string, flag int, perm os.FileMode) (*os.File, error)
}

// Root is the directory that a FS is rooted at, as List and SyncDir name it.
const Root = "."

// partBytesMax bounds one part of a name.
const partBytesMax = 100

// checkName returns ErrName, with the name, unless name follows the rules.
func checkName(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if !validPart(part) {
			return fmt.Errorf("%w: %q", ErrName, name)
		}
	}
	return nil
}

// checkDir is checkName for a directory, which may be Root.
func checkDir(dir string) error {
	if dir == Root {
		return nil
	}
	return checkName(dir)
}

// checkRename refuses names that are bad or in different directories.
func checkRename(from, to string) error {
	if err := errors.Join(checkName(from), checkName(to)); err != nil {
		return err
	}
	if path.Dir(from) != path.Dir(to) {
		return fmt.Errorf("%w: %q and %q are in different directories", ErrName, from, to)
	}
	return nil
}

// validPart reports whether part may stand between two slashes.
func validPart(part string) bool {
	if part == "" || part == "." || part == ".." || len(part) > partBytesMax {
		return false
	}
	for i := 0; i < len(part); i++ {
		c := part[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
