// Package bench measures the system against floors: what the same work costs
// with nothing of ours around it, measured in the same run, turn by turn.
//
// A case prints one [Result] per variant. Times are per operation; ratio is
// median / floor, or floor / median where the unit is a rate, so that 1 is
// perfect and larger is worse. Machines are shared and noisy: trust ratios and
// minima more than medians, and compare within one run only.
//
// Cases of growth measure one thing at three sizes, by the kernel over its store alone,
// for vats written in Go: their floor is the least size, and a ratio that keeps up with
// the size says that something is gone through once for each of many.
//
// Nothing here is a test: no result fails anything.
package bench
