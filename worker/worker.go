package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"vatwarehouse/swing"
)

// Level is how loud a vat's log line is.
type Level int32

// The levels of the ABI's log function.
const (
	LevelDebug Level = 0
	LevelInfo  Level = 1
	LevelWarn  Level = 2
	LevelError Level = 3
)

// LogFunc is handed what a vat logs during one delivery. It must not keep text.
type LogFunc func(level Level, text []byte)

// Worker is one paged-in vat. It has one owner: no two of its methods may run
// at the same time.
type Worker struct {
	program *Program
	seed    swing.Hash
	module  api.Module
	region  region
	globals []globalAccess
	meter   meter
	entry   api.Function // vat_deliver
	heap    swing.Heap   // Globals are stale while the vat runs; see readGlobals
	stack   [1]uint64

	pages    []uint32 // the written ones, as the last Capture found them
	captured bool     // nothing ran since

	// One delivery in progress.
	call delivering
}

// delivering is the state of one delivery.
type delivering struct {
	context.Context
	worker   *Worker
	input    []byte
	sys      swing.Syscaller
	answer   []byte
	output   []byte
	log      LogFunc
	logBytes int
	// Why the program was stopped from the host's side, if it was.
	refused string     // a rule of the ABI it broke: its own fault
	ended   bool       // the Syscaller ended the delivery
	bug     *HostPanic // a panic of ours
}

// workerKey finds the delivery in the context that wazero hands to host functions.
type workerKey struct{}

// Value implements context.Context.
func (d *delivering) Value(key any) any {
	if key == (workerKey{}) {
		return d
	}
	return d.Context.Value(key)
}

// Start returns a worker of the program with the given heap, whose memory is
// img. The seed names the vat's random stream. An error is the world's: the
// machine lacks memory or mappings.
func (p *Program) Start(
	ctx context.Context, heap swing.Heap, img Image, seed swing.Hash,
) (*Worker, error) {
	if heap.Program != p.id {
		panic(fmt.Sprintf("worker: heap of program %v for %v", heap.Program, p.id))
	}
	if uint64(img.Size()) != heap.Size {
		panic(fmt.Sprintf("worker: image of %d bytes for a heap of %d", img.Size(), heap.Size))
	}
	w := &Worker{program: p, seed: seed, heap: heap}
	region, err := p.engine.newRegion(img, uint64(p.normal.MemoryMax)*wasmPageBytes)
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	w.region = region
	if err := w.instantiate(ctx); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	return w, nil
}

// moduleConfig keeps wazero from running anything by itself. Nobody reads the source of
// randomness; without one, wazero would make one for every worker, and a page-in is so quick
// that this would be a part of it.
var moduleConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions().
	WithRandSource(strings.NewReader(""))

