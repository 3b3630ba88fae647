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
	warehouse.Local
	programs map[swing.Hash]*lastingProgram // by the hash of their code
	grant    func(bytes uint64) error       // of the life under way; nil grants all
}

func newMachine(ctx context.Context, compiled bool) (*machine, error) {
	m := &machine{programs: map[swing.Hash]*lastingProgram{}}
	engine, err := worker.NewEngine(ctx, worker.Options{
		Interpreter: !compiled, Limits: swing.DefaultLimits(), Grant: m.granted,
	})
	m.Local = warehouse.Local{Engine: engine}
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
	hash := worker.CodeHash(code)
	if p := m.programs[hash]; p != nil {
		return p, nil
	}
	p, err := m.Local.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	m.programs[hash] = &lastingProgram{p}
	return m.programs[hash], nil
}

// lastingProgram is a program that stays compiled when a warehouse gives it up.
type lastingProgram struct{ warehouse.Program }

// Close implements warehouse.Program.
func (*lastingProgram) Close(context.Context) error { return nil }

func (m *machine) close(ctx context.Context) error {
	var errs []error
	for _, p := range m.programs {
		errs = append(errs, p.Program.Close(ctx))
	}
	return errors.Join(append(errs, m.Engine.Close(ctx))...)
}

// Simulator simulates runs of a scenario, one after the other. Close it in the end.
type Simulator struct {
	s        *Scenario
	machines map[bool]*machine // with compiled programs, and with interpreted ones
}

// Simulator returns one for the scenario.
func (s *Scenario) Simulator() *Simulator {
	return &Simulator{s: s, machines: map[bool]*machine{}}
}

// machine returns the one that compiles programs, or interprets them.
func (r *Simulator) machine(ctx context.Context, compiled bool) (*machine, error) {
	if m := r.machines[compiled]; m != nil {
		return m, nil
	}
	m, err := newMachine(ctx, compiled)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	r.machines[compiled] = m
	return m, nil
}

// Close gives up what the runs have shared.
func (r *Simulator) Close(ctx context.Context) error {
	var errs []error
	for _, m := range r.machines {
		errs = append(errs, m.close(ctx))
	}
	return errors.Join(errs...)
}
