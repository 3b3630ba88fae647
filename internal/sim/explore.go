package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// exactDeviations is up to how many deviations no order is left out but for one that is
// no farther from the default: so what fails with no more is the least that does.
const exactDeviations = 2

// ExploreOptions say which orders are run.
type ExploreOptions struct {
	// Deviations is with how many an order is still run; negative is no bound.
	Deviations int
	// Orders ends it after so many; 0 is no bound.
	Orders int
	// Every has orders run that come to the same as another.
	Every bool
	// Holds reports whether an order that was run to its end is as it must be. nil: its
	// audit holds.
	Holds func(*OrderRun) bool
	// Progress is told how many were run, and of how many deviations the latest is.
	Progress func(orders, deviations int)
}

// Explored is what came of an exploration.
type Explored struct {
	// Orders were run to their end. Alike were begun, and left when it was known that they
	// come to the same as another.
	Orders, Alike int
	Cranks        uint64
	// All says that there are no others. Else all with up to Deviations of them were run.
	All        bool
	Deviations int
	// Failed is the first order in which the audit does not hold; nil is none.
	Failed *OrderRun
	// Least says that it is known to fail with the fewest deviations.
	Least bool
}

// OrderRun is a scenario run in one order of deliveries.
type OrderRun struct {
	// Order has the choices, where there were several, without the zeros at its end: an
	// index into what could go next.
	Order        []int
	Deviations   []Deviation
	Choices      int // where there were several to go next
	Audit        *Audit
	Activityhash swing.Hash
	// Histories is a hash of the transcripts of all vats: the same in orders that no vat can
	// tell from each other.
	Histories swing.Hash
}

// OK reports whether the audit holds.
func (o *OrderRun) OK() bool { return o.Audit != nil && o.Audit.OK() }

// Deviation is a choice of another event than the first.
type Deviation struct {
	Choice   int    `json:"choice"`   // from 0
	Delivery uint64 `json:"delivery"` // the number of the one that it led to
	Taken    Move   `json:"taken"`
	Instead  Move   `json:"instead_of"`
}

// Move is an event that could go next.
type Move struct {
	Vat  string `json:"vat"`  // its name, or id
	From string `json:"from"` // who sent it; "" is the scenario
	What string `json:"what"` // a message's method and arguments, or the kind
}

// choicesMax bounds the choices of one order: a world with more is not small.
const choicesMax = 1000

// ErrLarge is of a scenario with too many choices.
var ErrLarge = fmt.Errorf("the scenario has more than %d choices: make it smaller", choicesMax)

// ErrNoAudit is of a scenario in which there is nothing to hold.
var ErrNoAudit = errors.New("the scenario has no audit: nothing says what must hold in every order")

// Explore runs a scenario in memory in the orders of deliveries that there are, those with
// fewer deviations from the default first, until its audit fails in one.
//
// Of orders that differ only in how deliveries to different vats follow each other, where
// neither causes the other, one is run. docs/exploration.md says more.
func (s *Scenario) Explore(ctx context.Context, o ExploreOptions) (out Explored, err error) {
	return s.exploreExactly(ctx, o, exactDeviations)
}

// exploreExactly is Explore with exactDeviations given.
func (s *Scenario) exploreExactly(
	ctx context.Context, o ExploreOptions, exact int,
) (out Explored, err error) {
	if s.audit.asked() == 0 {
		return out, ErrNoAudit
	}
	on, err := newMachine(ctx, false)
	if err != nil {
		return out, fmt.Errorf("explore: %w", err)
	}
	defer func() { err = errors.Join(err, on.Close(context.WithoutCancel(ctx))) }()
	if o.Holds == nil {
		o.Holds = (*OrderRun).OK
	}
	e := &exploration{s: s, on: on, o: o, keys: map[string]uint32{}, exact: exact}
	if err := e.explore(ctx); err != nil || e.out.Failed == nil {
		return e.out, err
	}
	deviations := len(e.out.Failed.Deviations)
	if e.out.Least = o.Every || deviations <= e.exact; e.out.Least {
		return e.out, nil
	}
	// Nothing is left out that has fewer: either one of them fails, or none does.
	less := &exploration{s: s, on: on, o: o, keys: e.keys, exact: deviations - 1, out: e.out}
	less.o.Deviations = deviations - 1
	less.out.Failed = nil
	err = less.explore(ctx)
	less.out.Least = err == nil && (less.out.Failed != nil || !less.limited)
	if less.out.Failed == nil {
		less.out.Failed = e.out.Failed
	}
	return less.out, err
}

