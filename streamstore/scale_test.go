package streamstore_test

import (
	"flag"
	"testing"
)

// scaleFlag multiplies the number of seeds of the random tests, for long runs.
var scaleFlag = flag.Uint64("scale", 1, "how many times the usual number of seeds")

// scaled returns the number of seeds to try where n is usual.
func scaled(n uint64) uint64 {
	if testing.Short() || raceEnabled {
		return max(1, n/6)
	}
	return n * *scaleFlag
}
