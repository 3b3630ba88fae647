//go:build !invariants

package invariant

// Enabled says that expensive checks run.
const Enabled = false
