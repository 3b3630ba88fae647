package worker

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Bare is an instance of a program with nothing of ours around it: one mapping
// of an image and one instantiation by the engine. Benchmarks divide by it.
type Bare struct {
	module api.Module
	memory experimental.LinearMemory
}

// StartBare maps the image, once, and instantiates the program over it.
func (p *Program) StartBare(ctx context.Context, img Image) (*Bare, error) {
	memory, err := mapBare(img)
	if err != nil {
		return nil, err
	}
	allocate := experimental.MemoryAllocatorFunc(
		func(_, _ uint64) experimental.LinearMemory { return memory })
	module, err := p.engine.runtime.InstantiateModule(
		experimental.WithMemoryAllocator(ctx, allocate), p.compiled, moduleConfig)
	if err != nil {
		memory.Free()
		return nil, fmt.Errorf("instantiate bare: %w", err)
	}
	return &Bare{module, memory}, nil
}

// Touch writes one byte in each of the pages.
func (b *Bare) Touch(pages []uint32) {
	all := b.memory.Reallocate(uint64(pages[len(pages)-1]+1) * swing.PageBytes)
	for _, p := range pages {
		all[int(p)*swing.PageBytes]++
	}
}

// CompileUnmetered is Compile, but the program's own instructions cost no fuel. Benchmarks
// divide by it; its outcomes are not those of Compile's.
func (e *Engine) CompileUnmetered(ctx context.Context, code []byte) (*Program, error) {
	p, _, err := e.compile(ctx, code, instrument.Unmetered)
	return p, err
}

// NewCancellableEngine is NewEngine, but the engine itself looks whether a call's context
// has ended, as wazero can: where that stops a program is not the same twice. Benchmarks
// hold metering against it.
func NewCancellableEngine(ctx context.Context, o Options) (*Engine, error) {
	config := wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(true)
	return newEngine(ctx, o, config, hostModules)
}

// Close closes the instance and unmaps its memory.
func (b *Bare) Close(ctx context.Context) error { return b.module.Close(ctx) }
