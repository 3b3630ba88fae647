package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Inspection is what there is to say of code before it is installed.
type Inspection struct {
	// Inspection is of what lies in the module. Its Refusals are all reasons found for
	// which [Engine.Compile] refuses the code; the first is its error.
	instrument.Inspection
	// Uses say of every export what the ABI has it for, or "".
	Uses []string
	// Code is the name of the code, Program the identity of it as the engine would
	// run it.
	Code, Program swing.Hash
}

// Inspect says what is in code, and whether it could be installed: it is compiled,
// but not run. An error is the world's.
func (e *Engine) Inspect(ctx context.Context, code []byte) (Inspection, error) {
	p, in, err := e.compile(ctx, code, instrument.Metered)
	switch {
	case errors.Is(err, instrument.ErrRefused):
	case err != nil:
		return Inspection{}, err
	default:
		err = p.Close(ctx)
		return in, err
	}
	return in, nil
}

// The exports of a vat's program.
const (
	deliverExport = "vat_deliver"
	initExport    = "_initialize"
)

// exportUses say what each of them is for.
var exportUses = map[string]string{
	deliverExport: "runs for every delivery", initExport: "runs with the first delivery",
}

// checkABI refuses a module that was read to its end and is no vat.
func checkABI(in *instrument.Inspection) {
	if !in.Whole {
		return
	}
	if !in.ExportsMemory {
		in.RefuseExports("it exports no memory; the ABI is vat_v1")
	}
	i32 := []instrument.ValType{instrument.I32}
	if !exports(in, deliverExport, i32, i32) {
		in.RefuseExports("it exports no function %s (want (i32) -> (i32)); the ABI is vat_v1",
			deliverExport)
	}
	exports(in, initExport, nil, nil)
}

// exports reports whether there is a function of that name. One of another type is
// refused.
func exports(
	in *instrument.Inspection, name string, params, results []instrument.ValType,
) bool {
	for _, e := range in.Exports {
		if e.Name != name {
			continue
		}
		if !slices.Equal(e.Params, params) || !slices.Equal(e.Results, results) {
			want := instrument.Export{Params: params, Results: results}
			in.RefuseExports("it exports %s as %s, want %s", name, e.Signature(), want.Signature())
		}
		return true
	}
	return false
}

// blame refuses what the engine refused, in one line. It names a function by its
// place among those that the module defines, and no offset.
func blame(in *instrument.Inspection, err error) {
	text, function := strings.Join(strings.Fields(err.Error()), " "), 0
	if n, _ := fmt.Sscanf(text, "invalid function[%d]", &function); n == 0 {
		in.RefuseModule(text)
		return
	}
	_, what, _ := strings.Cut(text, "]: ")
	in.RefuseFunction(function, what)
}
