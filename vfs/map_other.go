//go:build !linux

package vfs

import "errors"

// Map fails with errors.ErrUnsupported, as for a file in memory on Linux.
func Map(File, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

// Unmap is for what Map returned, which is nothing here.
func Unmap([]byte) error { return errors.ErrUnsupported }
