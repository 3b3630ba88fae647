package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// A meter is an object of the kernel's that bounds what vats may use. Several vats may
// share one. A delivery of a metered vat may use no more fuel than the meter has left,
// and what it used is taken off, also if it is rolled back; if that was not enough, the vat
// fails. GC deliveries and reaps are free, since no vat can help them.
//
// Its methods:
//
//	addRemaining(n) → []
//	setThreshold(n) → []
//	get() → [remaining, threshold, used so far]
//	notify() → [remaining], once it falls below its threshold
//
// An unlimited meter only counts: its remaining is 0, and nothing is ever taken off.

// meter is a row koN.m; its numbers are units of fuel.
type meter struct {
	remaining, threshold, used uint64
	unlimited                  bool
}

func meterKey(ref swing.KRef) string     { return string(ref) + ".m" }
func notifyKey(ref swing.KRef) string    { return string(ref) + ".w." }
func vatMeterKey(vat swing.VatID) string { return string(vat) + ".m" }
func (m meter) write(b vatkeeper.KV, ref swing.KRef) {
	v := swing.AppendUint(swing.AppendUint(swing.AppendArray(nil, 4), m.remaining), m.threshold)
	b.Set(meterKey(ref), swing.AppendBool(swing.AppendUint(v, m.used), m.unlimited))
}

func readMeter(b vatkeeper.KV, ref swing.KRef) (m meter) {
	r := row(b, meterKey(ref))
	r.Fields(4)
	m = meter{remaining: r.Uint(), threshold: r.Uint(), used: r.Uint(), unlimited: r.Bool()}
	done(r, meterKey(ref))
	return m
}

// meterOf returns the meter of a vat, or "".
func meterOf(b vatkeeper.KV, vat swing.VatID) swing.KRef {
	v, _ := b.Get(vatMeterKey(vat))
	return swing.KRef(v)
}

// setMeter gives a vat a meter, which it holds until it ends.
func (c *crank) setMeter(vat swing.VatID, ref swing.KRef) {
	c.b.Set(vatMeterKey(vat), []byte(ref))
	c.count(ref, 1)
}

func (c *crank) dropMeter(vat swing.VatID) {
	if ref := meterOf(c.b, vat); ref != "" {
		c.b.Delete(vatMeterKey(vat))
		c.count(ref, -1)
	}
}

// metered reports whether a delivery is taken off its vat's meter.
func metered(ev event) bool { return ev.kind != eventCollect && ev.kind != eventReap }

// budget returns how much fuel a delivery may use: the limit, or what is left in the
// vat's meter if that is less.
func (c *crank) budget(meter swing.KRef) uint64 {
	limit := uint64(c.options.Limits.Fuel)
	if meter == "" {
		return limit
	}
	m := readMeter(c.b, meter)
	if m.unlimited {
		return limit
	}
	return min(limit, m.remaining)
}

// exhausted returns the outcome of a delivery that needed more than its budget.
func (c *crank) exhausted(j *judgement) swing.Outcome {
	if j.budget < uint64(c.options.Limits.Fuel) {
		return swing.Outcome{
			Status:  swing.StatusUnderflow,
			Problem: fmt.Sprintf("the meter had %d units of fuel", j.budget),
		}
	}
	return swing.Outcome{
		Status:  swing.StatusOutOfFuel,
		Problem: fmt.Sprintf("a delivery may use %d units", j.budget),
	}
}

// deduct takes what a delivery used off a meter, and notifies those who asked when
// it falls below its threshold. What happened to the delivery does not matter.
func (c *crank) deduct(ref swing.KRef, fuel uint64) {
	if ref == "" || fuel == 0 || !has(c.b, meterKey(ref)) {
		return
	}
	m := readMeter(c.b, ref)
	before := m.remaining
	m.used += fuel
	if !m.unlimited {
		m.remaining -= min(fuel, m.remaining)
	}
	m.write(c.b, ref)
	if m.unlimited || before < m.threshold || m.remaining >= m.threshold {
		return
	}
	data := swing.CapData[swing.KRef]{Body: list(number(m.remaining))}
	c.settleAll(notifyKey(ref), false, data)
}

// newMeter makes a meter.
func (c *crank) newMeter(m meter) swing.KRef {
	ref := c.newService(service{kind: meterService})
	m.write(c.b, ref)
	return ref
}

// serveMeter answers a message to a meter.
func (c *crank) serveMeter(ref swing.KRef, m swing.Message[swing.KRef], in *arguments) error {
	state := readMeter(c.b, ref)
	switch m.Method {
	case "addRemaining":
		n := in.Uint()
		if err := in.DoneShort("a number"); err != nil {
			return err
		}
		if state.unlimited || state.remaining+n < n {
			return errors.New("the meter takes no more")
		}
		state.remaining += n
	case "setThreshold":
		state.threshold = in.Uint()
		if err := in.DoneShort("a number"); err != nil {
			return err
		}
	case "get":
		if err := in.DoneShort("nothing"); err != nil {
			return err
		}
		c.fulfil(m.Result, list(
			number(state.remaining), number(state.threshold), number(state.used)))
		return nil
	case "notify":
		if err := in.DoneShort("nothing"); err != nil {
			return err
		}
		if m.Result != "" {
			c.await(notifyKey(ref), m.Result)
		}
		return nil
	default:
		return fmt.Errorf("there is no method %s", m.Method)
	}
	state.write(c.b, ref)
	c.fulfil(m.Result, list())
	return nil
}

// forgetMeter deletes a meter that nobody can reach.
func (c *crank) forgetMeter(ref swing.KRef) {
	if has(c.b, meterKey(ref)) {
		c.b.Delete(meterKey(ref))
		c.meters = append(c.meters, ref)
	}
}

// tellOfMeters tells those who wait for the meters that are gone, the one made first first.
func (c *crank) tellOfMeters() {
	slices.SortFunc(c.meters, func(a, b swing.KRef) int {
		return cmp.Compare(a.Number(), b.Number())
	})
	for _, ref := range c.meters {
		c.settleAll(notifyKey(ref), true, errorData("the meter is gone"))
	}
	c.meters = nil
}

// Meter is what the kernel knows of a meter.
type Meter struct {
	Remaining, Threshold, Used uint64
	Unlimited                  bool
}

// LookupMeter returns a meter, and whether there is one of that name.
func LookupMeter(b vatkeeper.KV, ref swing.KRef) (Meter, bool) {
	if ref.Validate() != nil || ref.Kind() != swing.Object || !has(b, meterKey(ref)) {
		return Meter{}, false
	}
	m := readMeter(b, ref)
	return Meter{m.remaining, m.threshold, m.used, m.unlimited}, true
}

// CreateMeter makes a meter, which is held for the embedder until Release. An unlimited
// one only counts.
func (k *Kernel) CreateMeter(b Buffer, remaining, threshold uint64, unlimited bool) swing.KRef {
	c := k.begin(b)
	if unlimited {
		remaining, threshold = 0, 0
	}
	ref := c.newMeter(meter{remaining: remaining, threshold: threshold, unlimited: unlimited})
	c.pin(ref, 1)
	c.sealInput()
	return ref
}
