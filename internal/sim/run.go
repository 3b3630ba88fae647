package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// ErrOther is returned for a directory that another scenario made, or none.
var ErrOther = errors.New("made by another scenario")

// RunOptions are what a Run may be told beside the scenario.
type RunOptions struct {
	// Deliveries takes the place of the scenario's length in deliveries; 0 leaves it.
	Deliveries uint64
	// Hold and Unhold name vats whose deliveries are kept back, or let go, before
	// anything else. That is observable.
	Hold, Unhold []string
}

// Result is what a Run did, and where the scenario stands.
type Result struct {
	Status
	// Created says that the vats were made by this Run.
	Created bool
	// Nothing says that the scenario had ended already, and nothing was done.
	Nothing bool
}

// drainDeliveriesMax bounds what the vats may still do among themselves, once the
// scenario is over, before they are asked for the audit.
const drainDeliveriesMax = 1 << 20

// run is a Run in progress.
type run struct {
	h     *host.Host
	s     *Scenario
	roots []swing.KRef
	// things are devices and meters.
	things []swing.KRef
	steps  uint64 // whose messages are sent
	done   uint64 // deliveries, of all time
	until  uint64 // deliveries; 0 is no bound
	drain  uint64 // drainDeliveriesMax, but for tests
	over   func() // called when all is quiet, before the audit; nil is nothing
}

// Run creates the scenario's vats in a new directory, or continues where it
// stopped, and runs to its end, or until ctx is cancelled. Everything up to the
// last crank is durable when it returns, whatever it returns.
//
// What is sent depends on the directory's state alone, so the activityhash is the
// same whatever the host's private options, and however often the run was stopped
// or killed in between. An [ErrOther] directory is left as it is.
func Run(ctx context.Context, h *host.Host, s *Scenario, o RunOptions) (Result, error) {
	r := &run{h: h, s: s, until: s.Length.Deliveries, drain: drainDeliveriesMax}
	if o.Deliveries > 0 {
		r.until = o.Deliveries
	}
	return r.run(ctx, o)
}

// run is Run, with its limits set. The status is read from the notes at the end,
// not from r: what a caller is told is what a later process will find.
func (r *run) run(ctx context.Context, o RunOptions) (out Result, err error) {
	err = r.start(ctx, &out)
	if err == nil {
		err = r.holdBack(ctx, o)
	}
	before := r.done
	if err == nil {
		err = r.finishAudit(ctx)
	}
	if err == nil {
		err = r.work(ctx)
	}
	if err == nil {
		err = r.audit(ctx)
	}
	out.Status = r.s.status()
	if err != nil && ctx.Err() == nil {
		return out, err
	}
	status, statusErr := ReadStatus(r.h)
	if err != nil && errors.Is(statusErr, host.ErrNotFound) {
		return out, err // interrupted before there was anything
	}
	out.Status = status
	out.Nothing = err == nil && !out.Created && r.done == before
	return out, errors.Join(err, statusErr)
}

// start finds the directory's place in the script, or makes the vats.
func (r *run) start(ctx context.Context, out *Result) error {
	stats, err := r.h.Stats()
	if err != nil {
		return err
	}
	r.done = stats.Kernel.Deliveries
	if err := r.s.fits(r.h.Options().Limits); err != nil {
		return err
	}
	was, ok, err := read(r.h, noteScenario, decodeMade)
	switch {
	case err != nil:
		return err
	case !ok && stats.Kernel.Vats > 0:
		return fmt.Errorf("%w: it has %d vats, and no scenario is noted",
			ErrOther, stats.Kernel.Vats)
	case !ok:
		out.Created = true
		return r.create(ctx)
	case was.identity != r.s.Identity():
		return fmt.Errorf("%w: by %s with seed %q (%s), not %s with seed %q (%s)", ErrOther,
			was.name, was.seed, was.identity.Short(), r.s.Name, r.s.Seed, r.s.Identity().Short())
	}
	if r.roots, ok, err = read(r.h, noteRoots, decodeRefs); err == nil && !ok {
		err = fmt.Errorf("%w: %s: there is none", ErrNote, noteRoots)
	}
	vats := len(r.s.members)
	if err == nil && len(r.roots) != vats+len(r.s.things) {
		err = fmt.Errorf("%w: %s: %d references of %d vats, devices and meters", ErrNote, noteRoots,
			len(r.roots), vats+len(r.s.things))
	}
	if err == nil {
		r.roots, r.things = r.roots[:vats], r.roots[vats:]
		r.steps, _, err = read(r.h, noteSteps, decodeSteps)
	}
	return err
}

