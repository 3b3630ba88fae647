package kernel

import (
	"encoding/json"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// CriticalError says that a critical vat failed. The crank in which it did so did not
// happen: nothing can go on until somebody sees to the vat.
type CriticalError struct {
	Vat    swing.VatID
	Reason string
}

// Error names the vat and says why it failed.
func (e *CriticalError) Error() string {
	return fmt.Sprintf("critical vat %s failed: %s", e.Vat, e.Reason)
}

// Keys of single vats, beside those of package vatkeeper.
func birthKey(vat swing.VatID) string      { return string(vat) + ".b" }
func quarantineKey(vat swing.VatID) string { return string(vat) + ".q" }
func mournersKey(vat swing.VatID) string   { return string(vat) + ".w." }

// birth is what is due when a vat that was made for another has started: an answer. Its
// row holds the references.
type birth struct{ result, root, node swing.KRef }

func (b birth) refs() []swing.KRef { return []swing.KRef{b.result, b.root, b.node} }

func (c *crank) setBirth(vat swing.VatID, b birth) {
	v := swing.AppendArray(nil, 3)
	for _, ref := range b.refs() {
		v = swing.AppendText(v, ref)
		c.count(ref, 1)
	}
	c.b.Set(birthKey(vat), v)
}

func (c *crank) takeBirth(vat swing.VatID) (b birth, ok bool) {
	key := birthKey(vat)
	if !has(c.b, key) {
		return birth{}, false
	}
	b = readBirth(c.b, key)
	c.b.Delete(key)
	return b, true
}

func readBirth(b vatkeeper.KV, key string) (out birth) {
	r := row(b, key)
	r.Fields(3)
	out = birth{swing.KRef(r.Text()), swing.KRef(r.Text()), swing.KRef(r.Text())}
	done(r, key)
	return out
}

func (c *crank) letGoOfBirth(b birth) {
	for _, ref := range b.refs() {
		c.count(ref, -1)
	}
}

// begun answers those who wait for a vat, or its new incarnation, to start.
func (c *crank) begun(vk vatkeeper.Keeper, ev event) {
	switch ev.kind {
	case eventStart:
		if b, ok := c.takeBirth(vk.ID()); ok {
			c.fulfil(b.result, list(swing.AppendNull, swing.AppendNull), b.root, b.node)
			c.letGoOfBirth(b)
		}
	case eventUpgrade:
		c.fulfil(ev.message.Result, list(number(vk.Span().Incarnation)))
		if _, quarantined := Quarantined(c.b, vk.ID()); quarantined {
			c.letGo(vk.ID())
		}
	}
}

// stillborn answers those who waited for a vat that ended instead of starting.
func (c *crank) stillborn(vk vatkeeper.Keeper, reason string) {
	if b, ok := c.takeBirth(vk.ID()); ok {
		c.reject(b.result, errorData("vat creation failed: "+reason))
		c.letGoOfBirth(b)
	}
}

// fulfil settles the result promise of a message that the kernel answered.
func (c *crank) fulfil(result swing.KRef, body []byte, slots ...swing.KRef) {
	if result != "" {
		data := swing.CapData[swing.KRef]{Body: body, Slots: slots}
		c.resolve(swing.Resolution[swing.KRef]{Promise: result, Data: data})
	}
}

// list encodes a list of values.
func list(values ...func([]byte) []byte) []byte {
	b := swing.AppendArray(nil, len(values))
	for _, v := range values {
		b = v(b)
	}
	return b
}

// number is a value of a list.
func number(n uint64) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendUint(b, n) }
}

// reincarnate turns a vat into the one that an upgrade makes of it, before it starts:
// what only the old heap could have answered for is given up.
func (c *crank) reincarnate(vk vatkeeper.Keeper, ev event) {
	c.vats.Discard(vk.ID())
	var lost, gone []swing.KRef
	for e := range vk.Promises() {
		p := readPromise(c.b, e.KRef)
		if p.state != Unresolved || p.decider != vk.ID() {
			continue
		}
		lost = append(lost, e.KRef)
		// Of one that the vat watches itself, the new incarnation is notified.
		if !p.subscribed(c.b, e.KRef, vk.ID()) {
			gone = append(gone, e.KRef)
		}
	}
	for _, ref := range lost {
		c.reject(ref, upgraded(ev.text, vk.Span().Incarnation))
	}
	c.apply(vk.ID(), vk.Disconnect(gone))
	vk.Reincarnate(ev.code)
	c.setParams(vk, ev.params)
}

// setParams records what a vat is started with, and holds the references in it in place
// of those before.
func (c *crank) setParams(vk vatkeeper.Keeper, p swing.CapData[swing.KRef]) {
	for _, s := range p.Slots {
		c.count(s, 1)
	}
	for _, s := range vk.Params().Slots {
		c.count(s, -1)
	}
	vk.SetParams(p)
}

// upgraded returns the capdata that promises of an old incarnation are rejected with,
// in the encoding of errorData.
func upgraded(message string, incarnation uint64) swing.CapData[swing.KRef] {
	quoted, err := json.Marshal(message)
	if err != nil {
		panic(fmt.Sprintf("kernel: quote %q: %v", message, err))
	}
	const form = `#{"incarnationNumber":%d,"name":"vatUpgraded","upgradeMessage":%s}`
	return swing.CapData[swing.KRef]{Body: fmt.Appendf(nil, form, incarnation, quoted)}
}

// setBack undoes a failed upgrade, or quarantines a vat that failed and is to be, and
// reports whether it did either.
func (c *crank) setBack(vk vatkeeper.Keeper, ev event, out swing.Outcome) bool {
	if ev.kind == eventUpgrade {
		c.rollback(c.taken)
		c.reject(ev.message.Result, errorData("vat upgrade failed: "+out.String()))
		c.drop(ev)
		c.report.Kind = Setback
		return true
	}
	if o, _ := vk.Options(); !o.Quarantine || ev.kind == eventStart {
		return false
	}
	if ev.kind == eventSend || ev.kind == eventNotify {
		c.rollback(c.taken)
		c.leaves(c.event)
		c.hold(vk.ID())
		c.park(holdQueue(vk.ID()), c.event)
	} else { // what made the event is still there
		c.rollback(c.start)
		c.hold(vk.ID())
	}
	c.b.Set(quarantineKey(vk.ID()), []byte(out.String()))
	c.report.Kind = Setback
	return true
}

func (c *crank) hold(vat swing.VatID) { holdQueue(vat).setBounds(c.b, firstRow, firstRow) }

// Quarantined returns why a vat is held after it failed, and whether it is.
func Quarantined(b vatkeeper.KV, vat swing.VatID) (reason string, ok bool) {
	v, ok := b.Get(quarantineKey(vat))
	return string(v), ok
}
