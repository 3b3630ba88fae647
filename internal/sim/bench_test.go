package sim

import (
	"fmt"
	"testing"
)

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
