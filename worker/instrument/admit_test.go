package instrument

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// refusal is a module that is refused. The whole text of why is in
// testdata/refusals.txt.
type refusal struct {
	name   string
	code   []byte
	limits Limits
}

var rewrite = flag.Bool("rewrite", false, "write testdata/refusals.txt anew, for review")

// with is a good module after a change.
func with(change func(m *build)) []byte {
	m := opcodeBuild()
	change(m)
	return m.encode()
}

// sections is a module of the given sections, whatever they are.
func sections(parts ...[]byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), cat(parts...)...)
}

// memoryOnly is the smallest memory section.
var memoryOnly = section(5, []byte{1, 0, 1})

func importOf(kind byte, desc ...byte) []byte {
	return with(func(m *build) { m.imports = []imp{{"env", "thing", kind, desc}} })
}

// TestGoodModulesAreAdmitted shows that the modules which the refusals are made
// from have no other fault.
func TestGoodModulesAreAdmitted(t *testing.T) {
	t.Parallel()
	for _, code := range [][]byte{with(func(*build) {}), sections(memoryOnly), importNote(2)} {
		if _, err := Rewrite(code, note, Limits{}); err != nil {
			t.Errorf("%x: %v", code, err)
		}
	}
}

// importNote imports env.note with the n-th of three types: (), (i32) -> (i32)
// and (i32).
func importNote(n byte) []byte {
	m := newBuild()
	m.types = []sig{{nil, nil}, {[]ValType{I32}, []ValType{I32}}, {[]ValType{I32}, nil}}
	m.imports = []imp{{"env", "note", kindFunction, []byte{n}}}
	return m.encode()
}

// TestRefusals has a row for every rule of admission, and wants the whole text of
// the refusal: what kind, where, at which byte, and what was found.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const golden = "testdata/refusals.txt"
	var got strings.Builder
	for _, r := range refusals() {
		_, err := Rewrite(r.code, note, r.limits)
		var refused *RefusedError
		if !errors.Is(err, ErrRefused) || !errors.As(err, &refused) {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		if refused.Offset < 0 || refused.Offset > len(r.code) {
			t.Errorf("%s: offset %d of %d", r.name, refused.Offset, len(r.code))
		}
		fmt.Fprintf(&got, "%s\n\t%v\n", r.name, err)
	}
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gots, wants := strings.Split(got.String(), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(gots), len(wants)) {
		if gots[i] != wants[i] {
			t.Fatalf("%s:%d: got %q, want %q", golden, i+1, gots[i], wants[i])
		}
	}
	if len(gots) != len(wants) || len(gots) < 2*160 {
		t.Errorf("%d lines, want %d", len(gots), len(wants))
	}
}

func refusals() []refusal {
	return slices.Concat(malformedFrames, malformedSections, malformedCode, refusedSections,
		refusedCode, beyondLimits())
}

// TestRefusalsAreTheSameTwice refuses everything again: no text depends on the
// order of a map or on what was refused before.
func TestRefusalsAreTheSameTwice(t *testing.T) {
	t.Parallel()
	for _, r := range refusals() {
		_, first := Rewrite(bytes.Clone(r.code), note, r.limits)
		_, second := Rewrite(r.code, note, r.limits)
		if first.Error() != second.Error() {
			t.Errorf("%s: %v, then %v", r.name, first, second)
		}
	}
}

var malformedFrames = []refusal{
	{name: "nothing", code: nil},
	{name: "half a header", code: []byte("\x00asm\x01\x00")},
	{name: "version 2", code: []byte("\x00asm\x02\x00\x00\x00")},
	{name: "text", code: []byte("\n (module (memory 1))")},
	{name: "text that begins with a comment", code: []byte(";; a vat\n(module)")},
	{name: "component", code: []byte("\x00asm\x0d\x00\x01\x00")},
	{name: "unknown section", code: sections(section(14, nil))},
	{name: "section cut short", code: sections([]byte{1, 9, 1})},
	{name: "section without length", code: sections([]byte{1})},
	{name: "section length too long", code: sections([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x1f})},
	{name: "section length in six bytes", code: sections(
		[]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0})},
	{name: "section twice", code: sections(memoryOnly, memoryOnly)},
	{name: "sections out of order", code: sections(memoryOnly, section(4, []byte{0}))},
	{name: "data count after code", code: sections(memoryOnly, section(10, []byte{0}),
		section(12, []byte{0}))},
	{name: "section longer than its content", code: sections(section(1, []byte{0, 0}))},
	{name: "custom section without name", code: sections(section(0, nil))},
	{name: "custom name past its section", code: sections(section(0, []byte{5, 'a'}))},
	{name: "custom name of no UTF-8", code: sections(section(0, []byte{2, 0xc3, 0x28}))},
}

// wide is the first nine bytes of a LEB128 of ten.
var wide = bytes.Repeat([]byte{0x80}, 9)

