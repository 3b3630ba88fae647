package instrument

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// opcodeBuild is a module with one function, whose code stands after an
// unreachable, so that operands may have any type.
func opcodeBuild(code ...byte) *build {
	m := newBuild()
	m.types = []sig{{nil, nil}, {[]ValType{I32}, []ValType{I32}}}
	m.tables = [][]byte{{byte(FuncRef), 0, 1}}
	m.globals = []glob{{I32, true, []byte{0x41, 0}}}
	m.data = []seg{{bytes: []byte("x")}}
	m.dataCount = true
	m.exports = []exp{{"f", kindFunction, 0}}
	m.funcs = []fun{{locals: []ValType{I32, V128}, code: append([]byte{0x00}, code...)}}
	return m
}

// operands are immediates that suit each kind of opcode.
var operands = map[string][]byte{
	"none": {}, "block": {0x40, 0x0b}, "one": {0}, "two": {0, 0}, "three": {0, 0, 0},
	"typed select": {1, 0x7f}, "funcref": {0x70}, "four": {0, 0, 0, 0},
	"eight": {0, 0, 0, 0, 0, 0, 0, 0}, "sixteen": make([]byte, 16),
}

// opcodeTwin says by name which operands an opcode has, or "" if it is not
// admitted, in ranges that were written down from the specification's index of
// instructions and not from this package.
func opcodeTwin(prefix, op int) string {
	in := func(ranges ...int) bool {
		for i := 0; i < len(ranges); i += 2 {
			if op >= ranges[i] && op <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	switch prefix {
	case 0:
		switch {
		case in(0x00, 0x01, 0x0f, 0x0f, 0x1a, 0x1b, 0x45, 0xc4, 0xd1, 0xd1):
			return "none"
		case in(0x02, 0x04):
			return "block"
		case in(0x0c, 0x0d, 0x10, 0x10, 0x20, 0x25, 0x3f, 0x42, 0xd2, 0xd2):
			return "one"
		case in(0x0e, 0x0e, 0x11, 0x11, 0x28, 0x3e):
			return "two"
		case op == 0x1c:
			return "typed select"
		case op == 0x43:
			return "four"
		case op == 0x44:
			return "eight"
		case op == 0xd0:
			return "funcref"
		}
	case 0xfc:
		switch {
		case in(0, 7):
			return "none"
		case in(9, 9, 11, 11, 16, 16):
			return "one"
		case in(8, 8, 10, 10):
			return "two"
		}
	case 0xfd:
		switch {
		case in(12, 13):
			return "sixteen"
		case in(0, 11, 92, 93):
			return "two"
		case in(84, 91):
			return "three"
		case in(21, 34):
			return "one"
		case in(154, 154, 162, 162, 165, 166, 175, 176, 178, 180, 187, 187, 194, 194, 197, 198,
			207, 208, 210, 212, 226, 226, 238, 238) || op > 255:
			return ""
		}
		return "none"
	}
	return ""
}

// TestEveryOpcode tries every opcode with suitable operands: it is admitted if
// and only if the twin says so, and then both engines take the normal form, which
// they would not if its length were misread. An opcode that is not admitted is
// refused at its place.
func TestEveryOpcode(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, e := range engines {
		r := wazero.NewRuntimeWithConfig(ctx, e.config())
		defer r.Close(ctx)
		admitted := 0
		for prefix, last := range map[int]int{0: 0xff, 0xfc: 300, 0xfd: 600} {
			for op := 0; op <= last; op++ {
				switch {
				case prefix == 0 && (op == opElse || op == opEnd || op == 0xfc || op == 0xfd):
					continue // end and else are part of a block; prefixes are tried below
				case tryOpcode(t, r, prefix, op):
					admitted++
				}
			}
		}
		if want := 180 + 13 + 236; admitted != want {
			t.Errorf("%s: %d opcodes admitted, want %d", e.name, admitted, want)
		}
	}
}

func tryOpcode(t *testing.T, r wazero.Runtime, prefix, op int) bool {
	t.Helper()
	code := []byte{byte(op)}
	if prefix != 0 {
		code = append([]byte{byte(prefix)}, leb(uint64(op))...)
	}
	kind := opcodeTwin(prefix, op)
	operand := operands[kind]
	if kind == "" {
		operand = make([]byte, 20)
	}
	m := opcodeBuild(cat(code, operand, []byte{0x00})...)
	n, err := Rewrite(m.encode(), nil, Limits{})
	if kind == "" {
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), `function 0 "f"`) {
			t.Errorf("opcode %#x %#x: %v", prefix, op, err)
		}
		return false
	}
	if err != nil {
		t.Errorf("opcode %#x %#x: %v", prefix, op, err)
	} else if err := compiles(t, r, n.Code); err != nil && !undecided(err) {
		t.Errorf("opcode %#x %#x: %v", prefix, op, err)
	}
	return true
}

