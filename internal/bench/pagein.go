package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// heapSizes are the heaps of the cases that sweep them, in MiB.
var heapSizes = []uint64{2, 16, 64, 256}

// dirtyPages is how many pages of its heap a measured delivery writes.
const dirtyPages = 16

// noiseBytes of each page are incompressible, as a program's own data is in part.
const noiseBytes = 1024

// pageIn measures from the moment an evicted vat is wanted to the end of its
// delivery, against instantiating the program, mapping an image and writing as
// many pages.
func pageIn(ctx context.Context, r *Run) error {
	return overHeaps(ctx, r, "page-in", func(p *paging) (measured, bare time.Duration, err error) {
		if err := p.Evict(ctx, "v1"); err != nil {
			return 0, 0, err
		}
		if err := p.deliver(ctx, p.root, "touch", list()); err != nil {
			return 0, 0, err
		}
		bare, _, err = p.floor.once(ctx)
		return p.last.Delivering, bare, err
	})
}

// evict measures giving up a worker whose image is current, against closing a
// bare instance.
func evict(ctx context.Context, r *Run) error {
	return overHeaps(ctx, r, "evict", func(p *paging) (measured, bare time.Duration, err error) {
		if err := p.deliver(ctx, p.root, "touch", list()); err != nil {
			return 0, 0, err
		}
		started := time.Now()
		if err := p.Evict(ctx, "v1"); err != nil {
			return 0, 0, err
		}
		measured = time.Since(started)
		_, bare, err = p.floor.once(ctx)
		return measured, bare, err
	})
}

// paging is a glutton that is paged in and evicted, and the floor of that.
type paging struct {
	*rig
	root  swing.KRef
	floor *floor
}

// overHeaps measures the same thing, and its floor, over heaps of all sizes.
func overHeaps(
	ctx context.Context, r *Run, name string,
	once func(p *paging) (measured, bare time.Duration, err error),
) error {
	for _, mib := range heapSizes {
		r.say("%s: a heap of %d MiB", name, mib)
		g, root, err := newGlutton(ctx, r, mib<<20, false)
		if err != nil {
			return err
		}
		floor, err := newFloor(ctx, g.dir, mib<<20)
		if err != nil {
			return errors.Join(err, g.close(ctx))
		}
		var measured, bare sample
		for range r.times(60) {
			var is, least time.Duration
			if is, least, err = once(&paging{g, root, floor}); err != nil {
				break
			}
			measured = append(measured, microseconds(is))
			bare = append(bare, microseconds(least))
		}
		if err = errors.Join(err, floor.close(ctx), g.close(ctx)); err != nil {
			return err
		}
		r.Emit(result(name, fmt.Sprintf("%d MiB", mib), "µs", measured, bare, false))
	}
	return nil
}

// newGlutton makes a Host with one glutton that holds so many bytes, and whose
// snapshot is current after every block.
func newGlutton(
	ctx context.Context, r *Run, heapBytes uint64, isolated bool,
) (*rig, swing.KRef, error) {
	g, err := newRig(ctx, r, host.Options{
		Limits: bigLimits(), Inline: true, NoSync: true, Isolate: isolated,
		Snapshots: warehouse.Policy{Initial: 1, Interval: 1},
	})
	if err != nil {
		return nil, "", err
	}
	_, root, err := g.vat(ctx, "glutton", gluttonKnobs(heapBytes, noiseBytes, dirtyPages))
	if err == nil {
		err = g.deliver(ctx, root, "touch", list())
	}
	if err != nil {
		return nil, "", errors.Join(err, g.close(ctx))
	}
	return g, root, nil
}

// floor does by hand what a page-in cannot do without.
type floor struct {
	engine  *worker.Engine
	program *worker.Program
	files   *vfs.Dir
	img     image
	pages   []uint32
}

func newFloor(ctx context.Context, dir string, heapBytes uint64) (*floor, error) {
	f := &floor{}
	var err error
	if f.engine, f.program, err = compiled(ctx, "glutton", bigLimits()); err != nil {
		return nil, err
	}
	if f.files, err = vfs.Open(dir + "/floor"); err != nil {
		return nil, errors.Join(err, f.close(ctx))
	}
	file, err := f.files.Create("image")
	if err != nil {
		return nil, errors.Join(err, f.close(ctx))
	}
	f.img = image{file, int64(heapBytes)}
	chunk := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 1))
	for at := uint64(0); at < heapBytes; at += uint64(len(chunk)) {
		for i := 0; i < len(chunk); i += 8 {
			chunk[i] = byte(random.Uint32())
		}
		if _, err := file.WriteAt(chunk, int64(at)); err != nil {
			return nil, errors.Join(err, f.close(ctx))
		}
	}
	for range dirtyPages {
		f.pages = append(f.pages, uint32(random.Uint64N(heapBytes/swing.PageBytes)))
	}
	slices.Sort(f.pages)
	return f, nil
}

// once starts a bare instance and writes the pages, and closes it.
func (f *floor) once(ctx context.Context) (start, stop time.Duration, err error) {
	started := time.Now()
	b, err := f.program.StartBare(ctx, f.img)
	if err != nil {
		return 0, 0, err
	}
	b.Touch(f.pages)
	start = time.Since(started)
	started = time.Now()
	err = b.Close(ctx)
	return start, time.Since(started), err
}

func (f *floor) close(ctx context.Context) error {
	var errs []error
	if f.img.File != nil {
		errs = append(errs, f.img.Close())
	}
	if f.files != nil {
		errs = append(errs, f.files.Close())
	}
	return errors.Join(append(errs, f.program.Close(ctx), f.engine.Close(ctx))...)
}
