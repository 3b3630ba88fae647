package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

const (
	ringVats   = 100
	ringInCore = 10
	// ringLap is how many deliveries are measured together.
	ringLap = 2000
)

// thrash measures a ring of vats of which a tenth is in memory: every delivery
// pages in a vat and evicts another. Its floor is the same ring, all in memory.
func thrash(ctx context.Context, r *Run) error {
	live, err := ring(ctx, r, "live", host.Options{MaxVats: 2 * ringVats}, r.times(20))
	if err != nil {
		return err
	}
	r.Emit(result("thrash", "live (no eviction)", "deliveries/s", live, nil, true))
	for _, v := range []struct {
		name    string
		options host.Options
	}{
		{"replay", host.Options{MaxVats: ringInCore}},
		{"pause", host.Options{MaxVats: ringInCore, PauseOnEvict: true}},
	} {
		measured, err := ring(ctx, r, v.name, v.options, r.times(20))
		if err != nil {
			return err
		}
		r.Emit(result("thrash", v.name, "deliveries/s", measured, live, true))
	}
	return nil
}

// ring makes the ring and measures laps of a message that goes round it.
func ring(
	ctx context.Context,
	r *Run,
	name string,
	o host.Options,
	laps int,
) (s sample, err error) {
	r.say("thrash: %s", name)
	g, err := newRing(ctx, r, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.close(ctx)) }()
	for range laps {
		rate, err := g.lap(ctx, 1)
		if err != nil {
			return nil, err
		}
		s = append(s, rate)
	}
	return s, nil
}

// ringed is a Host with a ring of vats.
type ringed struct {
	*rig
	roots []swing.KRef
}

func newRing(ctx context.Context, r *Run, o host.Options) (g *ringed, err error) {
	g = &ringed{}
	if g.rig, err = newRig(ctx, r, o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close(ctx))
		}
	}()
	for range ringVats {
		_, root, err := g.vat(ctx, "pingpong", nil)
		if err != nil {
			return nil, err
		}
		g.roots = append(g.roots, root)
	}
	for i, root := range g.roots {
		peer := host.Message{
			// A null among the arguments stands for the next slot.
			Method: "peer", Body: swing.AppendNull(swing.AppendArray(nil, 1)),
			Slots: []swing.KRef{g.roots[(i+1)%ringVats]},
		}
		if err := g.SendOnly(ctx, root, peer); err != nil {
			return nil, err
		}
	}
	_, err = g.Run(ctx, host.Policy{})
	return g, err
}

// lap has so many messages, which start as far from each other as can be, go round
// together, and returns how many deliveries a second that were.
func (g *ringed) lap(ctx context.Context, messages int) (rate float64, err error) {
	for i := range messages {
		message := host.Message{Method: "volley", Body: list(uint64(ringLap/messages - 1))}
		if err := g.SendOnly(ctx, g.roots[i*ringVats/messages], message); err != nil {
			return 0, err
		}
	}
	started := time.Now()
	ran, err := g.Run(ctx, host.Policy{})
	if err == nil && ran.Deliveries != ringLap {
		err = fmt.Errorf("%d deliveries, want %d", ran.Deliveries, ringLap)
	}
	return perSecond(ringLap, time.Since(started)), err
}
