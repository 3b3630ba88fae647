package crash

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// counting is an engine that counts the workers that are not closed.
type counting struct {
	*warehouse.Lasting
	open *atomic.Int64
}

func (c counting) Compile(ctx context.Context, code []byte) (warehouse.Program, error) {
	p, err := c.Lasting.Compile(ctx, code)
	return countedProgram{p, c.open}, err
}

type countedProgram struct {
	warehouse.Program
	open *atomic.Int64
}

func (p countedProgram) Start(
	ctx context.Context, heap swing.Heap, img worker.Image, seed swing.Hash,
) (warehouse.Worker, error) {
	w, err := p.Program.Start(ctx, heap, img, seed)
	if err != nil {
		return nil, err
	}
	p.open.Add(1)
	return countedWorker{w, p.open}, nil
}

type countedWorker struct {
	warehouse.Worker
	open *atomic.Int64
}

func (w countedWorker) Close(ctx context.Context) error {
	w.open.Add(-1)
	return w.Worker.Close(ctx)
}

// TestNoWorkerIsLeft: whatever operation fails, all workers are closed with the Host: the
// engine may outlive it.
func TestNoWorkerIsLeft(t *testing.T) {
	engine, err := worker.NewEngine(t.Context(), worker.Options{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	lasting := warehouse.NewLasting(engine)
	defer lasting.Close(t.Context())
	for seed := range uint64(3) {
		p, err := trial.NewPlay(seed)
		if err != nil {
			t.Fatal(err)
		}
		err = trial.Each(p.Operations/2, func(i int) error {
			fault := diskErrors[i%len(diskErrors)]
			fault.At = 2*i + int(seed%2)
			var open atomic.Int64
			q := *p
			q.Options.Engine = counting{lasting, &open}
			files := vfs.NewFaulty(vfs.NewMem())
			files.Arm(fault)
			if _, err := q.Attempt(files, ""); open.Load() != 0 {
				return fmt.Errorf("%+v (%s): %d workers are left; %w", fault, files.Fired(), open.Load(), err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("play %d: %v", seed, err)
		}
	}
}
