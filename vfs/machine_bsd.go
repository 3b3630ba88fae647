//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package vfs

import (
	"errors"
	"os"
)

// anonymous returns an empty file whose name is gone.
func anonymous(label string) (*os.File, error) {
	f, err := os.CreateTemp("", label)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
