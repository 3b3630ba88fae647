package bench

import (
	"context"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// TestComputationsUseTheSameFuel: each program that is measured computes the same, for the
// same fuel, in both engines and whether it yields or not.
func TestComputationsUseTheSameFuel(t *testing.T) {
	ctx := context.Background()
	for _, c := range computations {
		order := append(c.order[:len(c.order)-1:len(c.order)-1], 1)
		code, err := c.code()
		if err != nil {
			t.Fatal(err)
		}
		if testing.Short() && len(code) > 1<<20 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			var sums []string
			var fuel []uint64
			for _, w := range []struct {
				interpreter bool
				compile     func(*worker.Engine, context.Context, []byte) (*worker.Program, error)
			}{
				{false, (*worker.Engine).Compile},
				{false, (*worker.Engine).CompileYielding},
				{true, (*worker.Engine).Compile},
			} {
				g := &meterRig{}
				if g.engine, err = worker.NewEngine(ctx, worker.Options{Interpreter: w.interpreter}); err != nil {
					t.Fatal(err)
				}
				if g.program, err = w.compile(g.engine, ctx, code); err != nil {
					t.Fatal(err)
				}
				if g.worker, err = g.program.StartAlone(ctx, swing.Hash{}); err != nil {
					t.Fatal(err)
				}
				sum, used, err := g.deliver(ctx, order)
				if err != nil {
					t.Fatal(err)
				}
				sums, fuel = append(sums, sum), append(fuel, used)
				if err := g.close(ctx); err != nil {
					t.Fatal(err)
				}
			}
			t.Log(sums[0], fuel[0])
			for i := range sums {
				if sums[i] != sums[0] || fuel[i] != fuel[0] || fuel[i] == 0 {
					t.Errorf("%s and %d units, want %s and %d", sums[i], fuel[i], sums[0], fuel[0])
				}
			}
		})
	}
}
