package instrument

import (
	"reflect"
	"slices"
	"testing"
)

// oneFunction declares a function of type () -> (), and bodies is a module with
// it and a code section.
var oneFunction = cat(section(1, []byte{1, 0x60, 0, 0}), section(3, []byte{1, 0}))

func bodies(content []byte) []byte {
	return sections(oneFunction, memoryOnly, section(10, content))
}

// op is a module with one function of the given code.
func op(code ...byte) []byte { return opcodeBuild(code...).encode() }

var malformedCode = []refusal{
	{name: "bodies without functions", code: sections(memoryOnly,
		section(10, []byte{1, 2, 0, 0x0b}))},
	{name: "functions without bodies", code: sections(oneFunction, memoryOnly)},
	{name: "body without length", code: bodies([]byte{1, 0x80, 0x80, 0x80})},
	{name: "body past its section", code: bodies([]byte{1, 5, 0, 0x0b})},
	{name: "body without end", code: bodies([]byte{1, 2, 0, 0x01})},
	{name: "bytes after the last body", code: bodies([]byte{1, 2, 0, 0x0b, 0})},
	{name: "code after the end", code: op(0x0b, 0x01)},
	{name: "block without end", code: op(0x02, 0x40)},
	{name: "more local groups than bytes", code: bodies([]byte{1, 3, 0x90, 0x03, 0x0b})},
	{name: "local type", code: with(func(m *build) { m.funcs[0].locals[0] = 0x40 })},
	{name: "unknown opcode", code: op(0x27)},
	{name: "unknown misc opcode", code: op(0xfc, 18)},
	{name: "unknown vector opcode", code: op(0xfd, 0x9a, 0x01)},
	{name: "vector opcode past the table", code: op(0xfd, 0xb0, 0x02)},
	{name: "local index", code: op(0x20, 2)},
	{name: "global index", code: op(0x23, 1)},
	{name: "global to be set", code: op(0x24, 1)},
	{name: "function index", code: op(0x10, 1)},
	{name: "ref.func index", code: op(0xd2, 1)},
	{name: "ref.func of the start function", code: with(func(m *build) {
		m.exports, m.start = nil, 0
		m.funcs[0].code = []byte{0xd2, 0, 0x1a}
	})},
	{name: "indirect type", code: op(0x11, 2, 0)},
	{name: "indirect table", code: op(0x11, 0, 1)},
	{name: "table.get index", code: op(0x25, 1)},
	{name: "table.size index", code: op(0xfc, 16, 1)},
	{name: "label", code: op(0x02, 0x40, 0x0c, 2, 0x0b)},
	{name: "label of a br_table", code: op(0x0e, 1, 0, 1)},
	{name: "more br_table targets than bytes", code: op(0x0e, 0x20, 0)},
	{name: "block type index", code: op(0x02, 2, 0x0b)},
	{name: "negative block type", code: op(0x02, 0xc0, 0x7f, 0x0b)},
	{name: "block type of one bad byte", code: op(0x02, 0x41, 0x0b)},
	{name: "alignment", code: op(0x28, 32, 0)},
	{name: "offset too wide", code: op(0x28, 0, 0xff, 0xff, 0xff, 0xff, 0x1f)},
	{name: "select of two types", code: op(0x1c, 2, 0x7f, 0x7f)},
	{name: "data segment", code: op(0xfc, 9, 1)},
	{name: "drop without a data count", code: with(func(m *build) {
		m.dataCount, m.funcs[0].code = false, []byte{0xfc, 9, 0}
	})},
	{name: "constant cut short", code: op(0x44, 0, 0, 0)},
}

