package instrument

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// engine is one way to run a module. What is compared is compared in both.
type engine struct {
	name   string
	config func() wazero.RuntimeConfig
}

var engines = []engine{
	{"interpreter", func() wazero.RuntimeConfig {
		return wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(engineFeatures)
	}},
	{"compiler", func() wazero.RuntimeConfig {
		return wazero.NewRuntimeConfigCompiler().WithCoreFeatures(engineFeatures)
	}},
}

// engineFeatures are what the normal form needs of an engine.
const engineFeatures = api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst

// instance is a running module: the original or its normal form.
type instance struct {
	mod    api.Module
	normal *Normal // how to reach the globals
	hidden bool    // the original, whose globals are not exported
	lanes  bool    // the original has functions that read its v128 globals
	fuel   uint64  // for each call
}

// bench runs a module and its normal form side by side.
type bench struct {
	runtime          wazero.Runtime
	original, normal wazero.CompiledModule
	n                *Normal
	fault            fault
	lanes            bool
	name             string // under which others import the instance
	fuel             uint64 // for each call, or 0 for as much as there is
}

// fault is a mistake planted into capture, birth or resume, to show that the
// comparison would notice.
type fault struct {
	global   int  // 1 + a global that is not restored
	half     bool // the high lanes of v128 globals are not
	drops    bool // dropped segments are not dropped again
	memory   bool // the memory is not written
	growth   bool // the memory is not grown
	segments bool // at birth, the last segment is not written
	order    bool // at birth, the first segment is written last
	start    bool // at birth, start is not called
}

// newBench compiles both forms in an engine.
func newBench(e engine, original []byte, n *Normal) (*bench, error) {
	ctx := context.Background()
	b := &bench{runtime: wazero.NewRuntimeWithConfig(ctx, e.config()), n: n}
	if err := hostModules(ctx, b.runtime, n.Imports); err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	var err error
	if b.original, err = b.runtime.CompileModule(ctx, original); err != nil {
		return nil, fmt.Errorf("compile original: %w", err)
	}
	if b.normal, err = b.runtime.CompileModule(ctx, n.Code); err != nil {
		return nil, fmt.Errorf("compile normal form: %w", err)
	}
	return b, nil
}

func (b *bench) close() { _ = b.runtime.Close(context.Background()) }

