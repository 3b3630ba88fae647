package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// historyDeliveries is the length of a history that is replayed from its start, without
// the suffix.
const historyDeliveries = 200

func bySnapshot(ctx context.Context, r *Run, p Point, rounds int) (kept, error) {
	return byHost(ctx, r, p, rounds, false)
}

func byPause(ctx context.Context, r *Run, p Point, rounds int) (kept, error) {
	return byHost(ctx, r, p, rounds, true)
}

// byHost measures page-ins by a Host that takes a snapshot each time the suffix has its
// length and one, and snapshots by themselves.
func byHost(
	ctx context.Context, r *Run, p Point, rounds int, pause bool,
) (k kept, err error) {
	g, err := newRig(ctx, r, host.Options{
		Limits: bigLimits(), Inline: true, NoSync: true, PauseOnEvict: pause,
		BlockCranks: 4 * (p.Suffix + 2),
		Snapshots:   warehouse.Policy{Initial: 1, Interval: p.Suffix + 1},
	})
	if err != nil {
		return k, err
	}
	if !pause {
		k.replayed = p.Suffix
	}
	_, root, err := g.vat(ctx, "glutton", gluttonKnobs(p.HeapMiB<<20, noiseBytes, p.DirtyPages))
	if err == nil {
		err = g.deliver(ctx, root, "touch", list())
	}
	for range rounds {
		if err == nil {
			err = g.round(ctx, root, p, &k)
		}
	}
	k.resident = resident()
	if err = errors.Join(err, g.close(ctx)); err != nil {
		return k, err
	}
	k.snapshots, err = saves(ctx, r, p, rounds)
	return k, err
}

// round makes the suffix, pages the vat in, and has a snapshot taken at the end of the
// block. What it measured is what was asked for, or it is an error.
func (g *rig) round(ctx context.Context, root swing.KRef, p Point, k *kept) error {
	for range p.Suffix {
		if err := g.SendOnly(ctx, root, host.Message{Method: "touch", Body: list()}); err != nil {
			return err
		}
	}
	if _, err := g.Run(ctx, host.Policy{}); err != nil {
		return err
	}
	if err := g.Evict(ctx, "v1"); err != nil {
		return err
	}
	before, err := g.Stats()
	if err != nil {
		return err
	}
	if err := g.deliver(ctx, root, "touch", list()); err != nil {
		return err
	}
	after, err := g.Stats()
	if err != nil {
		return err
	}
	replayed := after.Vats.Replayed - before.Vats.Replayed
	snapshots := after.Snapshots - before.Snapshots
	if replayed != uint64(k.replayed) || snapshots != 1 {
		return fmt.Errorf("a page-in replayed %d deliveries, want %d, and %d snapshots were taken",
			replayed, k.replayed, snapshots)
	}
	k.pageIns = append(k.pageIns, microseconds(g.last.Delivering))
	k.bytes = append(k.bytes, float64(after.SnapshotBytes-before.SnapshotBytes))
	return nil
}

// saves measures snapshots in a studio.
func saves(ctx context.Context, r *Run, p Point, rounds int) (taken sample, err error) {
	err = inStudio(ctx, r, p, func(s *studio, _ string) error {
		for range rounds {
			d, err := s.progress(ctx, p)
			if err != nil {
				return err
			}
			taken = append(taken, microseconds(d))
		}
		return nil
	})
	return taken, err
}

// inStudio does something in a new studio, and in its directory.
func inStudio(
	ctx context.Context, r *Run, p Point, do func(s *studio, dir string) error,
) error {
	dir, clean, err := r.tempDir()
	if err != nil {
		return err
	}
	defer clean()
	s, err := newStudio(ctx, dir, p.HeapMiB<<20, p.DirtyPages)
	if err != nil {
		return err
	}
	return errors.Join(do(s, dir), s.close(ctx))
}

