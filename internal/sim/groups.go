package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// vats reads the groups of vats, which are made in this order.
func (c *compiler) vats(n ast.Node) {
	list := c.r.list(n, "vats")
	if c.r.err == nil && (len(list) == 0 || len(list) > groupsMax) {
		c.r.fault(n, "%d groups of vats: want 1 to %d", len(list), groupsMax)
	}
	taken := map[string]bool{}
	for _, item := range list {
		c.group(item, taken)
	}
}

// group reads one group. It becomes known only at its end: a group that could name
// itself would need vats that are not there when their start is sent.
func (c *compiler) group(n ast.Node, taken map[string]bool) {
	f := c.r.mapping(n, "a group of vats", "name!", "program!", "count", "args",
		"options", "meter")
	g := &group{first: len(c.s.members)}
	g.name = c.r.text(f.known["name"], "a name")
	if why := badName(g.name); c.r.err == nil && why != "" {
		c.r.fault(f.known["name"], "name %q: %s", g.name, why)
	}
	if _, thing := c.things[g.name]; c.r.err == nil && (thing || taken[g.name]) {
		c.r.fault(f.known["name"], "there is a group, device or meter %q already", g.name)
	}
	taken[g.name] = true
	g.program = c.program(f.known["program"])
	g.count = int(c.r.number(f.known["count"], "count", 1, vatsMax, 1))
	g.numbers = g.count > 1
	if len(c.s.members)+g.count > vatsMax {
		c.r.fault(n, "%d vats in all: at most %d", len(c.s.members)+g.count, vatsMax)
	}
	c.vatOptions(f, g)
	args := f.known["args"]
	g.args = c.args(args, "ic")
	if c.r.err != nil {
		return
	}
	c.fit(orElse(args, n), g.args)
	for i := range g.count {
		c.s.members = append(c.s.members, member{g, i})
	}
	c.s.groups = append(c.s.groups, g)
	c.groups[g.name] = g
	c.names = append(c.names, g.name)
}

// orElse returns n, or what it would be in.
func orElse(n, in ast.Node) ast.Node {
	if n == nil {
		return in
	}
	return n
}

// badName says why a name cannot be a group's, or "".
func badName(name string) string {
	if name == "" || len(name) > nameMax {
		return fmt.Sprintf("want 1 to %d letters, digits, '-' or '_'", nameMax)
	}
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' {
			return "only letters, digits, '-' and '_' are allowed"
		}
	}
	if name[0] >= '0' && name[0] <= '9' || name[0] == '-' {
		return "want a letter first"
	}
	if _, number := decimal(name[1:]); name[0] == 'v' && number {
		return "it reads as a vat's id"
	}
	return ""
}

// namesSoFar lists the groups, for a fault.
func (c *compiler) namesSoFar() string {
	const most = 12
	if len(c.names) > most {
		return strings.Join(c.names[:most], ", ") + fmt.Sprintf(" and %d more", len(c.names)-most)
	}
	return strings.Join(c.names, ", ")
}

// targets reads to: a selector, or a list of them.
func (c *compiler) targets(n ast.Node) (vats []int) {
	nodes := []ast.Node{n}
	if s, ok := n.(*ast.SequenceNode); ok {
		nodes = s.Values
	}
	for _, item := range nodes {
		s := c.parseSelector(item, c.r.text(item, "the name of vats"), "")
		if c.r.err != nil {
			return nil
		}
		vats = append(vats, s.all(&scope{})...)
		if len(vats) > vatsMax {
			c.r.fault(n, "to %d vats: at most %d", len(vats), vatsMax)
			return nil
		}
	}
	if c.r.err == nil && len(vats) == 0 {
		c.r.fault(n, "to nobody")
	}
	return vats
}

// call reads the method and the arguments of a message.
func (c *compiler) call(n ast.Node, f fields, known string) call {
	out := call{method: c.line(f.known["method"]), args: c.args(f.known["args"], known)}
	if c.r.err == nil {
		c.fit(orElse(f.known["args"], n), out.args)
		c.s.needs.method = max(c.s.needs.method, len(out.method))
	}
	return out
}

// setup reads the messages that are sent once.
func (c *compiler) setup(n ast.Node) {
	list := c.r.list(n, "messages")
	if len(list) > entriesMax {
		c.r.fault(n, "%d entries of setup: at most %d", len(list), entriesMax)
	}
	for _, item := range list {
		f := c.r.mapping(item, "an entry of setup", "to!", "method!", "args")
		if c.r.err != nil {
			return
		}
		c.s.setup = append(c.s.setup, setup{
			to: c.targets(f.known["to"]), call: c.call(item, f, "ic"),
		})
	}
}

// workload reads the messages that are sent again and again.
func (c *compiler) workload(n ast.Node) {
	list := c.r.list(n, "messages")
	if len(list) > entriesMax {
		c.r.fault(n, "%d entries of the workload: at most %d", len(list), entriesMax)
	}
	for k, item := range list {
		f := c.r.mapping(item, "an entry of the workload",
			"to!", "method!", "pattern", "messages", "burst", "args")
		if c.r.err != nil {
			return
		}
		e := entry{section: fmt.Sprintf("workload.%d", k), pattern: roundRobin}
		e.to = c.targets(f.known["to"])
		c.pattern(f.known["pattern"], &e)
		known := "icn"
		if e.pattern == pairs {
			known += string(rune(drawnPeer))
		}
		e.call = c.call(item, f, known)
		e.messages = c.r.number(f.known["messages"], "messages", 1, messagesMax, 0)
		e.burst = c.r.number(f.known["burst"], "burst", 1, burstMax, uint64(len(e.to)))
		c.s.workload = append(c.s.workload, e)
	}
}

// pattern reads which of its targets an entry's messages go to.
func (c *compiler) pattern(n ast.Node, e *entry) {
	if n != nil {
		e.pattern = pattern(c.r.text(n, "a pattern"))
	}
	switch {
	case c.r.err != nil:
	case !slices.Contains(patterns, e.pattern):
		c.r.fault(n, "there is no pattern %q: there are %v", e.pattern, patterns)
	case e.pattern == pairs && len(e.to) < 2:
		c.r.fault(n, "pairs of %d vat: want at least 2", len(e.to))
	case e.pattern == byZipf:
		e.zipf = newZipf(len(e.to))
	}
}
