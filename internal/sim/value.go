package sim

import (
	"encoding/hex"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"vatwarehouse/swing"
)

// valueKind says how a value comes about.
type valueKind uint8

const (
	valueNumber   valueKind = iota // number
	valueText                      // text
	valueBool                      // number is 1 or 0
	valueBytes                     // text
	valueList                      // items
	valueVariable                  // term
	valueRef                       // where: one vat
	valuePeer                      // the other vat of a pair
	valueThing                     // number: a device or meter
	valueEach                      // where: for each of these a reference, and items
	valuePick                      // one of items, drawn
	valueBetween                   // number to upTo, drawn
	valueCycle                     // the n-th of items, around and around
)

// value is one value of a body, as a scenario spells it out.
type value struct {
	kind         valueKind
	number, upTo uint64
	text         string
	items        []value
	term         term
	where        selector
}

// operators are the fields that make a mapping a value.
var operators = map[string]string{
	"ref":     "ref!",
	"each":    "each! then",
	"pick":    "pick!",
	"between": "between!",
	"cycle":   "cycle!",
	"hex":     "hex!",
}

const operatorNames = "ref, each, pick, between, cycle or hex"

// args reads the arguments of a message or of a vat's start.
func (c *compiler) args(n ast.Node, known string) (vs []value) {
	for _, item := range c.r.list(n, "arguments") {
		vs = append(vs, c.value(item, known, true))
	}
	return vs
}

// value reads one value. Only where values follow each other may there be
// several for one: splice says so.
func (c *compiler) value(n ast.Node, known string, splice bool) (v value) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return value{kind: valueNumber, number: c.r.number(n, "a number", 0, 1<<64-1, 0)}
	case *ast.StringNode:
		return c.textValue(n, c.r.text(n, "a text"), known)
	case *ast.LiteralNode:
		return value{kind: valueText, text: c.r.text(n, "a text")}
	case *ast.BoolNode:
		v.kind = valueBool
		if n.Value {
			v.number = 1
		}
		return v
	case *ast.SequenceNode:
		return value{kind: valueList, items: c.args(n, known)}
	case *ast.MappingNode:
		return c.operator(n, known, splice)
	case *ast.NullNode:
		c.r.fault(n, "nothing where a value is due (a reference is {ref: NAME})")
		return v
	}
	c.r.wrong(n, "a number, text, true, false, list, or one of "+operatorNames)
	return v
}

// textValue reads a text that may be a variable.
func (c *compiler) textValue(n ast.Node, text, known string) value {
	if escaped, ok := strings.CutPrefix(text, "$$"); ok {
		return value{kind: valueText, text: "$" + escaped}
	}
	if !strings.HasPrefix(text, "$") {
		return value{kind: valueText, text: text}
	}
	t, ok := parseTerm(text, known)
	switch {
	case text == "$peer" && strings.IndexByte(known, byte(drawnPeer)) >= 0:
		c.r.fault(n, "$peer is a vat: write {ref: $peer}")
	case !ok:
		c.r.fault(n, "%q is no number%s (a text that begins with $ is written $$)",
			text, c.variables(known))
	case t.add < 0:
		c.r.fault(n, "%q: a number is at least the variable", text)
	}
	return value{kind: valueVariable, term: t}
}

// operator reads a mapping that stands for a value.
func (c *compiler) operator(n *ast.MappingNode, known string, splice bool) (v value) {
	name := ""
	for _, f := range n.Values {
		if key := f.Key.GetToken().Value; operators[key] != "" {
			name = key
		}
	}
	if name == "" {
		c.r.fault(n, "a mapping as a value is one of %s", operatorNames)
		return v
	}
	f := c.r.mapping(n, "a value by "+name, strings.Fields(operators[name])...)
	of := f.known[name]
	switch {
	case c.r.err != nil:
	case name == "ref":
		return c.refValue(of, known)
	case name == "each":
		return c.eachValue(n, f, known, splice)
	case name == "between":
		return c.betweenValue(of)
	case name == "hex":
		b, err := hex.DecodeString(c.r.text(of, "hex digits"))
		if err != nil {
			c.r.fault(of, "hex: %v", err)
		}
		return value{kind: valueBytes, text: string(b)}
	default:
		v.kind = valuePick
		if name == "cycle" {
			v.kind = valueCycle
		}
		for _, item := range c.r.list(of, "values") {
			v.items = append(v.items, c.value(item, known, false))
		}
		if len(v.items) == 0 {
			c.r.fault(n, "%s from no values", name)
		}
	}
	return v
}

func (c *compiler) refValue(n ast.Node, known string) value {
	text := c.r.text(n, "the name of a vat")
	if text == "$peer" && strings.IndexByte(known, byte(drawnPeer)) >= 0 {
		return value{kind: valuePeer}
	}
	if k, ok := c.things[text]; ok {
		return value{kind: valueThing, number: uint64(k)}
	}
	s := c.parseSelector(n, text, known)
	if c.r.err == nil && !s.single() {
		c.r.fault(n, "%q are %d vats: a ref is to one, as in %s.0 or %s.$i; each is for several",
			text, s.most(), s.group.name, s.group.name)
	}
	return value{kind: valueRef, where: s}
}

// eachValue reads what gives several values: only lists can hold them, since they
// alone count their items when they are written.
func (c *compiler) eachValue(n ast.Node, f fields, known string, splice bool) value {
	if !splice {
		c.r.fault(n, "each gives several values, where one is due")
	}
	v := value{kind: valueEach}
	v.where = c.parseSelector(f.known["each"], c.r.text(f.known["each"], "the name of vats"), known)
	for _, item := range c.r.list(f.known["then"], "values") {
		v.items = append(v.items, c.value(item, known, false))
	}
	return v
}

func (c *compiler) betweenValue(n ast.Node) value {
	v := value{kind: valueBetween}
	ends := c.r.list(n, "two numbers")
	if c.r.err == nil && len(ends) != 2 {
		c.r.fault(n, "between %d values: want two numbers, [least, most]", len(ends))
		return v
	}
	for i, to := range []*uint64{&v.number, &v.upTo} {
		if i < len(ends) {
			*to = c.r.number(ends[i], "a number", 0, 1<<64-2, 0)
		}
	}
	if v.number > v.upTo {
		c.r.fault(n, "between %d and %d: the least comes first", v.number, v.upTo)
	}
	return v
}

// size bounds what values take: bytes of the body, and slots.
func size(vs []value) (bytes, slots int) {
	const headBytes = 9
	for _, v := range vs {
		b, s := size(v.items)
		switch v.kind {
		case valueEach:
			n := v.where.most()
			b, s = n*(b+headBytes), n*(s+1)
		case valueRef, valuePeer, valueThing:
			s++
		}
		bytes += b + len(v.text) + headBytes
		slots += s
	}
	return bytes, slots
}

// fit refuses values that a message cannot carry.
func (c *compiler) fit(n ast.Node, vs []value) {
	limits := swing.DefaultLimits()
	bytes, slots := size(vs)
	c.s.needs.body = max(c.s.needs.body, bytes)
	c.s.needs.slots = max(c.s.needs.slots, slots)
	switch {
	case bytes > limits.BodyBytes:
		c.r.fault(n, "arguments of up to %d bytes: a message has at most %d",
			bytes, limits.BodyBytes)
	case slots > limits.Slots:
		c.r.fault(n, "up to %d references: a message has at most %d", slots, limits.Slots)
	}
}
