package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// OrderError is of an order that a scenario does not have.
type OrderError struct {
	Choice int // the first that there is not
	Index  int // that was to be taken
	Ready  int // how many events could go next; 0: there is no such choice
}

// Error says which choice there is not.
func (e *OrderError) Error() string {
	if e.Ready == 0 {
		return fmt.Sprintf("the order is too long: the scenario has %d choices", e.Choice)
	}
	return fmt.Sprintf("choice %d of the order is %d: 0 to %d could go next", e.Choice, e.Index,
		e.Ready-1)
}

// errAlike ends a run that comes to the same as another.
var errAlike = errors.New("another order comes to the same")

// walk runs a scenario in one order: the choices of prefix, then the default ones. For
// an exploration it notes what else could go next.
type walk struct {
	s      *Scenario
	on     *machine
	prefix []int
	e      *exploration // nil is none
	from   branch       // where the prefix ends

	end    context.CancelCauseFunc
	cranks uint64
	alike  bool
	out    OrderRun
	// done says that the scenario is over: the audit is asked in the default order.
	done       bool
	deliveries uint64
	names      map[swing.VatID]string
	moves      [][2]kernel.Event // of each deviation: what was taken, and in place of what

	at     *fork // where the latest event was taken, once the prefix is done
	index  int
	left   int // events in the run-queue, after it was taken
	made   []kernel.Report
	routed bool
}

// walkSegmentBytes is small, since segments take their space at once.
const walkSegmentBytes = 64 << 10

