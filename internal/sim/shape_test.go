package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
)

// tree is a YAML value: a text, a number, a list, or fields.
type tree struct {
	text   string
	number uint64
	list   []tree
	fields []string // of a mapping, whose values are list
	kind   byte     // t, n, l, m
}

func randomTree(rng *rand.Rand, depth int) tree {
	words := []string{"a", "b c", "$i+1", "x: y", "#no", "true", "12", "é", "- d", "", "ring.$i%4", "null", "\"q\""}
	switch k := rng.IntN(6); {
	case k < 2 || depth > 3:
		return tree{kind: 't', text: words[rng.IntN(len(words))]}
	case k == 2:
		return tree{kind: 'n', number: rng.Uint64() >> rng.IntN(64)}
	case k < 5:
		t := tree{kind: 'l'}
		for range 1 + rng.IntN(4) {
			t.list = append(t.list, randomTree(rng, depth+1))
		}
		return t
	}
	t := tree{kind: 'm'}
	for i := range 1 + rng.IntN(4) {
		t.fields = append(t.fields, fmt.Sprintf("f%d", i))
		t.list = append(t.list, randomTree(rng, depth+1))
	}
	return t
}

// scalar writes a text or a number in one of the ways there are.
func (t tree) scalar(rng *rand.Rand) string {
	if t.kind == 'n' {
		digits := fmt.Sprint(t.number)
		if at := rng.IntN(len(digits)); at > 0 {
			return digits[:at] + "_" + digits[at:]
		}
		return digits
	}
	plain := t.text == "a" || t.text == "$i+1" || t.text == "ring.$i%4" || t.text == "é"
	switch k := rng.IntN(3); {
	case plain && k == 0:
		return t.text
	case k == 1:
		return "'" + t.text + "'"
	}
	return fmt.Sprintf("%q", t.text)
}

// flow writes a tree on one line.
func (t tree) flow(rng *rand.Rand) string {
	var items []string
	for i, at := range rng.Perm(len(t.list)) {
		if t.kind == 'l' {
			items = append(items, t.list[i].flow(rng))
		} else {
			items = append(items, t.fields[at]+": "+t.list[at].flow(rng))
		}
	}
	space := strings.Repeat(" ", rng.IntN(2))
	switch t.kind {
	case 'l':
		return "[" + space + strings.Join(items, ", ") + space + "]"
	case 'm':
		return "{" + space + strings.Join(items, ","+space+" ") + space + "}"
	}
	return t.scalar(rng)
}

// block writes a tree over several lines, with comments between them.
func (t tree) block(rng *rand.Rand, indent int) string {
	pad := "\n" + strings.Repeat(" ", indent)
	var b strings.Builder
	for i, at := range rng.Perm(len(t.list)) {
		if rng.IntN(4) == 0 {
			b.WriteString(pad + "# a comment")
		}
		inner, head := t.list[i], "-"
		if t.kind == 'm' {
			inner, head = t.list[at], t.fields[at]+":"
		}
		if len(inner.list) == 0 || rng.IntN(2) == 0 {
			b.WriteString(pad + head + " " + inner.flow(rng))
		} else {
			b.WriteString(pad + head + inner.block(rng, indent+2))
		}
	}
	return b.String()
}

func shapeOf(t *testing.T, text string) string {
	t.Helper()
	r, top := newReader("x", []byte(text))
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, text)
	}
	return string(appendShape(nil, top))
}

// change makes one small difference to a tree.
func (t *tree) change(rng *rand.Rand) {
	switch t.kind {
	case 't':
		t.text += "x"
	case 'n':
		t.number++
	default:
		at := rng.IntN(len(t.list))
		if k := rng.IntN(4); k == 0 && t.kind == 'l' {
			t.list = append(t.list, tree{kind: 'n'})
		} else if k == 0 {
			t.fields[at] += "x"
		} else {
			t.list[at].change(rng)
		}
	}
}

func (t tree) clone() tree {
	t.fields = append([]string{}, t.fields...)
	list := t.list
	t.list = nil
	for _, item := range list {
		t.list = append(t.list, item.clone())
	}
	return t
}

// TestShapeIsOfTheContent: a value has the same shape however it is written, on a
// line or over many, quoted or not, with its fields in any order; and another
// shape if anything in it is another.
func TestShapeIsOfTheContent(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		v := tree{kind: 'm', fields: []string{"top"}, list: []tree{randomTree(rng, 0)}}
		want := shapeOf(t, v.flow(rng))
		for range 3 {
			text := v.block(rng, 0)
			if got := shapeOf(t, text); got != want {
				t.Fatalf("seed %d:\ngot  %s\nwant %s\n%s", seed, got, want, text)
			}
		}
		other := v.clone()
		other.change(rng)
		if got := shapeOf(t, other.flow(rng)); got == want {
			t.Fatalf("seed %d: %s is the same as\n%s", seed, other.flow(rng), v.flow(rng))
		}
	}
}

// TestReaderTakesStrictly: what each taker of the reader refuses, and that the
// first fault sticks.
func TestReaderTakesStrictly(t *testing.T) {
	t.Parallel()
	node := func(text string) (*reader, ast.Node) {
		r, top := newReader("x", []byte("f: "+text+"\n"))
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r, top.(*ast.MappingNode).Values[0].Value
	}
	for text, fault := range map[string]string{
		"12": "a number", "[a]": "a list", "{a: b}": "a mapping", "true": "true or false", "~": "nothing",
		"1.5": "a fraction", ".inf": "a fraction", ".nan": "a fraction", "&a b": "an anchor", "!!str b": "an anchor",
	} {
		r, n := node(text)
		if got := r.text(n, "it"); got != "" || r.err == nil ||
			!strings.Contains(r.err.Error(), "x:1:4: "+fault) || !strings.Contains(r.err.Error(), " where it is due") {
			t.Errorf("text %s: %q, %v", text, got, r.err)
		}
	}
	for _, text := range []string{"a", "[1]", "true", "~", "1.5", "\"1\"", "010", "0x1", "-1", "9", "4"} {
		r, n := node(text)
		if r.number(n, "it", 5, 8, 0); r.err == nil {
			t.Errorf("number %s is taken", text)
		}
	}
	for _, text := range []string{"a", "1", "{a: b}", "~"} {
		r, n := node(text)
		if got := r.list(n, "things"); got != nil || r.err == nil || !strings.Contains(r.err.Error(), "a list of things") {
			t.Errorf("list %s: %v, %v", text, got, r.err)
		}
	}
	r, n := node("{a: 1, b: 2}")
	f := r.mapping(n, "it", "a!", "b", "c")
	if r.err != nil || f.known["a"] == nil || f.known["c"] != nil {
		t.Errorf("mapping: %v", r.err)
	}
	if r.number(f.known["c"], "it", 1, 2, 77) != 77 || r.text(nil, "it") != "" || r.list(nil, "it") != nil || r.err != nil {
		t.Errorf("what is not there is a fault: %v", r.err)
	}
	r.mapping(n, "it", "a")
	first := r.err
	r.fault(n, "another")
	if r.text(f.known["a"], "it") != "" || r.err != first || !strings.Contains(first.Error(), `it has no field "b"; it has a`) {
		t.Errorf("the first fault does not stick: %v", r.err)
	}
}
