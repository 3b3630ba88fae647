package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// swingsim is a command that runs this program, from the binary that TestMain put
// in the path.
func swingsim(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("swingsim")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	return cmd
}

// TestKilledAtAnyTime: a run that is killed (SIGKILL) again and again, after random
// times, with random limits, ends with the activityhash of one that never was, and
// a directory without a fault.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	kills := 12
	if testing.Short() {
		kills = 3
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	hash := func(b []byte) string {
		var sum summary
		if err := json.Unmarshal(b, &sum); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		return sum.Activityhash
	}
	want, err := swingsim(t, dir, "run", "exchange", "--deliveries", "4000", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "exchange", "--deliveries", "4000", "--json", "--dir", "st"}
	early := 0
	for range kills {
		limits := []string{"--max-vats", pick(rng, "1", "7", "30"), "--block", pick(rng, "3", "50", "900")}
		cmd := swingsim(t, dir, append(args, limits...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil && err != os.ErrProcessDone {
			t.Fatal(err)
		}
		if cmd.Wait() != nil {
			early++
		}
		if errs.Len() > 0 && !bytes.Contains(errs.Bytes(), []byte("warning")) {
			t.Fatalf("seed %d: %s", seed, errs.Bytes())
		}
	}
	got, err := swingsim(t, dir, args...).Output()
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if hash(got) != hash(want) {
		t.Errorf("seed %d: killed %d times: activityhash %s, want %s", seed, early, hash(got), hash(want))
	}
	if out, err := swingsim(t, dir, "check", "--dir", filepath.Join(dir, "st")).Output(); err != nil {
		t.Errorf("seed %d: check: %v: %s", seed, err, out)
	}
	t.Logf("killed %d times before the end", early)
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }
