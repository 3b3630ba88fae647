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

const (
	// aheadMessages are those that go round the ring together.
	aheadMessages = 20
	// aheadGluttons are sent gluttonRounds messages each, by turns.
	aheadGluttons = 16
	gluttonRounds = 30
)

// aheads are how many vats are paged in ahead of their turn; the first is the floor of the
// others.
var aheads = []int{0, 1, 2, 4}

// A waitingLoad has more vats than there is room for, and messages that wait for them.
// It returns a figure of how quick it is, with so many vats paged in ahead, and of how many
// of the page-ins that was true.
type waitingLoad func(
	ctx context.Context, r *Run, ahead int,
) (figure float64, did string, err error)

// ahead measures loads with few vats in memory while others are paged in ahead of their
// turn. The floor is the same with none ahead, turn by turn.
func ahead(ctx context.Context, r *Run) error {
	for _, v := range []struct {
		name, unit string
		load       waitingLoad
	}{
		{"ring, replay", "deliveries/s", ringAhead(host.Options{})},
		{"ring, pause", "deliveries/s", ringAhead(host.Options{PauseOnEvict: true})},
		{"gluttons, 1 page", "deliveries/s", gluttonsAhead(1, 0)},
		{"gluttons, 16 pages", "deliveries/s", gluttonsAhead(16, 0)},
		{"gluttons, compute", "deliveries/s", gluttonsAhead(1, 4<<20)},
		{"exchange", "ms", exchangeAhead},
	} {
		measured, did := make([]sample, len(aheads)), make([]string, len(aheads))
		for n := range max(1, r.times(50)/10) { // once, where it is only tried
			for i, ahead := range aheads {
				r.say("ahead: %s, %d ahead, round %d", v.name, ahead, n+1)
				figure, note, err := v.load(ctx, r, ahead)
				if err != nil {
					return err
				}
				measured[i], did[i] = append(measured[i], figure), note
			}
		}
		for i, n := range aheads[1:] {
			name := fmt.Sprintf("%s, %d ahead", v.name, n)
			out := result("ahead", name, v.unit, measured[i+1], measured[0], v.unit != "ms")
			out.Note = did[i+1]
			r.Emit(out)
		}
	}
	return nil
}

// ringAhead is the ring of thrash with more messages in it.
func ringAhead(o host.Options) waitingLoad {
	return func(ctx context.Context, r *Run, ahead int) (rate float64, did string, err error) {
		o.MaxVats, o.Ahead = ringInCore, ahead
		g, err := newRing(ctx, r, o)
		if err != nil {
			return 0, "", err
		}
		defer func() { err = errors.Join(err, g.close(ctx)) }()
		if _, err := g.lap(ctx, aheadMessages); err != nil {
			return 0, "", err
		}
		if rate, err = g.lap(ctx, aheadMessages); err != nil {
			return 0, "", err
		}
		return g.ahead(rate)
	}
}

// ahead adds to a figure how many page-ins were begun ahead.
func (g *rig) ahead(figure float64) (float64, string, error) {
	s, err := g.Stats()
	return figure, fmt.Sprintf("%d of %d page-ins", s.Vats.Ahead, s.Vats.PageIns), err
}

// gluttonsAhead sends messages to gluttons by turns, an eighth of which is in memory. A
// delivery writes so many pages and computes so much; all are replayed from the first
// snapshot.
func gluttonsAhead(dirtyPages, garbageBytes uint64) waitingLoad {
	return func(ctx context.Context, r *Run, ahead int) (rate float64, did string, err error) {
		g, err := newRig(ctx, r, host.Options{
			MaxVats: aheadGluttons / 8, Ahead: ahead, NoSync: true, Limits: bigLimits(),
			Snapshots: warehouse.Policy{Initial: 2, Interval: 1000},
		})
		if err != nil {
			return 0, "", err
		}
		defer func() { err = errors.Join(err, g.close(ctx)) }()
		var roots []swing.KRef
		for range aheadGluttons {
			knobs := list(2<<20, noiseBytes, dirtyPages, 0, garbageBytes, 0, 0)
			_, root, err := g.vat(ctx, "glutton", knobs)
			if err != nil {
				return 0, "", err
			}
			roots = append(roots, root)
		}
		rounds := r.times(gluttonRounds)
		for range rounds {
			for _, root := range roots {
				touch := host.Message{Method: "touch", Body: list()}
				if err := g.SendOnly(ctx, root, touch); err != nil {
					return 0, "", err
				}
			}
		}
		started := time.Now()
		if _, err := g.Run(ctx, host.Policy{}); err != nil {
			return 0, "", err
		}
		return g.ahead(perSecond(rounds*aheadGluttons, time.Since(started)))
	}
}

// exchangeAhead runs the scenario exchange.
func exchangeAhead(ctx context.Context, r *Run, ahead int) (ms float64, did string, err error) {
	o := host.Options{MaxVats: policyVats, NoSync: true, Ahead: ahead}
	took, did, err := runScenario(ctx, r, "exchange", o)
	return float64(took.Microseconds()) / 1e3, did, err
}
