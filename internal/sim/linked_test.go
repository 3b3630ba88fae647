package sim

import (
	"context"
	"errors"
	"testing"
)

// linkedKindsAfter is kindsAfter for two linked kernels.
const linkedKindsAfter = 40

// simulator returns a scenario's, which is closed when the test ends.
func simulator(t testing.TB, s *Scenario) *Simulator {
	r := s.Simulator()
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestLinkedRuns: two linked kernels, each of which crashes, restarts, and meets errors,
// over a link that loses, doubles and delays what they say, end as they would have.
func TestLinkedRuns(t *testing.T) {
	runClass(t, "F20", Campaign{Linked: true}, LinkedKinds, linkedKindsAfter)
}

// TestLinkedRunsSaySomething: the vats of the two kernels have to do with each other, and a
// scenario that cannot be spread over two is refused.
func TestLinkedRunsSaySomething(t *testing.T) {
	t.Parallel()
	s := mixedScenario(t)
	r := simulator(t, s)
	p := s.DrawLinked(1)
	p.Messages, p.Faults = 30, nil
	with := s.WithSeed(p.Seed)
	with.Length.Messages = p.Messages
	out := Simulated{Marks: map[Mark]int{}}
	m := pair{s: with, p: &p, machines: r, out: &out}
	answers, err := m.play(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	placed := uint64(0)
	for _, a := range answers[len(answers)-3:] { // the traders': ticked, placed, failed
		if a.problem != "" || len(a.values) != 3 {
			t.Fatalf("answers %+v", answers)
		}
		n, _ := a.values[1].(uint64)
		placed += n
	}
	if placed == 0 || m.wire.posted < p.Messages {
		t.Errorf("%d parcels, answers %+v", m.wire.posted, answers)
	}
	locker, err := Builtin("locker")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Scenario{locker, parsed(t, "about: a\nseed: s\nvats:\n  - {name: a, program: counter}\n")} {
		if err := s.Linkable(); !errors.Is(err, ErrUnlinkable) {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// TestFaultsPastTheEnd: a fault that has not come when two linked kernels are at rest does
// not come in what is read to check them.
func TestFaultsPastTheEnd(t *testing.T) {
	t.Parallel()
	s := mixedScenario(t)
	r := simulator(t, s)
	came, past := 0, 0
	for at := uint64(20); at < 20_000; at += at / 4 {
		p := s.DrawLinked(1)
		p.Messages = 1
		p.Faults = []PlannedFault{{Kind: FaultRead, Side: "b", At: at}}
		done, err := r.Simulate(t.Context(), p)
		if err = errors.Join(err, done.Failure); err != nil {
			t.Errorf("a read error at %d: %v", at, err)
		}
		if done.Reached[FaultRead] > 0 {
			came++
		} else {
			past++
		}
	}
	if came == 0 || past == 0 {
		t.Errorf("%d came, %d did not", came, past)
	}
}
