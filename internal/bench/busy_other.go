//go:build !linux

package bench

import "time"

var began = time.Now()

// busy is the time since the start, where no thread's own can be had.
func busy() time.Duration { return time.Since(began) }
