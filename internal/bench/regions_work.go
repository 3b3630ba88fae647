package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// regionWorkload is where changes are taken from. They are the same on every machine.
type regionWorkload struct {
	name, about string
	each        func(ctx context.Context, r *Run, do func(c *change) error) error
}

var regionWorkloads = []regionWorkload{
	{"exchange", "the four busiest vats of the exchange, at each delivery",
		ofScenario("exchange", 1)},
	{"exchange-20", "the same, every 20 deliveries", ofScenario("exchange", 20)},
	{"zipf", "the four busiest counters, at each delivery", ofScenario("zipf", 1)},
	{"glutton", "four gluttons with 1 MiB, at each delivery", ofScenario("glutton", 1)},
	{"go", "a Go program that computes, at each delivery", ofProgram("go", []uint32{1})},
	{"javascript", "QuickJS with a script that computes, at each delivery",
		ofProgram("quickjs", []uint32{1})},
}

// RegionWorkloads returns the names of the workloads, and what they are.
func RegionWorkloads() (names, about []string) {
	for _, w := range regionWorkloads {
		names, about = append(names, w.name), append(about, w.about)
	}
	return names, about
}

// regionVats is of how many vats of a scenario changes are taken, regionChanges of how many
// snapshots of each.
const (
	regionVats    = 4
	regionChanges = 8
)

// footprints are the pages that each delivery of a vat has written, by its position.
type footprints map[swing.VatID]map[uint64][]uint32

// ofScenario takes changes of a scenario's vats, by a snapshot every so many deliveries.
func ofScenario(name string, interval int) func(
	ctx context.Context, r *Run, do func(c *change) error,
) error {
	return func(ctx context.Context, r *Run, do func(c *change) error) error {
		dir, clean, err := r.tempDir()
		if err != nil {
			return err
		}
		defer clean()
		prints := footprints{}
		vats, err := runWithSnapshots(ctx, dir+"/state", name, interval, prints)
		if err != nil {
			return err
		}
		files, err := vfs.Open(dir + "/state")
		if err != nil {
			return err
		}
		heaps, err := snapstore.Open(snapstore.Options{FS: files})
		if err != nil {
			return errors.Join(err, files.Close())
		}
		for _, v := range vats {
			if err == nil {
				err = prints.changes(heaps, v, do)
			}
		}
		return errors.Join(err, heaps.Close(), files.Close())
	}
}

// runWithSnapshots runs a scenario until it has enough snapshots, and returns those of its
// busiest vats, oldest first.
func runWithSnapshots(
	ctx context.Context, dir, name string, interval int, prints footprints,
) (busiest [][]host.Snapshot, err error) {
	s, err := sim.Builtin(name)
	if err != nil {
		return nil, err
	}
	o := host.Options{
		Seed: s.Seed, Inline: true, NoSync: true, MaxVats: 1 << 20,
		BlockCranks: 1, // a snapshot is of the end of a block
		Snapshots:   warehouse.Policy{Initial: interval, Interval: interval},
		// The first of them have what a vat does but once.
		KeepSnapshots: regionChanges + 1,
	}
	o.Observer.Work = func(w host.Work) {
		if w.Discard || !w.OK {
			return
		}
		if prints[w.Vat] == nil {
			prints[w.Vat] = map[uint64][]uint32{}
		}
		prints[w.Vat][w.Position] = slices.Clone(w.Written)
	}
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	until := uint64(2000 + 400*interval)
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{Deliveries: until}); err != nil {
		return nil, err
	}
	if err := h.Settle(ctx); err != nil {
		return nil, err
	}
	infos, err := h.Vats()
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(infos, func(a, b host.Vat) int {
		return len(prints[b.ID]) - len(prints[a.ID])
	})
	for _, info := range infos[:min(regionVats, len(infos))] {
		snapshots := slices.Clone(info.Snapshots)
		slices.SortFunc(snapshots, func(a, b host.Snapshot) int {
			return int(int64(a.Position) - int64(b.Position))
		})
		busiest = append(busiest, snapshots)
	}
	return busiest, nil
}

// changes does something with the changes between a vat's snapshots.
func (f footprints) changes(
	heaps *snapstore.Store, list []host.Snapshot, do func(c *change) error,
) error {
	var before []byte
	for i, s := range list {
		after, err := memoryOf(heaps, s.ID)
		if err != nil {
			return err
		}
		if i > 0 {
			written := map[uint32]bool{}
			for at := list[i-1].Position; at < s.Position; at++ {
				for _, page := range f[s.Vat][at] {
					written[page] = true
				}
			}
			c := change{before, after, slices.Sorted(maps.Keys(written)), i == 1}
			if err := do(&c); err != nil {
				return err
			}
		}
		before = after
	}
	return nil
}

// memoryOf reads the memory of a snapshot.
func memoryOf(heaps *snapstore.Store, id swing.Hash) ([]byte, error) {
	img, err := heaps.Image(id)
	if err != nil {
		return nil, err
	}
	defer img.Release()
	return wholeOf(img)
}

// wholeOf reads a whole image.
func wholeOf(img *snapstore.Image) ([]byte, error) {
	memory := make([]byte, img.Size())
	if _, err := img.ReadAt(memory, 0); err != nil {
		return nil, fmt.Errorf("read an image: %w", err)
	}
	return memory, nil
}

// ofProgram takes changes of a program that computes, of each delivery.
func ofProgram(name string, order []uint32) func(
	ctx context.Context, r *Run, do func(c *change) error,
) error {
	return func(ctx context.Context, r *Run, do func(c *change) error) error {
		code, err := computation{program: name}.code()
		if err != nil {
			return err
		}
		dir, clean, err := r.tempDir()
		if err != nil {
			return err
		}
		defer clean()
		s, err := openStudio(ctx, dir, code, worker.Options{Limits: bigLimits()},
			snapstore.Options{HeapBytesMax: int64(bigLimits().MemoryBytes)})
		if err != nil {
			return err
		}
		return errors.Join(s.changes(ctx, order, do), s.close(ctx))
	}
}

// changes does something with what each delivery of an order changes, but for the first,
// which also starts the program.
func (s *studio) changes(ctx context.Context, order []uint32, do func(c *change) error) error {
	var body []byte
	for _, word := range order {
		body = binary.LittleEndian.AppendUint32(body, word)
	}
	d := swing.Delivery[swing.VRef]{Kind: swing.DeliverStartVat, Time: 1}
	d.Params.Body = body
	var before []byte
	for i := range regionVats*regionChanges + 1 {
		if err := deliverTo(ctx, s.worker, d); err != nil {
			return err
		}
		capture, err := s.worker.Capture(ctx)
		if err != nil {
			return err
		}
		var written []uint32
		for _, p := range capture.Written {
			written = append(written, p.Index)
		}
		if _, _, err := s.save(ctx); err != nil {
			return err
		}
		after, err := wholeOf(s.img)
		if err != nil {
			return err
		}
		if i > 0 {
			if err := do(&change{before, after, written, i == 1}); err != nil {
				return err
			}
		}
		before = after
	}
	return ctx.Err()
}
