package bench

import (
	unix "syscall"
	"time"
)

// busy is the processor time that this thread has used: neighbours of the machine are not
// in it.
func busy() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var u unix.Rusage
	if err := unix.Getrusage(thisThread, &u); err != nil {
		panic(err) // neither argument can be wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
