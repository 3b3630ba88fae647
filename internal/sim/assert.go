package sim

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// assertion is a message to one vat, and what it must answer.
type assertion struct {
	call
	about  string
	vat    int
	equals []byte // the body of the answer
}

// assert reads one assertion.
func (c *compiler) assert(n ast.Node) {
	f := c.r.mapping(n, "an assertion", "about", "ask!", "method!", "args", "equals!")
	to := f.known["ask"]
	s := c.parseSelector(to, c.r.text(to, "the name of a vat"), "")
	if c.r.err == nil && !s.single() {
		c.r.fault(to, "an assertion asks one vat: write %s.0", s.group.name)
	}
	a := assertion{about: c.line(orElse(f.known["about"], f.known["method"]))}
	a.call = c.call(n, f, "")
	want := c.args(f.known["equals"], "")
	drawn := func(v value) bool { return !v.constant() }
	if c.r.err == nil && slices.ContainsFunc(want, drawn) {
		c.r.fault(f.known["equals"], "an answer is of numbers, texts, truths, {hex: …} and lists")
	}
	if c.r.err != nil {
		return
	}
	a.vat = s.one(&scope{})
	var m message
	m.write(want, nil)
	a.equals = bytes.Clone(m.body)
	if f.known["about"] == nil {
		of := c.s.members[a.vat]
		a.about = fmt.Sprintf("%s answers %s", of.group.vatName(of.index), a.method)
	}
	c.s.audit.asserts = append(c.s.audit.asserts, a)
}

// constant reports whether a value is the same in every message, and no reference.
func (v value) constant() bool {
	switch v.kind {
	case valueNumber, valueText, valueBool, valueBytes:
		return true
	case valueList:
		return !slices.ContainsFunc(v.items, func(i value) bool { return !i.constant() })
	}
	return false
}

// Asserted is an assertion, and what came of it.
type Asserted struct {
	About string `json:"about"`
	Vat   string `json:"vat"`
	Call  string `json:"call"` // METHOD [ARGUMENTS]
	Holds bool   `json:"holds"`
	// Expected and Actual are answers as [Show] shows them; Actual may be why there is none.
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
}

// asserted holds an answer against what it must be.
func (a answers) asserted(k int, got answer) Asserted {
	want := &a.s.audit.asserts[k]
	var m message
	sc := &scope{draw: new(draw)}
	a.s.fillAssert(&m, sc, k)
	of := a.s.members[want.vat]
	out := Asserted{
		About: want.about, Vat: of.group.vatName(of.index), Call: want.method,
		Holds:    got.problem == "" && bytes.Equal(got.body, want.equals),
		Expected: Show(want.equals), Actual: got.problem,
	}
	if len(want.args) > 0 {
		out.Call += " " + Show(m.body)
	}
	if got.problem == "" {
		out.Actual = Show(got.body)
	}
	return out
}

// fillAssert makes the question of an assertion.
func (s *Scenario) fillAssert(m *message, sc *scope, k int) {
	a := &s.audit.asserts[k]
	m.target, m.method = a.vat, a.method
	of := s.members[a.vat]
	sc.index, sc.count, sc.cycle = of.index, of.group.count, uint64(of.index)
	sc.draw.seed(s.Seed, fmt.Sprintf("assert.%d", k), 0)
	m.write(a.args, sc)
}