func (w *Worker) instantiate(ctx context.Context) (err error) {
	allocate := experimental.MemoryAllocatorFunc(
		func(_, _ uint64) experimental.LinearMemory { return w.region })
	p := w.program
	w.module, err = p.engine.runtime.InstantiateModule(
		experimental.WithMemoryAllocator(ctx, allocate), p.compiled, moduleConfig)
	if err != nil {
		w.region.Free()
		return fmt.Errorf("instantiate: %w", err)
	}
	if grow := w.heap.Size/wasmPageBytes - uint64(p.normal.MemoryMin); grow > 0 {
		if _, ok := w.module.Memory().Grow(uint32(grow)); !ok {
			return errors.Join(fmt.Errorf("grow memory to %d bytes", w.heap.Size), w.Close(ctx))
		}
	}
	w.entry = w.module.ExportedFunction(deliverExport)
	if w.meter, err = p.accessMeter(w.module); err != nil {
		return errors.Join(err, w.Close(ctx))
	}
	if w.globals, err = p.accessGlobals(w.module); err != nil {
		return errors.Join(err, w.Close(ctx))
	}
	if w.heap.Started {
		if err := w.restore(ctx); err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	return nil
}

// Deliver runs one delivery to its end. The first one also runs the program's start
// function and _initialize. Together they may use so many units of fuel, of which more
// than instrument.FuelMax are as many. An error is the world's, and the worker must not
// be used again; whatever the program did wrong is in the outcome.
func (w *Worker) Deliver(
	ctx context.Context, delivery []byte, fuel uint64, sys swing.Syscaller, log LogFunc,
) (swing.Outcome, error) {
	now, err := swing.DeliveryTime(delivery)
	if err != nil {
		panic(fmt.Sprintf("worker: %v", err))
	}
	w.captured = false
	w.heap.Clock = max(w.heap.Clock, now)
	output := w.call.output[:0]
	w.call = delivering{
		Context: ctx, worker: w, input: delivery, sys: sys, log: log, output: output,
	}
	w.meter.fill(fuel, w.program.engine.options.Limits.Depth)
	if !w.heap.Started {
		w.heap.Started = true
		for _, export := range w.prologue() {
			_, err := w.module.ExportedFunction(export).Call(&w.call)
			if short := w.short(); short != nil {
				return swing.Outcome{}, short
			}
			if out := w.outcome(err, 0); !out.OK() {
				return out, nil
			}
		}
	}
	w.stack[0] = uint64(len(delivery))
	err = w.entry.CallWithStack(&w.call, w.stack[:])
	if short := w.short(); short != nil {
		return swing.Outcome{}, short
	}
	return w.outcome(err, api.DecodeI32(w.stack[0])), nil
}

// short returns why the machine had no memory for the program to go on, or nil.
func (w *Worker) short() error {
	if g, ok := w.region.(*grantedRegion); ok {
		return g.short
	}
	return nil
}

// prologue returns the exports to call once, before anything else.
func (w *Worker) prologue() (exports []string) {
	if start := w.program.normal.Start; start != "" {
		exports = append(exports, start)
	}
	if w.program.hasInit {
		exports = append(exports, initExport)
	}
	return exports
}

// outcome turns how a call into the program ended into data. A panic of ours
// goes on from here: wazero has turned it into an error.
//
// A program that ran out of fuel may have gone on until the next test, and have trapped
// or even returned before that: it ran out of fuel all the same.
func (w *Worker) outcome(err error, code int32) swing.Outcome {
	c := &w.call
	if c.bug != nil {
		panic(c.bug)
	}
	left, deep := w.meter.left()
	if left < 0 {
		return swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: w.meter.budget}
	}
	out := swing.Outcome{Status: swing.StatusOK, Fuel: w.meter.budget - uint64(left)}
	switch {
	case deep:
		out.Status = swing.StatusTooDeep
	case c.ended:
		out.Status = swing.StatusIllegal
	case c.refused != "":
		out.Status, out.Problem = w.trapped(), c.refused
	case err != nil:
		out.Status, out.Problem = w.trapped(), trapName(err)
	case code != 0:
		out.Status, out.Problem = swing.StatusFailed, w.problem()
	}
	return out
}

// trapped is the status of a program that trapped.
func (w *Worker) trapped() swing.Status {
	if w.meter.refused.Get() != 0 {
		return swing.StatusOutOfMemory
	}
	return swing.StatusTrapped
}

// problem returns the program's output as text for an outcome.
func (w *Worker) problem() string {
	return strings.ToValidUTF8(string(w.call.output), string(utf8.RuneError))
}

// trapName returns the engine-independent name of a trap: wazero's own text
// goes on with a stack that depends on the engine. An error that is no trap is
// a fault of ours, and so is the end of the engine's own stack, which is not the same in
// both: calls are too deep before.
func trapName(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	name, ok := strings.CutPrefix(text, "wasm error: ")
	if !ok || name == "stack overflow" {
		panic(fmt.Sprintf("worker: the engine failed: %v", err))
	}
	return name
}

// Size returns the memory's size in bytes.
func (w *Worker) Size() uint64 { return uint64(w.module.Memory().Size()) }

// Close gives the worker's memory back. It may be called once.
func (w *Worker) Close(ctx context.Context) error {
	module := w.module
	w.module, w.entry, w.globals, w.region, w.meter = nil, nil, nil, nil, meter{}
	if err := module.Close(ctx); err != nil {
		return fmt.Errorf("close worker: %w", err)
	}
	return nil
}