// hostModules offers the imports, with functions that keep no state.
func hostModules(ctx context.Context, r wazero.Runtime, imports []Import) error {
	builders := map[string]wazero.HostModuleBuilder{}
	for _, im := range imports {
		h, ok := builders[im.Module]
		if !ok {
			h = r.NewHostModuleBuilder(im.Module)
			builders[im.Module] = h
		}
		h.NewFunctionBuilder().WithGoModuleFunction(hostFunction(im), apiTypes(im.Params),
			apiTypes(im.Results)).Export(im.Name)
	}
	for _, h := range builders {
		if _, err := h.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func apiTypes(ts []ValType) (out []api.ValueType) {
	for _, t := range ts {
		out = append(out, api.ValueType(t))
	}
	return out
}

// hostFunction is as much of WASI as Go's runtime and wasi-libc need to start,
// and nothing that changes.
func hostFunction(im Import) api.GoModuleFunc {
	const badDescriptor = 8
	return func(_ context.Context, mod api.Module, stack []uint64) {
		m := mod.Memory()
		switch im.Name {
		case "clock_time_get":
			m.WriteUint64Le(uint32(stack[2]), 1_000_000_000)
			stack[0] = 0
		case "random_get":
			b, _ := m.Read(uint32(stack[0]), uint32(stack[1]))
			for i := range b {
				b[i] = byte(7 * i)
			}
			stack[0] = 0
		case "args_sizes_get", "environ_sizes_get":
			m.WriteUint32Le(uint32(stack[0]), 0)
			m.WriteUint32Le(uint32(stack[1]), 0)
			stack[0] = 0
		case "sched_yield", "args_get", "environ_get":
			stack[0] = 0
		case "proc_exit":
			panic("proc_exit")
		default:
			if len(im.Results) > 0 {
				stack[0] = badDescriptor
			}
		}
	}
}

// instantiate makes an instance without running anything but a start section.
func (b *bench) instantiate(c wazero.CompiledModule, hidden bool) (*instance, error) {
	config := wazero.NewModuleConfig().WithName(b.name).WithStartFunctions()
	mod, err := b.runtime.InstantiateModule(context.Background(), c, config)
	if err != nil {
		return nil, err
	}
	fuel := b.fuel
	if fuel == 0 {
		fuel = FuelMax
	}
	return &instance{mod, b.n, hidden, b.lanes, fuel}, nil
}

// birth makes an instance of the normal form and does what instantiation of the
// original does: the host writes the segments and calls the start function.
func (b *bench) birth() (*instance, error) {
	in, err := b.instantiate(b.normal, false)
	if err != nil {
		return nil, err
	}
	segments := b.n.Segments
	if b.fault.segments && len(segments) > 0 {
		segments = segments[:len(segments)-1]
	}
	if b.fault.order && len(segments) > 1 {
		segments = slices.Concat(segments[1:], segments[:1])
	}
	for _, s := range segments {
		if !in.mod.Memory().Write(s.Offset, s.Bytes) {
			return nil, fmt.Errorf("segment at %d of %d bytes does not fit", s.Offset, len(s.Bytes))
		}
	}
	if b.n.Start != "" && !b.fault.start {
		if _, trap := in.call(b.n.Start); trap != "" {
			return nil, fmt.Errorf("start: %s", trap)
		}
	}
	return in, nil
}

// call runs an exported function, and returns its results without the upper
// halves of 32-bit ones, which are undefined, or the name of the trap.
func (in *instance) call(name string, args ...uint64) ([]uint64, string) {
	f := in.mod.ExportedFunction(name)
	if f == nil {
		return nil, "no export " + name
	}
	in.fill(in.fuel, DepthMax)
	results, err := f.Call(context.Background(), args...)
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		if meter := in.meter(); len(meter) > 0 {
			if _, deep := Left(meter[0], meter[1]); deep {
				line = "stack overflow"
			}
		}
		return nil, strings.TrimPrefix(line, "wasm error: ")
	}
	for i, t := range f.Definition().ResultTypes() {
		if i < len(results) {
			results[i] = narrow(ValType(t), results[i])
		}
	}
	return results, ""
}

// fill sets the meter for the next call.
func (in *instance) fill(fuel uint64, depth int) {
	m := in.normal.Meter
	if in.hidden || m.Word == "" {
		return
	}
	set := func(export string, v uint64) {
		in.mod.ExportedGlobal(export).(api.MutableGlobal).Set(v)
	}
	reserve := uint64(0)
	if m.Reserve != "" {
		reserve = fuel - min(fuel, YieldUnits)
		set(m.Reserve, Reserve(reserve))
	}
	set(m.Word, Budget(fuel-reserve, depth))
	set(m.Refused, 0)
}

// meter returns what the meter's globals hold: the word, the reserve and whether a
// memory.grow was refused. It is empty if the instance has none.
func (in *instance) meter() []uint64 {
	m := in.normal.Meter
	if in.hidden || m.Word == "" {
		return nil
	}
	return []uint64{in.word(m.Word), in.word(m.Reserve), in.word(m.Refused)}
}

func narrow(t ValType, v uint64) uint64 {
	if t == I32 || t == F32 {
		return uint64(uint32(v))
	}
	return v
}

func (in *instance) memory() []byte {
	b, _ := in.mod.Memory().Read(0, in.mod.Memory().Size())
	return b
}

// words are the mutable globals, as a heap holds them: a v128 as two. Of the
// original's, a v128 is read by functions that only tests add, "low" and "high"
// with the index; without those it is not compared. Flags are the normal form's
// alone.
func (in *instance) words(flags bool) (w []uint64) {
	globals := in.normal.Globals
	if !flags {
		globals = globals[:len(globals)-len(in.normal.Drops)]
	}
	for _, g := range globals {
		low, high := g.Low, g.High
		if in.hidden {
			low, high = fmt.Sprintf("low%d", g.Index), fmt.Sprintf("high%d", g.Index)
		}
		switch {
		case g.Type == V128 && !flags && !in.lanes:
		case g.Type == V128:
			l, _ := in.call(low)
			h, _ := in.call(high)
			w = append(append(w, l...), h...)
		case in.hidden:
			internal := in.mod.(experimental.InternalModule)
			w = append(w, narrow(g.Type, internal.Global(int(g.Index)).Get()))
		default:
			w = append(w, narrow(g.Type, in.mod.ExportedGlobal(g.Export).Get()))
		}
	}
	return w
}

// heap is a captured state.
type heap struct {
	memory []byte
	words  []uint64
}

// flag is the last of the words for a segment's flag.
func (h heap) flag(n *Normal, d Drop) uint64 {
	return h.words[len(h.words)-len(n.Globals)+d.Flag]
}

func (in *instance) capture() heap { return heap{bytes.Clone(in.memory()), in.words(true)} }

// resume makes a fresh instance in the captured state.
func (b *bench) resume(h heap) (*instance, error) {
	in, err := b.instantiate(b.normal, false)
	if err != nil {
		return nil, err
	}
	m := in.mod.Memory()
	if grow := uint32(len(h.memory)) - m.Size(); grow > 0 && !b.fault.growth {
		m.Grow(grow / pageBytes)
	}
	if !b.fault.memory {
		m.Write(0, h.memory[:min(len(h.memory), int(m.Size()))])
	}
	words := h.words
	for i, g := range b.n.Globals {
		skip := b.fault.global == i+1
		if g.Type == V128 {
			high := words[1]
			if b.fault.half {
				high = 0
			}
			if !skip {
				in.call(g.Set, words[0], high)
			}
			words = words[2:]
			continue
		}
		if !skip {
			in.mod.ExportedGlobal(g.Export).(api.MutableGlobal).Set(words[0])
		}
		words = words[1:]
	}
	for _, d := range b.n.Drops {
		if h.flag(b.n, d) == 1 && !b.fault.drops {
			if _, trap := in.call(d.Export); trap != "" {
				return nil, fmt.Errorf("%s: %s", d.Export, trap)
			}
		}
	}
	return in, nil
}

// step is one call of a script.
type step struct {
	function string
	args     []uint64
	resume   bool // first capture, and go on in a fresh instance
}

// compare runs a script on both forms, and returns the first difference in
// results, traps, memory or globals.
func (b *bench) compare(script []step) error {
	want, werr := b.instantiate(b.original, true)
	got, gerr := b.birth()
	if werr != nil || gerr != nil {
		if werr == nil || gerr == nil {
			return fmt.Errorf("birth: original %v, normal form %v", werr, gerr)
		}
		return nil
	}
	if err := same(want, got); err != nil {
		return fmt.Errorf("birth: %w", err)
	}
	for i, s := range script {
		if s.resume {
			fresh, err := b.resume(got.capture())
			if err != nil {
				return fmt.Errorf("step %d: resume: %w", i, err)
			}
			_ = got.mod.Close(context.Background())
			got = fresh
		}
		wr, wt := want.call(s.function, s.args...)
		gr, gt := got.call(s.function, s.args...)
		if fmt.Sprint(wr, wt) != fmt.Sprint(gr, gt) {
			return fmt.Errorf("step %d %s%v: %v %q, want %v %q",
				i, s.function, s.args, gr, gt, wr, wt)
		}
		if err := same(want, got); err != nil {
			return fmt.Errorf("step %d %s%v: %w", i, s.function, s.args, err)
		}
	}
	return nil
}

func same(want, got *instance) error {
	w, g := want.memory(), got.memory()
	if len(w) != len(g) {
		return fmt.Errorf("memory of %d bytes, want %d", len(g), len(w))
	}
	if !bytes.Equal(w, g) {
		for i := range w {
			if w[i] != g[i] {
				return fmt.Errorf("memory at %#x is %#x, want %#x", i, g[i], w[i])
			}
		}
	}
	ww, gw := want.words(false), got.words(false)
	if fmt.Sprint(ww) != fmt.Sprint(gw) {
		return fmt.Errorf("globals %x, want %x", gw, ww)
	}
	return nil
}

// compiles reports whether an engine takes a module, and fails the test if the
// engine panics on it.
func compiles(t testing.TB, r wazero.Runtime, code []byte) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("the engine panics on %x: %v", code, p)
		}
	}()
	c, err := r.CompileModule(context.Background(), code)
	if err == nil {
		_ = c.Close(context.Background())
	}
	return err
}
