package model

import (
	"slices"
	"strings"

	"vatwarehouse/swing"
)

// collect ends a crank or an input: what nobody refers to goes, and vats that
// must hear of it are remembered. Letting go of one thing may free another.
func (m *model) collect(r *report) {
	for m.collectOnce() {
	}
	for m.bury(r) {
		m.collectOnce()
	}
	m.queueDues()
}

// needed are the promises that anybody but resolved promises refers to, and those that
// they lead to.
func (m *model) needed(t tally) map[kref]bool {
	others := slices.Clone(t.promises)
	for _, p := range m.promises {
		for _, s := range p.data.Slots {
			if s.Kind() == swing.Promise {
				others[s.Number()]--
			}
		}
	}
	needed := map[kref]bool{}
	var from []kref
	for _, p := range m.promises {
		if others[p.ref.Number()] > 0 {
			from = append(from, p.ref)
		}
	}
	for len(from) > 0 {
		ref := from[0]
		from = from[1:]
		if needed[ref] {
			continue
		}
		needed[ref] = true
		for _, s := range m.promise(ref).data.Slots {
			if s.Kind() == swing.Promise {
				from = append(from, s)
			}
		}
	}
	return needed
}

func (m *model) collectOnce() (changed bool) {
	t := m.recount()
	needed := m.needed(t)
	m.promises = slices.DeleteFunc(m.promises, func(p promise) bool {
		gone := !needed[p.ref]
		if gone && t.promises[p.ref.Number()] > 0 {
			m.mark("a promise that only its like refer to")
		}
		if gone && m.fault("a promise nobody refers to stays") {
			return false
		}
		if gone {
			m.mark("a promise nobody refers to is deleted")
		}
		changed = changed || gone && len(p.data.Slots) > 0
		return gone
	})
	kept := m.objects[:0]
	for _, o := range m.objects {
		n := o.ref.Number()
		if t.reachable[n] > 0 {
			o.told = false
		} else if m.unreachable(&o, t.recognizable[n]) {
			continue
		}
		kept = append(kept, o)
	}
	m.objects = kept
	return changed
}

// unreachable sees to an object that nobody reaches, and reports whether it is gone.
func (m *model) unreachable(o *object, recognizable int) (gone bool) {
	if m.alive(o.owner) {
		if e := m.vat(o.owner).byKRef(o.ref); e.reachable {
			m.remember(action{o.owner, dropExport, o.ref})
		}
		if recognizable == 0 {
			m.remember(action{o.owner, retireExport, o.ref})
		}
		return false
	}
	if o.owner == kernelOwn {
		m.mark("an object of the kernel's is gone")
		m.service(o.ref).gone = true
		o.owner = ""
	}
	if o.owner != "" {
		return false // its vat's cleanup will come to it
	}
	for i := range m.vats {
		v := &m.vats[i]
		// A dead one, too: its action will not hold.
		if v.byKRef(o.ref) != nil && !o.told && !m.fault("an importer not told") {
			m.remember(action{v.id, retireImport, o.ref})
		}
	}
	o.told = true
	if recognizable == 0 {
		m.mark("an orphan is gone")
	}
	return recognizable == 0
}

func (m *model) remember(a action) {
	at, found := slices.BinarySearchFunc(m.actions, a, compareActions)
	if !found {
		m.actions = slices.Insert(m.actions, at, a)
	}
	m.chore(a.vat)
}

func compareActions(a, b action) int {
	if c := int(a.vat.Number()) - int(b.vat.Number()); c != 0 {
		return c
	}
	if a.kind != b.kind {
		return a.kind - b.kind
	}
	return int(a.ref.Number()) - int(b.ref.Number())
}

// actionsMax is how many references one GC delivery carries.
const actionsMax = 1000

// act judges the actions from one on, of its vat and kind, and delivers those that hold.
func (m *model) act(at int) report {
	first := m.actions[at]
	r := report{kind: skip, vat: first.vat}
	t := m.recount()
	var hold []kref
	for n := 0; n < actionsMax && at < len(m.actions); n++ {
		a := m.actions[at]
		if a.vat != first.vat || a.kind != first.kind {
			break
		}
		m.actions = slices.Delete(m.actions, at, at+1)
		known := m.vat(a.vat).byKRef(a.ref) != nil
		if m.holds(a, t) || known && m.fault("an action not judged again") {
			hold = append(hold, a.ref)
		} else {
			m.mark("an action that no longer holds")
		}
	}
	if len(hold) == 0 {
		return r
	}
	if len(hold) == actionsMax {
		m.mark("more actions than one delivery takes")
	}
	r.kind = delivers
	v := m.vat(first.vat)
	for _, ref := range hold {
		r.delivery.Refs = append(r.delivery.Refs, v.byKRef(ref).vref)
	}
	switch first.kind {
	case dropExport:
		r.delivery.Kind = swing.DeliverDropExports
		for _, ref := range hold {
			v.byKRef(ref).reachable = m.fault("an export still reachable after dropExports")
		}
	case retireExport:
		r.delivery.Kind = swing.DeliverRetireExports
		for _, ref := range hold {
			v.remove(ref)
		}
		m.objects = slices.DeleteFunc(m.objects, func(o object) bool {
			return slices.Contains(hold, o.ref)
		})
	case retireImport:
		r.delivery.Kind = swing.DeliverRetireImports
		for _, ref := range hold {
			if !m.fault("an import kept after retireImports") {
				v.remove(ref)
			}
		}
	}
	m.mark("deliver " + r.delivery.Kind.String())
	return r
}

