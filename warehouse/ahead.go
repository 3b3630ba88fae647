package warehouse

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"vatwarehouse/swing"
)

// A vat whose turn comes soon is started and replayed by another goroutine while the vats
// before it run. All that this takes, its program, image and entries, is found by the
// Warehouse's owner first; until the worker is handed over, nobody else touches it.

// future is a vat that is begun ahead of its turn. It has no part in the limits, evictions
// and snapshots until it is taken.
type future struct {
	*start
	ctx    context.Context
	cancel context.CancelFunc
	// claimed says that somebody runs it, or never will.
	claimed atomic.Bool
	done    chan struct{} // closed once what follows is set
	vat     *vat          // nil if it failed
	panic   any
}

// futures are those begun, and who runs them.
type futures struct {
	byVat map[swing.VatID]*future
	// queue has what nobody has claimed yet, in the order of their turns, and some that
	// were given up. nil is: no runner was started.
	queue   chan *future
	runners sync.WaitGroup
}

// errNotCompiled keeps a program from being compiled ahead.
var errNotCompiled = errors.New("the program is not compiled")

// Ahead is told which vats will be delivered next, the first one at once. Those after it
// that are not paged in are started and replayed in the background, at most Options.Ahead
// at a time; what was begun of vats that are not named is given up. A page-in takes over
// what was begun. What fails is begun anew by the page-in, which then tells why.
func (w *Warehouse) Ahead(ctx context.Context, next []swing.VatID) {
	for id := range w.futures.byVat {
		if !slices.Contains(next, id) {
			w.forsake(id)
		}
	}
	for i, id := range next {
		if len(w.futures.byVat) >= w.options.Ahead {
			return
		}
		if i > 0 && w.futures.byVat[id] == nil && !w.vats.Contains(id) {
			w.beginAhead(ctx, id)
		}
	}
}

// beginAhead begins to page a vat in, if its program is compiled already.
func (w *Warehouse) beginAhead(ctx context.Context, id swing.VatID) {
	w.futures.run(w.options.Ahead)
	if len(w.futures.queue) == cap(w.futures.queue) {
		return
	}
	s, err := w.prepare(ctx, id, func(_ context.Context, key programKey) (*program, error) {
		if p, ok := w.programs.Get(key); ok {
			return p, nil
		}
		return nil, errNotCompiled
	})
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &future{start: s, ctx: ctx, cancel: cancel, done: make(chan struct{})}
	w.futures.byVat[id] = f
	w.futures.queue <- f
}

// run starts the runners, if there are none: one for each processor that the owner leaves.
func (fs *futures) run(ahead int) {
	if fs.queue != nil {
		return
	}
	fs.queue = make(chan *future, 2*ahead)
	for range min(ahead, max(1, runtime.GOMAXPROCS(0)-1)) {
		fs.runners.Go(func() {
			for f := range fs.queue {
				if f.claimed.CompareAndSwap(false, true) {
					f.run()
				}
			}
		})
	}
}

// stop ends the runners.
func (fs *futures) stop() {
	if fs.queue != nil {
		close(fs.queue)
		fs.runners.Wait()
		fs.queue = nil
	}
}

func (f *future) run() {
	defer close(f.done)
	defer func() { f.panic = recover() }()
	v, err := f.make(f.ctx)
	if err == nil && f.catchUp(f.ctx, v) == nil {
		f.vat = v
	}
}

// take takes a future out once it is ready, and returns its vat, nil if it failed. If
// nobody runs it yet, nobody will, and ran is false. What has panicked in the background
// does so here.
func (w *Warehouse) take(f *future) (v *vat, ran bool) {
	delete(w.futures.byVat, f.id)
	defer f.cancel()
	if f.claimed.CompareAndSwap(false, true) {
		return nil, false
	}
	<-f.done
	if f.panic != nil {
		panic(f.panic)
	}
	return f.vat, true
}

// takeOver returns what was begun ahead of a vat, or nil, and the vat if it is ready.
func (w *Warehouse) takeOver(id swing.VatID) (*start, *vat) {
	f := w.futures.byVat[id]
	if f == nil {
		return nil, nil
	}
	v, ran := w.take(f)
	if ran && v == nil {
		w.giveUp(f.start)
		return nil, nil
	}
	if ran {
		w.stats.Ahead++
	}
	return f.start, v
}

// forsake gives up what was begun ahead of a vat, if anything was.
func (w *Warehouse) forsake(id swing.VatID) {
	f := w.futures.byVat[id]
	if f == nil {
		return
	}
	f.cancel()
	if v, _ := w.take(f); v != nil {
		if err := v.worker.Close(context.Background()); err != nil {
			panic(fmt.Sprintf("warehouse: give up what was begun of vat %s: %v", id, err))
		}
	}
	w.giveUp(f.start)
}

// forsakeAll gives up all that was begun.
func (w *Warehouse) forsakeAll() { w.Ahead(context.Background(), nil) }
