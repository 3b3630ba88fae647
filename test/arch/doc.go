// Package arch holds the house to its plan: which room may import which, what a
// pure room must not do, and how long things may be. The plan is docs/design.md.
package arch
