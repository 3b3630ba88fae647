package kernel

import (
	"slices"

	"vatwarehouse/swing"
)

// Upcoming returns the vats that the first events of the run-queue are for, as things stand,
// in their order: of so many events. It changes nothing, and what happens meanwhile may turn
// out otherwise. ok is false, and nothing is known, while events wait to be routed, or with
// an [Order].
func (k *Kernel) Upcoming(b Buffer, events int) (vats []swing.VatID, ok bool) {
	if k.order != nil || acceptanceQueue.length(b) > 0 {
		return nil, false
	}
	c := k.begin(b)
	head, tail := runQueue.bounds(b)
	for n := head; n < min(tail, head+uint64(events)); n++ {
		ev := decodeEvent(runQueue.at(b, n))
		if ev.kind == eventUpgrade {
			continue // another program will run
		}
		vat, _ := c.bound(ev)
		if vat == ServiceOwner || slices.Contains(vats, vat) || held(b, vat) || !c.alive(vat) {
			continue
		}
		vats = append(vats, vat)
	}
	return vats, true
}
