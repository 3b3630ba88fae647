package host

import (
	"context"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
	"vatwarehouse/worker/process"
)

// Engine compiles programs and runs vats, and says what it is: see Options.Engine. A
// warehouse.Local is one; another can stand in front of it.
type Engine interface {
	warehouse.Engine
	Meaning() worker.Meaning
	ProgramID(code swing.Hash) swing.Hash
	Fingerprint() string
	Inspect(ctx context.Context, code []byte) (worker.Inspection, error)
}

// openEngine makes the engine, unless one was given, and what runs programs: it, or a
// process with another. The cache of compiled programs belongs to what compiles.
func (h *Host) openEngine(ctx context.Context, cache string) (err error) {
	if given := h.options.Engine; given != nil {
		if limits := given.Limits(); limits != h.options.Limits {
			return fmt.Errorf("%w: an engine with limits %+v, the directory has %+v",
				ErrOptions, limits, h.options.Limits)
		}
		h.engine, h.machine = given, given
		return nil
	}
	o := worker.Options{
		Interpreter: h.options.Interpreter, CacheDir: cache,
		Memory: h.options.Memory, Detector: h.options.Detector, Limits: h.options.Limits,
		Pretend: h.options.pretend, Grant: h.options.Grant,
	}
	if h.options.Isolate {
		h.process, err = process.New(process.Options{Options: o, Binary: h.options.WorkerBinary})
		if err != nil {
			return err
		}
		h.machine, o.CacheDir = h.process, ""
	}
	if err := h.ownEngine(ctx, o); err != nil {
		return err
	}
	if h.process == nil {
		h.machine = h.engine
	}
	return nil
}

// ownEngine makes an engine that is closed with the Host.
func (h *Host) ownEngine(ctx context.Context, o worker.Options) (err error) {
	if h.own, err = worker.NewEngine(ctx, o); err != nil {
		return err
	}
	h.engine = warehouse.Local{Engine: h.own}
	return nil
}
