package bench

import (
	"context"
	"errors"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// isolate measures what running vats in a process of their own costs: deliveries to a
// trivial vat, and page-ins, against the same without.
func isolate(ctx context.Context, r *Run) error {
	r.say("isolate: deliveries")
	deliveries := func(g *rig, root swing.KRef) (float64, error) {
		d, _, err := g.burst(ctx, root, blockDeliveries)
		return perSecond(blockDeliveries, d), err
	}
	counter := func(isolated bool) (*rig, swing.KRef, error) {
		return newCounter(ctx, r, host.Options{
			BlockCranks: 2 * blockDeliveries, Isolate: isolated,
		})
	}
	with, without, err := sideBySide(ctx, r.times(60), counter, deliveries)
	if errors.Is(err, host.ErrNoIsolation) {
		r.Emit(Result{Case: "isolate", Variant: "trivial C vat", Note: err.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	r.Emit(result("isolate", "deliver, trivial C vat", "deliveries/s", with, without, true))
	r.say("isolate: page-ins")
	pageIns := func(g *rig, root swing.KRef) (float64, error) {
		err := g.Evict(ctx, "v1")
		if err == nil {
			err = g.deliver(ctx, root, "touch", list())
		}
		return microseconds(g.last.Delivering), err
	}
	glutton := func(isolated bool) (*rig, swing.KRef, error) {
		return newGlutton(ctx, r, 16<<20, isolated)
	}
	with, without, err = sideBySide(ctx, r.times(60), glutton, pageIns)
	if err != nil {
		return err
	}
	r.Emit(result("isolate", "page-in, 16 MiB", "µs", with, without, false))
	started := time.Now()
	g, _, err := counter(true)
	if err != nil {
		return err
	}
	first := time.Since(started)
	started = time.Now()
	h, _, err := counter(false)
	if err != nil {
		return errors.Join(err, g.close(ctx))
	}
	r.Emit(result("isolate", "open, and the first delivery", "µs",
		sample{microseconds(first)}, sample{microseconds(time.Since(started))}, false))
	return errors.Join(g.close(ctx), h.close(ctx))
}

// sideBySide measures the same in a Host whose vats are in a process of their own, and in
// one whose vats are not, turn by turn.
func sideBySide(
	ctx context.Context, times int, open func(isolated bool) (*rig, swing.KRef, error),
	once func(g *rig, root swing.KRef) (float64, error),
) (with, without sample, err error) {
	a, rootA, err := open(true)
	if err != nil {
		return nil, nil, err
	}
	b, rootB, err := open(false)
	if err != nil {
		return nil, nil, errors.Join(err, a.close(ctx))
	}
	for range times {
		x, errA := once(a, rootA)
		y, errB := once(b, rootB)
		if err = errors.Join(errA, errB); err != nil {
			break
		}
		with, without = append(with, x), append(without, y)
	}
	return with, without, errors.Join(err, a.close(ctx), b.close(ctx))
}
