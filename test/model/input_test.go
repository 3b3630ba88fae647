package model

import (
	"slices"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// The embedder's inputs. Each returns false, and changes nothing, if the input
// is refused.

func (m *model) known(refs ...kref) bool {
	return !slices.ContainsFunc(refs, func(ref kref) bool {
		return ref.Validate() != nil || !m.exists(ref)
	})
}

func (m *model) create(
	name string, pipelining, critical, quarantine bool, params kcap,
) (id vatID, root kref, ok bool) {
	if name != "" && slices.Contains(m.names, name) || !m.known(params.Slots...) {
		return "", "", false
	}
	id = swing.VatIDOf(uint64(len(m.vats)) + 1)
	root = swing.KRefOf(swing.Object, m.nextObject)
	m.nextObject++
	m.objects = append(m.objects, object{ref: root, owner: id})
	v := vat{id: id, pipelining: pipelining, critical: critical, quarantine: quarantine}
	v.reap = m.reap
	v.add(entry{root, swing.RootVRef, true})
	m.vats = append(m.vats, v)
	m.names = append(m.names, name)
	m.pins = append(m.pins, root)
	m.acceptance = append(m.acceptance, event{vat: id, params: params})
	m.collect()
	return id, root, true
}

func (m *model) send(target kref, method string, args kcap, want bool) (result kref, ok bool) {
	if !m.known(target) || !m.known(args.Slots...) {
		return "", false
	}
	if want {
		result = swing.KRefOf(swing.Promise, m.nextPromise)
		m.nextPromise++
		m.promises = append(m.promises, promise{ref: result})
		m.pins = append(m.pins, result)
	}
	m.acceptance = append(m.acceptance, event{
		target: target, method: method, args: args, result: result,
	})
	m.collect()
	return result, true
}

func (m *model) release(ref kref) bool {
	at := slices.Index(m.pins, ref)
	if at < 0 {
		return false
	}
	m.pins = slices.Delete(m.pins, at, at+1)
	m.mark("a pin released")
	m.collect()
	return true
}

func (m *model) retain(ref kref) bool {
	if !m.known(ref) {
		return false
	}
	m.pins = append(m.pins, ref)
	m.mark("a pin more")
	m.collect()
	return true
}

func (m *model) setTime(now uint64) bool {
	if now < m.time {
		return false
	}
	m.time = now
	return true
}

func (m *model) terminate(id vatID, reason string) (r report, ok bool) {
	if !m.alive(id) {
		return report{}, false
	}
	m.mark("a vat terminated")
	m.end(ended{id, true, reason}, errorData(reason), false, &r)
	m.collect()
	return r, true
}

func (m *model) change(id vatID, o kernel.OptionChange) bool {
	if !m.alive(id) {
		return false
	}
	v := m.vat(id)
	if o.ReapDeliveries > 0 {
		v.reap.deliveries = o.ReapDeliveries
	}
	if o.ReapRefs > 0 && !m.fault("a change of options that forgets a number") {
		v.reap.refs = o.ReapRefs
	}
	if o.Critical != nil {
		v.critical = *o.Critical
	}
	if o.Quarantine != nil {
		v.quarantine = *o.Quarantine
	}
	m.mark("a change of options")
	return true
}

func (m *model) hold(id vatID) bool {
	if !m.alive(id) || m.vat(id).held {
		return false
	}
	m.vat(id).held = true
	return true
}

func (m *model) unhold(id vatID) bool {
	if !m.alive(id) || !m.vat(id).held {
		return false
	}
	m.letGo(id)
	return true
}
