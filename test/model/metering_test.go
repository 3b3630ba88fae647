package model

import "vatwarehouse/swing"

func (m *model) isMeter(ref kref) bool {
	s := m.service(ref)
	return s != nil && s.kind == aMeter
}

// createMeter is the embedder's.
func (m *model) createMeter(remaining, threshold uint64, unlimited bool) kref {
	s := service{kind: aMeter, remaining: remaining, threshold: threshold}
	if unlimited {
		s = service{kind: aMeter, unlimited: true}
	}
	ref := m.newService(s)
	m.pins = append(m.pins, ref)
	return ref
}

func (q *request) createMeter(*service) bool {
	s := service{kind: aMeter, remaining: arg[uint64](q), threshold: arg[uint64](q)}
	return q.over() && q.answer(list(swing.AppendNull), q.m.newService(s))
}

func (q *request) createUnlimited(*service) bool {
	return q.over() &&
		q.answer(list(swing.AppendNull), q.m.newService(service{kind: aMeter, unlimited: true}))
}

func (q *request) addRemaining(s *service) bool {
	n := arg[uint64](q)
	if !q.over() || s.unlimited || s.remaining+n < n {
		return false
	}
	s.remaining += n
	return q.answer(list())
}

func (q *request) setThreshold(s *service) bool {
	n := arg[uint64](q)
	if !q.over() {
		return false
	}
	s.threshold = n
	return q.answer(list())
}

func (q *request) get(s *service) bool {
	return q.over() && q.answer(list(num(s.remaining), num(s.threshold), num(s.used)))
}

func (q *request) notify(s *service) bool {
	if !q.over() {
		return false
	}
	if q.result != "" {
		s.waiting = spelled(s.waiting, q.result)
	}
	return true
}

// usage is what a delivery used, as meters count it: 1,000, and for each byte of it and
// of its syscalls and their answers 1, and for each syscall 100.
func (t *turn) usage() uint64 {
	n := 1000 + len(swing.AppendDelivery(nil, t.delivery))
	for _, c := range t.recorded() {
		n += 100 + len(c.request)
		if !t.m.fault("an answer that costs nothing") {
			n += len(c.answer)
		}
	}
	return uint64(n)
}

// recorded is the syscalls that were made, without one that was refused.
func (t *turn) recorded() []exchange {
	if t.refused != "" {
		return t.calls[:len(t.calls)-1]
	}
	return t.calls
}

// pays reports whether a delivery is taken off its vat's meter.
func pays(r *report) bool { return !r.delivery.Kind.GC() && r.delivery.Kind != swing.DeliverReap }

// underflows reports whether a delivery used more than its vat's meter has.
func (m *model) underflows(r *report) bool {
	s := m.service(m.vat(r.vat).meter)
	if s == nil || !pays(r) || s.unlimited || s.remaining >= r.units {
		return false
	}
	m.mark("a meter underflow")
	return true
}

// deduct takes what a delivery used off a meter, whatever became of it.
func (m *model) deduct(ref kref, r *report) {
	s := m.service(ref)
	if s == nil || !pays(r) {
		return
	}
	if r.kind == setback && m.fault("a setback that costs nothing") {
		return
	}
	m.mark("a meter counts")
	s.used += r.units
	if s.unlimited {
		m.mark("an unlimited meter counts")
		return
	}
	before := s.remaining
	s.remaining -= min(s.remaining, r.units)
	crossed := before >= s.threshold || m.fault("a threshold that is crossed twice")
	if !crossed || s.remaining >= s.threshold {
		return
	}
	waiting := s.waiting
	s.waiting = nil
	for _, p := range waiting {
		m.mark("word of a meter below its threshold")
		m.resolve(p, false, kcap{Body: list(num(s.remaining))}, r)
	}
}
