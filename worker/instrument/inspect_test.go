package instrument

import (
	"errors"
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
		in, same := Inspect(r.code, offered, r.limits)
		if !reflect.DeepEqual(err, same) || !reflect.DeepEqual(n, in.Normal) {
			t.Errorf("%s: %v, want %v", r.name, same, err)
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

// TestInspectRefused: a module that is refused in its code shows what came before.
func TestInspectRefused(t *testing.T) {
	t.Parallel()
	m := opcodeBuild()
	m.imports = []imp{{"env", "strange", kindFunction, []byte{0}}}
	in, err := Inspect(m.encode(), note, Limits{})
	if !errors.Is(err, ErrRefused) || len(in.Imports) != 1 || in.Imports[0].Name != "strange" ||
		in.Normal != nil {
		t.Errorf("a strange import: %+v, %v", in, err)
	}
	m = opcodeBuild(0x26, 0)
	m.memories[0] = []byte{1, 2, 9}
	in, err = Inspect(m.encode(), note, Limits{})
	f := in.Facts
	if !errors.Is(err, ErrRefused) || len(in.Exports) != 1 || f.MemoryPages != 2 ||
		f.MemoryPagesMax != 9 || f.Functions != 1 || f.FunctionLocals != 2 {
		t.Errorf("table.set: %+v, %v", in, err)
	}
	m = opcodeBuild()
	m.exports[0].index = 7
	if in, err = Inspect(m.encode(), note, Limits{}); err == nil || len(in.Exports) != 0 {
		t.Errorf("an export that is not there: %+v, %v", in, err)
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
