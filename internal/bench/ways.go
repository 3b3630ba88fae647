package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// warehouseKeeper keeps a vat in a Host.
type warehouseKeeper struct {
	*rig
	point  Point
	root   swing.KRef
	studio *studio // for the time of snapshots; nil: it is not measured
	clean  func()  // of the studio's directory

	// Each page-in replays so many deliveries, and each block takes one snapshot, or
	// the way says itself what it does.
	counted bool
	replays uint64
	weighed func() // to be called when the vat has run
}

// bySnapshot has a snapshot taken each time the suffix has its length and one.
func bySnapshot(ctx context.Context, r *Run, p Point) (keeper, error) {
	k := &warehouseKeeper{point: p, counted: true, replays: uint64(p.Suffix)}
	if err := k.open(ctx, r, host.Options{Snapshots: everySuffix(p)}); err != nil {
		return nil, err
	}
	dir, clean, err := r.tempDir()
	if err == nil {
		if k.studio, err = newStudio(ctx, dir, p); err != nil {
			clean()
		}
		k.clean = clean
	}
	if err != nil {
		return nil, errors.Join(err, k.rig.close(ctx))
	}
	return k, nil
}

func everySuffix(p Point) warehouse.Policy {
	return warehouse.Policy{Initial: 1, Interval: p.Suffix + 1}
}

// byPause does the same, but an evicted vat's memory is saved.
func byPause(ctx context.Context, r *Run, p Point) (keeper, error) {
	k := &warehouseKeeper{point: p, counted: true}
	return k, k.open(ctx, r, host.Options{Snapshots: everySuffix(p), PauseOnEvict: true})
}

// byEvictionSnapshots has a snapshot taken of what is evicted.
func byEvictionSnapshots(ctx context.Context, r *Run, p Point) (keeper, error) {
	k := &warehouseKeeper{point: p}
	return k, k.open(ctx, r, host.Options{Snapshots: warehouse.Policy{Rule: warehouse.OnEvict}})
}

// byCost has snapshots taken when they pay.
func byCost(ctx context.Context, r *Run, p Point) (keeper, error) {
	k := &warehouseKeeper{point: p}
	return k, k.open(ctx, r, host.Options{Snapshots: warehouse.Policy{Rule: warehouse.ByCost}})
}

// open makes the Host and the vat.
func (k *warehouseKeeper) open(ctx context.Context, r *Run, o host.Options) (err error) {
	o.Limits, o.Inline, o.NoSync = bigLimits(), true, true
	o.BlockCranks = 4 * (k.point.Suffix + 2)
	o.Detector, o.Memory = k.point.Detector, k.point.Memory
	o.Uncompressed = k.point.Compression == CompressionNone
	o.Prefetch = k.point.Prefetch == PrefetchOn
	k.weighed = func() {}
	o.Observer.Crank = func(host.Crank) { k.weighed() }
	if k.rig, err = newRig(ctx, r, o); err != nil {
		return err
	}
	knobs := gluttonKnobs(k.point.HeapMiB<<20, noiseBytes, k.point.DirtyPages)
	if _, k.root, err = k.vat(ctx, "glutton", knobs); err == nil {
		err = k.deliver(ctx, k.root, "touch", list())
	}
	if err != nil {
		return errors.Join(err, k.rig.close(ctx))
	}
	return nil
}

// once makes the suffix, evicts the vat and pages it in again; a snapshot that is due is
// taken at the end of the block. What it measured is what was asked for, or it is an
// error.
func (k *warehouseKeeper) once(ctx context.Context, m *kept) error {
	for range k.point.Suffix {
		if err := k.SendOnly(ctx, k.root, host.Message{Method: "touch", Body: list()}); err != nil {
			return err
		}
	}
	before, err := k.Stats()
	if err != nil {
		return err
	}
	if _, err := k.Run(ctx, host.Policy{}); err != nil {
		return err
	}
	started := time.Now()
	if err := k.Evict(ctx, "v1"); err != nil {
		return err
	}
	m.evictions = append(m.evictions, microseconds(time.Since(started)))
	err = m.weigh(func(weighed func()) error {
		k.weighed = weighed
		return k.deliver(ctx, k.root, "touch", list())
	})
	k.weighed = func() {}
	if err != nil {
		return err
	}
	after, err := k.Stats()
	if err != nil {
		return err
	}
	replayed := after.Vats.Replayed - before.Vats.Replayed
	snapshots := after.Snapshots - before.Snapshots
	if k.counted && (replayed != k.replays || snapshots != 1) {
		return fmt.Errorf("a page-in replayed %d deliveries, want %d, and %d snapshots were taken",
			replayed, k.replays, snapshots)
	}
	m.pageIns = append(m.pageIns, microseconds(k.last.Delivering))
	m.replayed = append(m.replayed, float64(replayed))
	m.bytes = append(m.bytes, float64(after.SnapshotBytes-before.SnapshotBytes))
	if k.studio == nil {
		return nil
	}
	d, err := k.studio.progress(ctx, k.point)
	m.snapshots = append(m.snapshots, microseconds(d))
	return err
}

// imagesMade is how often an image is made anew.
const imagesMade = 5

func (k *warehouseKeeper) close(ctx context.Context, m *kept) error {
	if k.studio == nil {
		return k.rig.close(ctx)
	}
	defer k.clean()
	images, err := k.studio.remake(ctx)
	m.images = images
	return errors.Join(err, k.studio.close(ctx), k.rig.close(ctx))
}

// remake gives up the worker and its image, and makes the image of the latest snapshot
// anew, a few times.
func (s *studio) remake(ctx context.Context) (took sample, err error) {
	info, _, err := s.save(ctx)
	if err != nil {
		return nil, err
	}
	err = s.worker.Close(ctx)
	s.worker = nil
	for range imagesMade {
		s.img.Release()
		s.img = nil
		if err != nil {
			return nil, err
		}
		started := time.Now()
		if s.img, err = s.heaps.Image(info.ID); err != nil {
			return nil, err
		}
		took = append(took, microseconds(time.Since(started)))
	}
	return took, nil
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
