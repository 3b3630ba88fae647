package sim

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// auditVatsMax bounds the vats that are asked, so that their answers fit a note.
const auditVatsMax = 2_000

// audit is what is asked at the end, and what must hold of the answers.
type audit struct {
	asks    []ask
	checks  []check
	asserts []assertion
}

// ask is a message to all vats of a group, and the names of the values in their
// answers.
type ask struct {
	call
	group  *group
	fields []string
}

// check is an equation, one for each vat of a group, or a single one.
type check struct {
	about string
	each  *group
	sides [][]addend
	texts []string
}

// addend is a number, how many messages were sent, or the values of a field in
// the answers of some vats, together.
type addend struct {
	number   uint64
	messages bool
	ask      *ask
	field    int
	where    selector
}

// asked returns how many questions there are.
func (a *audit) asked() int {
	n := len(a.asserts)
	for _, q := range a.asks {
		n += q.group.count
	}
	return n
}

func (c *compiler) audit(n ast.Node) {
	if n == nil {
		return
	}
	f := c.r.mapping(n, "audit", "ask", "check", "assert")
	for _, item := range c.r.list(f.known["ask"], "questions") {
		c.ask(item)
	}
	for _, item := range c.r.list(f.known["assert"], "assertions") {
		c.assert(item)
	}
	if asked := c.s.audit.asked(); c.r.err == nil && (asked == 0 || asked > auditVatsMax) {
		c.r.fault(n, "an audit of %d vats: want 1 to %d", asked, auditVatsMax)
	}
	for _, item := range c.r.list(f.known["check"], "checks") {
		c.check(item)
	}
}

// ask reads one question. A group is asked once, so that GROUP.ANSWER means one
// thing.
func (c *compiler) ask(n ast.Node) {
	f := c.r.mapping(n, "a question", "to!", "method!", "args", "answers!")
	to := f.known["to"]
	s := c.parseSelector(to, c.r.text(to, "the name of a group"), "")
	if c.r.err == nil && !s.whole {
		c.r.fault(to, "questions go to a whole group: write %s", s.group.name)
	}
	same := func(a ask) bool { return a.group == s.group }
	if c.r.err == nil && slices.ContainsFunc(c.s.audit.asks, same) {
		c.r.fault(to, "%s is asked already", s.group.name)
	}
	q := ask{group: s.group, call: c.call(n, f, "ic")}
	for _, item := range c.r.list(f.known["answers"], "names") {
		name := c.r.text(item, "a name")
		if why := badName(name); c.r.err == nil && why != "" {
			c.r.fault(item, "name %q: %s", name, why)
		}
		if slices.Contains(q.fields, name) {
			c.r.fault(item, "there is an answer %q already", name)
		}
		q.fields = append(q.fields, name)
	}
	if c.r.err == nil {
		c.s.audit.asks = append(c.s.audit.asks, q)
	}
}

func (c *compiler) check(n ast.Node) {
	f := c.r.mapping(n, "a check", "about!", "each", "equal!")
	k := check{about: c.line(f.known["about"])}
	known := ""
	if each := f.known["each"]; each != nil {
		s := c.parseSelector(each, c.r.text(each, "the name of a group"), "")
		if c.r.err == nil && !s.whole {
			c.r.fault(each, "a check is for each of a whole group: write %s", s.group.name)
		}
		k.each, known = s.group, "ic"
	}
	sides := c.r.list(f.known["equal"], "sums")
	if c.r.err == nil && len(sides) < 2 {
		c.r.fault(n, "%d sums: want at least two that are to be equal", len(sides))
	}
	for _, item := range sides {
		text := ""
		if _, ok := item.(*ast.IntegerNode); ok {
			text = item.GetToken().Value
		} else {
			text = c.r.text(item, "a sum")
		}
		var sum []addend
		for _, part := range strings.Split(text, " + ") {
			sum = append(sum, c.addend(item, part, known))
		}
		k.sides, k.texts = append(k.sides, sum), append(k.texts, text)
	}
	c.s.audit.checks = append(c.s.audit.checks, k)
}

// addend reads NUMBER, $messages or SELECTOR.FIELD.
func (c *compiler) addend(n ast.Node, text, known string) (a addend) {
	if v, ok := decimal(text); ok {
		return addend{number: v}
	}
	if text == "$messages" {
		return addend{messages: true}
	}
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		c.r.fault(n, "%q in a sum: want a number, $messages, GROUP.ANSWER or GROUP.INDEX.ANSWER; "+
			"a sum is written A + B", text)
		return a
	}
	a.where = c.parseSelector(n, text[:at], known)
	if c.r.err != nil {
		return a
	}
	asked := func(q ask) bool { return q.group == a.where.group }
	i := slices.IndexFunc(c.s.audit.asks, asked)
	if i < 0 {
		c.r.fault(n, "%q in a sum: %s is not asked anything", text, a.where.group.name)
		return a
	}
	a.ask = &c.s.audit.asks[i]
	if a.field = slices.Index(a.ask.fields, text[at+1:]); a.field < 0 {
		c.r.fault(n, "%q in a sum: the answers of %s are %s", text, a.where.group.name,
			strings.Join(a.ask.fields, ", "))
	}
	return a
}
