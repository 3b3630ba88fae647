package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/internal/sim"
)

// simFile is a scenario of one's own, which sim runs unchanged.
const simFile = `about: mine
seed: mine
vats:
  - {name: counter, program: counter, count: 3}
workload:
  - {to: counter, method: incr, args: [1], messages: 60, burst: 2}
audit:
  ask:
    - {to: counter, method: read, answers: [count]}
  check:
    - {about: all are counted, equal: [counter.count, $messages]}
`

// TestSimVerb: runs of a file of one's own are simulated, the same ones each time, for
// people and for programs.
func TestSimVerb(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(simFile), 0o600); err != nil {
		t.Fatal(err)
	}
	var one, two simulated
	args := []string{"sim", file, "--seed", "5", "--runs", "12", "--deliveries", "40"}
	parsed(t, &one, append(args, "--jobs", "1")...)
	parsed(t, &two, append(args, "--jobs", "3")...)
	if one.Runs != 12 || one.First != 5 || one.Cranks == 0 || one.Cranks != two.Cranks || one.Failed != nil ||
		len(one.Faults) != len(sim.FaultKinds) || len(one.Marks) != len(sim.Marks) || one.CranksPS == 0 {
		t.Errorf("%+v and %+v", one, two)
	}
	planned, reached := 0, 0
	for i, f := range one.Faults {
		planned, reached = planned+f.Planned, reached+f.Reached
		if f != two.Faults[i] || f.Reached > f.Planned {
			t.Errorf("%+v and %+v", f, two.Faults[i])
		}
	}
	if planned < 12 || reached == 0 {
		t.Errorf("%d faults planned, %d reached", planned, reached)
	}
	code, out, errs := output(t, args...)
	if code != exitOK || errs != "" || !strings.Contains(out, "12 runs from seed 5: ") ||
		!strings.Contains(out, "\nEvery run ended as it would have without faults.\n") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// TestSimVerbLinks: a file of one's own is spread over two kernels, and its runs' plans are
// of that kind.
func TestSimVerbLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, plan := filepath.Join(dir, "mine.yaml"), filepath.Join(dir, "plan.json")
	if err := os.WriteFile(file, []byte(simFile), 0o600); err != nil {
		t.Fatal(err)
	}
	var linked, one simulated
	parsed(t, &linked, "sim", file, "--linked", "--seed", "3", "--runs", "4")
	if linked.Runs != 4 || linked.Failed != nil || len(linked.Faults) != len(sim.LinkedKinds) {
		t.Errorf("%+v", linked)
	}
	s, err := sim.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := writePlan(plan, s.DrawLinked(3)); err != nil {
		t.Fatal(err)
	}
	parsed(t, &one, "sim", "--plan", plan)
	if one.Cranks == 0 || one.Failed != nil || len(one.Faults) != len(sim.LinkedKinds) {
		t.Errorf("%+v", one)
	}
	code, out, errs := output(t, "shrink", "3", file, "--linked", "--out", plan+"2")
	if code != exitFailure || out != "" || !strings.Contains(errs, "the run of seed 3 does not fail") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// TestSimVerbTellsOfAFailure: a run that failed is told with its plan and the commands that
// repeat it and make it smaller, and is exit code 1.
func TestSimVerbTellsOfAFailure(t *testing.T) {
	t.Parallel()
	s, err := sim.Builtin(simDefault)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(9)
	failed := simulated{Scenario: "mixed", First: 1, Runs: 9, Failed: &simFailed{
		Seed: &seed, Why: "it is lost\x1b", Plan: s.Draw(9, 0),
		Command: "swingsim sim mixed --seed 9 --runs 1", Shrink: "swingsim shrink 9 mixed",
	}}
	for _, asJSON := range []bool{false, true} {
		var out, errs bytes.Buffer
		a := &app{out: &out, err: &errs}
		root := a.root()
		a.json = asJSON
		if code := a.finish(root, a.printSimulated(&failed)); code != exitFailure {
			t.Errorf("code %d", code)
		}
		for _, want := range []string{"it is lost", failed.Failed.Command, failed.Failed.Shrink, `"mixed/9"`} {
			if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "\x1b") {
				t.Errorf("%q is not in\n%s", want, &out)
			}
		}
		if !strings.Contains(errs.String(), "a simulated run failed") || asJSON && !json.Valid(out.Bytes()) {
			t.Errorf("%s%s", &errs, &out)
		}
	}
}

// TestShrinkVerb: what does not fail is exit code 1 and leaves no file; a plan that was
// written is simulated as it is; a file that is there is not written over.
func TestShrinkVerb(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "plan.json")
	code, out, errs := output(t, "shrink", "3", "counter", "--deliveries", "20", "--out", file)
	if code != exitFailure || out != "" || !strings.Contains(errs, "the run of seed 3 does not fail") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	s, err := sim.Builtin("counter")
	if err != nil {
		t.Fatal(err)
	}
	if err := writePlan(file, s.Draw(3, 20)); err != nil {
		t.Fatal(err)
	}
	var done simulated
	parsed(t, &done, "sim", "--plan", file)
	if done.Scenario != "counter" || done.Runs != 1 || done.Cranks == 0 || done.Failed != nil {
		t.Errorf("%+v", done)
	}
	code, out, errs = output(t, "shrink", "3", "counter", "--out", file)
	if code != exitFailure || out != "" || !strings.Contains(errs, "give another name by --out") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// TestSimVerbsRefuse: what makes no sense is refused before anything is simulated.
func TestSimVerbsRefuse(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"sim keeps nothing":    {"sim", "--dir", "x"},
		"shrink needs none":    {"shrink", "1", "--dir", "x"},
		"want numbers from 1":  {"sim", "--runs", "0"},
		"--jobs 0":             {"sim", "--jobs", "0"},
		"which SCENARIO it is": {"sim", "counter", "--plan", "x"},
		"of so many messages":  {"sim", "--linked", "--deliveries", "9"},
		`SEED "x"`:             {"shrink", "x"},
		"accepts between 1":    {"shrink"},
	} {
		code, out, errs := output(t, args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: code %d: %s%s", args, code, out, errs)
		}
	}
	for want, args := range map[string][]string{
		"built in are counter": {"sim", "nothing"}, "no such file": {"sim", "--plan", "./none.json"},
		"it has devices, meters or a time": {"sim", "locker", "--linked"},
	} {
		if code, out, errs := output(t, args...); code != exitFailure || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: code %d: %s%s", args, code, out, errs)
		}
	}
}
