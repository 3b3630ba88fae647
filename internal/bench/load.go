package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/internal/trace"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

const (
	// loadHeapMax bounds the heap of a vat that stands for a recorded one.
	loadHeapMax = 64 << 20
	// loadBatch is how many messages are sent before they are run.
	loadBatch = 1000
)

// Load runs a trace again as load: for each of its vats there is a glutton with as large a
// heap, which writes as many pages a delivery as that did on average, and each delivery
// but a vat's first is a message to it, in the trace's order. It emits deliveries a
// second, with the floor of the same load and all vats in memory, and page-ins, with the
// floor of the fewest there can be. vats are those in memory, 0 the host's default.
func Load(ctx context.Context, r *Run, t *trace.Trace, vats int) error {
	gluttons := likenesses(t)
	as := loadOf(t)
	if as.Deliveries() == len(gluttons) {
		return errors.New("no vat of the trace has more than one delivery")
	}
	if vats == 0 {
		vats = warehouse.DefaultMaxPagedIn
	}
	r.say("load: all in memory")
	live, _, err := load(ctx, r, gluttons, as, len(gluttons)+1)
	if err != nil {
		return err
	}
	r.say("load: %d vats in memory", vats)
	speed, pageIns, err := load(ctx, r, gluttons, as, vats)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d vats in memory", vats)
	r.Emit(result("load", name, "deliveries/s", sample{speed}, sample{live}, true))
	fewest := sample{float64(as.Optimum(vats) - uint64(len(gluttons)))}
	r.Emit(result("load", name, "page-ins", sample{float64(pageIns)}, fewest, false))
	return nil
}

// likenesses returns the parameters of the gluttons that stand for a trace's vats.
func likenesses(t *trace.Trace) (params [][]byte) {
	type sums struct{ memory, written, deliveries uint64 }
	of := make([]sums, len(t.Vats))
	for i := range t.Events {
		if e := &t.Events[i]; e.Kind == trace.Deliver {
			s := &of[e.Vat]
			s.memory = max(s.memory, e.Memory)
			s.written += uint64(len(e.Written))
			s.deliveries++
		}
	}
	for _, s := range of {
		heap := min(s.memory, loadHeapMax)
		dirty := min(s.written/max(s.deliveries, 1), heap/trace.PageBytes)
		params = append(params, gluttonKnobs(heap, 0, dirty))
	}
	return params
}

// loadOf returns the load: the gluttons' births, and then a message for each delivery but
// a vat's first.
func loadOf(t *trace.Trace) *trace.Trace {
	as := &trace.Trace{Vats: t.Vats}
	for n := range t.Vats {
		as.Events = append(as.Events, trace.Event{Kind: trace.Deliver, Vat: n, OK: true})
	}
	next := make([]uint64, len(t.Vats))
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != trace.Deliver {
			continue
		}
		if at := next[e.Vat]; at > 0 {
			as.Events = append(as.Events,
				trace.Event{Kind: trace.Deliver, Vat: e.Vat, Position: at, OK: true})
		}
		next[e.Vat]++
	}
	return as
}

// load makes the gluttons, sends them the messages, and returns how many are delivered a
// second, and the page-ins since the gluttons were made.
func load(
	ctx context.Context, r *Run, gluttons [][]byte, as *trace.Trace, vats int,
) (speed float64, pageIns uint64, err error) {
	g, err := newRig(ctx, r, host.Options{MaxVats: vats, Limits: bigLimits()})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, g.close(ctx)) }()
	roots := make([]swing.KRef, len(gluttons))
	for i, params := range gluttons {
		if _, roots[i], err = g.vat(ctx, "glutton", params); err != nil {
			return 0, 0, err
		}
	}
	if _, err := g.Run(ctx, host.Policy{}); err != nil {
		return 0, 0, err
	}
	before, err := g.Stats()
	if err != nil {
		return 0, 0, err
	}
	messages := as.Events[len(gluttons):]
	started := time.Now()
	for i, e := range messages {
		message := host.Message{Method: "touch", Body: list()}
		if err := g.SendOnly(ctx, roots[e.Vat], message); err != nil {
			return 0, 0, err
		}
		if (i+1)%loadBatch == 0 || i+1 == len(messages) {
			if _, err := g.Run(ctx, host.Policy{}); err != nil {
				return 0, 0, err
			}
		}
	}
	took := time.Since(started)
	after, err := g.Stats()
	if err != nil {
		return 0, 0, err
	}
	if n := after.Deliveries - before.Deliveries; n != uint64(len(messages)) {
		return 0, 0, fmt.Errorf("%d deliveries, want %d", n, len(messages))
	}
	return perSecond(len(messages), took), after.Vats.PageIns - before.Vats.PageIns, nil
}
