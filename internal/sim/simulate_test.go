package sim

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vatwarehouse/test/faults"
	"vatwarehouse/vfs"
)

func mixedScenario(t *testing.T) *Scenario {
	t.Helper()
	s, err := Builtin("mixed")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kindsAfter is after how many runs every kind of fault and every mark must have been seen.
const kindsAfter = 200

// TestSimulatedRuns: no run, whatever goes wrong in it, leaves anything but a whole block,
// or has another end than its twin; each kind of fault comes, and all that should come of
// them sometimes does.
func TestSimulatedRuns(t *testing.T) {
	found, many := runClass(t, "F19", Campaign{}, FaultKinds, kindsAfter)
	for _, m := range Marks {
		if many && found.Marks[m] == 0 {
			t.Errorf("never seen: %s", m)
		}
	}
}

// runClass makes the runs of a class, of which none may fail; of many, in which each kind of
// fault must come.
func runClass(
	t *testing.T, class string, c Campaign, kinds []FaultKind, manyFrom int,
) (found Campaigned, many bool) {
	t.Helper()
	run := faults.Begin(t, class)
	c.First, c.Runs, c.Jobs = run.Seed, run.Due, 2
	found, err := mixedScenario(t).Campaign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	run.Add(found.Runs)
	if found.Failed != nil {
		fatal(t, found.Failed)
	}
	t.Logf("%d cranks, %d deliveries replayed, %v, %v", found.Cranks, found.Replayed,
		found.Reached, found.Marks)
	if paged := found.Marks[MarkPageIn] > 20; paged && found.Replayed == 0 {
		t.Error("vats were paged in, and nothing was replayed")
	}
	many = run.Due >= manyFrom
	for _, k := range kinds {
		if many && found.Reached[k] == 0 {
			t.Errorf("never came: %s", k)
		}
	}
	return found, many
}

// fatal ends a test by telling of a run that failed, and of what is left of it when it is
// made smaller.
func fatal(t *testing.T, failed *FailedRun) {
	t.Helper()
	small, why, err := Shrink(t.Context(), mixedScenario(t), failed.Plan, nil)
	var plan bytes.Buffer
	if err := errors.Join(err, WritePlan(&plan, small)); err != nil {
		t.Error(err)
	}
	more := ""
	if failed.Plan.Linked {
		more = " --linked"
	}
	t.Fatalf("seed %d: %v\nswingsim sim mixed --seed %d --runs 1%s\nmade smaller, from %d to %d "+
		"events: %v\n%s", failed.Seed, failed.Err, failed.Seed, more, failed.Plan.Events(), small.Events(),
		why, &plan)
}

// TestSimulationRepeatsItself: a plan gives the same run again, also when it was written
// and read, and seeds draw different ones.
func TestSimulationRepeatsItself(t *testing.T) {
	t.Parallel()
	s := mixedScenario(t)
	for seed := range uint64(6) {
		p := s.Draw(seed, 100)
		if seed >= 4 {
			p = s.DrawLinked(seed)
		}
		var text bytes.Buffer
		if err := WritePlan(&text, p); err != nil {
			t.Fatal(err)
		}
		again, err := ReadPlan(&text)
		if err != nil || !reflect.DeepEqual(again, p) || reflect.DeepEqual(p, s.Draw(seed+1, 100)) {
			t.Fatalf("%v: %+v, want %+v", err, again, p)
		}
		first, err := Simulate(t.Context(), s, p)
		second, secondErr := Simulate(t.Context(), s, again)
		if err != nil || secondErr != nil || first.Cranks == 0 || !reflect.DeepEqual(first, second) {
			t.Errorf("seed %d: %+v, %v and %+v, %v", seed, first, err, second, secondErr)
		}
	}
}

// syncless files are not synced: a planted fault.
type syncless struct{ vfs.FS }

func (s syncless) Create(name string) (vfs.File, error) {
	f, err := s.FS.Create(name)
	return synclessFile{f}, err
}

func (s syncless) Open(name string) (vfs.File, error) {
	f, err := s.FS.Open(name)
	return synclessFile{f}, err
}

type synclessFile struct{ vfs.File }

func (synclessFile) Sync() error { return nil }

// shrunkMax is how many events a planted fault may take when its run was made smaller.
const shrunkMax = 20

// TestShrinkFindsTheLeast: a run that fails since nothing is synced is made as small as a
// crash and a few messages, and still fails; one that does not fail is left as it is.
func TestShrinkFindsTheLeast(t *testing.T) {
	t.Parallel()
	s := mixedScenario(t)
	for seed := uint64(0); ; seed++ {
		p := s.Draw(seed, 0)
		if p.plant = func(files vfs.FS) vfs.FS { return syncless{files} }; len(p.Faults) < 3 {
			continue
		}
		done, err := Simulate(t.Context(), s, p)
		if err != nil {
			t.Fatal(err)
		}
		if done.Failure == nil {
			continue
		}
		tries := 0
		small, why, err := Shrink(t.Context(), s, p, func(int) { tries++ })
		if err != nil || why == nil || small.Events() > shrunkMax || len(small.Faults) != 1 ||
			small.Faults[0].Kind != FaultCrash || tries == 0 {
			t.Fatalf("%+v, %v, %v", small, why, err)
		}
		if again, err := Simulate(t.Context(), s, small); err != nil || again.Failure == nil {
			t.Errorf("it does not fail again: %v", err)
		}
		t.Logf("seed %d: of %d events %d, after %d runs: %v", seed, p.Events(), small.Events(), tries, why)
		small.plant = nil
		if left, why, err := Shrink(t.Context(), s, small, nil); err != nil || why != nil || !reflect.DeepEqual(left, small) {
			t.Errorf("what does not fail: %+v, %v, %v", left, why, err)
		}
		return
	}
}

// TestFailureIsTold: a campaign ends with the failed run of the smallest seed, whatever the
// number of jobs, and what the plan of it is.
func TestFailureIsTold(t *testing.T) {
	t.Parallel()
	s := mixedScenario(t)
	s.needs.body = 1 << 30 // more than the limits allow: no run can begin
	for jobs := 1; jobs <= 3; jobs++ {
		found, err := s.Campaign(t.Context(), Campaign{First: 7, Runs: 20, Jobs: jobs})
		if err != nil || found.Failed == nil || found.Failed.Seed != 7 || found.Runs > jobs ||
			!reflect.DeepEqual(found.Failed.Plan, s.Draw(7, 0)) ||
			!strings.Contains(found.Failed.Err.Error(), "the limits are") {
			t.Errorf("%d jobs: %+v, %v", jobs, found, err)
		}
	}
}

// TestPlansAreRefused: what is no plan is refused, and says why.
func TestPlansAreRefused(t *testing.T) {
	t.Parallel()
	p := mixedScenario(t).Draw(1, 0)
	p.Faults = []PlannedFault{{Kind: FaultCrash, At: 1}}
	var text bytes.Buffer
	if err := WritePlan(&text, p); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ old, with, want string }{
		{`"crash"`, `"flood"`, "want one of crash, "}, {`"at": 1`, `"at": 0`, "at 1 or later"},
		{`"at": 1`, `"at": -1`, "read plan"}, {`"at": 1`, `"at": 1, "keep": 101`, "0 to 100 %"},
		{`"keep_snapshots": `, `"keep_snapshots": -`, "want numbers from 1"},
		{`"evict": "`, `"evict": "x`, "to evict by one of [lru 2q"}, {`"snapshots": "`, `"snapshots": "x`, "read plan"},
		{`"settings"`, `"linked": true, "settings"`, "without a bound in messages"},
		{`"settings"`, `"linked": true, "messages": 3, "settings"`, "want a side, a or b"},
		{`"at": 1`, `"at": 1, "side": "a"`, "want a side, a or b"},
		{`"seed"`, `"sead"`, "unknown field"}, {`{`, `[`, "read plan"},
	} {
		changed := strings.Replace(text.String(), x.old, x.with, 1)
		if _, err := ReadPlan(strings.NewReader(changed)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %s", x.with, err, x.want)
		}
	}
}

// TestRegress: plans of runs that once failed, as shrink writes them, do not fail.
func TestRegress(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/regress/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d plans, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ReadPlan(bytes.NewReader(b))
		s, builtinErr := Builtin(p.Scenario)
		if err = errors.Join(err, builtinErr); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		done, err := Simulate(t.Context(), s, p)
		if err = errors.Join(err, done.Failure); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for kind, n := range p.Kinds() {
			if done.Reached[kind] < n {
				t.Errorf("%s: %s came %d times, %d are planned", file, kind, done.Reached[kind], n)
			}
		}
	}
}