// progress makes as many deliveries as lie between snapshots and takes one, which is
// what it measures.
func (s *studio) progress(ctx context.Context, p Point) (time.Duration, error) {
	for range p.Suffix + 1 {
		if err := s.touch(ctx); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	_, d, err := s.save(ctx)
	return d, err
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

// byFullCopy measures a warehouse whose snapshots are whole: copied, hashed and written,
// and read back whole.
func byFullCopy(ctx context.Context, r *Run, p Point, rounds int) (k kept, err error) {
	k.replayed = p.Suffix
	o := worker.Options{Limits: bigLimits(), Memory: worker.MemoryCopied}
	e, program, err := compiledBy(ctx, "glutton", o, (*worker.Engine).Compile)
	if err != nil {
		return k, err
	}
	err = inStudio(ctx, r, p, func(s *studio, dir string) error {
		files, err := vfs.Open(dir + "/copies")
		if err != nil {
			return err
		}
		file, err := files.Create("copy")
		if err != nil {
			return errors.Join(err, files.Close())
		}
		for range rounds {
			if err == nil {
				err = s.fullCopy(ctx, p, program, file, &k)
			}
		}
		return errors.Join(err, file.Close(), files.Close())
	})
	return k, errors.Join(err, program.Close(ctx), e.Close(ctx))
}

// fullCopy is one round of that.
func (s *studio) fullCopy(
	ctx context.Context, p Point, program *worker.Program, file vfs.File, k *kept,
) error {
	if _, err := s.progress(ctx, p); err != nil {
		return err
	}
	started := time.Now()
	whole, err := s.copyWhole()
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(whole, 0); err != nil {
		return err
	}
	k.snapshots = append(k.snapshots, microseconds(time.Since(started)))
	k.bytes = append(k.bytes, float64(len(whole)))
	started = time.Now()
	w, err := program.Start(ctx, s.img.Heap(), image{file, s.img.Size()}, swing.Hash{})
	if err != nil {
		return err
	}
	err = touches(ctx, w, p.Suffix+1)
	k.pageIns = append(k.pageIns, microseconds(time.Since(started)))
	k.resident = resident()
	return errors.Join(err, w.Close(ctx))
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

// byNaive measures a warehouse that replays from the start, and that copies and hashes
// the whole memory to know what it is.
func byNaive(ctx context.Context, r *Run, p Point, rounds int) (k kept, err error) {
	k.replayed = historyDeliveries + p.Suffix
	err = inStudio(ctx, r, p, func(s *studio, _ string) error {
		for range rounds {
			started := time.Now()
			if _, err := s.copyWhole(); err != nil {
				return err
			}
			k.snapshots = append(k.snapshots, microseconds(time.Since(started)))
			if err := fromStart(ctx, s.program, p, k.replayed+1, &k); err != nil {
				return err
			}
		}
		return nil
	})
	return k, err
}

// fromStart measures starting a vat anew and making so many deliveries to it.
func fromStart(
	ctx context.Context, program *worker.Program, p Point, deliveries int, k *kept,
) error {
	started := time.Now()
	w, err := program.StartAlone(ctx, swing.Hash{})
	if err != nil {
		return err
	}
	if err = deliverTo(ctx, w, startGlutton(p.HeapMiB<<20, p.DirtyPages)); err == nil {
		err = touches(ctx, w, deliveries)
	}
	k.pageIns = append(k.pageIns, microseconds(time.Since(started)))
	k.resident = resident()
	return errors.Join(err, w.Close(ctx))
}

// byEngine measures the engine alone.
func byEngine(ctx context.Context, _ *Run, p Point, rounds int) (k kept, err error) {
	o := worker.Options{Limits: bigLimits()}
	e, program, err := compiledBy(ctx, "glutton", o, (*worker.Engine).CompileUnmetered)
	if err != nil {
		return k, err
	}
	for range rounds {
		if err == nil {
			err = fromStart(ctx, program, p, 1, &k)
		}
	}
	return k, errors.Join(err, program.Close(ctx), e.Close(ctx))
}
