package bench

import (
	"context"
	"errors"
	"time"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// historyDeliveries is the length of a history that is replayed from its start, without
// the suffix.
const historyDeliveries = 200

// peerKeeper keeps a vat as others do. What it does not need is nil.
type peerKeeper struct {
	point   Point
	studio  *studio
	engine  *worker.Engine
	program *worker.Program
	files   *vfs.Dir
	file    vfs.File
	measure func(ctx context.Context, k *kept) error
	clean   func()
}

func (c *peerKeeper) once(ctx context.Context, k *kept) error { return c.measure(ctx, k) }

func (c *peerKeeper) close(ctx context.Context, _ *kept) error {
	var errs []error
	if c.studio != nil {
		errs = append(errs, c.studio.close(ctx))
	}
	if c.program != nil {
		errs = append(errs, c.program.Close(ctx), c.engine.Close(ctx))
	}
	if c.file != nil {
		errs = append(errs, c.file.Close())
	}
	if c.files != nil {
		errs = append(errs, c.files.Close())
	}
	c.clean()
	return errors.Join(errs...)
}

// newPeer returns a keeper with a studio, or with none.
func newPeer(ctx context.Context, r *Run, p Point, withStudio bool) (*peerKeeper, string, error) {
	dir, clean, err := r.tempDir()
	if err != nil {
		return nil, "", err
	}
	c := &peerKeeper{point: p, clean: clean}
	if withStudio {
		if c.studio, err = newStudio(ctx, dir, p); err != nil {
			return nil, "", errors.Join(err, c.close(ctx, nil))
		}
	}
	return c, dir, nil
}

// byFullCopy is a warehouse whose snapshots are whole: copied, hashed and written, and
// read back whole.
func byFullCopy(ctx context.Context, r *Run, p Point) (keeper, error) {
	c, dir, err := newPeer(ctx, r, p, true)
	if err != nil {
		return nil, err
	}
	c.measure = c.fullCopy
	o := worker.Options{Limits: bigLimits(), Memory: worker.MemoryCopied}
	c.engine, c.program, err = compiledBy(ctx, "glutton", o, (*worker.Engine).Compile)
	if err == nil {
		c.files, err = vfs.Open(dir + "/copies")
	}
	if err == nil {
		c.file, err = c.files.Create("copy")
	}
	if err != nil {
		return nil, errors.Join(err, c.close(ctx, nil))
	}
	return c, nil
}

// copyWhole copies the vat's whole memory and hashes it. The copy is good until the next.
func (s *studio) copyWhole() ([]byte, error) {
	if int64(len(s.whole)) != s.img.Size() {
		s.whole = make([]byte, s.img.Size())
	}
	if _, err := s.img.ReadAt(s.whole, 0); err != nil {
		return nil, err
	}
	swing.Sum("whole memory", s.whole)
	return s.whole, nil
}

// fullCopy is one round of that.
func (c *peerKeeper) fullCopy(ctx context.Context, k *kept) error {
	if _, err := c.studio.progress(ctx, c.point); err != nil {
		return err
	}
	started := time.Now()
	whole, err := c.studio.copyWhole()
	if err != nil {
		return err
	}
	if _, err := c.file.WriteAt(whole, 0); err != nil {
		return err
	}
	k.snapshots = append(k.snapshots, microseconds(time.Since(started)))
	k.bytes = append(k.bytes, float64(len(whole)))
	k.replayed = append(k.replayed, float64(c.point.Suffix))
	return k.weigh(func(weighed func()) error {
		img := image{c.file, c.studio.img.Size()}
		started := time.Now()
		w, err := c.program.Start(ctx, c.studio.img.Heap(), img, swing.Hash{})
		if err != nil {
			return err
		}
		err = touches(ctx, w, c.point.Suffix+1)
		k.pageIns = append(k.pageIns, microseconds(time.Since(started)))
		weighed()
		return errors.Join(err, w.Close(ctx))
	})
}

// touches delivers so many.
func touches(ctx context.Context, w *worker.Worker, n int) error {
	d := touch()
	for range n {
		if err := deliverTo(ctx, w, d); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// byNaive is a warehouse that replays from the start, and that copies and hashes the
// whole memory to know what it is.
func byNaive(ctx context.Context, r *Run, p Point) (keeper, error) {
	c, _, err := newPeer(ctx, r, p, true)
	if err != nil {
		return nil, err
	}
	c.measure = func(ctx context.Context, k *kept) error {
		started := time.Now()
		if _, err := c.studio.copyWhole(); err != nil {
			return err
		}
		k.snapshots = append(k.snapshots, microseconds(time.Since(started)))
		return c.fromStart(ctx, c.studio.program, historyDeliveries+p.Suffix, k)
	}
	return c, nil
}

// fromStart measures starting a vat anew, replaying so many deliveries, and one more.
func (c *peerKeeper) fromStart(
	ctx context.Context, program *worker.Program, replayed int, k *kept,
) error {
	k.replayed = append(k.replayed, float64(replayed))
	return k.weigh(func(weighed func()) error {
		started := time.Now()
		w, err := program.StartAlone(ctx, swing.Hash{})
		if err != nil {
			return err
		}
		start := startGlutton(c.point.HeapMiB<<20, c.point.DirtyPages)
		if err = deliverTo(ctx, w, start); err == nil {
			err = touches(ctx, w, replayed+1)
		}
		k.pageIns = append(k.pageIns, microseconds(time.Since(started)))
		weighed()
		return errors.Join(err, w.Close(ctx))
	})
}

// byEngine is the engine alone.
func byEngine(ctx context.Context, r *Run, p Point) (keeper, error) {
	c, _, err := newPeer(ctx, r, p, false)
	if err != nil {
		return nil, err
	}
	o := worker.Options{Limits: bigLimits()}
	c.engine, c.program, err = compiledBy(ctx, "glutton", o, (*worker.Engine).CompileUnmetered)
	if err != nil {
		return nil, errors.Join(err, c.close(ctx, nil))
	}
	c.measure = func(ctx context.Context, k *kept) error {
		return c.fromStart(ctx, c.program, 0, k)
	}
	return c, nil
}
