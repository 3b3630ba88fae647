package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"vatwarehouse/internal/trace"
)

// realRun runs a scenario and returns its summary.
func realRun(t *testing.T, args ...string) (sum summary) {
	t.Helper()
	code, out, errs := output(t, append([]string{"run", "--json", "--quiet"}, args...)...)
	if code != exitOK {
		t.Fatalf("%v: %d: %s", args, code, errs)
	}
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestPredictionsHold: what a trace says of a policy is what a run under it does: page-ins,
// evictions, replays and snapshots, whatever the policy under which the trace was recorded.
func TestPredictionsHold(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"exchange", "zipf", "glutton"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "trace")
			length := []string{scenario, "--inline", "--deliveries", "800"}
			recorded := realRun(t, append(length, "--trace", path)...)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tr, err := trace.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			curve := tr.Curve()
			for _, p := range []trace.Policy{
				{Vats: 5, Initial: 2, Interval: 200}, {Vats: 13, Initial: 7, Interval: 20},
				{Vats: 30, Initial: trace.Never, Interval: 1}, {Vats: 8, Initial: 1, Interval: 3},
				{Vats: 9, Initial: 2, Interval: 50, PauseOnEvict: true}, {Vats: 1000, Initial: 2, Interval: 200},
			} {
				initial := strconv.Itoa(p.Initial)
				if p.Initial == trace.Never {
					initial = "never"
				}
				args := append(length, "--max-vats", strconv.Itoa(p.Vats), "--snapshot-initial", initial,
					"--snapshot-interval", strconv.Itoa(p.Interval), fmt.Sprintf("--pause-on-evict=%v", p.PauseOnEvict))
				is, says := realRun(t, args...), tr.Simulate(p)
				if is.Activityhash != recorded.Activityhash {
					t.Errorf("%+v: activityhash %s, of the recording %s", p, is.Activityhash, recorded.Activityhash)
				}
				got := [...]uint64{says.PageIns, says.Evictions, says.Replayed, says.Snapshots, curve.PageIns(p.Vats)}
				want := [...]uint64{is.PageIns, is.Evictions, is.Replayed, is.Snapshots, is.PageIns}
				if got != want {
					t.Errorf("%+v: page-ins, evictions, replayed, snapshots, page-ins by the curve are predicted as %d, are %d",
						p, got, want)
				}
				// What is written is found after each delivery here, and at the end of several there.
				if n := is.SnapshotPages; says.SnapshotPages < n || says.SnapshotPages > n+n/20 {
					t.Errorf("%+v: %d pages of snapshots are predicted, %d it took", p, says.SnapshotPages, n)
				}
			}
		})
	}
}
