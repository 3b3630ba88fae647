package model

import (
	"fmt"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

func (m *model) upgrade(
	id vatID, code swing.Hash, text string, params kcap,
) (result kref, ok bool) {
	if !m.alive(id) || !m.known(params.Slots...) {
		return "", false
	}
	result = m.newPromise()
	m.pins = append(m.pins, result)
	m.acceptance = append(m.acceptance, event{
		upgrade: true, vat: id, code: code, text: text, params: params, result: result,
	})
	m.collect(&report{})
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
	v.code = ev.code
	v.params = ev.params
}

// begun answers who asked for an upgrade that has succeeded.
func (m *model) begun(r *report) {
	v := m.vat(r.vat)
	if !r.ev.upgrade {
		if r.delivery.Kind == swing.DeliverStartVat {
			m.born(v, r)
		}
		return
	}
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
		m.rollback(undo, r)
		m.takeRun()
		m.resolve(ev.result, true, m.words("vat upgrade failed: "), r)
	case v.quarantine && !start:
		m.mark("a quarantine")
		m.rollback(undo, r)
		v = m.vat(r.vat)
		v.held, v.quarantined = true, string(m.words("").Body)
		if r.queued && !ev.reap && !m.fault("a quarantine that loses its event") {
			v.heldBack = []event{m.takeRun()}
		}
	default:
		return false
	}
	r.kind = setback
	return true
}
