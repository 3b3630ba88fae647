package instrument

import (
	"reflect"
	"slices"
	"testing"
)

// TestInspectSaysWhatRewriteDoes: of every module that is refused and of every one
// that is admitted, both give the same error and the same normal form.
func TestInspectSaysWhatRewriteDoes(t *testing.T) {
	t.Parallel()
	list := refusals()
	for seed := range uint64(50) {
		list = append(list, refusal{name: "generated", code: generate(seed).encode()})
	}
	admitted := 0
	for _, r := range list {
		n, err := Rewrite(r.code, offered, r.limits)
		in, same := Inspect(r.code, offered, r.limits, Metered)
		if same != nil || !reflect.DeepEqual(n, in.Normal) || (err == nil) != (in.Refusals == nil) {
			t.Errorf("%s: %v, want %v, %v", r.name, in.Refusals, err, same)
		} else if err != nil && !reflect.DeepEqual(err, error(in.Refusals[0])) {
			t.Errorf("%s: %v, want %v", r.name, in.Refusals[0], err)
		}
		if n == nil {
			continue
		}
		admitted++
		if !reflect.DeepEqual(n.Exports, in.Exports) || !reflect.DeepEqual(n.Imports, in.Imports) ||
			n.Facts != in.Facts {
			t.Errorf("%s: %+v, want %+v", r.name, in, n)
		}
	}
	if admitted < 50 {
		t.Errorf("only %d modules are admitted", admitted)
	}
}

// TestInspectRefused: what could be read of a module that is refused.
func TestInspectRefused(t *testing.T) {
	t.Parallel()
	inspect := func(m *build) Inspection {
		t.Helper()
		in, err := Inspect(m.encode(), note, Limits{}, Metered)
		if err != nil || len(in.Refusals) == 0 || in.Normal != nil {
			t.Fatalf("%+v, %v", in, err)
		}
		return in
	}
	m := opcodeBuild(0x26, 0)
	m.memories[0] = []byte{1, 2, 9}
	in := inspect(m)
	f := in.Facts
	if len(in.Exports) != 1 || f.MemoryPages != 2 || f.MemoryPagesMax != 9 || f.Functions != 1 ||
		f.FunctionLocals != 2 || in.Limits.Functions != 50_000 || !in.Whole {
		t.Errorf("table.set: %+v", in)
	}
	m = opcodeBuild()
	m.exports[0].index = 7
	if in = inspect(m); len(in.Exports) != 0 || in.Whole {
		t.Errorf("an export that is not there: %+v", in)
	}
}

// TestInspectGoesOn: refusals of imports and in functions do not hide those behind
// them, up to a number; a fault that leaves no way to read on is the last.
func TestInspectGoesOn(t *testing.T) {
	t.Parallel()
	m := newBuild()
	m.types = []sig{{nil, nil}}
	function := []byte{0}
	m.imports = []imp{
		{"env", "strange", kindFunction, function}, {"env", "note", kindFunction, function},
		{"env", "stranger", kindFunction, function},
	}
	m.funcs = []fun{
		{code: []byte{0x26, 0}}, {}, {code: []byte{0x06, 0x40, 0x0b}}, {code: []byte{0xff}},
		{code: []byte{0x20, 0, 0x1a}},
	}
	wheres := func() (list []string) {
		in, err := Inspect(m.encode(), note, Limits{}, Metered)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range in.Refusals {
			list = append(list, r.Where)
		}
		return list
	}
	want := []string{"import 0", "import 1", "import 2", "function 3", "function 5", "function 6",
		"function 7"}
	if got := wheres(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	m.imports[1].kind = kindMemory
	if got := wheres(); !slices.Equal(got, want[:2]) {
		t.Errorf("%v, want %v", got, want[:2])
	}
	m.imports = nil
	for range 3 * refusalsMax {
		m.funcs = append(m.funcs, fun{code: []byte{0xff}})
	}
	if got := wheres(); len(got) != refusalsMax {
		t.Errorf("%d refusals, want %d", len(got), refusalsMax)
	}
}

// TestFloats: an opcode works on floating-point numbers if the type of an operand
// or of the result says so. The names are those of the specification's index.
func TestFloats(t *testing.T) {
	t.Parallel()
	var floats []byte
	for first, last := range map[byte]byte{
		0x2a: 0x2b, 0x38: 0x39, 0x43: 0x44, 0x5b: 0x66, 0x8b: 0xa6, 0xa8: 0xab, 0xae: 0xbf,
	} {
		for op := int(first); op <= int(last); op++ {
			floats = append(floats, byte(op))
		}
	}
	for op := range 0xc5 {
		if core[op] == unknown || core[op] == refused {
			continue
		}
		m := &module{}
		w := &walker{m: m}
		w.seen[op] = true
		m.noteOpcodes(w)
		if want := slices.Contains(floats, byte(op)); m.facts.Floats != want {
			t.Errorf("opcode %#x: floats %v, want %v", op, m.facts.Floats, want)
		}
	}
}
