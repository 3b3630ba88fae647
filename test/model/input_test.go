package model

import (
	"bytes"
	"slices"
	"strings"

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

// spec says what vat to make.
type spec struct {
	name                             string
	code                             swing.Hash
	params                           kcap
	pipelining, critical, quarantine bool
	meter                            kref
	reap                             dirt
}

func (m *model) create(s spec) (id vatID, root kref, ok bool) {
	if m.crowded() {
		return "", "", false
	}
	if m.taken(s.name) || !m.known(s.params.Slots...) || s.meter != "" && !m.isMeter(s.meter) {
		return "", "", false
	}
	id, root = m.make(s)
	m.pins = append(m.pins, root)
	m.collect(&report{})
	return id, root, true
}

// crowded reports whether as many vats live as there may be.
func (m *model) crowded() bool {
	living := 0
	for _, v := range m.vats {
		if !v.ended {
			living++
		}
	}
	if living >= m.limits.Vats {
		m.mark("a vat too many")
	}
	return living >= m.limits.Vats
}

func (m *model) taken(name string) bool { return name != "" && slices.Contains(m.names, name) }

// make makes a vat and queues its start.
func (m *model) make(s spec) (id vatID, root kref) {
	id = swing.VatIDOf(uint64(len(m.vats)) + 1)
	root = swing.KRefOf(swing.Object, m.nextObject)
	m.nextObject++
	m.objects = append(m.objects, object{ref: root, owner: id})
	v := vat{
		id: id, pipelining: s.pipelining, critical: s.critical, quarantine: s.quarantine,
		code: s.code, meter: s.meter, reap: m.reap.changed(s.reap), params: s.params,
	}
	v.add(entry{root, swing.RootVRef, true})
	m.vats = append(m.vats, v)
	m.names = append(m.names, s.name)
	m.acceptance = append(m.acceptance, event{vat: id, params: s.params})
	return id, root
}

func (m *model) send(target kref, method string, args kcap, want bool) (result kref, ok bool) {
	if !m.known(target) || !m.known(args.Slots...) || len(args.Body) > m.limits.BodyBytes {
		return "", false
	}
	if want {
		result = m.newPromise()
		m.pins = append(m.pins, result)
	}
	m.acceptance = append(m.acceptance, event{
		target: target, method: method, args: args, result: result,
	})
	m.collect(&report{})
	return result, true
}

func (m *model) release(ref kref) (r report, ok bool) {
	at := slices.Index(m.pins, ref)
	mine := ref == kernel.AdminRef // one of these pins is the kernel's
	if at < 0 || mine && !slices.Contains(m.pins[at+1:], ref) {
		return report{}, false
	}
	m.pins = slices.Delete(m.pins, at, at+1)
	m.mark("a pin released")
	m.collect(&r)
	return r, true
}

func (m *model) retain(ref kref) bool {
	if !m.known(ref) {
		return false
	}
	m.pins = append(m.pins, ref)
	m.mark("a pin more")
	m.collect(&report{})
	return true
}

func (m *model) setTime(now uint64) (r report, ok bool) {
	if now < m.time {
		return report{}, false
	}
	m.time = now
	m.tick(&r)
	m.collect(&r)
	return r, true
}

func (m *model) install(hash swing.Hash, name string) {
	if at, found := slices.BinarySearchFunc(m.programs, hash, compareHashes); !found {
		m.programs = slices.Insert(slices.Clone(m.programs), at, hash)
	}
	if name == "" {
		return
	}
	m.titles = slices.Clone(m.titles)
	at, found := slices.BinarySearchFunc(m.titles, name, func(t title, name string) int {
		return strings.Compare(t.name, name)
	})
	if !found {
		m.titles = slices.Insert(m.titles, at, title{})
	}
	m.titles[at] = title{name, hash}
}

func compareHashes(a, b swing.Hash) int { return bytes.Compare(a[:], b[:]) }

func (m *model) terminate(id vatID, reason string) (r report, ok bool) {
	if !m.alive(id) {
		return report{}, false
	}
	m.mark("a vat terminated")
	m.end(ended{id, true, reason}, errorData(reason), &r)
	m.collect(&r)
	return r, true
}

func (m *model) change(id vatID, o kernel.OptionChange) bool {
	if !m.alive(id) {
		return false
	}
	v := m.vat(id)
	to := dirt{o.ReapDeliveries, o.ReapRefs, o.ReapFuel}
	if o.ReapRefs > 0 && m.fault("a change of options that forgets a number") {
		to.refs = 0
	}
	v.reap = v.reap.changed(to)
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
	m.queueDues()
	return true
}