// RunOrder runs a scenario in one order: see OrderRun.Order. An *[OrderError] is of one that
// there is not.
func (s *Scenario) RunOrder(ctx context.Context, order []int) (out OrderRun, err error) {
	if s.audit.asked() == 0 {
		return out, ErrNoAudit
	}
	on, err := newMachine(ctx, false)
	if err != nil {
		return out, fmt.Errorf("run in an order: %w", err)
	}
	defer func() { err = errors.Join(err, on.Close(context.WithoutCancel(ctx))) }()
	w := &walk{s: s, on: on, prefix: order}
	err = w.run(ctx)
	if err == nil && len(order) > w.out.Choices {
		err = &OrderError{Choice: w.out.Choices}
	}
	return w.out, err
}

// exploration is an Explore in progress: a tree of choices, in which a fork is where an
// event is to leave the run-queue. Its levels are by deviations, and each is run in the
// order in which its branches were found.
type exploration struct {
	s     *Scenario
	on    *machine
	o     ExploreOptions
	exact int
	keys  map[string]uint32 // events, by what they are
	// levels are the branches that are left to run, by their deviations.
	levels  [][]branch
	left    int  // branches in all
	limited bool // as many were run as may be
	out     Explored
}

// branch is a choice that is left to make.
type branch struct {
	at    *fork
	index int
}

func (e *exploration) explore(ctx context.Context) error {
	if err := e.order(ctx, branch{}); err != nil {
		return err
	}
	for d := 1; d < len(e.levels) && e.out.Failed == nil; d++ {
		for len(e.levels[d]) > 0 && e.out.Failed == nil {
			if e.o.Orders > 0 && e.out.Orders+e.out.Alike >= e.o.Orders {
				e.limited = true
				return nil
			}
			b := e.levels[d][0]
			e.levels[d][0] = branch{}
			e.levels[d] = e.levels[d][1:]
			e.left--
			if err := e.order(ctx, b); err != nil {
				return err
			}
		}
		if len(e.levels[d]) == 0 && e.out.Failed == nil && e.within(d) {
			e.out.Deviations = d
		}
	}
	last := len(e.levels) - 1
	e.out.All = e.out.Failed == nil && (last < 0 || e.within(last))
	return nil
}

// within reports whether orders of so many deviations are run.
func (e *exploration) within(deviations int) bool {
	return e.o.Deviations < 0 || deviations <= e.o.Deviations
}

// order runs the order that a branch begins, and goes on in the default order.
func (e *exploration) order(ctx context.Context, b branch) error {
	w := &walk{s: e.s, on: e.on, e: e, from: b}
	if b.at != nil {
		w.prefix = append(b.at.path(), b.index)
	}
	err := w.run(ctx)
	e.out.Cranks += w.cranks
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("in the order %v: %w", w.out.Order, err)
	case w.alike:
		e.out.Alike++
	default:
		e.out.Orders++
		if !e.o.Holds(&w.out) {
			e.out.Failed = &w.out
		}
	}
	if e.o.Progress != nil {
		e.o.Progress(e.out.Orders+e.out.Alike, len(w.out.Deviations))
	}
	return nil
}

// branches leaves what else could go next at a fork to be run, and reports whether the
// first may.
func (e *exploration) branches(n *fork) bool {
	for i := 1; i < len(n.ready); i++ {
		if !e.allowed(n, i, n.deviations+1) {
			continue
		}
		for len(e.levels) <= n.deviations+1 {
			e.levels = append(e.levels, nil)
		}
		switch {
		case !e.within(n.deviations + 1):
		case e.o.Orders > 0 && e.left >= e.o.Orders: // it would not be its turn
			e.limited = true
		default:
			e.levels[n.deviations+1] = append(e.levels[n.deviations+1], branch{n, i})
			e.left++
		}
	}
	return e.allowed(n, 0, n.deviations)
}

