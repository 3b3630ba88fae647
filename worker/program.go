package worker

import (
	"context"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// wasmPageBytes is the unit of WASM memory sizes.
const wasmPageBytes = 64 << 10

// Segment is data that lies in a program's memory when it is born.
type Segment = instrument.Segment

// Program is compiled code, shared by every worker that runs it.
type Program struct {
	engine   *Engine
	id       swing.Hash
	normal   *instrument.Normal
	compiled wazero.CompiledModule
	hasInit  bool
}

// CodeHash returns the name of code.
func CodeHash(code []byte) swing.Hash { return swing.Sum("vatwarehouse code", code) }

// Compile admits, rewrites and compiles a module. A module that is refused
// gives an error that satisfies errors.Is(err, [instrument.ErrRefused]) and names the
// part of it and the offset.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Program, error) {
	p, _, err := e.compile(ctx, code, instrument.Metered)
	return p, err
}

// CompileYielding is Compile, but the program lets Go's garbage collector have its turn
// after each instrument.YieldUnits of fuel, and is slower for it. It has the same identity
// and uses the same fuel, and either goes on with the heap that the other left.
func (e *Engine) CompileYielding(ctx context.Context, code []byte) (*Program, error) {
	p, _, err := e.compile(ctx, code, instrument.Yielding)
	return p, err
}

// compile is Compile, and returns what it found.
func (e *Engine) compile(
	ctx context.Context, code []byte, as instrument.Form,
) (*Program, Inspection, error) {
	found := Inspection{Code: CodeHash(code)}
	found.Program = e.ProgramID(found.Code)
	limits := instrument.Limits{MemoryPages: e.options.Limits.MemoryBytes / wasmPageBytes}
	var err error
	if found.Inspection, err = instrument.Inspect(code, allowedImports(), limits, as); err != nil {
		return nil, found, fmt.Errorf("admit program: %w", err)
	}
	in := &found.Inspection
	for _, e := range in.Exports {
		found.Uses = append(found.Uses, exportUses[e.Name])
	}
	if checkABI(in); len(in.Refusals) > 0 {
		return nil, found, fmt.Errorf("admit program: %w", in.Refusals[0])
	}
	p := &Program{engine: e, id: found.Program, normal: in.Normal}
	p.hasInit = exports(in, initExport, nil, nil)
	if p.compiled, err = e.runtime.CompileModule(ctx, in.Normal.Code); err != nil {
		blame(in, err)
		return nil, found, fmt.Errorf("compile program: %w", in.Refusals[0])
	}
	return p, found, nil
}

// ID returns the program's identity: see ProgramID.
func (p *Program) ID() swing.Hash { return p.id }

// Genesis returns the heap a vat of this program is born with, but for its
// pages' hash, and the data that lies in its memory, later pieces over earlier.
// Its globals are the program's own until it has started.
func (p *Program) Genesis() (swing.Heap, []Segment) {
	size := uint64(p.normal.MemoryMin) * wasmPageBytes
	return swing.Heap{Program: p.id, Size: size}, p.normal.Segments
}

// StartAlone starts a worker of a vat that is born, on an image in memory that is its
// alone: for one that nobody comes back to.
func (p *Program) StartAlone(ctx context.Context, seed swing.Hash) (*Worker, error) {
	heap, data := p.Genesis()
	return p.Start(ctx, heap, NewBirth(heap, data), seed)
}

// NewBirth returns the image of a vat that is born, in memory.
func NewBirth(heap swing.Heap, data []Segment) Image {
	memory := make(bytesImage, heap.Size)
	for _, d := range data {
		copy(memory[d.Offset:], d.Bytes)
	}
	return memory
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
