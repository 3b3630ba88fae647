package vatkeeper

import (
	"cmp"

	"vatwarehouse/swing"
)

// Dirt is what has come upon a vat since it was last asked to say what it dropped,
// and how much of it is due another reap.
type Dirt struct {
	Reaped uint64 // the vat's position right after the last reap
	Refs   uint64 // references it was told of in GC deliveries since

	DeliveriesMax, RefsMax uint64
}

// Due reports whether a vat at a position is to be reaped.
func (d Dirt) Due(position uint64) bool {
	return position-d.Reaped >= d.DeliveriesMax || d.Refs >= d.RefsMax
}

// Changed returns the dirt with other numbers after which a reap is due; 0 leaves a number
// as it is.
func (d Dirt) Changed(deliveries, refs uint64) Dirt {
	d.DeliveriesMax = cmp.Or(deliveries, d.DeliveriesMax)
	d.RefsMax = cmp.Or(refs, d.RefsMax)
	return d
}

// HasDirt reports whether the vat has any: not once it was cleaned up.
func (k Keeper) HasDirt() bool {
	_, ok := k.kv.Get(k.key(".d"))
	return ok
}

// Dirt returns the vat's dirt.
func (k Keeper) Dirt() (d Dirt) {
	r := k.read(".d")
	r.Fields(4)
	d = Dirt{r.Uint(), r.Uint(), r.Uint(), r.Uint()}
	k.done(r, ".d")
	return d
}

// SetDirt replaces the vat's dirt.
func (k Keeper) SetDirt(d Dirt) {
	b := swing.AppendUint(swing.AppendUint(swing.AppendArray(nil, 4), d.Reaped), d.Refs)
	k.kv.Set(k.key(".d"), swing.AppendUint(swing.AppendUint(b, d.DeliveriesMax), d.RefsMax))
}
