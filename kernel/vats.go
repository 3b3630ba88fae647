package kernel

import (
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// end ends a vat's life: it gets no further delivery, and the promises it
// decides are rejected. Its keys stay until they are deleted in steps.
func (c *crank) end(vat swing.VatID, e vatkeeper.End, reason string) {
	vk := vatkeeper.New(vat, c.b)
	if o, _ := vk.Options(); o.Critical && e.Failure {
		c.stop = &CriticalError{Vat: vat, Reason: reason}
	}
	vk.SetEnd(e)
	addCount(c.b, vatsKey, -1)
	for _, s := range e.Info.Slots {
		c.count(s, 1)
	}
	var decided []swing.KRef
	for entry := range vk.Promises() {
		if p := readPromise(c.b, entry.KRef); p.state == Unresolved && p.decider == vat {
			decided = append(decided, entry.KRef)
		}
	}
	for _, ref := range decided {
		c.reject(ref, vatTerminated)
	}
	c.letGo(vat)
	c.dropMeter(vat)
	c.setParams(vk, swing.CapData[swing.KRef]{})
	c.stillborn(vk, reason)
	c.settleAll(mournersKey(vat), e.Failure, e.Info)
	c.b.Delete(reapKey(vat))
	cleanupQueue.push(c.b, swept{vat: vat}.encode())
	c.report.Ended = append(c.report.Ended, Ended{vat, e.Failure, reason})
}

// held reports whether a vat's events are being kept back.
func held(b vatkeeper.KV, vat swing.VatID) bool {
	_, ok := b.Get(string(holdQueue(vat)))
	return ok
}

// letGo returns what was held back for a vat to the head of the run-queue, in
// its order: ahead of everything that came later.
func (c *crank) letGo(vat swing.VatID) {
	if !held(c.b, vat) {
		return
	}
	c.b.Delete(quarantineKey(vat))
	evs := holdQueue(vat).drain(c.b)
	for i := len(evs) - 1; i >= 0; i-- {
		ev := decodeEvent(evs[i])
		c.unpark(ev)
		runQueue.pushFront(c.b, evs[i])
		c.runs(ev)
	}
	c.resume(vat)
}
