package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Inspection is what there is to say of code before it is installed.
type Inspection struct {
	// Inspection is of what lies in the module. Its Refusals are those of the module.
	instrument.Inspection
	// Code is the name of the code, Program the identity of it as the engine would
	// run it.
	Code, Program swing.Hash
	// Faults are all reasons found for which [Engine.Compile] refuses the code, each in
	// its words; the first is its error. None: it takes the code.
	Faults []error
}

// Inspect says what is in code, and whether it could be installed: it is compiled,
// but not run. An error is the world's.
func (e *Engine) Inspect(ctx context.Context, code []byte) (Inspection, error) {
	in := Inspection{Code: CodeHash(code)}
	in.Program = e.ProgramID(in.Code)
	inspected, err := e.inspect(code)
	if err != nil {
		return Inspection{}, err
	}
	in.Inspection = inspected
	for _, r := range inspected.Refusals {
		in.Faults = append(in.Faults, fmt.Errorf("admit program: %w", r))
	}
	if !inspected.Whole {
		return in, nil
	}
	for _, fault := range checkABI(&inspected) {
		in.Faults = append(in.Faults, fmt.Errorf("admit program: %w", fault))
	}
	if len(in.Faults) > 0 {
		return in, nil
	}
	p, err := e.compile(ctx, in.Code, inspected.Normal)
	if errors.Is(err, instrument.ErrRefused) {
		in.Faults = []error{err}
		return in, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	return in, p.Close(ctx)
}

// inspect has a module looked into and rewritten under the engine's limits.
func (e *Engine) inspect(code []byte) (instrument.Inspection, error) {
	limits := instrument.Limits{MemoryPages: e.options.Limits.MemoryBytes / wasmPageBytes}
	return instrument.Inspect(code, allowedImports(), limits)
}

// The exports of a vat's program.
const (
	deliverExport = "vat_deliver"
	initExport    = "_initialize"
)

// checkABI returns the ways in which a module that was read to its end is no vat.
func checkABI(in *instrument.Inspection) (faults []error) {
	if !in.ExportsMemory {
		faults = append(faults,
			fmt.Errorf("%w: it exports no memory; the ABI is vat_v1", instrument.ErrRefused))
	}
	i32 := []instrument.ValType{instrument.I32}
	found, err := exports(in.Exports, deliverExport, i32, i32)
	if err == nil && !found {
		err = fmt.Errorf("%w: it exports no function %s (want (i32) -> (i32)); the ABI is vat_v1",
			instrument.ErrRefused, deliverExport)
	}
	if err != nil {
		faults = append(faults, err)
	}
	if _, err := exports(in.Exports, initExport, nil, nil); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// exports reports whether there is a function of that name. One of another type is
// an error.
func exports(
	all []instrument.Export, name string, params, results []instrument.ValType,
) (bool, error) {
	for _, e := range all {
		if e.Name != name {
			continue
		}
		if !slices.Equal(e.Params, params) || !slices.Equal(e.Results, results) {
			return false, fmt.Errorf("%w: it exports %s as %v -> %v, want %v -> %v",
				instrument.ErrRefused, name, e.Params, e.Results, params, results)
		}
		return true, nil
	}
	return false, nil
}
