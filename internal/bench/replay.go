package bench

import (
	"context"
	"errors"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// replayDeliveries is the length of the history that is replayed.
const replayDeliveries = 100_000

// replay measures replaying a history from its start, against calling the bare
// worker as often.
func replay(ctx context.Context, r *Run) error {
	r.say("replay: making a history of %d deliveries", replayDeliveries)
	g, root, err := newCounter(ctx, r, host.Options{BlockCranks: 20_000, NoSync: true})
	if err != nil {
		return err
	}
	b, err := newBareCounter(ctx, g.dir)
	if err != nil {
		return errors.Join(err, g.close(ctx))
	}
	for range replayDeliveries / 10_000 {
		if _, _, err = g.burst(ctx, root, 10_000); err != nil {
			return errors.Join(err, b.close(ctx), g.close(ctx))
		}
	}
	var measured, bare sample
	for range r.times(5) {
		r.say("replay")
		var done host.Replayed
		if done, err = g.Replay(ctx, "v1", host.ReplayOptions{}); err != nil {
			break
		}
		measured = append(measured, perSecond(int(done.Deliveries), done.Elapsed))
		started := time.Now()
		for range replayDeliveries {
			_, err = b.worker.Deliver(ctx, b.delivery, swing.Unbounded, silent{}, nil)
			if err != nil {
				break
			}
		}
		bare = append(bare, perSecond(replayDeliveries, time.Since(started)))
	}
	if err = errors.Join(err, b.close(ctx), g.close(ctx)); err != nil {
		return err
	}
	r.Emit(result("replay", "trivial C vat", "deliveries/s", measured, bare, true))
	return nil
}
