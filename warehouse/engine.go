package warehouse

import (
	"context"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// Engine compiles programs. There are two: [Local], and one whose workers are in a process
// of their own.
type Engine interface {
	Compile(ctx context.Context, code []byte) (Program, error)
	// CompileYielding is Compile for long deliveries: see worker.Engine.CompileYielding.
	CompileYielding(ctx context.Context, code []byte) (Program, error)
	// Limits are those of what runs in it.
	Limits() swing.Limits
}

// Program is compiled code: see worker.Program, which is one but for Start.
type Program interface {
	ID() swing.Hash
	Genesis() (swing.Heap, []worker.Segment)
	Start(ctx context.Context, heap swing.Heap, img worker.Image, seed swing.Hash) (Worker, error)
	Close(ctx context.Context) error
}

// Worker is one paged-in vat: see worker.Worker, which is one.
type Worker interface {
	Deliver(
		ctx context.Context, delivery []byte, fuel uint64, sys swing.Syscaller, log worker.LogFunc,
	) (swing.Outcome, error)
	Capture(ctx context.Context) (worker.Capture, error)
	Rebase(img worker.Image) error
	Size() uint64
	Close(ctx context.Context) error
}

// LostError says that the process in which workers ran is gone, and all of them with it.
// Whatever was being done did not happen, and can be tried again: the engine starts
// another process.
type LostError struct{ Why string }

// Error says how the process ended.
func (e *LostError) Error() string { return "the worker process is gone: " + e.Why }

// Local is the engine that is in this process.
type Local struct{ *worker.Engine }

// Compile implements Engine.
func (l Local) Compile(ctx context.Context, code []byte) (Program, error) {
	return local(l.Engine.Compile(ctx, code))
}

// CompileYielding implements Engine.
func (l Local) CompileYielding(ctx context.Context, code []byte) (Program, error) {
	return local(l.Engine.CompileYielding(ctx, code))
}

func local(p *worker.Program, err error) (Program, error) {
	if err != nil {
		return nil, err
	}
	return localProgram{p}, nil
}

// localProgram is a program of the engine that is in this process.
type localProgram struct{ *worker.Program }

// Start implements Program.
func (p localProgram) Start(
	ctx context.Context, heap swing.Heap, img worker.Image, seed swing.Hash,
) (Worker, error) {
	w, err := p.Program.Start(ctx, heap, img, seed)
	if err != nil {
		return nil, err
	}
	return w, nil
}
