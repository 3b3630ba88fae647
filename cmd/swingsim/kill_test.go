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

	"vatwarehouse/test/faults"
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

// killed runs the exchange in a directory with the program at path, and kills it
// (SIGKILL) as often as asked, after random times below one and with random limits. It
// returns how often that was before the end, and how the last run, which is let be, ends.
func killed(
	t *testing.T, rng *rand.Rand, path, dir string, kills int, below time.Duration,
) (early int, last []byte) {
	t.Helper()
	args := []string{"run", "exchange", "--deliveries", "4000", "--json", "--dir", "st"}
	command := func(more ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), path, append(args, more...)...)
		cmd.Dir = dir
		return cmd
	}
	for range kills {
		cmd := command("--max-vats", pick(rng, "1", "7", "30"), "--block", pick(rng, "3", "50", "900"))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(below))))
		if err := cmd.Process.Kill(); err != nil && err != os.ErrProcessDone {
			t.Fatal(err)
		}
		if cmd.Wait() != nil {
			early++
		}
		if errs.Len() > 0 && !bytes.Contains(errs.Bytes(), []byte("warning")) {
			t.Fatalf("%s", errs.Bytes())
		}
	}
	last, err := command().Output()
	if err != nil {
		t.Fatal(err)
	}
	return early, last
}

// activityhash returns the one in what run --json printed.
func activityhash(t *testing.T, printed []byte) string {
	t.Helper()
	var sum summary
	if err := json.Unmarshal(printed, &sum); err != nil || sum.Activityhash == "" {
		t.Fatalf("%v: %s", err, printed)
	}
	return sum.Activityhash
}

// undisturbed returns the activityhash of the exchange that nobody kills.
func undisturbed(t *testing.T) string {
	t.Helper()
	out, err := swingsim(t, t.TempDir(), "run", "exchange", "--deliveries", "4000", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	return activityhash(t, out)
}

// TestKilledAtAnyTime: runs that are killed again and again end with the activityhash
// of one that never was, and directories without a fault.
func TestKilledAtAnyTime(t *testing.T) {
	run := faults.Begin(t, "F3")
	t.Parallel()
	path, err := exec.LookPath("swingsim")
	if err != nil {
		t.Fatal(err)
	}
	want := undisturbed(t)
	for seed := run.Seed; run.Left() > 0; seed++ {
		dir := t.TempDir()
		rng := rand.New(rand.NewPCG(seed, 1))
		below := killsBelow[rng.IntN(len(killsBelow))]
		early, last := killed(t, rng, path, dir, min(killsPerRun, run.Left()), below)
		if got := activityhash(t, last); got != want {
			t.Fatalf("seed %d, killed %d times: activityhash %s, want %s", seed, early, got, want)
		}
		if out, err := swingsim(t, dir, "check", "--dir", "st").Output(); err != nil {
			t.Fatalf("seed %d, killed %d times: check: %v: %s", seed, early, err, out)
		}
		run.Add(early)
	}
}

// killsPerRun is how often one run is killed, at most.
const killsPerRun = 20

// killsBelow are after what time at most a run is killed: while it starts, while it works.
var killsBelow = []time.Duration{40 * time.Millisecond, 120 * time.Millisecond, 400 * time.Millisecond}

// TestKillsSeeAPlantedFault: the same loop over a program that forgets, at each
// restart, which messages it has sent, ends with another activityhash.
func TestKillsSeeAPlantedFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := planted(t, dir, "../../internal/sim/run.go", "encodeSteps(r.steps)", "encodeSteps(0)")
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	want := undisturbed(t)
	// Where the machine is busy they are killed before they have sent anything, or have
	// ended: each try gives them other times.
	for n := range time.Duration(15) {
		_, last := killed(t, rng, path, t.TempDir(), 4, (200+200*n)*time.Millisecond)
		if activityhash(t, last) != want {
			return
		}
	}
	t.Error("it has forgotten what it sent, and nobody sees it")
}

// planted builds this program with one text of one source file replaced.
func planted(t *testing.T, dir, file, old, replacement string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil || bytes.Count(source, []byte(old)) != 1 {
		t.Fatalf("%s: %q is not there once: %v", file, old, err)
	}
	changed := filepath.Join(dir, "planted.go")
	write(t, changed, string(bytes.ReplaceAll(source, []byte(old), []byte(replacement))))
	at, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{at: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	path := filepath.Join(dir, "planted")
	build := exec.CommandContext(t.Context(), "go", "build",
		"-overlay", filepath.Join(dir, "overlay.json"), "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }
