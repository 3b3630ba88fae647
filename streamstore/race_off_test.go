//go:build !race

package streamstore_test

// raceEnabled says that the race detector makes everything ten times slower.
const raceEnabled = false
