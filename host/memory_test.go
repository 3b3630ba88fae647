package host_test

import (
	"errors"
	"fmt"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
)

// errShort is a machine's lack of memory.
var errShort = errors.New("the machine is short of memory")

// TestMemoryIsShort: the k-th time that a vat is to get memory there is none, for every
// k. That is an error, which names the vat, and nothing the vat sees: once there is
// memory again, all goes on to the end it would have had.
func TestMemoryIsShort(t *testing.T) {
	run := faults.Begin(t, "F14")
	for seed := run.Seed; run.Left() > 0 && !t.Failed(); seed++ {
		l := trial.Life{Seed: seed, Rounds: 30}
		asked, growths := 0, 0
		want, err := l.Run(ctx, "", granting(shortOptions(seed), func(bytes uint64) error {
			if asked++; bytes > startBytes {
				growths++
			}
			return nil
		}))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if growths == 0 {
			continue // it is the growing that matters
		}
		n := min(asked, run.Left())
		err = trial.Each(n, func(i int) error {
			k := i*asked/n + 1
			if err := refused(l, shortOptions(seed), k, want); err != nil {
				return fmt.Errorf("seed %d, memory asked for the %dth time of %d: %w", seed, k, asked, err)
			}
			run.Add(1)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// startBytes is what a puppet, or a counter, has at its start.
const startBytes = 2 << 16

// shortOptions have vats paged in often, with either engine.
func shortOptions(seed uint64) host.Options {
	return host.Options{MaxVats: 2, Interpreter: seed%2 == 0, BlockCranks: 7, Inline: true}
}

// granting makes options under which memory is asked for.
func granting(o host.Options, grant func(bytes uint64) error) host.Options {
	o.Grant = grant
	return o
}

// refused leads a life in which memory is refused once.
func refused(l trial.Life, o host.Options, k int, want trial.Trace) (err error) {
	asked := 0
	h, err := l.Open(ctx, "", granting(o, func(uint64) error {
		if asked++; asked == k {
			return errShort
		}
		return nil
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	var vat *host.VatError
	if err := l.Live(ctx, h); !errors.Is(err, errShort) || !errors.As(err, &vat) {
		return fmt.Errorf("the run ended with %w", err)
	}
	if err := l.Live(ctx, h); err != nil {
		return fmt.Errorf("with memory again: %w", err)
	}
	got, err := trial.Take(h)
	if err != nil {
		return err
	}
	if d := want.Diff(got); d != "" {
		return errors.New(d)
	}
	return nil
}
