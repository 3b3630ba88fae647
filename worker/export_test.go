package worker

import (
	"context"
	"slices"

	"github.com/tetratelabs/wazero"
)

// Memory returns the worker's memory itself, for tests that hold what Capture
// says against it.
func (w *Worker) Memory() []byte { return w.region.Reallocate(w.Size()) }

// HostFunction is the name and type of a function of the ABI: a letter for each
// parameter and result, i is i32, I is i64.
type HostFunction struct{ Module, Name, Params, Results string }

// HostFunctions returns all functions of the ABI.
func HostFunctions() (all []HostFunction) {
	for _, m := range hostModules {
		for _, f := range m.functions {
			all = append(all, HostFunction{m.name, f.name, f.params, f.results})
		}
	}
	return all
}

// PlantedEngine is an engine in which each host function calls fault first.
func PlantedEngine(ctx context.Context, o Options, fault func(name string)) (*Engine, error) {
	var planted []hostModule
	for _, m := range hostModules {
		m.functions = slices.Clone(m.functions)
		for i, f := range m.functions {
			m.functions[i].call = func(d *delivering, words []uint64) {
				fault(f.name)
				f.call(d, words)
			}
		}
		planted = append(planted, m)
	}
	return newEngine(ctx, o, wazero.NewRuntimeConfigCompiler(), planted)
}
