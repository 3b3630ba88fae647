package meta

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
)

const (
	// variantsPerSeed is in how many ways each seed's life is led: the last ones with
	// restarts, going on with other options each time.
	variantsPerSeed = 12
	restartsPerSeed = 4
	// seedRounds is how long such a life is.
	seedRounds = 40
)

// TestSeedsInEveryVariant: lives of many seeds are each the same in a dozen ways.
func TestSeedsInEveryVariant(t *testing.T) {
	run := faults.Begin(t, "F11")
	for seed := run.Seed; run.Left() > 0 && !t.Failed(); seed++ {
		l := trial.Life{Seed: seed, Rounds: seedRounds}
		want, err := l.Run(t.Context(), "", host.Options{MaxVats: 1000})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		grid := variants()
		rng := rand.New(rand.NewPCG(seed, 5))
		rng.Shuffle(len(grid), func(i, j int) { grid[i], grid[j] = grid[j], grid[i] })
		err = trial.Each(min(variantsPerSeed, run.Left()), func(i int) error {
			name, lead := grid[i].String(), func() (trial.Trace, error) {
				return l.Run(context.Background(), t.TempDir(), grid[i].options())
			}
			if i >= variantsPerSeed-restartsPerSeed {
				name, lead = "restarts", func() (trial.Trace, error) {
					got, _, err := interrupted(t.TempDir(), l, seed+uint64(i))
					return got, err
				}
			}
			got, err := lead()
			if d := want.Diff(got); err == nil && d != "" {
				err = errors.New(d)
			}
			if err != nil {
				return fmt.Errorf("seed %d, variant %d, %s: %w", seed, i, name, err)
			}
			run.Add(1)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