var malformedSections = []refusal{
	{name: "empty type section", code: sections(section(1, nil))},
	{name: "more types than bytes", code: sections(
		section(1, []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0x60}))},
	{name: "type form", code: sections(section(1, []byte{1, 0x61, 0, 0}))},
	{name: "value type", code: sections(section(1, []byte{1, 0x60, 1, 0x12, 0}))},
	{name: "import kind", code: importOf(9)},
	{name: "import type index", code: importOf(kindFunction, 7)},
	{name: "import name of no UTF-8", code: with(func(m *build) {
		m.imports = []imp{{"\xff\xfe", "thing", kindFunction, []byte{0}}}
	})},
	{name: "function type index", code: with(func(m *build) { m.funcs[0].typ = 2 })},
	{name: "table of numbers", code: with(func(m *build) { m.tables[0][0] = byte(I32) })},
	{name: "table limits", code: with(func(m *build) {
		m.tables[0] = []byte{byte(FuncRef), 1, 2, 1}
	})},
	{name: "table flags", code: with(func(m *build) {
		m.tables[0] = []byte{byte(FuncRef), 0x10, 2}
	})},
	{name: "memory limits", code: with(func(m *build) { m.memories[0] = []byte{1, 2, 1} })},
	{name: "memory too large to address", code: with(func(m *build) {
		m.memories[0] = cat([]byte{1, 1}, leb(65_537))
	})},
	{name: "global mutability", code: sections(memoryOnly,
		section(6, []byte{1, 0x7f, 2, 0x41, 0, 0x0b}))},
	{name: "constant of no constant", code: sections(memoryOnly,
		section(6, []byte{1, 0x7f, 0, 0x20, 0, 0x0b}))},
	{name: "empty constant", code: sections(memoryOnly, section(6, []byte{1, 0x7f, 0, 0x0b, 0}))},
	{name: "constant without end", code: sections(memoryOnly,
		section(6, []byte{1, 0x7f, 0, 0x41, 0, 0x01}))},
	{name: "constant of other vector opcode", code: sections(memoryOnly,
		section(6, cat([]byte{1, 0x7b, 0, 0xfd, 13}, make([]byte, 16), []byte{0x0b})))},
	{name: "constant ref.func", code: sections(memoryOnly,
		section(6, []byte{1, 0x70, 0, 0xd2, 0, 0x0b}))},
	{name: "i32 constant too wide", code: sections(memoryOnly,
		section(6, []byte{1, 0x7f, 0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x6f, 0x0b}))},
	{name: "i64 constant too wide", code: sections(memoryOnly,
		section(6, cat([]byte{1, 0x7e, 0, 0x42}, wide, []byte{0x02, 0x0b})))},
	{name: "export kind", code: with(func(m *build) { m.exports[0].kind = 5 })},
	{name: "export index", code: with(func(m *build) { m.exports[0].index = 1 })},
	{name: "exported global index", code: with(func(m *build) {
		m.exports[0] = exp{"g", kindGlobal, 1}
	})},
	{name: "exported memory index", code: with(func(m *build) {
		m.exports[0] = exp{"m", kindMemory, 1}
	})},
	{name: "exported table index", code: with(func(m *build) {
		m.exports[0] = exp{"t", kindTable, 1}
	})},
	{name: "export twice", code: with(func(m *build) {
		m.exports = []exp{{"b", kindFunction, 0}, {"a", kindFunction, 0}}
		m.exports = append(m.exports, exp{"b", kindMemory, 0}, exp{"a", kindMemory, 0})
	})},
	{name: "start index", code: with(func(m *build) { m.start = 4 })},
	{name: "start type", code: with(func(m *build) { m.start, m.funcs[0].typ = 0, 1 })},
	{name: "element flags", code: with(func(m *build) { m.elements = [][]byte{{8, 0, 0}} })},
	{name: "element kind", code: with(func(m *build) { m.elements = [][]byte{{1, 1, 0}} })},
	{name: "element function", code: with(func(m *build) { m.elements = [][]byte{{1, 0, 1, 1}} })},
	{name: "element table", code: with(func(m *build) {
		m.elements = [][]byte{{2, 1, 0x41, 0, 0x0b, 0, 0}}
	})},
	{name: "element without table", code: with(func(m *build) {
		m.tables, m.elements = nil, [][]byte{{0, 0x41, 0, 0x0b, 0}}
	})},
	{name: "data count without data", code: sections(memoryOnly, section(12, []byte{1}))},
	{name: "data flags", code: sections(memoryOnly, section(11, []byte{1, 3, 0}))},
	{name: "data memory", code: sections(memoryOnly,
		section(11, []byte{1, 2, 1, 0x41, 0, 0x0b, 0}))},
	{name: "data past its section", code: sections(memoryOnly, section(11, []byte{1, 1, 5, 'a'}))},
	{name: "data count differs", code: sections(memoryOnly, section(12, []byte{2}),
		section(11, []byte{1, 1, 0}))},
}
