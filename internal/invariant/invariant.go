// Package invariant says whether checks of our own work that cost too much to be
// always on are turned on: with the build tag "invariants",
//
//	go test -tags invariants ./...
//
// Checks that cost little are always on, as panics where they stand. A failed
// check is a fault of ours, never a vat's and never the world's.
package invariant

import "fmt"

// Check panics with the text unless ok holds. Callers guard what is expensive to
// compute with [Enabled].
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("invariant: " + fmt.Sprintf(format, args...))
	}
}
