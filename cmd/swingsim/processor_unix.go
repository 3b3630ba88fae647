//go:build unix

package main

import (
	"fmt"
	"syscall"
	"time"
)

// processorTime is how long processors have worked for this process. What waits, for the
// disk or for a processor that others use, does not count.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(fmt.Sprintf("swingsim: ask for the processor's time: %v", err))
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
