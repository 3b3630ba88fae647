package host_test

import (
	"os"
	"testing"

	"vatwarehouse/host"
)

// TestMain lets the test's own binary be the worker process.
func TestMain(m *testing.M) {
	if host.ServeWorker() {
		return
	}
	os.Exit(m.Run())
}
