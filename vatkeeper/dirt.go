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
	Fuel   uint64 // units that its deliveries used since, if it is to be reaped for them

	DeliveriesMax, RefsMax, FuelMax uint64
}

// Due reports whether a vat at a position is to be reaped.
func (d Dirt) Due(position uint64) bool {
	return position-d.Reaped >= d.DeliveriesMax || d.Refs >= d.RefsMax || d.Fuel >= d.FuelMax
}

// Changed returns the dirt with other numbers after which a reap is due; 0 leaves a number
// as it is.
func (d Dirt) Changed(deliveries, refs, fuel uint64) Dirt {
	d.DeliveriesMax = cmp.Or(deliveries, d.DeliveriesMax)
	d.RefsMax = cmp.Or(refs, d.RefsMax)
	d.FuelMax = cmp.Or(fuel, d.FuelMax)
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
	r.Fields(6)
	d = Dirt{r.Uint(), r.Uint(), r.Uint(), r.Uint(), r.Uint(), r.Uint()}
	k.done(r, ".d")
	return d
}

// SetDirt replaces the vat's dirt.
func (k Keeper) SetDirt(d Dirt) {
	b := swing.AppendArray(make([]byte, 0, dirtBytesHint), 6)
	for _, n := range []uint64{d.Reaped, d.Refs, d.Fuel, d.DeliveriesMax, d.RefsMax, d.FuelMax} {
		b = swing.AppendUint(b, n)
	}
	k.kv.Set(k.key(".d"), b)
}

// dirtBytesHint is what encoded dirt takes at most.
const dirtBytesHint = 1 + 6*9

// MigrateDirt rewrites the vat's dirt, if it has any, as it was before there was fuel.
func (k Keeper) MigrateDirt(fuelMax uint64) {
	if !k.HasDirt() {
		return
	}
	r := k.read(".d")
	r.Fields(4)
	d := Dirt{Reaped: r.Uint(), Refs: r.Uint(), DeliveriesMax: r.Uint(), RefsMax: r.Uint()}
	k.done(r, ".d")
	d.FuelMax = fuelMax
	k.SetDirt(d)
}
