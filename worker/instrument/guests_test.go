package instrument

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// guest is a real module.
type guest struct {
	name string
	code []byte
}

// committed are the modules under testdata, each beside what it was made from
// and how.
func committed(t testing.TB) (list []guest) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) < 6 {
		t.Fatalf("modules under testdata: %q, %v", files, err)
	}
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, guest{filepath.Base(f), code})
	}
	return list
}

// goGuest builds a Go program for WASI.
func goGuest(t testing.TB) guest {
	if testing.Short() {
		t.Skip("builds a Go program")
	}
	out := filepath.Join(t.TempDir(), "guest.wasm")
	c := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-o", out, ".")
	c.Dir = "testdata/goguest"
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off")
	if b, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return guest{"goguest", code}
}

// importsOf lists what a module imports, as wazero sees it.
func importsOf(t testing.TB, code []byte) (list []Import) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	c, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.ImportedFunctions() {
		module, name, _ := f.Import()
		params, results := ourTypes(f.ParamTypes()), ourTypes(f.ResultTypes())
		list = append(list, Import{module, name, params, results})
	}
	return list
}

func ourTypes(ts []api.ValueType) (out []ValType) {
	for _, t := range ts {
		out = append(out, ValType(t))
	}
	return out
}

// guestScript calls _initialize if there is one, and then exports at random.
func guestScript(r *rand.Rand, n *Normal, steps int) (list []step) {
	callable := slices.DeleteFunc(slices.Clone(n.Exports), func(e Export) bool {
		numbers := func(t ValType) bool { return t == I32 || t == I64 }
		return e.Name == "_initialize" || len(e.Params) > 3 ||
			!slices.Equal(slices.DeleteFunc(slices.Clone(e.Params), numbers), nil)
	})
	if slices.ContainsFunc(n.Exports, func(e Export) bool { return e.Name == "_initialize" }) {
		list = append(list, step{function: "_initialize"})
	}
	for range steps {
		e := callable[r.IntN(len(callable))]
		s := step{function: e.Name, resume: r.IntN(4) == 0}
		for range e.Params {
			s.args = append(s.args, uint64(r.IntN(1<<r.IntN(14))))
		}
		list = append(list, s)
	}
	return list
}

// beside runs a guest and its normal form side by side.
func beside(t *testing.T, e engine, g guest, n *Normal, seed uint64, steps int) {
	t.Helper()
	b, err := newBench(e, g.code, n)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if err := b.compare(guestScript(newRand(seed), n, steps)); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// TestGuestsBehaveTheSame runs the committed modules and their normal forms side
// by side in both engines, with captures in between.
func TestGuestsBehaveTheSame(t *testing.T) {
	t.Parallel()
	for _, g := range committed(t) {
		n, err := Rewrite(g.code, importsOf(t, g.code), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		for _, e := range engines {
			t.Run(g.name+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(5) {
					beside(t, e, g, n, seed, 100)
				}
			})
		}
	}
}

// TestGoGuestBehavesTheSame does the same with a Go program, built here.
func TestGoGuestBehavesTheSame(t *testing.T) {
	t.Parallel()
	g := goGuest(t)
	n, err := Rewrite(g.code, importsOf(t, g.code), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Facts.FunctionsAdded != 0 || len(n.Globals) != 8 || len(n.Segments) < 1000 {
		t.Fatalf("%d functions added, %d globals, %d segments",
			n.Facts.FunctionsAdded, len(n.Globals), len(n.Segments))
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			beside(t, e, g, n, 1, 30)
		})
	}
}

// TestEncodingOfGuestsChangesNothing decodes the committed modules and encodes
// them with an empty plan. What comes out is the module but for its custom
// sections, and the engine takes it.
func TestEncodingOfGuestsChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	for _, g := range committed(t) {
		m := decoded(g.code, importsOf(t, g.code))
		if m.refusals != nil {
			t.Fatalf("%s: %v", g.name, m.refusals[0])
		}
		m.names = span{}
		out := newPlan(m).encode()
		if want := withoutCustom(g.code); string(out) != string(want) {
			t.Errorf("%s: %d bytes, want %d that are the module's", g.name, len(out), len(want))
		}
		if err := compiles(t, r, out); err != nil {
			t.Errorf("%s: %v", g.name, err)
		}
	}
}

// withoutCustom drops the custom sections of a module that is known to be good.
func withoutCustom(code []byte) []byte {
	out := slices.Clone(code[:8])
	for b := code[8:]; len(b) > 0; {
		size, n := 0, 1
		for ; b[n] >= 0x80; n++ {
			size |= int(b[n]&0x7f) << (7 * (n - 1))
		}
		size |= int(b[n]) << (7 * (n - 1))
		end := n + 1 + size
		if b[0] != 0 {
			out = append(out, b[:end]...)
		}
		b = b[end:]
	}
	return out
}

// TestGuestsAreWhatTheySay checks the facts about the committed modules that
// somebody else relies on, as text.
func TestGuestsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bulk.wasm": "multi-value bulk-memory reference-types " +
			"drops=3 sites=4 added=3 names=false start=",
		"control.wasm": "multi-value drops=0 sites=0 added=0 names=false start=\x00start",
		"globals.wasm": "reference-types simd128 " +
			"drops=0 sites=0 added=6 names=false start=\x00start",
		"simd.wasm":    "simd128 drops=0 sites=0 added=3 names=false start=",
		"free.wasm":    "drops=0 sites=0 added=0 names=true start=",
		"reactor.wasm": "bulk-memory drops=0 sites=0 added=0 names=true start=",
	}
	for _, g := range committed(t) {
		n, err := Rewrite(g.code, importsOf(t, g.code), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		features := strings.Join(n.Facts.Features.List(), " ")
		got := strings.TrimSpace(fmt.Sprintf("%s drops=%d sites=%d added=%d names=%v start=%s",
			features, len(n.Drops), n.Facts.DropSites, n.Facts.FunctionsAdded,
			n.Facts.NamesKept, n.Start))
		if got != want[g.name] {
			t.Errorf("%s: %q, want %q", g.name, got, want[g.name])
		}
	}
}