var refusedSections = []refusal{
	{name: "no memory", code: with(func(m *build) { m.memories = nil })},
	{name: "empty memory section", code: sections(section(5, []byte{0}))},
	{name: "two memories", code: with(func(m *build) { m.memories = [][]byte{{0, 1}, {0, 1}} })},
	{name: "shared memory", code: with(func(m *build) { m.memories[0] = []byte{3, 1, 1} })},
	{name: "memory of 64 bits", code: with(func(m *build) { m.memories[0] = []byte{4, 1} })},
	{name: "memory of small pages", code: with(func(m *build) { m.memories[0] = []byte{8, 1, 0} })},
	{name: "imported memory", code: importOf(kindMemory, 0, 1)},
	{name: "imported table", code: importOf(kindTable, 0x70, 0, 1)},
	{name: "imported global", code: importOf(kindGlobal, 0x7f, 0)},
	{name: "imported tag", code: importOf(kindTag, 0, 0)},
	{name: "import not offered", code: importOf(kindFunction, 0)},
	{name: "import of another type", code: importNote(1)},
	{name: "tags", code: sections(memoryOnly, section(13, []byte{0}))},
	{name: "exported tag", code: with(func(m *build) { m.exports[0].kind = kindTag })},
	{name: "reserved export", code: with(func(m *build) { m.exports[0].name = "\x00g0" })},
	{name: "host reference as parameter", code: with(func(m *build) {
		m.types[1].params[0] = 0x6f
	})},
	{name: "host reference in a table", code: with(func(m *build) { m.tables[0][0] = 0x6f })},
	{name: "table with an initial value", code: with(func(m *build) {
		m.tables[0] = []byte{0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b}
	})},
	{name: "exception reference", code: with(func(m *build) { m.types[1].params[0] = 0x69 })},
	{name: "typed reference", code: with(func(m *build) {
		m.types[1].params = []ValType{0x64, 0x70}
	})},
	{name: "collected reference", code: with(func(m *build) { m.types[1].params[0] = 0x6e })},
	{name: "struct type", code: sections(section(1, []byte{1, 0x5f, 0, 0}))},
	{name: "recursive types", code: sections(section(1, []byte{1, 0x4e, 0, 0}))},
	{name: "mutable function reference", code: with(func(m *build) {
		m.globals[0] = glob{FuncRef, true, []byte{0xd0, 0x70}}
	})},
	{name: "null host reference", code: with(func(m *build) {
		m.globals[0] = glob{FuncRef, false, []byte{0xd0, 0x6f}}
	})},
	{name: "constant of another global", code: with(func(m *build) {
		m.globals[0].init = []byte{0x23, 0}
	})},
	{name: "constant of another type", code: with(func(m *build) {
		m.globals[0].init = []byte{0x42, 1}
	})},
	{name: "constant of two values", code: with(func(m *build) {
		m.globals[0].init = []byte{0x41, 1, 0x41, 2}
	})},
	{name: "sum of one", code: with(func(m *build) { m.globals[0].init = []byte{0x41, 1, 0x6a} })},
	{name: "sum of two types", code: with(func(m *build) {
		m.globals[0].init = []byte{0x41, 1, 0x42, 2, 0x6a}
	})},
	{name: "sum of too many", code: with(func(m *build) {
		m.globals[0].init = cat(slices.Repeat([]byte{0x41, 1}, 65), slices.Repeat([]byte{0x6a}, 64))
	})},
	{name: "quotient", code: with(func(m *build) {
		m.globals[0].init = []byte{0x41, 1, 0x41, 2, 0x6d}
	})},
	{name: "element past its table", code: with(func(m *build) {
		m.elements = [][]byte{{0, 0x41, 1, 0x0b, 1, 0}}
	})},
	{name: "element at a global", code: with(func(m *build) {
		m.elements = [][]byte{{0, 0x23, 0, 0x0b, 1, 0}}
	})},
	{name: "host references as elements", code: with(func(m *build) {
		m.elements = [][]byte{{5, 0x6f, 0}}
	})},
	{name: "data past the memory", code: with(func(m *build) {
		m.data[0] = seg{active: true, offset: 65_535, bytes: []byte("ab")}
	})},
	{name: "data at minus one", code: with(func(m *build) {
		m.data[0] = seg{active: true, offset: 1<<32 - 1}
	})},
	{name: "data at a global", code: sections(memoryOnly,
		section(11, []byte{1, 0, 0x23, 0, 0x0b, 0}))},
	{name: "data at a sum past the memory", code: sections(memoryOnly,
		section(11, []byte{1, 0, 0x41, 1, 0x41, 0x7f, 0x6c, 0x0b, 0}))},
	{name: "data at an i64", code: sections(memoryOnly,
		section(11, []byte{1, 0, 0x42, 0, 0x0b, 0}))},
}

var refusedCode = []refusal{
	{name: "try", code: op(0x06, 0x40)},
	{name: "throw", code: op(0x08, 0)},
	{name: "throw_ref", code: op(0x0a)},
	{name: "delegate", code: op(0x18, 0)},
	{name: "try_table", code: op(0x1f, 0x40, 0)},
	{name: "return_call", code: op(0x12, 0)},
	{name: "return_call_indirect", code: op(0x13, 0, 0)},
	{name: "call_ref", code: op(0x14, 0)},
	{name: "ref.eq", code: op(0xd3)},
	{name: "br_on_null", code: op(0xd5, 0)},
	{name: "table.set", code: op(0x26, 0)},
	{name: "table.init", code: op(0xfc, 12, 0, 0)},
	{name: "elem.drop", code: op(0xfc, 13, 0)},
	{name: "table.copy", code: op(0xfc, 14, 0, 0)},
	{name: "table.grow", code: op(0xfc, 15, 0)},
	{name: "table.fill", code: op(0xfc, 17, 0)},
	{name: "collected types", code: op(0xfb, 0, 0)},
	{name: "atomics", code: op(0xfe, 0x10, 2, 0)},
	{name: "relaxed vectors", code: op(0xfd, 0x80, 0x02)},
	{name: "access to a second memory", code: op(0x28, 0x42, 1, 0)},
	{name: "size of a second memory", code: op(0x3f, 1)},
	{name: "copy between memories", code: op(0xfc, 10, 0, 1)},
	{name: "null of a host reference", code: op(0xd0, 0x6f)},
	{name: "block of a typed reference", code: op(0x02, 0x64, 0x70, 0x0b)},
	{name: "select of host references", code: op(0x1c, 1, 0x6f)},
	{name: "local of a host reference", code: with(func(m *build) { m.funcs[0].locals[1] = 0x6f })},
	{name: "init from an active segment", code: with(func(m *build) {
		m.data[0].active, m.funcs[0].code = true, []byte{0xfc, 8, 0, 0}
	})},
	{name: "opcode longer than it must be", code: op(0xfd, 0x8c, 0x00)},
	{name: "named by the name section", code: with(func(m *build) {
		m.names = []string{"a name that is rather long, and cut when it is repeated in a refusal"}
		m.exports, m.funcs[0].code = nil, []byte{0x26, 0}
	})},
}

