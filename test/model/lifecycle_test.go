package model

import (
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

func (m *model) upgrade(id vatID, text string, params kcap) (result kref, ok bool) {
	if !m.alive(id) || !m.known(params.Slots...) {
		return "", false
	}
	result = swing.KRefOf(swing.Promise, m.nextPromise)
	m.nextPromise++
	m.promises = append(m.promises, promise{ref: result})
	m.pins = append(m.pins, result)
	m.acceptance = append(m.acceptance, event{
		upgrade: true, vat: id, text: text, params: params, result: result,
	})
	m.collect()
	return result, true
}

// reincarnate gives up what only the old heap could have answered for.
func (m *model) reincarnate(ev event, r *report) {
	v := m.vat(ev.vat)
	m.mark("an upgrade")
	r.discards = append(r.discards, v.id)
	const form = `#{"incarnationNumber":%d,"name":"vatUpgraded","upgradeMessage":%q}`
	why := kcap{Body: fmt.Appendf(nil, form, v.incarnation, ev.text)}
	for _, e := range slices.Clone(v.clist) {
		if isPromise(e) {
			p := m.promise(e.kref)
			if p.state != 0 || p.decider != v.id {
				continue
			}
			if slices.Contains(p.subscribers, v.id) {
				m.mark("a promise that the new incarnation is notified of")
			} else {
				m.mark("a promise that an upgrade takes away")
				v.remove(e.kref)
			}
			m.resolve(e.kref, true, why, r)
			continue
		}
		durable := e.vref == swing.RootVRef || strings.HasPrefix(string(e.vref), "o+d")
		if isExport(e) && !durable && !m.fault("an export kept by an upgrade") {
			m.mark("an export that an upgrade takes away")
			v.remove(e.kref)
			m.object(e.kref).owner = ""
		}
	}
	v.incarnation++
}

// begun answers who asked for an upgrade that has succeeded.
func (m *model) begun(r *report) {
	if !r.ev.upgrade {
		return
	}
	v := m.vat(r.vat)
	list := swing.AppendUint(swing.AppendArray(nil, 1), v.incarnation)
	m.resolve(r.ev.result, false, kcap{Body: list}, r)
	if v.quarantined != "" {
		m.mark("an upgrade ends a quarantine")
		m.letGo(v.id)
	}
}

// setBack undoes a failed upgrade, or quarantines a vat that failed and is to be.
func (m *model) setBack(undo *model, r *report) bool {
	ev := r.ev
	v := m.vat(r.vat)
	start := r.queued && r.delivery.Kind == swing.DeliverStartVat && !ev.upgrade
	switch {
	case ev.upgrade:
		m.mark("an upgrade that fails")
		*m = *undo
		m.run = m.run[1:]
		r.outputs = nil
		m.resolve(ev.result, true, kcap{Body: []byte("see patch")}, r)
	case v.quarantine && !start:
		m.mark("a quarantine")
		*m = *undo
		r.outputs = nil
		v = m.vat(r.vat)
		v.held, v.quarantined = true, "see patch"
		if r.queued && !ev.reap && !m.fault("a quarantine that loses its event") {
			v.heldBack = []event{m.run[0]}
			m.run = m.run[1:]
		}
	default:
		return false
	}
	r.kind = setback
	return true
}
