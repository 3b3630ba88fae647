package instrument

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// nameSectionOf is a custom section called "name" of the given content.
func nameSectionOf(content ...[]byte) []byte {
	return section(0, append(text("name"), cat(content...)...))
}

// functionNames is the subsection of functions' names: the index of each and its
// name, by the rules or not.
func functionNames(count int, entries ...[]byte) []byte {
	return section(1, append(leb(uint64(count)), cat(entries...)...))
}

func named(index int, name string) []byte { return append(leb(uint64(index)), text(name)...) }

// TestNamesAreKeptIfWellFormed gives one module many name sections. Whatever they
// hold, the module is admitted and the engine takes the normal form, which ends
// with the functions' names alone, or with none if anything about those is wrong.
func TestNamesAreKeptIfWellFormed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	m := opcodeBuild()
	m.funcs = slices.Repeat(m.funcs, 3)
	code := m.encode()
	moduleName := section(0, text("a module"))
	good := functionNames(2, named(0, "first"), named(2, "third"))
	for name, c := range map[string]struct {
		section []byte
		kept    bool
	}{
		"alone":                {nameSectionOf(good), true},
		"after a module's":     {nameSectionOf(moduleName, good), true},
		"before locals'":       {nameSectionOf(good, section(2, []byte{0})), true},
		"before what is wrong": {nameSectionOf(good, []byte{2, 0xff, 0xff, 0xff, 0xff}), true},
		"none":                 {nameSectionOf(moduleName), false},
		"nothing":              {nameSectionOf(), false},
		"after what is wrong":  {nameSectionOf([]byte{0, 0xff}, good), false},
		"of a function there is not": {
			nameSectionOf(functionNames(1, named(3, "fourth"))), false},
		"out of order": {
			nameSectionOf(functionNames(2, named(1, "b"), named(0, "a"))), false},
		"twice of one": {
			nameSectionOf(functionNames(2, named(1, "b"), named(1, "c"))), false},
		"of no UTF-8": {nameSectionOf(functionNames(1, named(0, "\xff"))), false},
		"too long": {
			nameSectionOf(functionNames(1, named(0, strings.Repeat("x", 1025)))), false},
		"more than there are":       {nameSectionOf(functionNames(9, named(0, "a"))), false},
		"four billion":              {nameSectionOf(section(1, leb(1<<32-1))), false},
		"and something left over":   {nameSectionOf(functionNames(1, named(0, "a"), []byte{0})), false},
		"cut off by their sections": {nameSectionOf(good[:len(good)-2]), false},
	} {
		n, err := Rewrite(append(bytes.Clone(code), c.section...), nil, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n.Facts.NamesKept != c.kept || bytes.HasSuffix(n.Code, nameSectionOf(good)) != c.kept {
			t.Errorf("%s: kept %v, want %v: %x", name, n.Facts.NamesKept, c.kept, n.Code)
		}
		if err := compiles(t, r, n.Code); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFirstNameSectionCounts has two of them: the first is kept, because the
// engine refuses a second.
func TestFirstNameSectionCounts(t *testing.T) {
	t.Parallel()
	first := nameSectionOf(functionNames(1, named(0, "first")))
	second := nameSectionOf(functionNames(1, named(0, "second")))
	n, err := Rewrite(cat(opcodeBuild().encode(), first, second), nil, Limits{})
	if err != nil || !bytes.HasSuffix(n.Code, first) || bytes.Contains(n.Code, []byte("second")) {
		t.Fatalf("%x, %v", n.Code, err)
	}
}

// TestFunctionsAreNamedInRefusals looks a function up by export, by name section,
// and by neither.
func TestFunctionsAreNamedInRefusals(t *testing.T) {
	t.Parallel()
	bad := opcodeBuild(0x26, 0)
	for _, c := range []struct {
		export, name, want string
	}{
		{"exported", "", `function 0 "exported" at`},
		{"exported", "named", `function 0 "exported" at`},
		{"", "named", `function 0 "named" at`},
		{"", "", `function 0 at`},
	} {
		bad.exports, bad.names = nil, []string{c.name}
		if c.export != "" {
			bad.exports = []exp{{"memory", kindMemory, 0}, {c.export, kindFunction, 0}}
		}
		_, err := Rewrite(bad.encode(), nil, Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
