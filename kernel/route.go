package kernel

import (
	"encoding/json"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// accept routes an event that has left the acceptance queue.
func (c *crank) accept(ev event) {
	if ev.kind == eventSend {
		c.route(ev)
		return
	}
	if ev.kind == eventUpgrade { // a last chance to let go of what the heap holds
		runQueue.push(c.b, event{kind: eventReap, vat: ev.vat}.encode())
	}
	runQueue.push(c.b, ev.encode())
}

// route sees a message to where it can wait: the run-queue if its target is an
// object of a live vat, the queue of an unresolved promise, or nowhere.
func (c *crank) route(ev event) {
	for ev.target.Kind() == swing.Promise {
		p := readPromise(c.b, ev.target)
		if p.state == Unresolved {
			wait := promiseQueue(ev.target)
			if c.pipelines(p.decider) {
				wait = runQueue
			}
			wait.push(c.b, ev.encode())
			return
		}
		if p.state == Rejected {
			c.bounce(ev, p.data)
			return
		}
		object, ok := p.data.Reference()
		if !ok {
			c.bounce(ev, errorData(fmt.Sprintf(
				"data is not callable, has no method %s", ev.message.Method)))
			return
		}
		c.count(object, 1)
		c.count(ev.target, -1)
		ev.target = object
	}
	if owner := readObject(c.b, ev.target).owner; owner != ServiceOwner && !c.alive(owner) {
		c.bounce(ev, vatTerminated)
		return
	}
	runQueue.push(c.b, ev.encode())
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
// event without a delivery.
func (c *crank) aim(ev event) (vat swing.VatID, deliverable bool) {
	vat = ev.vat
	if ev.kind == eventSend && ev.target.Kind() == swing.Promise {
		p := readPromise(c.b, ev.target)
		if vat = p.decider; p.state != Unresolved || !c.pipelines(vat) {
			acceptanceQueue.push(c.b, ev.encode()) // things have changed: it is routed anew
			return "", false
		}
	} else if ev.kind == eventSend {
		vat = readObject(c.b, ev.target).owner
	}
	switch {
	case vat == ServiceOwner:
		c.serve(ev)
		return "", false
	case ev.kind == eventCollect:
		return vat, len(ev.gcRefs) > 0
	case ev.kind == eventUpgrade:
		if !c.alive(vat) {
			c.bounce(ev, vatTerminated)
			return vat, false
		}
		return vat, true // held or not
	case ev.kind == eventReap && held(c.b, vat):
	case !c.alive(vat) && ev.kind == eventSend:
		c.bounce(ev, vatTerminated)
	case !c.alive(vat):
		c.drop(ev)
	case held(c.b, vat):
		holdQueue(vat).push(c.b, ev.encode())
	case ev.kind == eventNotify && !c.knows(vat, ev.target):
		c.drop(ev)
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
