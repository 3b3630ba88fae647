package sim

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// variable is a number that stands in for itself until a message is made.
type variable byte

// The variables.
const (
	constant  variable = 0
	ownIndex  variable = 'i' // $i: the index of the vat, or of the target, in its group
	messageNo variable = 'n' // $n: the message's number in its entry of the workload
	ownCount  variable = 'c' // $count: how many vats that group has
	drawnPeer variable = 'p' // $peer: the other vat of a pair
)

// addMax bounds what a term adds to a variable.
const addMax = 1 << 40

// term is a variable and what is added to it.
type term struct {
	of  variable
	add int
}

// value returns the term's value for a message.
func (t term) value(sc *scope) uint64 {
	v := uint64(0)
	switch t.of {
	case ownIndex:
		v = uint64(sc.index)
	case messageNo:
		v = sc.number
	case ownCount:
		v = uint64(sc.count)
	}
	return v + uint64(t.add)
}

// below returns the term modulo count, from 0.
func (t term) below(count int, sc *scope) int {
	if t.add >= 0 {
		return int(t.value(sc) % uint64(count))
	}
	back := uint64(count - (-t.add)%count)
	return int((term{of: t.of}.value(sc)%uint64(count) + back) % uint64(count))
}

// parseTerm reads $i, $n or $count, and "+k" or "-k" after it.
func parseTerm(s string, known string) (t term, ok bool) {
	name, add, sign := s, "", 1
	if at := strings.IndexAny(s, "+-"); at >= 0 {
		name, add = s[:at], s[at+1:]
		if s[at] == '-' {
			sign = -1
		}
		k, ok := decimal(add)
		if !ok || k > addMax {
			return t, false
		}
		t.add = sign * int(k)
	}
	switch name {
	case "$i":
		t.of = ownIndex
	case "$n":
		t.of = messageNo
	case "$count":
		t.of = ownCount
	}
	return t, t.of != constant && strings.IndexByte(known, byte(t.of)) >= 0
}

// selector names vats: a whole group, one of it, or every k-th.
type selector struct {
	group *group
	whole bool
	at    term // the index of one; with every, of one of them
	every int  // 0 is none
}

// one returns the vat that a selector of one names.
func (s selector) one(sc *scope) int {
	return s.group.first + s.at.below(s.group.count, sc)
}

// all returns the vats that a selector names, in order.
func (s selector) all(sc *scope) (vats []int) {
	from, step := 0, 1
	switch {
	case s.every > 0:
		from, step = s.at.below(s.every, sc), s.every
	case !s.whole:
		return []int{s.one(sc)}
	}
	for i := from; i < s.group.count; i += step {
		vats = append(vats, s.group.first+i)
	}
	return vats
}

// most bounds how many vats a selector names.
func (s selector) most() int {
	switch {
	case s.every > 0:
		return (s.group.count + s.every - 1) / s.every
	case s.whole:
		return s.group.count
	}
	return 1
}

// single reports whether a selector always names exactly one vat.
func (s selector) single() bool { return !s.whole && s.every == 0 || s.whole && s.group.count == 1 }

const selectorForms = `NAME (all of it), NAME.0, NAME.$i, NAME.$i+1 or NAME.$i%4`

// parseSelector reads GROUP, GROUP.INDEX, GROUP.TERM or GROUP.TERM%K. known
// lists the variables that a term may have.
func (c *compiler) parseSelector(n ast.Node, text, known string) (s selector) {
	if c.r.err != nil {
		return s
	}
	name, index, indexed := strings.Cut(text, ".")
	g, ok := c.groups[name]
	switch {
	case !ok && len(c.names) == 0:
		c.r.fault(n, "there is no vat %q yet: groups are made in order, and refer to earlier ones",
			name)
	case !ok:
		c.r.fault(n, "there is no vat %q; so far there are %s", name, c.namesSoFar())
	}
	if !ok {
		return s
	}
	s.group = g
	if !indexed {
		s.whole = true
		return s
	}
	index, every, stepped := strings.Cut(index, "%")
	if stepped {
		k, ok := decimal(every)
		if !ok || k < 1 || k > vatsMax {
			c.r.fault(n, "%%%s in %q: want a number from 1, as in %s", every, text, selectorForms)
			return s
		}
		s.every = int(k)
	}
	if v, ok := decimal(index); ok {
		if v >= uint64(g.count) {
			c.r.fault(n, "%s: %s has %d vats, %s to %s",
				text, name, g.count, g.vatName(0), g.vatName(g.count-1))
			return s
		}
		s.at = term{add: int(v)}
		return s
	}
	if s.at, ok = parseTerm(index, known); !ok {
		c.r.fault(n, "%q names no vats: want %s%s", text, selectorForms, c.variables(known))
	}
	return s
}

// variables says, for a fault, which variables there are.
func (c *compiler) variables(known string) string {
	var names []string
	for _, v := range known {
		switch variable(v) {
		case ownIndex:
			names = append(names, "$i")
		case messageNo:
			names = append(names, "$n")
		case ownCount:
			names = append(names, "$count")
		case drawnPeer:
			names = append(names, "$peer")
		}
	}
	if len(names) == 0 {
		return "; there are no variables here"
	}
	return "; the variables here are " + strings.Join(names, ", ")
}
