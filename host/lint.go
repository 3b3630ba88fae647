package host

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// Lint says what is in a program, and whether Install would take it, without a
// directory. Limits are those of the directory it is meant for; the zero value is
// swing.DefaultLimits. A program that would be refused is no error.
func Lint(ctx context.Context, code []byte, l swing.Limits) (found worker.Inspection, err error) {
	engine, err := worker.NewEngine(ctx, worker.Options{Limits: l})
	if err != nil {
		return worker.Inspection{}, fmt.Errorf("lint program: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close(ctx)) }()
	if found, err = engine.Inspect(ctx, code); err != nil {
		return worker.Inspection{}, fmt.Errorf("lint program: %w", err)
	}
	return found, nil
}
