package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

type (
	vref     = swing.VRef
	delivery = swing.Delivery[vref]
	syscall  = swing.Syscall[vref]
)

// actor is a vat written in Go: it is handed each message, notify and GC delivery.
type actor func(d delivery, call func(syscall))

// stage is a kernel and its store on disk, with actors for vats and no transcripts:
// what is measured is the kernel's own work, and the store's.
type stage struct {
	*kernel.Kernel
	kv     *kvstore.Store
	files  *vfs.Dir
	clean  func()
	actors map[swing.VatID]actor
	// open is how many cranks the block has that is open.
	open int
	// slowest is the slowest crank of the latest play.
	slowest time.Duration
}

// stageBlockCranks is how many cranks a block has.
const stageBlockCranks = 1000

func newStage(r *Run) (g *stage, err error) {
	dir, clean, err := r.tempDir()
	if err != nil {
		return nil, err
	}
	g = &stage{clean: clean, actors: map[swing.VatID]actor{}}
	if g.files, err = vfs.Open(dir + "/table"); err != nil {
		clean()
		return nil, err
	}
	if g.kv, err = kvstore.Open(kvstore.Options{FS: g.files, NoSync: true}); err != nil {
		return nil, errors.Join(err, g.close())
	}
	l := swing.DefaultLimits()
	l.Syscalls, l.SyscallBytes = 1<<20, 256<<20 // a benchmark's delivery may ask for much
	err = kernel.Init(g.kv, kernel.Options{
		Seed: "bench", Limits: l,
		Schedule: kernel.Schedule{ReapDeliveries: kernel.Never, ReapRefs: kernel.Never},
	})
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	g.Kernel = kernel.New(g.kv, g, nil)
	return g, nil
}

// onStage measures something on a new stage.
func onStage(
	r *Run, do func(g *stage) (time.Duration, error),
) (d time.Duration, err error) {
	g, err := newStage(r)
	if err != nil {
		return 0, err
	}
	d, err = do(g)
	return d, errors.Join(err, g.close())
}

func (g *stage) close() error {
	defer g.clean()
	var err error
	if g.kv != nil {
		err = g.kv.Close()
	}
	return errors.Join(err, g.files.Close())
}

// Discard implements kernel.Vats.
func (*stage) Discard(swing.VatID) {}

// Deliver implements kernel.Vats.
func (g *stage) Deliver(
	_ context.Context, id swing.VatID, _ uint64, b []byte, _ uint64, sys swing.Syscaller,
) (swing.Outcome, error) {
	d, err := swing.DecodeDelivery[vref](b)
	if err != nil || d.Kind == swing.DeliverStartVat {
		return swing.Outcome{Status: swing.StatusOK}, err
	}
	g.actors[id](d, func(s syscall) {
		if _, ok := sys.Syscall(s.Op, swing.AppendRequest(nil, s)); !ok && err == nil {
			err = fmt.Errorf("%s: %v was refused", id, s.Op)
		}
	})
	return swing.Outcome{Status: swing.StatusOK}, err
}

// cast makes a vat of an actor.
func (g *stage) cast(a actor) (swing.VatID, swing.KRef, error) {
	return g.castAs(a, kernel.VatSpec{})
}

func (g *stage) castAs(a actor, s kernel.VatSpec) (swing.VatID, swing.KRef, error) {
	id, root, err := g.CreateVat(g.kv, s)
	if err == nil {
		g.actors[id] = a
	}
	return id, root, err
}

// castMany makes so many vats of an actor.
func (g *stage) castMany(a actor, n int) (roots []swing.KRef, err error) {
	for range n {
		_, root, err := g.cast(a)
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
	}
	return roots, nil
}

// scene sends a vat a message, or as many as it takes to have all the references between
// them, and plays.
func (g *stage) scene(
	ctx context.Context, to swing.KRef, method string, slots ...swing.KRef,
) (time.Duration, error) {
	all := slices.Collect(parts(slots))
	if len(all) == 0 {
		all = [][]swing.KRef{nil}
	}
	for _, part := range all {
		m := swing.Message[swing.KRef]{Method: method}
		m.Args.Slots = part
		if _, err := g.Send(g.kv, to, m, false); err != nil {
			return 0, err
		}
	}
	return g.play(ctx)
}

// play cranks until nothing is left to do, and returns how long that took, blocks
// and checkpoints included.
func (g *stage) play(ctx context.Context) (time.Duration, error) {
	runtime.GC()
	g.slowest = 0
	started := time.Now()
	for before := started; ; {
		report, err := g.Crank(ctx, g.kv)
		if err != nil {
			return 0, err
		}
		if report.Kind == kernel.Delivery && !report.Outcome.OK() {
			return 0, fmt.Errorf("%s %v", report.Vat, report.Outcome)
		}
		now := time.Now()
		g.slowest = max(g.slowest, now.Sub(before))
		if g.open++; g.open >= stageBlockCranks || report.Kind == kernel.Idle {
			if err := g.block(); err != nil {
				return 0, err
			}
			now = time.Now()
		}
		if report.Kind == kernel.Idle {
			return now.Sub(started), nil
		}
		before = now
	}
}

// block ends a block as a Host does, but for the log.
func (g *stage) block() error {
	g.open = 0
	if _, n := g.kv.Changes(nil); n > 0 {
		g.kv.Commit()
	}
	if g.kv.CheckpointDue() {
		return g.kv.Checkpoint()
	}
	return g.kv.Err()
}
