package warehouse

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// program is a compiled program and how many paged-in vats run it.
type program struct {
	Program
	users int
}

// pageIn returns the vat with a worker at the end of its transcript.
func (w *Warehouse) pageIn(ctx context.Context, id swing.VatID) (*vat, error) {
	if v, ok := w.vats.Get(id); ok {
		w.evictor.use(id)
		return v, nil
	}
	defer w.begin(id, TaskPageIn)()
	w.evictor.use(id)
	v, err := w.bringIn(ctx, id)
	if err != nil {
		w.evictor.gone(id)
		return nil, err
	}
	return v, w.keepWithin(ctx, v)
}

// bringIn pages in a vat that is not.
func (w *Warehouse) bringIn(ctx context.Context, id swing.VatID) (*vat, error) {
	if err := w.makeRoom(ctx); err != nil {
		return nil, err
	}
	s, v := w.takeOver(id)
	var err error
	if s == nil {
		if s, err = w.prepare(ctx, id, w.compiled); err != nil {
			return nil, err
		}
	}
	if v == nil {
		if v, err = w.run(ctx, s); err != nil {
			w.giveUp(s)
			return nil, err
		}
	}
	w.stats.Replayed += s.replayed
	v.snapshot, v.account = s.snapshot, w.account(id)
	if v.saved <= v.snapshot {
		v.account.behind = work{}
	}
	v.account.rent += w.delayOf(v)
	if i := w.dueAt(id); i >= 0 {
		v.snapshot, v.paused = max(v.snapshot, w.due[i].paused), w.due[i].paused > 0
	}
	if v.paused { // what its image holds will be in the snapshot
		v.account.behind, v.account.rent = work{}, 0
	}
	w.follow(v)
	v.account.stays++
	w.vats.Add(id, v)
	w.stats.PageIns++
	w.grown(v)
	if _, err := w.noteDue(v, delivered); err != nil {
		return nil, errors.Join(err, w.drop(ctx, v))
	}
	return v, nil
}

// start is all it takes to start a vat's worker, at its owner's or beside it.
type start struct {
	id       swing.VatID
	program  *program
	seed     swing.Hash
	limits   swing.Limits
	life     Life
	pages    []uint32 // to be made ready before the replay
	snapshot uint64   // how far its latest snapshot reaches
	replayed uint64   // entries, by catchUp
}

// prepare finds what it takes to start a vat's worker. It is given up with giveUp, or
// its worker runs.
func (w *Warehouse) prepare(
	ctx context.Context, id swing.VatID,
	compiled func(context.Context, programKey) (*program, error),
) (*start, error) {
	code, seed, err := w.source.Program(id)
	if err != nil {
		return nil, err
	}
	yields := w.options.Yields != nil && w.options.Yields(id)
	p, err := compiled(ctx, programKey{code, yields})
	if err != nil {
		return nil, err
	}
	life, err := w.source.Life(ctx, id, p.Program)
	if err != nil {
		return nil, err
	}
	p.users++
	return &start{
		id: id, program: p, seed: seed, limits: w.engine.Limits(), life: life,
		pages: w.takeFootprint(id, life.Position), snapshot: life.Snapshot,
	}, nil
}

// giveUp lets go of what prepare has found.
func (w *Warehouse) giveUp(s *start) {
	s.program.users--
	s.life.Image.Release()
}

// run makes the worker and replays what comes after its heap, in its turn.
func (w *Warehouse) run(ctx context.Context, s *start) (*vat, error) {
	v, err := s.make(ctx)
	if err != nil {
		return nil, err
	}
	end := w.begin(s.id, TaskReplay)
	err = s.catchUp(ctx, v)
	if s.replayed == 0 {
		w.spending.task = TaskPageIn // there was nothing to replay
	}
	end()
	return v, err
}

// make makes the worker. As catchUp, it touches nothing of the Warehouse's.
func (s *start) make(ctx context.Context) (*vat, error) {
	running, err := s.program.Start(ctx, s.life.Heap, s.life.Image, s.seed)
	if err != nil {
		return nil, err
	}
	return &vat{
		id: s.id, worker: running, program: s.program, image: s.life.Image,
		at: s.life.Position, saved: s.life.Position, start: s.life.Start,
	}, nil
}

