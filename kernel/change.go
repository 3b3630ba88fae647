package kernel

import (
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// VatOptions are those of a vat's options that are not its program and name.
type VatOptions struct {
	Pipelining, Critical, Quarantine bool
	// ReapDeliveries, ReapRefs and ReapFuel are after how much the vat is reaped; 0 of a
	// vat that has ended and was cleaned up.
	ReapDeliveries, ReapRefs, ReapFuel uint64
	Meter                              swing.KRef // "" is none
}

// LookupOptions returns the options of a vat, and whether there is one of that id.
func LookupOptions(b vatkeeper.KV, vat swing.VatID) (o VatOptions, ok bool) {
	vk := vatkeeper.New(vat, b)
	made, ok := vk.Options()
	if vat.Validate() != nil || !ok {
		return VatOptions{}, false
	}
	o = VatOptions{
		Pipelining: made.Pipelining, Critical: made.Critical, Quarantine: made.Quarantine,
		Meter: meterOf(b, vat),
	}
	if vk.HasDirt() {
		d := vk.Dirt()
		o.ReapDeliveries, o.ReapRefs, o.ReapFuel = d.DeliveriesMax, d.RefsMax, d.FuelMax
	}
	return o, true
}

// OptionChange says which of a vat's options change: those that only say when the kernel
// does something. Whether it pipelines its program relies on, and so do messages that wait;
// its meter is what whoever made the vat granted.
type OptionChange struct {
	ReapDeliveries, ReapRefs, ReapFuel uint64 // 0 stays as it is
	Critical, Quarantine               *bool  // nil stays as it is
}

// ChangeOptions changes options of a vat, from its next delivery on. One that is
// quarantined stays so. Where nothing would change, nothing happens.
func (k *Kernel) ChangeOptions(b Buffer, vat swing.VatID, o OptionChange) error {
	if err := checkAlive(b, vat); err != nil {
		return err
	}
	if err := checkReaps(o.ReapDeliveries, o.ReapRefs, o.ReapFuel); err != nil {
		return refuse("%w", err)
	}
	vk := vatkeeper.New(vat, b)
	was, _ := vk.Options()
	is := was
	if o.Critical != nil {
		is.Critical = *o.Critical
	}
	if o.Quarantine != nil {
		is.Quarantine = *o.Quarantine
	}
	reaped := vk.Dirt()
	reaps := reaped.Changed(o.ReapDeliveries, o.ReapRefs, o.ReapFuel)
	if is == was && reaps == reaped {
		return nil
	}
	c := k.begin(b)
	if is != was {
		vk.SetOptions(is)
	}
	if reaps != reaped {
		vk.SetDirt(reaps)
	}
	c.sealInput()
	return nil
}

// checkReaps refuses numbers after which to reap that are beyond Never.
func checkReaps(deliveries, refs, fuel uint64) error {
	if deliveries > Never || refs > Never || fuel > Never {
		return fmt.Errorf("reaps after %d deliveries, %d references or %d units of fuel: "+
			"at most %d", deliveries, refs, fuel, uint64(Never))
	}
	return nil
}
