package kernel

import (
	"encoding/json"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// accept routes an event that has left the acceptance queue.
func (c *crank) accept(ev event) {
	switch ev.kind {
	case eventSend:
		c.route(ev)
	case eventNotify:
		c.tell(ev)
	case eventUpgrade: // after a last chance to let go of what the heap holds
		c.admit(event{kind: eventReap, vat: ev.vat})
		c.admit(ev)
	default:
		c.admit(ev)
	}
}

// route sees a message to where it can wait: the run-queue if a vat is to get it, the
// queue of an unresolved promise, or nowhere.
func (c *crank) route(ev event) {
	_, wait, ok := c.way(&ev)
	if !ok {
		return
	}
	if wait != "" && readCount(c.b, underwayKey(ev.target)) == 0 {
		c.park(wait, ev)
		return
	}
	// It is on its way to a vat; or behind messages that were, to the same promise, and
	// may have to wait when their turn comes: it must not wait ahead of them.
	c.underway(ev.target, 1)
	c.admit(ev)
}

func underwayKey(promise swing.KRef) string { return string(promise) + ".n" }

// underway counts the messages to a promise that are in the run-queue or an outbox.
func (c *crank) underway(target swing.KRef, more int) {
	if target != "" && target.Kind() == swing.Promise {
		addCount(c.b, underwayKey(target), more)
	}
}

// way follows a message through resolved promises to the vat that is to get it, or to
// the queue of a promise that it must wait for. If there is neither the message has been
// bounced; vat is then who owned its target, if anybody did.
func (c *crank) way(ev *event) (vat swing.VatID, wait queue, ok bool) {
	for ev.target.Kind() == swing.Promise {
		p := readPromise(c.b, ev.target)
		if p.state == Unresolved {
			if c.pipelines(p.decider) {
				return p.decider, "", true
			}
			return "", promiseQueue(ev.target), true
		}
		if p.state == Rejected {
			c.bounce(*ev, p.data)
			return "", "", false
		}
		object, isRef := p.data.Reference()
		if !isRef {
			c.bounce(*ev, errorData(fmt.Sprintf(
				"data is not callable, has no method %s", ev.message.Method)))
			return "", "", false
		}
		c.count(object, 1)
		c.count(ev.target, -1)
		ev.target = object
	}
	owner := readObject(c.b, ev.target).owner
	if owner != ServiceOwner && !c.alive(owner) {
		c.bounce(*ev, vatTerminated)
		return owner, "", false
	}
	return owner, "", true
}

// bounce rejects a message that nobody will get.
func (c *crank) bounce(ev event, data swing.CapData[swing.KRef]) {
	c.reject(ev.message.Result, data)
	c.drop(ev)
}

// pipelines reports whether a vat, or "", is sent the messages for promises it decides.
func (c *crank) pipelines(vat swing.VatID) bool {
	if vat == "" {
		return false
	}
	o, _ := vatkeeper.New(vat, c.b).Options()
	return o.Pipelining
}

func (c *crank) alive(vat swing.VatID) bool {
	return vat != "" && vatkeeper.New(vat, c.b).Alive()
}

// aim finds the vat of an event that has left the run-queue, or sees to the
// event without a delivery. A message's way may have changed since it was routed.
func (c *crank) aim(ev *event) (vat swing.VatID, deliverable bool) {
	vat = ev.vat
	if ev.kind == eventSend {
		to, wait, ok := c.way(ev)
		if wait != "" {
			c.park(wait, *ev)
		}
		if !ok || wait != "" {
			return to, false
		}
		vat = to
	}
	switch {
	case vat == ServiceOwner:
		c.serve(*ev)
		return "", false
	case ev.kind == eventCollect:
		return vat, len(ev.gcRefs) > 0
	case ev.kind == eventUpgrade:
		if !c.alive(vat) {
			c.bounce(*ev, vatTerminated)
			return vat, false
		}
		return vat, true // held or not
	case ev.kind == eventReap && held(c.b, vat):
	case ev.kind != eventSend && !c.alive(vat): // of a message, its way says so
		c.drop(*ev)
	case held(c.b, vat):
		c.park(holdQueue(vat), *ev)
	case ev.kind == eventNotify && !c.knows(vat, ev.target):
		c.drop(*ev)
	default:
		return vat, true
	}
	return vat, false
}

func (c *crank) knows(vat swing.VatID, ref swing.KRef) bool {
	_, ok := vatkeeper.New(vat, c.b).ByKRef(ref)
	return ok
}

// errorData returns the capdata of an Error the kernel makes, in the encoding
// that Endo's marshal calls smallcaps.
func errorData(message string) swing.CapData[swing.KRef] {
	quoted, err := json.Marshal(message)
	if err != nil {
		panic(fmt.Sprintf("kernel: quote %q: %v", message, err))
	}
	body := fmt.Sprintf(`#{"#error":%s,"name":"Error"}`, quoted)
	return swing.CapData[swing.KRef]{Body: []byte(body)}
}

var vatTerminated = errorData("vat terminated")
