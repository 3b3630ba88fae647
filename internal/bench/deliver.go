package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// blockDeliveries is how many deliveries are measured together.
const blockDeliveries = 1000

// deliver measures messages sent, routed, delivered and made durable, against
// writing as many bytes with one sync a block, and calling the bare worker.
func deliver(ctx context.Context, r *Run) error {
	r.say("deliver: blocks of %d", blockDeliveries)
	return bursts(ctx, r, burstCase{
		name: "deliver", unit: "deliveries/s", rounds: 100,
		deliveries: blockDeliveries, counted: blockDeliveries,
		blockCranks: 2 * blockDeliveries, // one routes a message, one delivers it
		floor: func(b *bareCounter, bytes int) error {
			return b.block(ctx, blockDeliveries, bytes)
		},
	})
}

// syncCranks is how many blocks of one crank are measured together.
const syncCranks = 200

// deliverSync measures blocks of one crank, against one append and sync each.
func deliverSync(ctx context.Context, r *Run) error {
	r.say("deliver-sync: one crank a block")
	return bursts(ctx, r, burstCase{
		name: "deliver-sync", unit: "blocks/s", rounds: 30,
		deliveries: syncCranks / 2, counted: syncCranks, blockCranks: 1,
		floor: func(b *bareCounter, bytes int) error {
			for range syncCranks {
				if err := b.block(ctx, 0, bytes/syncCranks); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// burstCase is a case that measures rounds of messages to a trivial vat.
type burstCase struct {
	name, unit  string
	rounds      int
	deliveries  int // of a round
	counted     int // units of a round
	blockCranks int
	// floor does by hand what a round cannot do without, and writes as many bytes.
	floor func(b *bareCounter, bytes int) error
}

func bursts(ctx context.Context, r *Run, c burstCase) error {
	g, root, err := newCounter(ctx, r, host.Options{BlockCranks: c.blockCranks})
	if err != nil {
		return err
	}
	b, err := newBareCounter(ctx, g.dir)
	if err != nil {
		return errors.Join(err, g.close(ctx))
	}
	var measured, bare sample
	for range r.times(c.rounds) {
		var bytes uint64
		var d time.Duration
		if d, bytes, err = g.burst(ctx, root, c.deliveries); err != nil {
			break
		}
		measured = append(measured, perSecond(c.counted, d))
		started := time.Now()
		if err = c.floor(b, int(bytes)); err != nil {
			break
		}
		bare = append(bare, perSecond(c.counted, time.Since(started)))
	}
	if err = errors.Join(err, b.close(ctx), g.close(ctx)); err != nil {
		return err
	}
	r.Emit(result(c.name, "trivial C vat", c.unit, measured, bare, true))
	return nil
}

func newCounter(ctx context.Context, r *Run, o host.Options) (*rig, swing.KRef, error) {
	g, err := newRig(ctx, r, o)
	if err != nil {
		return nil, "", err
	}
	_, root, err := g.vat(ctx, "counter", nil)
	if err == nil {
		_, err = g.Run(ctx, host.Policy{})
	}
	if err != nil {
		return nil, "", errors.Join(err, g.close(ctx))
	}
	return g, root, nil
}

// burst sends so many messages and runs until they are delivered and durable.
func (g *rig) burst(
	ctx context.Context, root swing.KRef, n int,
) (d time.Duration, logBytes uint64, err error) {
	before, err := g.Stats()
	if err != nil {
		return 0, 0, err
	}
	body := list(1)
	started := time.Now()
	for range n {
		if err := g.SendOnly(ctx, root, host.Message{Method: "incr", Body: body}); err != nil {
			return 0, 0, err
		}
	}
	ran, err := g.Run(ctx, host.Policy{})
	d = time.Since(started)
	if err == nil && ran.Deliveries != uint64(n) {
		err = fmt.Errorf("%d deliveries, want %d", ran.Deliveries, n)
	}
	if err != nil {
		return 0, 0, err
	}
	after, err := g.Stats()
	return d, after.Log.BytesAppended - before.Log.BytesAppended, err
}

// bareCounter is a trivial vat's worker and a file, with nothing between.
type bareCounter struct {
	engine   *worker.Engine
	program  *worker.Program
	worker   *worker.Worker
	files    *vfs.Dir
	file     vfs.File
	at       int64
	buf      []byte
	delivery []byte
}

func newBareCounter(ctx context.Context, dir string) (b *bareCounter, err error) {
	b = &bareCounter{}
	if b.engine, b.program, err = compiled(ctx, "counter", swing.DefaultLimits()); err != nil {
		return nil, err
	}
	if b.worker, err = b.program.StartAlone(ctx, swing.Hash{}); err != nil {
		return nil, errors.Join(err, b.close(ctx))
	}
	if b.files, err = vfs.Open(dir + "/bare"); err != nil {
		return nil, errors.Join(err, b.close(ctx))
	}
	if b.file, err = b.files.Create("log"); err != nil {
		return nil, errors.Join(err, b.close(ctx))
	}
	if err := b.file.Preallocate(64 << 20); err != nil {
		return nil, errors.Join(err, b.close(ctx))
	}
	b.delivery = swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverMessage, Time: 1, Target: swing.RootVRef,
		Message: swing.Message[swing.VRef]{
			Method: "incr",
			Args:   swing.CapData[swing.VRef]{Body: list(1)},
		},
	})
	return b, nil
}

// block makes so many bare deliveries, then writes so many bytes and syncs once.
func (b *bareCounter) block(ctx context.Context, deliveries, bytes int) error {
	if len(b.buf) < bytes {
		b.buf = make([]byte, bytes)
	}
	for range deliveries {
		if _, err := b.worker.Deliver(ctx, b.delivery, swing.Unbounded, silent{}, nil); err != nil {
			return err
		}
	}
	if _, err := b.file.WriteAt(b.buf[:bytes], b.at); err != nil {
		return err
	}
	b.at += int64(bytes)
	return b.file.Sync()
}

func (b *bareCounter) close(ctx context.Context) error {
	var errs []error
	if b.file != nil {
		errs = append(errs, b.file.Close())
	}
	if b.files != nil {
		errs = append(errs, b.files.Close())
	}
	if b.worker != nil {
		errs = append(errs, b.worker.Close(ctx))
	}
	return errors.Join(append(errs, b.program.Close(ctx), b.engine.Close(ctx))...)
}
