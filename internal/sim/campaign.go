package sim

import (
	"context"
	"errors"
	"sync"
)

// Campaign says which runs are simulated: those of the seeds from First on.
type Campaign struct {
	First uint64
	Runs  int
	Jobs  int // runs at a time
	// Deliveries is how many a run makes at most; 0 leaves it to Draw.
	Deliveries uint64
	// Linked has the runs be of two linked kernels, of any length that is drawn.
	Linked bool
	// Progress is told after each run how many there were; nil is nobody.
	Progress func(runs int)
}

// Campaigned is what came of a campaign.
type Campaigned struct {
	Runs int
	// Cranks and Replayed are sums of those of the runs.
	Cranks, Replayed uint64
	// Planned and Reached count the faults of each kind, Marks what came of them.
	Planned, Reached map[FaultKind]int
	Marks            map[Mark]int
	// Failed is the run that failed, of several the one with the smallest seed; nil is none.
	Failed *FailedRun
}

// FailedRun is a run that did what must not be.
type FailedRun struct {
	Seed uint64
	Plan Plan
	Err  error
}

// Campaign simulates runs of a scenario until one fails. What each does depends on its
// seed alone. The error is that of ctx, beside what was found until then.
func (s *Scenario) Campaign(ctx context.Context, c Campaign) (Campaigned, error) {
	k := &campaign{s: s, c: c, out: Campaigned{
		Planned: map[FaultKind]int{}, Reached: map[FaultKind]int{}, Marks: map[Mark]int{},
	}}
	var wg sync.WaitGroup
	errs := make([]error, c.Jobs)
	for i := range c.Jobs {
		wg.Go(func() { errs[i] = k.work(ctx) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return k.out, ctx.Err()
	}
	return k.out, errors.Join(errs...)
}

// Plan draws the plan of a seed.
func (c *Campaign) Plan(s *Scenario, seed uint64) Plan {
	if c.Linked {
		return s.DrawLinked(seed)
	}
	return s.Draw(seed, c.Deliveries)
}

// campaign is a Campaign in progress.
type campaign struct {
	s *Scenario
	c Campaign

	mu   sync.Mutex
	next int // run
	out  Campaigned
}

// work simulates runs, one after the other, until there are no more.
func (k *campaign) work(ctx context.Context) (err error) {
	r := k.s.Simulator()
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	for {
		seed, ok := k.take()
		if !ok {
			return nil
		}
		p := k.c.Plan(k.s, seed)
		done, err := r.Simulate(ctx, p)
		if err != nil {
			return err
		}
		k.add(seed, p, done)
	}
}

// take returns the seed of the next run.
func (k *campaign) take() (seed uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == k.c.Runs || k.out.Failed != nil {
		return 0, false
	}
	k.next++
	return k.c.First + uint64(k.next-1), true
}

// add counts a run.
func (k *campaign) add(seed uint64, p Plan, done Simulated) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.out.Runs++
	k.out.Cranks += done.Cranks
	k.out.Replayed += done.Replayed
	for kind, n := range p.Kinds() {
		k.out.Planned[kind] += n
	}
	for kind, n := range done.Reached {
		k.out.Reached[kind] += n
	}
	for mark, n := range done.Marks {
		k.out.Marks[mark] += n
	}
	if failed := k.out.Failed; done.Failure != nil && (failed == nil || seed < failed.Seed) {
		k.out.Failed = &FailedRun{seed, p, done.Failure}
	}
	if k.c.Progress != nil {
		k.c.Progress(k.out.Runs)
	}
}
