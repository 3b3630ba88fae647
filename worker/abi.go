package worker

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// hostFunction is one function of the ABI. It works on the delivery in
// progress; words are the parameters, and the first word the result.
type hostFunction struct {
	name    string
	params  string // a letter each: i is i32, I is i64
	results string
	call    func(d *delivering, words []uint64)
}

// hostModule is one module that programs may import from.
type hostModule struct {
	name      string
	functions []hostFunction
}

// hostModules is everything a program may import.
var hostModules = []hostModule{vatV1, wasiPreview1}

// vatV1 is the ABI of vats; guest/README.md specifies it.
var vatV1 = hostModule{"vat_v1", []hostFunction{
	{"input_read", "iii", "i", inputRead},
	{"syscall", "iiiii", "i", syscall},
	{"result_read", "iii", "i", resultRead},
	{"output_write", "ii", "", outputWrite},
	{"log", "iii", "", logLine},
}}

// i32 returns a parameter. The engine may leave anything in a word's upper half.
func i32(word uint64) uint32 { return uint32(word) }

// outOfBounds is what wazero calls a trap on a bad address. A bad address handed
// to the host is the same fault.
const outOfBounds = "out of bounds memory access"

// stopProgram unwinds the program from inside a host function.
type stopProgram struct{}

// Error implements error: wazero wants one to unwind with.
func (stopProgram) Error() string { return "stopped by the host" }

// refuse ends the program for its own fault.
func (d *delivering) refuse(problem string) {
	d.refused = problem
	panic(stopProgram{})
}

func (d *delivering) memory() api.Memory { return d.worker.module.Memory() }

// bytes returns program memory, which must be copied before the program runs on.
func (d *delivering) bytes(at, n uint32) []byte {
	b, ok := d.memory().Read(at, n)
	if !ok {
		d.refuse(outOfBounds)
	}
	return b
}

// read copies part of src to the program, clamped to what there is.
func (d *delivering) read(src []byte, to, offset, n uint32) uint64 {
	dst := d.bytes(to, n)
	if uint64(offset) > uint64(len(src)) {
		return 0
	}
	src = src[offset:]
	d.payBytes(min(len(dst), len(src)))
	return uint64(copy(dst, src))
}

func inputRead(d *delivering, words []uint64) {
	words[0] = d.read(d.input, i32(words[0]), i32(words[1]), i32(words[2]))
}

func resultRead(d *delivering, words []uint64) {
	words[0] = d.read(d.answer, i32(words[0]), i32(words[1]), i32(words[2]))
}

// syscall hands a request to the Syscaller. The request is not copied here: the
// Syscaller does if it keeps it, and the program does not run meanwhile.
func syscall(d *delivering, words []uint64) {
	request := d.bytes(i32(words[1]), i32(words[2]))
	room := d.bytes(i32(words[3]), i32(words[4]))
	d.pay(instrument.SyscallUnits)
	d.payBytes(len(request))
	answer, ok := d.sys.Syscall(swing.Op(i32(words[0])), request)
	if !ok {
		d.ended = true
		panic(stopProgram{})
	}
	d.answer = answer
	d.payBytes(min(len(room), len(answer)))
	copy(room, answer)
	words[0] = uint64(len(answer))
}

// outputBytesMax bounds what a program can say of its failure.
const outputBytesMax = 4096

func outputWrite(d *delivering, words []uint64) {
	b := d.bytes(i32(words[0]), i32(words[1]))
	b = b[:min(len(b), outputBytesMax-len(d.output))]
	d.payBytes(len(b))
	d.output = append(d.output, b...)
}

func logLine(d *delivering, words []uint64) {
	text := d.bytes(i32(words[1]), i32(words[2]))
	d.write(Level(min(i32(words[0]), uint32(LevelError))), text)
}

// write logs text up to the delivery's limit. What comes after is dropped.
func (d *delivering) write(level Level, text []byte) {
	left := d.worker.program.engine.options.Limits.LogBytes - d.logBytes
	text = text[:min(len(text), left)]
	d.logBytes += len(text)
	d.payBytes(len(text))
	if d.log != nil && len(text) > 0 {
		d.log(level, text)
	}
}

var valueTypes = map[rune]api.ValueType{'i': api.ValueTypeI32, 'I': api.ValueTypeI64}

func apiTypes(letters string) (types []api.ValueType) {
	for _, c := range letters {
		types = append(types, valueTypes[c])
	}
	return types
}

func valTypes(letters string) (types []instrument.ValType) {
	for _, t := range apiTypes(letters) {
		types = append(types, instrument.ValType(t))
	}
	return types
}

// allowedImports is the host modules as the admission check wants them.
func allowedImports() (imports []instrument.Import) {
	for _, m := range hostModules {
		for _, f := range m.functions {
			imports = append(imports, instrument.Import{
				Module: m.name, Name: f.name,
				Params: valTypes(f.params), Results: valTypes(f.results),
			})
		}
	}
	return imports
}

func (m hostModule) instantiate(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(m.name)
	for _, f := range m.functions {
		b.NewFunctionBuilder().
			WithGoModuleFunction(shim(f), apiTypes(f.params), apiTypes(f.results)).
			Export(f.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// HostPanic is a panic of ours inside a host function: what Deliver panics with once
// the call into the program is over.
type HostPanic struct {
	Function string // of the ABI
	Value    any    // what was panicked with
	Stack    []byte // where
}

// Error names the function and what it panicked with.
func (p *HostPanic) Error() string {
	return fmt.Sprintf("host function %s: %v", p.Function, p.Value)
}

// shim is the one way from a program into our code. wazero turns a panic in
// here into an ordinary error of the call, which would book our own bugs as the
// vat's traps: so a panic that is not stopProgram is remembered, and goes on once
// the call is over.
func shim(f hostFunction) api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, words []uint64) {
		d, ok := ctx.Value(workerKey{}).(*delivering)
		if !ok {
			panic(fmt.Sprintf("worker: %s called outside a delivery", f.name))
		}
		defer func() {
			if r := recover(); r != nil {
				if _, ours := r.(stopProgram); !ours {
					d.bug = &HostPanic{f.name, r, debug.Stack()}
				}
				panic(r)
			}
		}()
		d.pay(instrument.HostCallUnits)
		f.call(d, words)
	}
}
