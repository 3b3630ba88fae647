package invariant_test

import (
	"testing"

	"vatwarehouse/internal/invariant"
)

// TestCheck: a condition that holds is silent, one that does not says what.
func TestCheck(t *testing.T) {
	invariant.Check(true, "never said")
	defer func() {
		if r := recover(); r != "invariant: 2 of 3" {
			t.Errorf("panic %v", r)
		}
	}()
	invariant.Check(false, "%d of %d", 2, 3)
}