// catchUp replays what comes after a vat's heap; if it fails the worker is gone.
func (s *start) catchUp(ctx context.Context, v *vat) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, v.worker.Close(ctx))
		}
	}()
	if p, can := v.worker.(prefetcher); can && len(s.pages) > 0 {
		if err := p.Prefetch(s.pages); err != nil {
			return err
		}
	}
	var r transcript.Replayer
	for entry, err := range s.life.Entries {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = v.replay(ctx, entry, s.limits, &r)
		}
		if err != nil {
			return err
		}
		s.replayed++
	}
	return nil
}

// replay delivers an entry again and compares. An entry that took no effect
// when it was recorded is passed over.
func (v *vat) replay(
	ctx context.Context, e transcript.Entry, limits swing.Limits, r *transcript.Replayer,
) error {
	if e.Outcome.OK() {
		r.Begin(e)
		out, err := v.worker.Deliver(ctx, e.Delivery, e.Budget(limits), r, nil)
		if err != nil {
			return fmt.Errorf("replay position %d: %w", e.Position, err)
		}
		if err := r.Finish(out); err != nil {
			var d *transcript.DivergenceError
			if errors.As(err, &d) {
				d.Vat = v.id
			}
			return err
		}
		v.unsaved = v.unsaved.plus(workOf(e))
	}
	v.at = e.Position + 1
	return nil
}

// makeRoom evicts until one more vat fits by count.
func (w *Warehouse) makeRoom(ctx context.Context) error {
	for w.vats.Len() >= w.options.MaxPagedIn {
		if evicted, err := w.evictOne(ctx, ""); err != nil || !evicted {
			return err
		}
	}
	return nil
}

// keepWithin evicts others until what is paged in fits by bytes, if it can.
func (w *Warehouse) keepWithin(ctx context.Context, v *vat) error {
	for w.full() {
		if evicted, err := w.evictOne(ctx, v.id); err != nil || !evicted {
			return err
		}
	}
	return nil
}

// full reports whether paged-in memory exceeds its limit.
func (w *Warehouse) full() bool {
	return w.options.MaxBytes > 0 && w.stats.PagedBytes > w.options.MaxBytes
}

// compiled returns a compiled program, and drops the least recently used ones
// that nobody runs beyond the limit.
func (w *Warehouse) compiled(ctx context.Context, key programKey) (*program, error) {
	if p, ok := w.programs.Get(key); ok {
		return p, nil
	}
	defer w.begin("", TaskCompile)()
	module, err := w.source.Code(key.code)
	if err != nil {
		return nil, err
	}
	compile := w.engine.Compile
	if key.yields {
		compile = w.engine.CompileYielding
	}
	compiled, err := compile(ctx, module)
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", key.code.Short(), err)
	}
	p := &program{Program: compiled}
	w.programs.Add(key, p)
	return p, w.trimPrograms(ctx, key)
}

func (w *Warehouse) trimPrograms(ctx context.Context, except programKey) error {
	for _, key := range w.programs.Keys() {
		if w.programs.Len() <= w.options.MaxPrograms {
			return nil
		}
		if p, ok := w.programs.Peek(key); ok && p.users == 0 && key != except {
			w.programs.Remove(key)
			if err := p.Close(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Warehouse) closePrograms(ctx context.Context) error {
	var errs []error
	for _, p := range w.programs.Values() {
		errs = append(errs, p.Close(ctx))
	}
	w.programs.Purge()
	return errors.Join(errs...)
}

// Program returns the compiled program of that code, for whoever must know it
// before there is a vat of it.
func (w *Warehouse) Program(ctx context.Context, code swing.Hash) (Program, error) {
	p, err := w.compiled(ctx, programKey{code: code})
	if err != nil {
		w.lose(err)
		return nil, err
	}
	return p.Program, nil
}