// create makes the vats. They and the notes are in one block: either all of it
// becomes durable, or nothing.
func (r *run) create(ctx context.Context) error {
	if seed := r.h.Options().Seed; seed != r.s.Seed {
		return fmt.Errorf("%w: the host was opened with seed %q, the scenario's is %q",
			ErrOther, seed, r.s.Seed)
	}
	var codes []swing.Hash
	for _, p := range r.s.programs {
		code, err := r.h.Install(ctx, p.code)
		if err != nil {
			return fmt.Errorf("program %s: %w", p.name, err)
		}
		codes = append(codes, code)
	}
	var err error
	if r.things, err = r.makeThings(ctx); err != nil {
		return err
	}
	var m message
	sc := &scope{draw: new(draw)}
	for i, vat := range r.s.members {
		r.s.fillStart(&m, sc, i)
		spec := r.vatSpec(vat)
		spec.Code, spec.Body, spec.Slots = codes[vat.group.program], m.body, r.refs(m.slots)
		_, root, err := r.h.CreateVat(ctx, spec)
		if err != nil {
			return err
		}
		r.roots = append(r.roots, root)
	}
	note := made{r.s.Name, r.s.Seed, r.s.Identity(), r.s.Text}
	return errors.Join(
		r.h.SetNote(ctx, noteScenario, note.encode()),
		r.h.SetNote(ctx, noteRoots, encodeRefs(slices.Concat(r.roots, r.things))),
		r.h.SetNote(ctx, noteSteps, encodeSteps(0)),
	)
}

// refs returns the roots of vats, and the things, that slots stand for.
func (r *run) refs(slots []int) (refs []swing.KRef) {
	for _, s := range slots {
		if s < 0 {
			refs = append(refs, r.things[-1-s])
			continue
		}
		refs = append(refs, r.roots[s])
	}
	return refs
}

// holdBack keeps back, or lets go, what the caller says. A vat that is held
// already stays so.
func (r *run) holdBack(ctx context.Context, o RunOptions) error {
	for _, name := range o.Hold {
		v, err := r.h.Vat(name)
		if err == nil && !v.Held {
			err = r.h.Hold(ctx, v.ID)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range o.Unhold {
		v, err := r.h.Vat(name)
		if err == nil && v.Held {
			err = r.h.Unhold(ctx, v.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// work takes step after step until the length is reached or there are no more.
func (r *run) work(ctx context.Context) error {
	for {
		quiet, err := r.quiet(ctx, r.until)
		if err != nil || !quiet {
			return err
		}
		timed := r.s.clock.step == 0
		more, err := r.s.step(r.steps, func(m *message) error {
			if !timed {
				timed = true
				if err := r.h.SetTime(ctx, r.s.clock.at(r.steps)); err != nil {
					return err
				}
			}
			return r.h.SendOnly(ctx, r.roots[m.target], r.message(m))
		})
		if err != nil || !more {
			return err
		}
		r.steps++
		if err := r.h.SetNote(ctx, noteSteps, encodeSteps(r.steps)); err != nil {
			return err
		}
	}
}

func (r *run) message(m *message) host.Message {
	return host.Message{Method: m.method, Body: m.body, Slots: r.refs(m.slots)}
}

// quiet runs until all queues are empty, and reports whether they are, or until
// so many deliveries have been made in all; 0 is no bound.
func (r *run) quiet(ctx context.Context, until uint64) (bool, error) {
	p := host.Policy{}
	if until > 0 {
		if r.done >= until {
			return false, nil
		}
		p.Deliveries = until - r.done
	}
	ran, err := r.h.Run(ctx, p)
	r.done += ran.Deliveries
	return ran.Idle, err
}