// beyondLimits has a module one past every limit, which is set to what the module
// needs less one.
func beyondLimits() []refusal {
	names := func(m *build) { m.exports[0].name = "longer" }
	twice := func(m *build) {
		m.funcs = slices.Repeat(m.funcs, 2)
		m.types = append(m.types, sig{[]ValType{I32, I32}, nil})
	}
	drops := func(m *build) { m.funcs[0].code = []byte{0xfc, 9, 0} }
	table := func(m *build) {
		m.tables = append(m.tables, []byte{byte(FuncRef), 0, 2})
		m.elements = [][]byte{{1, 0, 2, 0, 0}, {1, 0, 1, 0}}
	}
	nested := func(m *build) { m.funcs[0].code = []byte{0x02, 0x40, 0x03, 0x40, 0x0b, 0x0b} }
	branchy := func(m *build) { m.funcs[0].code = []byte{0x0e, 3, 0, 0, 0, 0} }
	imports := func(m *build) {
		m.types[0].params = []ValType{I32}
		m.imports = slices.Repeat([]imp{{"env", "note", kindFunction, []byte{0}}}, 2)
	}
	return []refusal{
		{name: "module bytes", code: with(names), limits: Limits{ModuleBytes: 73}},
		{name: "name bytes", code: with(names), limits: Limits{NameBytes: 5}},
		{name: "types", code: with(twice), limits: Limits{Types: 2}},
		{name: "parameters", code: with(twice), limits: Limits{TypeValues: 1}},
		{name: "imports", code: with(imports), limits: Limits{Imports: 1}},
		{name: "exports", code: with(func(m *build) {
			m.exports = append(m.exports, exp{"g", kindFunction, 0})
		}), limits: Limits{Exports: 1}},
		{name: "functions", code: with(twice), limits: Limits{Functions: 1}},
		{name: "function bytes", code: with(names), limits: Limits{FunctionBytes: 6}},
		{name: "locals of a function", code: with(names), limits: Limits{FunctionLocals: 1}},
		{name: "locals", code: with(twice), limits: Limits{Locals: 3}},
		{name: "nesting", code: with(nested), limits: Limits{Nesting: 1}},
		{name: "branch targets", code: with(branchy), limits: Limits{BranchTargets: 2}},
		{name: "compile work", code: with(branchy), limits: Limits{CompileWork: 15}},
		{name: "tables", code: with(table), limits: Limits{Tables: 1}},
		{name: "table entries", code: with(table), limits: Limits{TableEntries: 2}},
		{name: "element segments", code: with(table), limits: Limits{ElementSegments: 1}},
		{name: "element entries", code: with(table), limits: Limits{ElementEntries: 2}},
		{name: "globals", code: with(func(m *build) {
			m.globals = slices.Repeat(m.globals, 2)
		}), limits: Limits{Globals: 1}},
		{name: "globals with flags", code: with(drops), limits: Limits{Globals: 1}},
		{name: "data segments", code: with(func(m *build) {
			m.data = slices.Repeat(m.data, 2)
		}), limits: Limits{DataSegments: 1}},
		{name: "memory pages", code: with(func(m *build) {
			m.memories[0] = []byte{0, 3}
		}), limits: Limits{MemoryPages: 2}},
	}
}

// TestLimitsAreExact raises every limit that refused a module by one, and the
// module is admitted.
func TestLimitsAreExact(t *testing.T) {
	t.Parallel()
	fields := map[string]bool{}
	for _, r := range beyondLimits() {
		v := reflect.ValueOf(&r.limits).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Int() != 0 {
				f.SetInt(f.Int() + 1)
				fields[v.Type().Field(i).Name] = true
			}
		}
		if _, err := Rewrite(r.code, note, r.limits); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
	if n := reflect.TypeFor[Limits]().NumField(); len(fields) != n {
		t.Errorf("%d limits are tested, of %d: %v", len(fields), n, fields)
	}
}