// undecided are complaints of the engine that are about operands that no one
// value suits, and not about where an instruction ends.
func undecided(err error) bool {
	return strings.Contains(err.Error(), "alignment") || strings.Contains(err.Error(), "lane")
}

// TestOpcodesAreReadOneWay spells second opcodes and single bytes longer than they
// must be. The engine reads some of those as other instructions, so that all are
// refused.
func TestOpcodesAreReadOneWay(t *testing.T) {
	t.Parallel()
	for name, code := range map[string][]byte{
		"v128.const, to the engine a shift": append([]byte{0xfd, 0x8c, 0x00}, make([]byte, 16)...),
		"i16x8.abs in three bytes":          {0xfd, 0x80, 0x81, 0x00},
		"memory.fill in two bytes":          {0xfc, 0x8b, 0x00, 0},
		"memory.grow with a long zero":      {0x40, 0x80, 0x00},
		"memory.copy with a long zero":      {0xfc, 10, 0x80, 0x00, 0},
		"typed select with a long one":      {0x1c, 0x81, 0x00, 0x7f},
	} {
		_, err := Rewrite(opcodeBuild(code...).encode(), nil, Limits{})
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInstructionsAreWalkedExactly makes long random sequences of instructions
// with random operands, indexes spelled long at random. The walk counts them as
// the test does, and the engine takes them.
func TestInstructionsAreWalkedExactly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	for seed := range uint64(200) {
		rnd := newRand(seed)
		var code []byte
		want := 2 // the unreachable before, the end after
		open := 0
		for range rnd.IntN(300) {
			prefix := []int{0, 0, 0xfc, 0xfd}[rnd.IntN(4)]
			op := rnd.IntN(256)
			kind := opcodeTwin(prefix, op)
			if kind == "" || kind == "block" {
				continue
			}
			if rnd.IntN(6) == 0 {
				code = append(code, 0x02+byte(rnd.IntN(2)), 0x40, 0x00)
				want += 2
				open++
			}
			code = append(code, spell(prefix, op, kind, func() bool { return rnd.IntN(3) == 0 })...)
			code = append(code, 0x00) // what follows may have any operands
			want += 2
		}
		code = append(code, slices.Repeat([]byte{0x0b}, open)...)
		want += open
		n, err := Rewrite(opcodeBuild(code...).encode(), nil, Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if n.Facts.Instructions != want {
			t.Fatalf("seed %d: %d instructions, want %d", seed, n.Facts.Instructions, want)
		}
		if err := compiles(t, r, n.Code); err != nil && !undecided(err) {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// spell writes an instruction, its operands longer than they must be if long
// says so and the format lets them.
func spell(prefix, op int, kind string, long func() bool) []byte {
	code := []byte{byte(op)}
	if prefix != 0 {
		code = append([]byte{byte(prefix)}, leb(uint64(op))...)
	}
	operand := operands[kind]
	indexed := prefix == 0 && op != 0x3f && op != 0x40 && (kind == "one" || kind == "two")
	if !indexed {
		return append(code, operand...)
	}
	for _, b := range operand {
		if long() {
			code = append(code, b|0x80, 0x80, 0x00)
		} else {
			code = append(code, b)
		}
	}
	return code
}

// TestSignedConstantsAreWalked puts extreme constants before a drop.
func TestSignedConstantsAreWalked(t *testing.T) {
	t.Parallel()
	var code []byte
	for _, v := range []int64{0, -1, 63, 64, -64, -65, 1<<31 - 1, -1 << 31} {
		code = append(code, cat([]byte{0x41}, sleb(v), []byte{0x1a})...)
	}
	for _, v := range []int64{0, -1, 1<<63 - 1, -1 << 63, 1 << 62} {
		code = append(code, cat([]byte{0x42}, sleb(v), []byte{0x1a})...)
	}
	n, err := Rewrite(opcodeBuild(code...).encode(), nil, Limits{})
	if err != nil || n.Facts.Instructions != 2+26 {
		t.Fatal(fmt.Sprint(n), err)
	}
}
