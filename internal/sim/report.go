package sim

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Audit is what the vats answered at the end of a run.
type Audit struct {
	// Deliveries is how many had been made when it was over.
	Deliveries uint64     `json:"deliveries"`
	Asked      []Asked    `json:"asked"`
	Checks     []Check    `json:"checks"`
	Asserts    []Asserted `json:"asserts"`
}

// OK reports whether every check and assertion held, and everybody answered.
func (a Audit) OK() bool {
	bad := func(k Check) bool { return k.Broken > 0 }
	wrong := func(k Asserted) bool { return !k.Holds }
	silent := func(q Asked) bool { return q.Answered < q.Vats }
	return !slices.ContainsFunc(a.Checks, bad) && !slices.ContainsFunc(a.Asked, silent) &&
		!slices.ContainsFunc(a.Asserts, wrong)
}

// Asked is the answers of one group.
type Asked struct {
	Group    string `json:"group"`
	Vats     int    `json:"vats"`
	Answered int    `json:"answered"`
	// Problem is the first answer that was none, and whose.
	Problem string `json:"problem,omitempty"`
	Sums    []Sum  `json:"sums"`
}

// Sum is all the numbers of one name in a group's answers, together. A sum of more
// than 64 bits is left out.
type Sum struct {
	Name string `json:"name"`
	Sum  uint64 `json:"sum"`
}

// Check is how often an equation held.
type Check struct {
	About  string `json:"about"`
	Cases  int    `json:"cases"`
	Broken int    `json:"broken"`
	// First says of the first broken case what was on its sides.
	First string `json:"first,omitempty"`
}

// answers are those of an audit, by the number of the vat.
type answers struct {
	s        *Scenario
	messages uint64
	byVat    map[int]answer
}

// field returns a number of a vat's answer, and whether there is one.
func (a answers) field(vat, field int) (uint64, bool) {
	n, ok := a.byVat[vat]
	if !ok || field >= len(n.values) {
		return 0, false
	}
	v, ok := n.values[field].(uint64)
	return v, ok
}

// report works out what the answers say.
func (a answers) report(deliveries uint64) *Audit {
	out := &Audit{Deliveries: deliveries, Asked: []Asked{}, Checks: []Check{},
		Asserts: []Asserted{}}
	for i := range a.s.audit.asks {
		out.Asked = append(out.Asked, a.sums(&a.s.audit.asks[i]))
	}
	for _, k := range a.s.audit.checks {
		out.Checks = append(out.Checks, a.check(k))
	}
	return out
}

// sums adds up a group's answers, name by name, and finds the first that is none.
func (a answers) sums(q *ask) Asked {
	g := q.group
	out := Asked{Group: g.name, Vats: g.count, Sums: []Sum{}}
	sums := make([]uint64, len(q.fields))
	numbers, tooLarge := make([]bool, len(q.fields)), make([]bool, len(q.fields))
	for i := range g.count {
		got := a.byVat[g.first+i]
		if got.problem != "" {
			if out.Problem == "" {
				out.Problem = g.vatName(i) + ": " + got.problem
			}
			continue
		}
		out.Answered++
		for f := range q.fields {
			v, ok := a.field(g.first+i, f)
			if !ok {
				continue
			}
			sum, carry := bits.Add64(sums[f], v, 0)
			sums[f], numbers[f] = sum, true
			tooLarge[f] = tooLarge[f] || carry > 0
		}
	}
	for f, name := range q.fields {
		if numbers[f] && !tooLarge[f] {
			out.Sums = append(out.Sums, Sum{name, sums[f]})
		}
	}
	return out
}

// check works out one equation, for every vat that it is for.
func (a answers) check(k check) Check {
	out := Check{About: k.about, Cases: 1}
	if k.each != nil {
		out.Cases = k.each.count
	}
	for i := range out.Cases {
		sc := &scope{index: i, count: out.Cases}
		if why := a.broken(k, sc); why != "" {
			if out.Broken++; out.First == "" {
				out.First = why
			}
		}
	}
	return out
}

// broken says how an equation does not hold, or "".
func (a answers) broken(k check, sc *scope) string {
	var sums []string
	equal := true
	first := uint64(0)
	for i, side := range k.sides {
		total := uint64(0)
		for _, part := range side {
			v, why := a.addend(part, sc)
			if why != "" {
				return why
			}
			sum, carry := bits.Add64(total, v, 0)
			if total = sum; carry > 0 {
				return k.texts[i] + " is more than 64 bits hold"
			}
		}
		if i == 0 {
			first = total
		}
		equal = equal && total == first
		sums = append(sums, fmt.Sprintf("%s is %d", k.texts[i], total))
	}
	switch {
	case equal:
		return ""
	case k.each == nil:
		return strings.Join(sums, ", ")
	}
	return fmt.Sprintf("for $i = %d: %s", sc.index, strings.Join(sums, ", "))
}

// addend returns the value of a part of a sum, or why it has none.
func (a answers) addend(part addend, sc *scope) (v uint64, why string) {
	switch {
	case part.messages:
		return a.messages, ""
	case part.ask == nil:
		return part.number, ""
	}
	for _, vat := range part.where.all(sc) {
		m := a.s.members[vat]
		n, ok := a.field(vat, part.field)
		if !ok {
			return 0, fmt.Sprintf("%s answered no number as %s",
				m.group.vatName(m.index), part.ask.fields[part.field])
		}
		sum, carry := bits.Add64(v, n, 0)
		if v = sum; carry > 0 {
			return 0, fmt.Sprintf("up to %s, %s is more than 64 bits hold",
				m.group.vatName(m.index), part.ask.fields[part.field])
		}
	}
	return v, ""
}
