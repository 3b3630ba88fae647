package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Error is what is wrong with a scenario, and where.
type Error struct {
	File         string
	Line, Column int // from 1; 0 if it is about the whole file
	What         string
	Excerpt      string // the line
}

// Error names the place, says what is wrong and what would be right, and shows
// the line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.What
	}
	margin := fmt.Sprintf("%5d | ", e.Line)
	return fmt.Sprintf("%s:%d:%d: %s\n%s%s\n%s^", e.File, e.Line, e.Column, e.What,
		margin, e.Excerpt, strings.Repeat(" ", len(margin)+e.Column-1))
}

// The bounds of a file. The parser of YAML takes time by the square of how deep
// lists are nested, so their number is bounded too.
const (
	textBytesMax = 256 << 10
	bracketsMax  = 10_000
)

// reader takes a file apart, strictly. The first fault sticks: later calls return
// zero values, and err is that fault.
type reader struct {
	file  string
	lines []string
	err   error
}

// newReader parses text and returns the top of the file, which is nil if there
// is a fault.
func newReader(file string, text []byte) (*reader, ast.Node) {
	r := &reader{file: file, lines: strings.Split(string(text), "\n")}
	brackets := strings.Count(string(text), "[") + strings.Count(string(text), "{")
	switch {
	case len(text) > textBytesMax:
		r.faultAt(0, 0, "%d bytes: a scenario has at most %d", len(text), textBytesMax)
		return r, nil
	case brackets > bracketsMax:
		r.faultAt(0, 0, "%d brackets: a scenario has at most %d", brackets, bracketsMax)
		return r, nil
	case !utf8.Valid(text):
		r.faultAt(0, 0, "it is not UTF-8 text")
		return r, nil
	}
	f, err := parser.ParseBytes(text, 0)
	var fault yaml.Error
	var tops []ast.Node
	if err == nil {
		for _, d := range f.Docs {
			if d.Body != nil {
				tops = append(tops, d.Body)
			}
		}
	}
	switch {
	case errors.As(err, &fault):
		at := fault.GetToken().Position
		r.faultAt(at.Line, at.Column, "%s", fault.GetMessage())
	case err != nil:
		r.faultAt(0, 0, "%v", err)
	case len(tops) != 1:
		r.faultAt(0, 0, "%d documents: a scenario is one", len(tops))
	default:
		return r, tops[0]
	}
	return r, nil
}

// faultAt records a fault by its place; line 0 is the whole file.
func (r *reader) faultAt(line, column int, format string, args ...any) {
	if r.err != nil {
		return
	}
	e := &Error{File: r.file, Line: line, Column: column, What: fmt.Sprintf(format, args...)}
	if line >= 1 && line <= len(r.lines) {
		e.Excerpt = strings.TrimRight(r.lines[line-1], "\r")
	}
	r.err = e
}

// fault records what is wrong with a node, unless there is a fault already.
func (r *reader) fault(n ast.Node, format string, args ...any) {
	at := n.GetToken().Position
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		at = m.Values[0].Key.GetToken().Position // the token of a block mapping is a colon
	}
	r.faultAt(at.Line, at.Column, format, args...)
}

// kindOf names what a node is, for people.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a fraction"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "an anchor, alias or tag, which scenarios do not have"
	}
	return "something else"
}

// wrong records that a node is of another kind than is due.
func (r *reader) wrong(n ast.Node, want string) {
	r.fault(n, "%s where %s is due", kindOf(n), want)
}

// fields are the entries of a mapping, by key.
type fields struct {
	of    ast.Node
	known map[string]ast.Node
}

// mapping takes a mapping whose keys are among allowed. One that ends in "!" is
// required.
func (r *reader) mapping(n ast.Node, what string, allowed ...string) fields {
	f := fields{n, map[string]ast.Node{}}
	if r.err != nil {
		return f
	}
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(n, what)
		return f
	}
	var names []string
	for _, name := range allowed {
		names = append(names, strings.TrimSuffix(name, "!"))
	}
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		if !slices.Contains(names, key) {
			r.fault(v.Key, "%s has no field %q; it has %s", what, key, strings.Join(names, ", "))
			return f
		}
		f.known[key] = v.Value
	}
	for _, name := range allowed {
		if short, required := strings.CutSuffix(name, "!"); required && f.known[short] == nil {
			r.fault(n, "%s without %q", what, short)
		}
	}
	return f
}

// list takes a list. A field that is not there is an empty one.
func (r *reader) list(n ast.Node, what string) []ast.Node {
	if n == nil || r.err != nil {
		return nil
	}
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(n, "a list of "+what)
		return nil
	}
	return s.Values
}

// text takes a text. A field that is not there is "".
func (r *reader) text(n ast.Node, what string) string {
	if n == nil || r.err != nil {
		return ""
	}
	switch n := n.(type) {
	case *ast.StringNode:
		if n.Token.Type == token.StringType && strings.Trim(n.Value, "0123456789_") == "" {
			r.fault(n, "%s is more than 64 bits hold (as a text, write it in quotes)", n.Value)
		}
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	r.wrong(n, what)
	return ""
}

// number takes a number in [least, most]. A field that is not there is absent.
func (r *reader) number(n ast.Node, what string, least, most, absent uint64) uint64 {
	if n == nil || r.err != nil {
		return absent
	}
	if _, ok := n.(*ast.IntegerNode); !ok {
		r.wrong(n, what)
		return absent
	}
	v, ok := decimal(n.GetToken().Value)
	if !ok {
		r.fault(n, "%s is not a plain decimal number from 0", n.GetToken().Value)
		return absent
	}
	if v < least || v > most {
		r.fault(n, "%d as %s: want %d to %d", v, what, least, most)
	}
	return v
}

// decimal reads digits, which may be grouped by "_". A leading zero would mean
// octal to some readers of YAML, so it is none.
func decimal(s string) (uint64, bool) {
	digits := strings.ReplaceAll(s, "_", "")
	if digits == "" || len(digits) > 1 && digits[0] == '0' || digits[0] == '+' {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	return v, err == nil
}

// appendShape appends a form of a node that is the same for all ways of writing
// it: without comments, layout and the order of fields.
func appendShape(b []byte, n ast.Node) []byte {
	switch n := n.(type) {
	case *ast.MappingNode:
		values := slices.Clone(n.Values)
		slices.SortFunc(values, func(a, b *ast.MappingValueNode) int {
			return strings.Compare(a.Key.GetToken().Value, b.Key.GetToken().Value)
		})
		b = append(b, '{')
		for _, v := range values {
			b = strconv.AppendQuote(b, v.Key.GetToken().Value)
			b = appendShape(append(b, ':'), v.Value)
		}
		return append(b, '}')
	case *ast.SequenceNode:
		b = append(b, '[')
		for _, v := range n.Values {
			b = append(appendShape(b, v), ',')
		}
		return append(b, ']')
	case *ast.StringNode:
		return strconv.AppendQuote(b, n.Value)
	case *ast.LiteralNode:
		return strconv.AppendQuote(b, n.Value.Value)
	case *ast.IntegerNode:
		v, _ := decimal(n.GetToken().Value)
		return strconv.AppendUint(b, v, 10)
	}
	return append(b, n.GetToken().Value...)
}
