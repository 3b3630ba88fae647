//go:build !linux

package worker

import "errors"

// canMap says that this system cannot map images; they are copied.
const canMap = false

func mappingsMax() int64 { return 0 }

func (e *Engine) mapRegion(Image, uintptr, uint64) (region, error) {
	return nil, errors.ErrUnsupported
}

func mapBare(Image) (*heapRegion, error) { return nil, errors.ErrUnsupported }
