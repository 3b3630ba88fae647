package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pierrec/lz4/v4"

	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// studio is one worker and a snapshot store, without a kernel.
type studio struct {
	engine  *worker.Engine
	program *worker.Program
	worker  *worker.Worker
	files   *vfs.Dir
	heaps   *snapstore.Store
	img     *snapstore.Image
	whole   []byte // the latest whole copy
}

// snapshot measures finding the written pages, bringing the image up to date and
// storing what is new, against finding, hashing and compressing those pages. To
// rebase the worker on the image is work of the next delivery.
func snapshot(ctx context.Context, r *Run) error {
	for _, k := range []uint64{1, 16, 256} {
		r.say("snapshot: %s of 64 MiB written", pages(k))
		measured, bare, _, err := measureSnapshots(ctx, r, k, 60)
		if err != nil {
			return err
		}
		r.Emit(result("snapshot", pages(k), "µs", measured, bare, false))
	}
	return nil
}

// studioHeapMiB is the heap of which snapshots are taken.
const studioHeapMiB = 64

// measureSnapshots takes snapshots in a new studio, each of so many written pages.
func measureSnapshots(
	ctx context.Context, r *Run, pages uint64, times int,
) (measured, bare, bytes sample, err error) {
	dir, clean, err := r.tempDir()
	if err != nil {
		return nil, nil, nil, err
	}
	defer clean()
	s, err := newStudio(ctx, dir, Point{HeapMiB: studioHeapMiB, DirtyPages: pages})
	if err != nil {
		return nil, nil, nil, err
	}
	measured, bare, bytes, err = s.measure(ctx, r.times(times))
	return measured, bare, bytes, errors.Join(err, s.close(ctx))
}

// pages names so many pages.
func pages(k uint64) string {
	if k == 1 {
		return "1 page"
	}
	return fmt.Sprintf("%d pages", k)
}

// newStudio returns a studio with the point's glutton, under the point's options.
func newStudio(ctx context.Context, dir string, p Point) (s *studio, err error) {
	code, err := program("glutton")
	if err != nil {
		return nil, err
	}
	s, err = openStudio(ctx, dir, code,
		worker.Options{Limits: bigLimits(), Detector: p.Detector, Memory: p.Memory},
		snapstore.Options{
			HeapBytesMax: int64(bigLimits().MemoryBytes),
			Uncompressed: p.Compression == CompressionNone,
			UnusedImages: -1, // so that an image is made whenever one is wanted
		})
	if err != nil {
		return nil, err
	}
	if err = deliverTo(ctx, s.worker, startGlutton(p.HeapMiB<<20, p.DirtyPages)); err == nil {
		_, _, err = s.save(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

// openStudio returns a studio of a program, to which nothing was delivered.
func openStudio(
	ctx context.Context, dir string, code []byte, w worker.Options, o snapstore.Options,
) (s *studio, err error) {
	s = &studio{}
	if s.engine, err = worker.NewEngine(ctx, w); err != nil {
		return nil, err
	}
	if s.program, err = s.engine.Compile(ctx, code); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if s.files, err = vfs.Open(dir + "/heaps"); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	o.FS = s.files
	if s.heaps, err = snapstore.Open(o); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	heap, _ := s.program.Genesis()
	if s.img, _, err = s.heaps.Genesis(heap, s.segments()); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	s.worker, err = s.program.Start(ctx, s.img.Heap(), s.img, swing.Hash{})
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *studio) segments() (out []snapstore.Segment) {
	_, data := s.program.Genesis()
	for _, d := range data {
		out = append(out, snapstore.Segment{Address: uint64(d.Offset), Data: d.Bytes})
	}
	return out
}

// startGlutton is the first delivery of a glutton that holds so many bytes, and of which
// a touch writes k pages.
func startGlutton(heapBytes, k uint64) swing.Delivery[swing.VRef] {
	start := swing.Delivery[swing.VRef]{Kind: swing.DeliverStartVat, Time: 1}
	start.Params.Body = gluttonKnobs(heapBytes, noiseBytes, k)
	return start
}

// touch is a delivery of one touch.
func touch() swing.Delivery[swing.VRef] {
	return swing.Delivery[swing.VRef]{
		Kind: swing.DeliverMessage, Time: 1, Target: swing.RootVRef,
		Message: swing.Message[swing.VRef]{
			Method: "touch",
			Args:   swing.CapData[swing.VRef]{Body: list()},
		},
	}
}

// deliverTo has a worker run a delivery, and no kernel.
func deliverTo(ctx context.Context, w *worker.Worker, d swing.Delivery[swing.VRef]) error {
	out, err := w.Deliver(ctx, swing.AppendDelivery(nil, d), swing.Unbounded, silent{}, nil)
	if err == nil && !out.OK() {
		err = fmt.Errorf("the program ended: %v", out)
	}
	return err
}

func (s *studio) touch(ctx context.Context) error { return deliverTo(ctx, s.worker, touch()) }

// save takes a snapshot, and returns how long it took, without the sync.
func (s *studio) save(ctx context.Context) (info snapstore.Info, d time.Duration, err error) {
	started := time.Now()
	c, err := s.worker.Capture(ctx)
	if err != nil {
		return info, 0, err
	}
	img, err := s.heaps.Pause(s.img, c.Heap, c.Written)
	if err != nil {
		return info, 0, err
	}
	s.img = img
	if info, err = s.heaps.Commit(img); err != nil {
		return info, 0, err
	}
	d = time.Since(started)
	return info, d, s.worker.Rebase(img)
}

// measure takes snapshots, and in between does their floor: it also returns how
// many bytes a snapshot added to the store over what its pages compress to.
func (s *studio) measure(ctx context.Context, n int) (measured, bare, bytes sample, err error) {
	var compressor lz4.Compressor
	dst := make([]byte, lz4.CompressBlockBound(swing.PageBytes))
	for range n {
		if err := s.touch(ctx); err != nil {
			return nil, nil, nil, err
		}
		started := time.Now()
		c, err := s.worker.Capture(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		own := 0
		for _, p := range c.Written {
			swing.SumPage(p.Data)
			size, err := compressor.CompressBlock(p.Data, dst)
			if err != nil {
				return nil, nil, nil, err
			}
			own += size
		}
		bare = append(bare, microseconds(time.Since(started)))
		if err := s.touch(ctx); err != nil {
			return nil, nil, nil, err
		}
		if _, _, err := s.save(ctx); err != nil { // both touches: not measured
			return nil, nil, nil, err
		}
		if err := s.touch(ctx); err != nil {
			return nil, nil, nil, err
		}
		info, d, err := s.save(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		measured = append(measured, microseconds(d))
		bytes = append(bytes, float64(info.StoredBytes)/float64(max(own, 1)))
	}
	return measured, bare, bytes, nil
}

func (s *studio) close(ctx context.Context) error {
	var errs []error
	if s.worker != nil {
		errs = append(errs, s.worker.Close(ctx))
	}
	if s.img != nil {
		s.img.Release()
	}
	if s.heaps != nil {
		errs = append(errs, s.heaps.Close())
	}
	if s.files != nil {
		errs = append(errs, s.files.Close())
	}
	if s.program != nil {
		errs = append(errs, s.program.Close(ctx))
	}
	return errors.Join(append(errs, s.engine.Close(ctx))...)
}
