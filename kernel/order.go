package kernel

import "vatwarehouse/swing"

// Order takes the place of the run-queue's own order, which is first come, first served.
// It is asked whenever an event is to leave the run-queue. queue has all that are in it;
// ready are the positions of those that may go next, of which there is at least one. It
// returns an index into ready; 0 is what goes without it. It must not keep the slices.
//
// An event may go next unless one ahead of it is related to it. Related are
//
//   - messages of one sender to one object, or to one promise that is unresolved; the
//     embedder and devices are one sender
//   - a vat's start, upgrade or reap, and all else that is for the vat
//   - the starts of vats
//
// An order is observable, and not part of the state: only the same answers give the same
// crankhashes. A crank that an error undoes asks again.
type Order func(queue []Event, ready []int) int

// SetOrder has o asked from the next crank on. nil is the run-queue's own order.
func (k *Kernel) SetOrder(o Order) { k.order = o }

// leave takes the next event off the run-queue.
func (c *crank) leave() (ev event, ok bool) {
	if c.order == nil {
		return runQueue.next(c.b)
	}
	head, tail := runQueue.bounds(c.b)
	if head == tail {
		return event{}, false
	}
	var queue []Event
	var related relations
	for n := head; n < tail; n++ {
		ev := decodeEvent(runQueue.at(c.b, n))
		public := ev.public(c.b)
		vat, target := c.bound(ev)
		public.Vat = vat
		queue = append(queue, public)
		related.add(ev, vat, target)
	}
	n := head + uint64(related.ready[c.order(queue, related.ready)])
	return decodeEvent(runQueue.remove(c.b, head, tail, n)), true
}

// bound returns the vat that an event is for, as things stand, and, of a message, the
// object or unresolved promise it is for. It is [crank.way] without its effects.
func (c *crank) bound(ev event) (vat swing.VatID, target swing.KRef) {
	if ev.kind != eventSend {
		return ev.vat, ""
	}
	target = ev.target
	for target.Kind() == swing.Promise {
		p := readPromise(c.b, target)
		if p.state == Unresolved {
			return p.decider, target
		}
		object, isRef := p.data.Reference()
		if p.state == Rejected || !isRef {
			return "", target
		}
		target = object
	}
	return readObject(c.b, target).owner, target
}

// relations sees which events may go next. They are added in the order of the queue.
type relations struct {
	ready []int

	events  int
	started bool                 // there was a start
	lanes   map[lane]bool        // of messages that there were
	busy    map[swing.VatID]bool // there was something for the vat
	barred  map[swing.VatID]bool // there was a start, upgrade or reap of the vat
}

// lane is what messages go by that stay in order.
type lane struct {
	sender swing.VatID
	target swing.KRef
}

func (r *relations) add(ev event, vat swing.VatID, target swing.KRef) {
	if r.lanes == nil {
		r.lanes, r.busy = map[lane]bool{}, map[swing.VatID]bool{}
		r.barred = map[swing.VatID]bool{}
	}
	free := !r.barred[vat]
	switch ev.kind {
	case eventSend:
		by := lane{ev.sender, target}
		free = free && !r.lanes[by]
		r.lanes[by] = true
	case eventNotify:
	default:
		start := ev.kind == eventStart
		free = free && !r.busy[vat] && !(start && r.started)
		r.started = r.started || start
		r.barred[vat] = true
	}
	r.busy[vat] = true
	if free {
		r.ready = append(r.ready, r.events)
	}
	r.events++
}
