package main

import (
	"context"
	"testing"
)

// TestRunsTwice: the example runs, and runs again on what it left.
func TestRunsTwice(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := run(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
	}
}
