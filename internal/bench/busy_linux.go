package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// busy is the processor time that this thread has used: neighbours of the machine are not
// in it.
func busy() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // neither argument can be wrong
	}
	return time.Duration(t.Nano())
}
