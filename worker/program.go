package worker

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tetratelabs/wazero"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// wasmPageBytes is the unit of WASM memory sizes.
const wasmPageBytes = 64 << 10

// Program is compiled code, shared by every worker that runs it.
type Program struct {
	engine   *Engine
	id       swing.Hash
	normal   *instrument.Normal
	compiled wazero.CompiledModule
	hasInit  bool
}

// ProgramID returns the identity of code as this engine would run it: the code,
// the versions of the rewriter and of the prices of fuel, and the memory limit.
func (e *Engine) ProgramID(code swing.Hash) swing.Hash {
	meaning := fmt.Sprintf("rewriter %d, costs %d, memory %d",
		instrument.Version, instrument.CostVersion, e.options.Limits.MemoryBytes)
	return swing.Sum("vatwarehouse program", []byte(meaning), code[:])
}

// CodeHash returns the name of code.
func CodeHash(code []byte) swing.Hash { return swing.Sum("vatwarehouse code", code) }

// Compile admits, rewrites and compiles a module. A module that is refused
// gives an error that satisfies errors.Is(err, [instrument.ErrRefused]), or says
// which part of the vat ABI it lacks.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Program, error) {
	return e.compile(ctx, code, instrument.Rewrite)
}

// CompileYielding is Compile, but the program lets Go's garbage collector have its turn
// after each instrument.YieldUnits of fuel, and is slower for it. It has the same identity
// and uses the same fuel, and either goes on with the heap that the other left.
func (e *Engine) CompileYielding(ctx context.Context, code []byte) (*Program, error) {
	return e.compile(ctx, code, instrument.RewriteYielding)
}

// rewriter is one of package instrument's.
type rewriter func([]byte, []instrument.Import, instrument.Limits) (*instrument.Normal, error)

func (e *Engine) compile(ctx context.Context, code []byte, rewrite rewriter) (*Program, error) {
	limits := instrument.Limits{MemoryPages: e.options.Limits.MemoryBytes / wasmPageBytes}
	normal, err := rewrite(code, allowedImports(), limits)
	if err != nil {
		return nil, fmt.Errorf("admit program: %w", err)
	}
	p := &Program{engine: e, id: e.ProgramID(CodeHash(code)), normal: normal}
	if err := p.checkABI(); err != nil {
		return nil, fmt.Errorf("admit program: %w", err)
	}
	if p.compiled, err = e.runtime.CompileModule(ctx, normal.Code); err != nil {
		return nil, fmt.Errorf("compile program: %w: %w", instrument.ErrRefused, err)
	}
	return p, nil
}

// The exports of a vat's program.
const (
	deliverExport = "vat_deliver"
	initExport    = "_initialize"
)

func (p *Program) checkABI() error {
	if !p.normal.ExportsMemory {
		return fmt.Errorf("%w: it exports no memory; the ABI is vat_v1", instrument.ErrRefused)
	}
	i32 := []instrument.ValType{instrument.I32}
	found, err := p.exports(deliverExport, i32, i32)
	if err == nil && !found {
		err = fmt.Errorf("%w: it exports no function %s (want (i32) -> (i32)); the ABI is vat_v1",
			instrument.ErrRefused, deliverExport)
	}
	if err != nil {
		return err
	}
	p.hasInit, err = p.exports(initExport, nil, nil)
	return err
}

// exports reports whether the module exports a function of that name. One of
// another type is refused.
func (p *Program) exports(name string, params, results []instrument.ValType) (bool, error) {
	for _, e := range p.normal.Exports {
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

// ID returns the program's identity: see ProgramID.
func (p *Program) ID() swing.Hash { return p.id }

// Genesis returns the heap a vat of this program is born with, but for its
// pages' hash, and the data that lies in its memory, later pieces over earlier.
// Its globals are the program's own until it has started.
func (p *Program) Genesis() (swing.Heap, []instrument.Segment) {
	size := uint64(p.normal.MemoryMin) * wasmPageBytes
	return swing.Heap{Program: p.id, Size: size}, p.normal.Segments
}

// StartAlone starts a worker of a vat that is born, on an image in memory that is its
// alone: for one that nobody comes back to.
func (p *Program) StartAlone(ctx context.Context, seed swing.Hash) (*Worker, error) {
	heap, data := p.Genesis()
	memory := make(bytesImage, heap.Size)
	for _, d := range data {
		copy(memory[d.Offset:], d.Bytes)
	}
	return p.Start(ctx, heap, memory, seed)
}

// bytesImage is an image in memory.
type bytesImage []byte

// ReadAt implements io.ReaderAt.
func (m bytesImage) ReadAt(b []byte, at int64) (int, error) {
	n := copy(b, m[min(at, int64(len(m))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Size implements Image.
func (m bytesImage) Size() int64 { return int64(len(m)) }

// Fd implements Image.
func (bytesImage) Fd() (uintptr, bool) { return 0, false }

// Close releases the compiled code. All workers of the program must be closed before.
func (p *Program) Close(ctx context.Context) error {
	if err := p.compiled.Close(ctx); err != nil {
		return fmt.Errorf("close program %s: %w", p.id.Short(), err)
	}
	return nil
}
