package kernel

import "vatwarehouse/swing"

// Waiting returns the numbers of the events that wait in the run-queue: those from first on
// and before end, in the order of their turns. known is false, and nothing is known of what
// comes next, while other events wait to be routed, or with an [Order].
func (k *Kernel) Waiting(b Buffer) (first, end uint64, known bool) {
	if k.order != nil || acceptanceQueue.length(b) > 0 {
		return 0, 0, false
	}
	first, end = runQueue.bounds(b)
	return first, end, true
}

// Receiver returns the vat that an event waiting in the run-queue is for, as things stand, or
// "" if it is delivered to none. What happens meanwhile may have it turn out otherwise.
func (k *Kernel) Receiver(b Buffer, number uint64) swing.VatID {
	ev := decodeEvent(runQueue.at(b, number))
	if ev.kind == eventUpgrade {
		return "" // another program will run
	}
	c := k.begin(b)
	vat, _ := c.bound(ev)
	if vat == ServiceOwner || held(b, vat) || !c.alive(vat) {
		return ""
	}
	return vat
}
