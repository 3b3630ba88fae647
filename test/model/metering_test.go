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

// recorded is the syscalls that were made, without one that was refused.
func (t *turn) recorded() []exchange {
	if t.refused != "" {
		return t.calls[:len(t.calls)-1]
	}
	return t.calls
}

// pays reports whether a delivery is taken off its vat's meter.
func pays(r *report) bool { return !r.delivery.Kind.GC() && r.delivery.Kind != swing.DeliverReap }

// budget is how much fuel a delivery may use: the limit, or what its meter has.
func (m *model) budget(meter kref, r *report) uint64 {
	limit := uint64(m.rules.limits.Fuel)
	s := m.service(meter)
	if s == nil || !pays(r) || s.unlimited || s.remaining >= limit ||
		m.fault("a budget that forgets the meter") {
		return limit
	}
	m.mark("a meter with less than the limit")
	return s.remaining
}

// starved reports whether the program was stopped for want of fuel, or used more than
// it had before it came to its end.
func (t *turn) starved() bool {
	if t.program.Status == swing.StatusOK && t.program.Fuel > t.budget {
		t.m.mark("an end beyond the budget")
		return !t.m.fault("fuel beyond the budget")
	}
	return t.program.Status == swing.StatusOutOfFuel
}

// starves says what it is called: whether the meter or the limit was the bound.
func (m *model) starves(t *turn) swing.Status {
	if t.budget < uint64(m.rules.limits.Fuel) {
		m.mark("a meter underflow")
		return swing.StatusUnderflow
	}
	m.mark("a vat out of fuel")
	return swing.StatusOutOfFuel
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
	failed := r.turn.status != swing.StatusOK && r.kind != setback
	if failed && m.fault("an end that costs nothing") {
		return
	}
	fuel := r.turn.program.Fuel
	m.mark("a meter counts")
	s.used += fuel
	if s.unlimited {
		m.mark("an unlimited meter counts")
		return
	}
	before := s.remaining
	s.remaining -= min(s.remaining, fuel)
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
