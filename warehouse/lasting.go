package warehouse

import (
	"context"
	"errors"
	"sync"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// Lasting is the engine that is in this process, for several warehouses, at a time or one
// after the other: each program is compiled once, and stays compiled until Close. Use
// NewLasting.
type Lasting struct {
	Local

	mu       sync.Mutex
	programs map[lastingKey]lastingProgram
}

// lastingKey names compiled code.
type lastingKey struct {
	code     swing.Hash
	yielding bool
}

// NewLasting returns one, which closes the engine when it is closed.
func NewLasting(engine *worker.Engine) *Lasting {
	return &Lasting{Local: Local{engine}, programs: map[lastingKey]lastingProgram{}}
}

// Compile implements Engine.
func (l *Lasting) Compile(ctx context.Context, code []byte) (Program, error) {
	return l.once(ctx, code, false, l.Local.Compile)
}

// CompileYielding implements Engine.
func (l *Lasting) CompileYielding(ctx context.Context, code []byte) (Program, error) {
	return l.once(ctx, code, true, l.Local.CompileYielding)
}

func (l *Lasting) once(
	ctx context.Context, code []byte, yielding bool,
	compile func(ctx context.Context, code []byte) (Program, error),
) (Program, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := lastingKey{worker.CodeHash(code), yielding}
	if p, ok := l.programs[key]; ok {
		return p, nil
	}
	p, err := compile(ctx, code)
	if err != nil {
		return nil, err
	}
	l.programs[key] = lastingProgram{p}
	return l.programs[key], nil
}

// Close gives up all programs, and the engine.
func (l *Lasting) Close(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, p := range l.programs {
		errs = append(errs, p.Program.Close(ctx))
	}
	l.programs = nil
	return errors.Join(append(errs, l.Local.Close(ctx))...)
}

// lastingProgram is a program that stays compiled when a warehouse gives it up.
type lastingProgram struct{ Program }

// Close implements Program.
func (lastingProgram) Close(context.Context) error { return nil }
