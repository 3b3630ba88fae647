package sim

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// machine runs the vats of simulated runs, one run after the other: one engine for all
// openings, in which each program is compiled once.
type machine struct {
	*warehouse.Lasting
	grant func(bytes uint64) error // of the life under way; nil grants all

	// The loss of all workers that is due, as when their process dies: in the request to
	// them of that number, of which 0 is none. During a delivery it comes before the
	// syscall of number loseSyscall, from 0, or else at the delivery's end.
	loseAt, requests uint64
	loseSyscall      int
	lost             *warehouse.LostError // that came
}

func newMachine(ctx context.Context, compiled bool) (*machine, error) {
	m := &machine{}
	engine, err := worker.NewEngine(ctx, worker.Options{
		Interpreter: !compiled, Limits: swing.DefaultLimits(), Grant: m.granted,
	})
	m.Lasting = warehouse.NewLasting(engine)
	return m, err
}

// granted is asked whether a vat gets memory.
func (m *machine) granted(bytes uint64) error {
	if m.grant == nil {
		return nil
	}
	return m.grant(bytes)
}

// Compile implements warehouse.Engine.
func (m *machine) Compile(ctx context.Context, code []byte) (warehouse.Program, error) {
	p, err := m.Lasting.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	return mortalProgram{p, m}, nil
}

// mortalProgram is a program whose workers the machine can lose.
type mortalProgram struct {
	warehouse.Program
	m *machine
}

// Start implements warehouse.Program.
func (p mortalProgram) Start(
	ctx context.Context, heap swing.Heap, img worker.Image, seed swing.Hash,
) (warehouse.Worker, error) {
	if p.m.due() {
		return nil, p.m.lose()
	}
	w, err := p.Program.Start(ctx, heap, img, seed)
	if err != nil {
		return nil, err
	}
	return &mortalWorker{w, p.m, p.m.lost}, nil
}

// undisturbed has the machine grant all memory and lose no workers.
func (m *machine) undisturbed() {
	m.grant, m.loseAt, m.requests, m.loseSyscall, m.lost = nil, 0, 0, 0, nil
}

// armed has a fault come, if it is one of the machine, and returns whether memory was
// refused.
func (m *machine) armed(f *PlannedFault) (refused *bool) {
	refused = new(bool)
	switch f.Kind {
	case FaultWorker:
		m.loseAt, m.loseSyscall = f.At, int(f.Draw%loseSyscalls)
	case FaultMemory:
		asked := uint64(0)
		m.grant = func(uint64) error {
			if asked++; asked != f.At {
				return nil
			}
			*refused = true
			return errNoMemory
		}
	}
	return refused
}

// loseSyscalls bounds the syscalls that are made of a delivery during which workers are lost.
const loseSyscalls = 4

// due counts a request, and reports whether the loss comes in it.
func (m *machine) due() bool {
	m.requests++
	return m.requests == m.loseAt
}

// lose loses all workers there are.
func (m *machine) lose() error {
	m.lost = &warehouse.LostError{Why: "the simulation has ended it"}
	return m.lost
}

// mortalWorker is a worker that is gone when the machine has lost its workers since it was
// started.
type mortalWorker struct {
	warehouse.Worker
	m     *machine
	since *warehouse.LostError // the loss before it was started
}

// gone returns the loss that the worker has suffered, or now suffers.
func (w *mortalWorker) gone() error {
	if w.m.lost != w.since {
		return w.m.lost
	}
	if w.m.due() {
		return w.m.lose()
	}
	return nil
}

// Deliver implements warehouse.Worker. The loss comes in the middle of it.
func (w *mortalWorker) Deliver(
	ctx context.Context, delivery []byte, fuel uint64, sys swing.Syscaller, log worker.LogFunc,
) (swing.Outcome, error) {
	if w.m.lost != w.since {
		return swing.Outcome{}, w.m.lost
	}
	if !w.m.due() {
		return w.Worker.Deliver(ctx, delivery, fuel, sys, log)
	}
	cut := &cutSyscaller{sys, w.m.loseSyscall}
	if _, err := w.Worker.Deliver(ctx, delivery, fuel, cut, log); err != nil {
		return swing.Outcome{}, err
	}
	return swing.Outcome{}, w.m.lose()
}

// cutSyscaller answers so many syscalls, and ends the delivery at the next.
type cutSyscaller struct {
	swing.Syscaller
	left int
}

// Syscall implements swing.Syscaller.
func (c *cutSyscaller) Syscall(op swing.Op, request []byte) (answer []byte, ok bool) {
	if c.left == 0 {
		return nil, false
	}
	c.left--
	return c.Syscaller.Syscall(op, request)
}

// Capture implements warehouse.Worker.
func (w *mortalWorker) Capture(ctx context.Context) (worker.Capture, error) {
	if err := w.gone(); err != nil {
		return worker.Capture{}, err
	}
	return w.Worker.Capture(ctx)
}

// Rebase implements warehouse.Worker.
func (w *mortalWorker) Rebase(img worker.Image) error {
	if err := w.gone(); err != nil {
		return err
	}
	return w.Worker.Rebase(img)
}

// Simulator simulates runs of a scenario, one after the other. Close it in the end.
type Simulator struct {
	s        *Scenario
	machines map[machineKey]*machine
}

// machineKey says whether programs are compiled, or interpreted, and for which of two linked
// kernels.
type machineKey struct {
	compiled bool
	side     int
}

// Simulator returns one for the scenario.
func (s *Scenario) Simulator() *Simulator {
	return &Simulator{s: s, machines: map[machineKey]*machine{}}
}

// machine returns the one of a key, which does not fail.
func (r *Simulator) machine(ctx context.Context, key machineKey) (*machine, error) {
	m := r.machines[key]
	if m == nil {
		var err error
		if m, err = newMachine(ctx, key.compiled); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		r.machines[key] = m
	}
	m.undisturbed()
	return m, nil
}

// Close gives up what the runs have shared.
func (r *Simulator) Close(ctx context.Context) error {
	var errs []error
	for _, m := range r.machines {
		errs = append(errs, m.Close(ctx))
	}
	return errors.Join(errs...)
}