// holds reports whether an action is still due.
func (m *model) holds(a action, t tally) bool {
	if !m.alive(a.vat) || m.object(a.ref) == nil {
		return false
	}
	e, n := m.vat(a.vat).byKRef(a.ref), a.ref.Number()
	if e == nil {
		return false
	}
	switch a.kind {
	case dropExport:
		return t.reachable[n] == 0 && e.reachable
	case retireExport:
		return t.recognizable[n] == 0
	}
	if t.reachable[n] > 0 {
		m.mark("an orphan that the embedder brought back")
	}
	return t.reachable[n] == 0
}

// dirty counts what a vat has had since its last reap, once the delivery is over.
func (m *model) dirty(r *report) {
	v := m.vat(r.vat)
	if v.ended {
		return
	}
	if r.delivery.Kind == swing.DeliverReap {
		v.dirt = dirt{}
		return
	}
	v.dirt.deliveries++
	v.dirt.refs += uint64(len(r.delivery.Refs))
	if v.reap.fuel < never {
		v.dirt.fuel += r.turn.program.Fuel
	} else {
		m.mark("fuel that is not counted")
	}
	byDeliveries := v.dirt.deliveries >= v.reap.deliveries
	byRefs := v.dirt.refs >= v.reap.refs && !m.fault("a reap for references forgotten")
	byFuel := v.dirt.fuel >= v.reap.fuel && !m.fault("a reap for fuel forgotten")
	if !byDeliveries && !byRefs && !byFuel {
		return
	}
	if byDeliveries {
		m.mark("a reap for deliveries")
	}
	if byRefs {
		m.mark("a reap for references")
	}
	if byFuel {
		m.mark("a reap for fuel")
	}
	at, found := slices.BinarySearchFunc(m.reaps, v.id, func(a, b vatID) int {
		return int(a.Number()) - int(b.Number())
	})
	if !found {
		m.reaps = slices.Insert(m.reaps, at, v.id)
	}
	m.chore(v.id)
}

func (m *model) reapNext(at int) report {
	id := m.reaps[at]
	m.reaps = slices.Delete(m.reaps, at, at+1)
	r := report{kind: delivers, vat: id}
	r.delivery.Kind = swing.DeliverReap
	m.mark("deliver reap")
	return r
}

// mustClean is the first dead vat of which something is left.
func (m *model) mustClean() *vat {
	if len(m.dying) == 0 {
		return nil
	}
	return m.vat(m.dying[0])
}

// clean removes some rows of a dead vat. A crank that finds fewer than it may
// remove is the vat's last.
func (m *model) clean() report {
	v := m.mustClean()
	r := report{kind: cleanup, vat: v.id}
	left := m.rules.cleanup.rows
	if m.fault("a row too many cleaned") {
		left++
	}
	all := slices.Clone(v.clist)
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(order(a), order(b)) })
	for _, e := range all[:min(left, uint64(len(all)))] {
		left--
		v.remove(e.kref)
		if isExport(e) {
			m.object(e.kref).owner = ""
			m.mark("an export of the dead is orphaned")
		}
	}
	for left > 0 && len(v.store) > 0 {
		left--
		v.store = v.store[1:]
		m.mark("a vatstore row of the dead goes")
	}
	r.swept = int(m.rules.cleanup.rows - left)
	if left > 0 {
		m.mark("a dead vat is cleaned")
		v.cleaned = true
		m.dying = m.dying[1:]
		v.info.Slots = nil
	}
	return r
}

// order is exports, imports, promises, and the spelling of each.
func order(e entry) string {
	switch {
	case isExport(e):
		return "1" + string(e.vref)
	case isImport(e):
		return "2" + string(e.vref)
	}
	return "3" + string(e.vref)
}

// own is the entry of an object of the vat's own, or nil.
func (t *turn) own(ref vref) *entry {
	e := t.self().byVRef(ref)
	if e == nil || ref.Kind() != swing.Object || !ref.Exported() {
		return nil
	}
	return e
}

// imported is the entry of an imported object, or nil.
func (t *turn) imported(ref vref) *entry {
	e := t.self().byVRef(ref)
	if e == nil || ref.Kind() != swing.Object || ref.Exported() {
		return nil
	}
	return e
}

func (t *turn) drop(refs []vref) bool {
	for _, ref := range refs {
		e := t.imported(ref)
		if e == nil {
			return t.illegal("to drop what is no import")
		}
		if !e.reachable {
			return t.illegal("to drop twice")
		}
		e.reachable = t.m.fault("a dropped import still reachable")
	}
	return true
}

func (t *turn) retireImports(refs []vref) bool {
	for _, ref := range refs {
		e := t.imported(ref)
		if e == nil {
			return t.illegal("to retire what is no import")
		}
		if e.reachable {
			return t.illegal("to retire what was not dropped")
		}
		t.self().remove(e.kref)
	}
	return true
}

func (t *turn) retireExports(refs []vref) bool {
	for _, ref := range refs {
		e := t.own(ref)
		if e == nil {
			return t.illegal("to retire what is no export")
		}
		if e.reachable {
			return t.illegal("to retire an export that is reachable")
		}
		t.m.object(e.kref).owner = ""
		t.self().remove(e.kref)
	}
	return true
}

func (t *turn) abandon(refs []vref) bool {
	for _, ref := range refs {
		e := t.own(ref)
		if e == nil {
			return t.illegal("to abandon what is no export")
		}
		if ref == swing.RootVRef {
			return t.illegal("to abandon the root")
		}
		if e.reachable {
			t.m.mark("to abandon an export")
		}
		t.m.object(e.kref).owner = ""
		t.self().remove(e.kref)
	}
	return true
}
