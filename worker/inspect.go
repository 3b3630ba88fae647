package worker

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Inspection is what there is to say of code before it is installed.
type Inspection struct {
	// Inspection is of what lies in the module; Normal is nil if the module is not
	// admitted.
	instrument.Inspection
	// Code is the name of the code, Program the identity of it as the engine would
	// run it.
	Code, Program swing.Hash
	// Refused is the error of [Engine.Compile], or nil if it takes the code.
	Refused error
}

// Inspect says what is in code, and whether it could be installed: it is compiled,
// but not run. An error is the world's.
func (e *Engine) Inspect(ctx context.Context, code []byte) (Inspection, error) {
	in := Inspection{Code: CodeHash(code)}
	in.Program = e.ProgramID(in.Code)
	in.Inspection, in.Refused = e.admit(code)
	if in.Refused != nil {
		in.Refused = fmt.Errorf("admit program: %w", in.Refused)
		return in, nil
	}
	p, err := e.compile(ctx, in.Code, in.Normal)
	if errors.Is(err, instrument.ErrRefused) {
		in.Refused = err
		return in, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	return in, p.Close(ctx)
}