// allowed reports whether an order of so many deviations goes on with a choice.
func (e *exploration) allowed(n *fork, index, deviations int) bool {
	switch {
	case e.o.Every:
		return true
	case deviations <= e.exact:
		_, asleep := n.near.find(n.ready[index])
		return !asleep
	}
	_, asleep := n.asleep.find(n.ready[index])
	return !asleep && !n.extra
}

// fork is where an event is to leave the run-queue.
type fork struct {
	parent     *fork       // nil is none
	index      int         // that was taken there
	deviations int         // on the way here
	ready      []uint32    // keys of the events that could go next
	footprints []footprint // what they turned out to do, where they went next

	// asleep are events that could go next, but not from here: the orders in which they do
	// are run elsewhere, with those that are here independent of them and before them. near
	// are those of which that is as near to the default order, or nearer.
	asleep, near sleepers
	// extra says that the path itself is of an event that was asleep.
	extra bool
}

// sleepers are events and what they do.
type sleepers []sleeper

type sleeper struct {
	key       uint32
	footprint footprint
}

func (all sleepers) find(key uint32) (footprint, bool) {
	for _, s := range all {
		if s.key == key {
			return s.footprint, true
		}
	}
	return footprint{}, false
}

// footprint is what a delivery did, as far as it matters to others.
type footprint struct {
	// plain says that it touched nothing but its vat, its promises, and the queues: no
	// vat ended or was made, no device, meter or chore had to do with it.
	plain bool
	vat   swing.VatID
	// loud says that it added to the run-queue.
	loud bool
}

// independent reports whether two deliveries, either of which could go first, come to the
// same in both orders, but for places in the run-queue.
func (p footprint) independent(of footprint) bool { return p.plain && of.plain && p.vat != of.vat }

// path returns the choices that lead to a fork, where there were several.
func (n *fork) path() (choices []int) {
	for ; n.parent != nil; n = n.parent {
		if len(n.parent.ready) > 1 {
			choices = append(choices, n.index)
		}
	}
	slices.Reverse(choices)
	return choices
}

// child returns the fork that a choice leads to, now that it is known what it did.
func (n *fork) child(index int, did footprint) *fork {
	n.footprints[index] = did
	c := &fork{parent: n, index: index, deviations: n.deviations}
	if index > 0 {
		c.deviations++
	}
	_, asleep := n.asleep.find(n.ready[index])
	c.extra = n.extra || asleep
	for _, s := range n.asleep {
		if s.footprint.independent(did) {
			c.asleep = append(c.asleep, s)
		}
	}
	for i, key := range n.ready[:index] {
		p := n.footprint(i)
		if !p.independent(did) {
			continue
		}
		if _, asleep := n.asleep.find(key); !asleep {
			c.asleep = append(c.asleep, sleeper{key, p})
		}
		if !p.loud || !did.loud {
			c.near = append(c.near, sleeper{key, p})
		}
	}
	return c
}

// footprint returns what an event did that went next from here, or, if it was asleep, did
// elsewhere. Of what was never seen nothing is known, and it is not plain.
func (n *fork) footprint(index int) footprint {
	if p := n.footprints[index]; p != (footprint{}) {
		return p
	}
	for _, all := range []sleepers{n.asleep, n.near} {
		if p, ok := all.find(n.ready[index]); ok {
			return p
		}
	}
	return footprint{}
}

// lives returns what vats are called, and the hash of their transcripts.
func lives(h *host.Host) (names map[swing.VatID]string, histories swing.Hash, err error) {
	vats, err := h.Vats()
	names = map[swing.VatID]string{}
	var parts [][]byte
	for _, v := range vats {
		names[v.ID] = v.Name
		parts = append(parts, []byte(v.ID), v.Span.Hash[:])
	}
	return names, swing.Sum("vatwarehouse scenario histories", parts...), err
}
