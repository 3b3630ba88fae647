package sim

import (
	"errors"
	"fmt"
	"testing"
)

// BenchmarkUndisturbed says how many cranks are simulated in a second on one core where
// nothing fails, and all vats are in memory: the twin of a run, and the run.
func BenchmarkUndisturbed(b *testing.B) {
	s, err := Builtin("mixed")
	if err != nil {
		b.Fatal(err)
	}
	r := simulator(b, s)
	cranks := uint64(0)
	for seed := uint64(1); b.Loop(); seed++ {
		p := s.Draw(seed, 20_000)
		p.Faults, p.Settings = nil, p.Settings.calm(s)
		done, err := r.Simulate(b.Context(), p)
		if err = errors.Join(err, done.Failure); err != nil {
			b.Fatal(err)
		}
		cranks += done.Cranks
	}
	b.ReportMetric(float64(cranks)/b.Elapsed().Seconds(), "cranks/s")
}

// BenchmarkSimulate says how many cranks are simulated in a second on one core, in short
// runs and in long ones.
func BenchmarkSimulate(b *testing.B) {
	s, err := Builtin("mixed")
	if err != nil {
		b.Fatal(err)
	}
	for _, deliveries := range []uint64{plannedDeliveries, 20_000} {
		b.Run(fmt.Sprintf("%d deliveries", deliveries), func(b *testing.B) {
			c := Campaign{First: 1, Runs: b.N, Jobs: 1, Deliveries: deliveries}
			found, err := s.Campaign(b.Context(), c)
			if err != nil || found.Failed != nil {
				b.Fatal(err, found.Failed)
			}
			b.ReportMetric(float64(found.Cranks)/b.Elapsed().Seconds(), "cranks/s")
		})
	}
}