// run opens a host in memory and runs the scenario.
func (w *walk) run(ctx context.Context) (err error) {
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.end = cancel
	o := &host.Options{
		Seed: w.s.Seed, Devices: devices.All(), MaxVats: len(w.s.members) + 1,
		NoSync: true, Inline: true, Engine: w.on, Order: w.choose,
		SegmentBytes: walkSegmentBytes, BlockCranks: 1 << 20,
	}
	o.Snapshots.Initial = SnapshotNever
	o.Observer.Crank = w.saw
	h, err := host.Open(ctx, "", o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	r := &run{
		h: h, s: w.s, until: w.s.Length.Deliveries, drain: drainDeliveriesMax,
		over: func() { w.done = true },
	}
	_, err = r.run(bounded, RunOptions{})
	switch cause := context.Cause(bounded); {
	case errors.Is(cause, errAlike):
		w.alike = true
		return nil
	case cause != nil:
		return cause
	case err != nil:
		return err
	}
	end, err := w.s.readStatus(h)
	if err != nil {
		return err
	}
	w.out.Audit = end.Audit
	if w.names, w.out.Histories, err = lives(h); err != nil {
		return err
	}
	for i := range w.out.Deviations {
		d := &w.out.Deviations[i]
		d.Taken, d.Instead = w.move(w.moves[i][0]), w.move(w.moves[i][1])
	}
	w.out.Activityhash, err = h.Activityhash()
	return err
}

// saw notes a crank.
func (w *walk) saw(c host.Crank) {
	w.cranks++
	switch c.Kind {
	case kernel.Routing:
		w.routed = true
		return
	case kernel.Delivery:
		w.deliveries++
	}
	w.made = append(w.made, c.Report)
}

// choose is the kernel.Order of the run.
func (w *walk) choose(queue []kernel.Event, ready []int) int {
	if w.done {
		return 0
	}
	follows := w.out.Choices < len(w.prefix)
	index := 0
	if follows && len(ready) > 1 {
		index = w.prefix[w.out.Choices]
	}
	if index >= len(ready) {
		w.end(&OrderError{w.out.Choices, index, len(ready)})
		return 0
	}
	if w.e != nil {
		w.explore(queue, ready)
	}
	if w.e != nil && w.out.Choices > choicesMax {
		w.end(ErrLarge)
	}
	w.index, w.left, w.routed = index, len(queue)-1, false
	w.made = w.made[:0]
	if len(ready) > 1 {
		w.noteChoice(queue, ready, index)
	}
	return index
}

// noteChoice notes a choice among several.
func (w *walk) noteChoice(queue []kernel.Event, ready []int, index int) {
	if index > 0 {
		w.out.Deviations = append(w.out.Deviations, Deviation{
			Choice: w.out.Choices, Delivery: w.deliveries + 1,
		})
		w.moves = append(w.moves, [2]kernel.Event{
			copied(queue[ready[index]]), copied(queue[ready[0]]),
		})
		zeros := make([]int, w.out.Choices-len(w.out.Order))
		w.out.Order = append(append(w.out.Order, zeros...), index)
	}
	w.out.Choices++
}

// copied returns an event that shares nothing with the queue's.
func copied(ev kernel.Event) kernel.Event {
	ev.Data.Body, ev.Data.Slots = slices.Clone(ev.Data.Body), slices.Clone(ev.Data.Slots)
	return ev
}

// explore goes on in the tree of choices, unless that is still to be reached.
func (w *walk) explore(queue []kernel.Event, ready []int) {
	left := len(w.prefix) - w.out.Choices
	if left > 1 || left == 1 && len(ready) == 1 {
		return
	}
	keys := make([]uint32, len(ready))
	for i, at := range ready {
		keys[i] = w.e.key(queue[at])
	}
	switch {
	case left == 1: // the branch
		w.at = w.from.at
		if !slices.Equal(keys, w.at.ready) {
			w.end(errors.New("the scenario did not repeat itself: its programs or devices " +
				"depend on something beside their deliveries"))
		}
		return
	case w.at == nil:
		w.at = &fork{}
	default:
		w.at = w.at.child(w.index, w.footprint(len(queue)))
	}
	w.at.ready, w.at.footprints = keys, make([]footprint, len(keys))
	if !w.e.branches(w.at) {
		w.end(errAlike)
	}
}

// footprint returns what the latest event did, now that so many are in the run-queue.
func (w *walk) footprint(queued int) (p footprint) {
	if len(w.made) != 1 {
		return footprint{}
	}
	r := &w.made[0]
	p = footprint{vat: r.Vat, loud: w.routed || queued != w.left}
	p.plain = r.Kind == kernel.Delivery && r.Outcome.OK() &&
		len(r.Ended)+r.Made+len(r.Posts) == 0 &&
		(r.Delivery == swing.DeliverMessage || r.Delivery == swing.DeliverNotify) &&
		w.s.ordinary(r.Vat)
	if !p.plain {
		return p
	}
	entry, err := transcript.Decode(r.Item)
	if err != nil {
		panic(fmt.Sprintf("sim: an entry just made: %v", err))
	}
	special := func(x transcript.Exchange) bool { return x.Op == swing.OpCall || x.Refused() }
	p.plain = !slices.ContainsFunc(entry.Exchanges, special)
	return p
}

// ordinary reports whether a vat is one of the scenario's, with no meter, that is sent no
// messages for promises.
func (s *Scenario) ordinary(vat swing.VatID) bool {
	n := vat.Number() - 1
	if n >= uint64(len(s.members)) {
		return false
	}
	g := s.members[n].group
	return g.meter < 0 && !g.pipelining
}

// key returns a number for an event, the same for the same.
func (e *exploration) key(ev kernel.Event) uint32 {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %s %q %x %v", ev.Kind, ev.Vat, ev.Sender, ev.Target, ev.Result,
		ev.Method, ev.Data.Body, ev.Data.Slots)
	n, ok := e.keys[b.String()]
	if !ok {
		n = uint32(len(e.keys))
		e.keys[b.String()] = n
	}
	return n
}

// move describes an event.
func (w *walk) move(ev kernel.Event) Move {
	name := func(vat swing.VatID) string {
		if n := w.names[vat]; n != "" {
			return n
		}
		return string(vat)
	}
	m := Move{Vat: name(ev.Vat), From: name(ev.Sender), What: ev.Kind}
	switch ev.Kind {
	case "send":
		m.What = strings.TrimSpace(ev.Method + " " + strings.TrimSuffix(ShowData(ev.Data), "[]"))
	case "notify":
		m.What += " of " + string(ev.Target)
	}
	return m
}
