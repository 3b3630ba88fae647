package model

import (
	"fmt"
	"slices"
)

// arrive checks that messages from one vat to one target come in the order in
// which they were sent.
func (m *model) arrive(s sent, r *report) {
	if s.from == "" {
		return
	}
	at := slices.IndexFunc(m.arrived, func(a sent) bool { return a.from == s.from && a.to == s.to })
	switch {
	case at < 0:
		m.arrived = append(m.arrived, s)
	case m.arrived[at].n < s.n:
		m.arrived[at] = s
	default:
		r.disorder = fmt.Sprintf("message %d from %s to %s arrives after message %d",
			s.n, s.from, s.to, m.arrived[at].n)
	}
}
