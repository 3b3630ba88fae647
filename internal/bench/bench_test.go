package bench_test

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/bench"
)

// TestMain lets the test's own binary be a worker process.
func TestMain(m *testing.M) {
	if host.ServeWorker() {
		return
	}
	os.Exit(m.Run())
}

// TestEveryCaseRuns: each case emits results that add up, at the least scale.
func TestEveryCaseRuns(t *testing.T) {
	only := os.Getenv("BENCH_CASE")
	for _, c := range bench.Cases() {
		if only != "" && only != c.Name {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			n := 0
			r := &bench.Run{Dir: t.TempDir(), Scale: scale(), Emit: func(res bench.Result) {
				n++
				b, err := json.Marshal(res)
				t.Logf("%s %v", b, err)
			}}
			if err := c.Run(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				t.Error("no result")
			}
		})
	}
}

// scale is how much is measured: little, unless BENCH_SCALE says otherwise.
func scale() float64 {
	if s, err := strconv.ParseFloat(os.Getenv("BENCH_SCALE"), 64); err == nil {
		return s
	}
	return 0.05
}
