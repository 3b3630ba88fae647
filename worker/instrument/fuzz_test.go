package instrument

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
)

// FuzzRewrite gives Rewrite any bytes. It must not panic, must say the same twice,
// and must allocate no more than a multiple of what it is given; of what it
// admits, the engine must take the normal form as it takes the module.
func FuzzRewrite(f *testing.F) {
	for _, g := range small(f) {
		f.Add(g.code)
	}
	for _, r := range refusals() {
		f.Add(r.code)
	}
	for seed := range uint64(20) {
		f.Add(generate(seed).encode())
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	f.Fuzz(func(t *testing.T, code []byte) {
		first, err := Rewrite(code, offered, Limits{})
		if err != nil {
			if !errors.Is(err, ErrRefused) || err.Error() == "" {
				t.Fatal(err)
			}
			_, again := Rewrite(code, offered, Limits{})
			if again == nil || again.Error() != err.Error() {
				t.Fatalf("%v, then %v", err, again)
			}
			return
		}
		second, err := Rewrite(bytes.Clone(code), offered, Limits{})
		if err != nil || !bytes.Equal(first.Code, second.Code) {
			t.Fatalf("%x, then %x, %v", first.Code, second.Code, err)
		}
		// The engine allocates what tables and memories ask for at once.
		if first.Facts.TableEntries < 1000 {
			checkEngineAgrees(t, r, code)
		}
	})
}

// FuzzGenerated makes a random module from the fuzzer's seed and runs it and its
// normal form side by side, and beside the counter of fuel.
func FuzzGenerated(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(1_000_000 + seed)
	}
	costs, err := readCosts(costsFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, e := range engines {
			if _, err := countBeside(e, seed, Metered, costs, func(*Normal) {}); err != nil {
				t.Fatalf("%s, seed %d: %v", e.name, seed, err)
			}
			if err := run(e, seed, func(*Normal) fault { return fault{} }); err != nil {
				t.Fatalf("%s, seed %d: %v", e.name, seed, err)
			}
		}
		if err := playSeed(seed, raw, &duelCounts{}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	})
}

// FuzzEngines plays any module that is admitted in both engines: each function that it
// exports and that takes integers, with the arguments given.
func FuzzEngines(f *testing.F) {
	for _, g := range small(f) {
		f.Add(g.code, uint64(1), uint64(2))
	}
	for seed := range uint64(20) {
		f.Add(generateAs(seed, seed%2 == 1).encode(), seed, seed)
	}
	f.Fuzz(func(t *testing.T, code []byte, a, b uint64) {
		n, err := Rewrite(code, note, Limits{MemoryPages: 3})
		if err != nil || n.Facts.TableEntries > 1000 {
			return
		}
		notInteger := func(t ValType) bool { return t != I32 && t != I64 }
		var script []step
		for _, e := range n.Exports {
			s := step{e.Name, []uint64{a, b, a ^ b}, len(script)%3 == 2}
			if len(e.Params) > 3 ||
				slices.ContainsFunc(slices.Concat(e.Params, e.Results), notInteger) {
				continue
			}
			for i, t := range e.Params {
				s.args[i] = narrow(t, s.args[i])
			}
			s.args = s.args[:len(e.Params)]
			script = append(script, s)
		}
		// The engine reads names in custom sections, which mean nothing, and refuses some.
		if err := play(withoutCustom(code), script, raw, &duelCounts{}); err != nil {
			t.Fatal(err)
		}
	})
}
