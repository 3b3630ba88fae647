package sim

import (
	"context"
	"errors"
	"slices"
)

// shrinkTriesMax bounds the runs that a Shrink makes.
const shrinkTriesMax = 2_000

// Shrink makes a plan whose run fails smaller, as long as a smaller one fails too: fewer
// faults, fewer messages and deliveries, earlier faults. It returns the smallest that was
// found, and why that fails; of a plan whose run does not fail, the plan and nil.
// Progress is told after each try; nil is nobody.
func Shrink(
	ctx context.Context, s *Scenario, p Plan, progress func(tries int),
) (small Plan, why, err error) {
	k := &shrinker{ctx: ctx, runs: s.Simulator(), smallest: p, progress: progress}
	defer func() { err = errors.Join(err, k.runs.Close(context.WithoutCancel(ctx))) }()
	if !k.try(p) {
		return p, nil, ctx.Err()
	}
	for again := true; again && ctx.Err() == nil; {
		again = k.faults()
		again = k.number(func(p *Plan) *uint64 { return &p.Deliveries }) || again
		k.bound()
		again = k.number(func(p *Plan) *uint64 { return &p.Messages }) || again
		for i := range k.smallest.Faults {
			again = k.moment(i) || again
		}
	}
	return k.smallest, k.why, ctx.Err()
}

// shrinker is a Shrink in progress.
type shrinker struct {
	ctx      context.Context
	runs     *Simulator
	smallest Plan
	why      error // it fails
	tries    int
	progress func(tries int)
}

// try runs a plan, and keeps it if it fails.
func (k *shrinker) try(p Plan) bool {
	if k.tries == shrinkTriesMax {
		return false
	}
	k.tries++
	done, err := k.runs.Simulate(k.ctx, p)
	if k.progress != nil {
		k.progress(k.tries)
	}
	if err != nil || done.Failure == nil {
		return false
	}
	k.smallest, k.why = p, done.Failure
	return true
}

// faults leaves out one fault after the other.
func (k *shrinker) faults() (smaller bool) {
	for i := len(k.smallest.Faults) - 1; i >= 0; i-- {
		p := k.smallest
		p.Faults = slices.Delete(slices.Clone(p.Faults), i, i+1)
		smaller = k.try(p) || smaller
	}
	return smaller
}

// bound gives the messages a bound, where they have none: what the deliveries need.
func (k *shrinker) bound() {
	p := k.smallest
	if p.Messages == 0 {
		p.Messages = p.Deliveries
		k.try(p)
	}
}

// number makes a number smaller that is not 0: by ever smaller steps, while that fails.
func (k *shrinker) number(of func(p *Plan) *uint64) (smaller bool) {
	for step := *of(&k.smallest) / 2; step > 0; {
		p := k.smallest
		p.Faults = slices.Clone(p.Faults)
		if n := of(&p); *n > step {
			if *n -= step; k.try(p) {
				smaller = true
				continue
			}
		}
		step /= 2
	}
	return smaller
}

// moment makes a fault come earlier.
func (k *shrinker) moment(i int) bool {
	at := func(p *Plan) *uint64 { return &p.Faults[i].At }
	return k.number(at)
}

// Events counts what a plan has happen: messages of the workload and faults. Of a workload
// without a bound in messages, deliveries stand for them.
func (p *Plan) Events() uint64 {
	n := p.Deliveries
	if p.Linked {
		n = p.Messages
	} else if p.Messages > 0 {
		n = min(n, p.Messages)
	}
	return n + uint64(len(p.Faults))
}

// Kinds counts the faults of a plan by their kinds.
func (p *Plan) Kinds() map[FaultKind]int {
	n := map[FaultKind]int{}
	for _, f := range p.Faults {
		n[f.Kind]++
	}
	return n
}
