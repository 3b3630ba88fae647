package model

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// all yields the rows.
func (b *buffer) all() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, key := range b.keys {
			if !yield(key, b.rows[key]) {
				return
			}
		}
	}
}

func (b *buffer) clone() *buffer {
	return &buffer{rows: maps.Clone(b.rows), keys: slices.Clone(b.keys)}
}

// still are vats that do nothing, and fail now and then.
type still struct{ rng *rand.Rand }

func (s still) Deliver(
	context.Context, swing.VatID, uint64, []byte, uint64, swing.Syscaller,
) (swing.Outcome, error) {
	if s.rng.IntN(12) == 0 {
		return swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}, nil
	}
	return swing.Outcome{Status: swing.StatusOK}, nil
}

func (still) Discard(swing.VatID) {}

// live goes on with a state that was accepted: messages, time, ends, cleanups. A state that
// nothing is wrong with makes nothing panic.
func live(b *buffer, rng *rand.Rand) (panicked string) {
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	k := kernel.New(b, still{rng}, newDevices())
	cranks := func(n int) {
		for range n {
			if r, err := k.Crank(context.Background(), b); err != nil || r.Kind == kernel.Idle {
				return
			}
		}
	}
	cranks(300)
	for ref := range kernel.References(b, swing.Object) {
		if _, err := k.Send(b, ref, swing.Message[swing.KRef]{Args: kcap{Slots: []swing.KRef{ref}}}, rng.IntN(2) == 0); err != nil {
			continue
		}
	}
	if _, err := k.SetTime(b, kernel.ReadCounters(b).Time+1_000_000); err == nil {
		cranks(300)
	}
	for id := range kernel.AllVats(b) {
		_ = k.Unhold(b, id) // one that is not held is refused
		if rng.IntN(3) > 0 {
			_, _ = k.Terminate(b, id, "over") // one that has ended is refused
		}
	}
	cranks(2000)
	for ref := range kernel.References(b, swing.Promise) {
		kernel.LookupPromise(b, ref)
	}
	kernel.Queues(b, 1000)
	return ""
}

var digits = regexp.MustCompile(`[0-9a-f]{16}|[0-9]+|[0-9a-f]{64}`)

// kindOf is a key without its numbers.
func kindOf(key string) string {
	return digits.ReplaceAllString(key, "#")
}

// mutate makes a row something else, and says what it did.
func mutate(b *buffer, key string, rng *rand.Rand) string {
	value := slices.Clone(b.rows[key])
	other := b.keys[rng.IntN(len(b.keys))]
	alike := slices.DeleteFunc(slices.Clone(b.keys), func(k string) bool { return kindOf(k) != kindOf(key) })
	switch n := rng.IntN(8); {
	case n == 0 && len(value) > 0:
		b.put(key, value[:rng.IntN(len(value))])
		return "cut"
	case n <= 2 && len(value) > 0:
		value[rng.IntN(len(value))] ^= 1 << rng.IntN(8)
		b.put(key, value)
		return "flip"
	case n == 3:
		b.put(key, slices.Clone(b.rows[other]))
		return "the value of " + other
	case n == 4:
		b.put(key, slices.Clone(b.rows[alike[rng.IntN(len(alike))]]))
		return "the value of one alike"
	case n == 5:
		b.remove(key)
		return "removed"
	case n == 6:
		to := alike[rng.IntN(len(alike))]
		b.remove(key)
		b.put(to, value)
		return "moved to " + to
	}
	name := []byte(key)
	name[rng.IntN(len(name))] ^= 1 << rng.IntN(4)
	b.put(string(name), value)
	return fmt.Sprintf("again as %q", name)
}

// TestUntrustedRows: of a state in which every kind of row is, one row is made another,
// again and again: it is refused with an error, or nothing panics in what follows.
func TestUntrustedRows(t *testing.T) {
	t.Parallel()
	seeds, most := uint64(12), 40
	if testing.Short() {
		seeds, most = 6, 12
	}
	kinds := map[string]int{}
	refused, accepted, rowErrors := 0, 0, 0
	for seed := range seeds {
		r, w, all := newRun(seed+1000, 150+int(seed)*25)
		r.planted = ""
		x := newWorld(r, w)
		if _, _, f := x.play(all); f.where != "" {
			t.Fatalf("seed %d: %s: %s", seed, f.where, f.text)
		}
		if err := kernel.CheckUntrusted(x.b, x.b.all(), nil); err != nil {
			t.Fatalf("seed %d: the state as it is: %v", seed, err)
		}
		rng := rand.New(rand.NewPCG(seed, 23))
		done := map[string]int{}
		keys := slices.Clone(x.b.keys)
		rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for _, key := range keys {
			kind := kindOf(key)
			if strings.HasPrefix(key, "device.") && strings.Contains(key, ".v.") {
				continue // what a device keeps, only it knows
			}
			for n := 0; n < 4 && done[kind] < most; n++ {
				done[kind]++
				b := x.b.clone()
				what := mutate(b, key, rng)
				err := kernel.CheckUntrusted(b, b.all(), nil)
				kinds[kind]++
				if err != nil {
					refused++
					if errors.As(err, new(*kernel.RowError)) {
						rowErrors++
					}
					continue
				}
				accepted++
				if panicked := live(b, rng); panicked != "" {
					t.Fatalf("seed %d: row %q: %s: accepted, and then: %s", seed, key, what, panicked)
				}
			}
		}
	}
	t.Logf("%d refused, %d of them for a row alone; %d accepted; %v", refused, rowErrors, accepted, kinds)
	if !testing.Short() && (len(kinds) < 50 || refused < 3*accepted || rowErrors < 500 || accepted < 100) {
		t.Errorf("%d kinds of rows, %d refused, %d for a row alone, %d accepted", len(kinds), refused, rowErrors, accepted)
	}
}
