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
		errs = append(errs, m.Close(ctx))
	}
	return errors.Join(errs...)
}
