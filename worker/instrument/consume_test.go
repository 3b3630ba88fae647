package instrument

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero"
)

// producers are all instructions on vectors that compute NaNs, of two operands.
var producers = []int{0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5}

// consumer is a module that has each producer's result taken by an instruction, and stores
// what comes of it. Shape says on which side of it another vector is.
func consumer(op, shape int) *build {
	m := newBuild()
	m.types = []sig{{nil, nil}}
	m.memories = [][]byte{{1, 1, 1}}
	var b []byte
	for range 2 {
		for _, v := range []uint32{0x7fc00001, 0x7fa00002, 0xffc00003, 0x3f800000} {
			b = binary.LittleEndian.AppendUint32(b, v+uint32(len(b)))
		}
	}
	for _, v := range []uint64{0x7ff8000000000001, 0xfff4000000000002, 0x7ff8 << 48, 0xfff8 << 48} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	m.data = []seg{{active: true, bytes: b}}
	other := cat([]byte{0xfd, 12}, bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, 4))
	f := fun{}
	for i, p := range producers {
		at := byte(0) // of lanes of 32 bits; those of 64 follow
		if vectorComputes[p] == lanes64 {
			at = 32
		}
		f.code = append(f.code, 0x41)
		f.code = append(f.code, sleb(int64(64+16*i))...)
		if shape == 1 {
			f.code = append(f.code, other...)
		}
		f.code = append(f.code, 0x41, 0, 0xfd, 0, 4, at, 0x41, 0, 0xfd, 0, 4, at+16)
		f.code = cat(f.code, []byte{0xfd}, leb(uint64(p)))
		if shape == 2 {
			f.code = append(f.code, other...)
		}
		f.code = cat(f.code, []byte{0xfd}, leb(uint64(op)), []byte{0xfd, 11, 4, 0})
	}
	m.funcs = []fun{f}
	m.exports = []exp{{"f", kindFunction, 0}}
	return m
}

// TestNoVectorOpcodeSeesAnyNaN gives the NaNs of all producers to every instruction on
// vectors. Both engines store the same; and would not, for some, if NaNs were left.
func TestNoVectorOpcodeSeesAnyNaN(t *testing.T) {
	t.Parallel()
	var c, planted duelCounts
	found := 0
	for op, im := range vector {
		for shape := range 3 {
			if im != nothing {
				continue
			}
			code := consumer(op, shape).encode()
			if err := play(code, []step{{function: "f"}}, raw, &c); err != nil {
				t.Errorf("opcode 0xfd %#x, shape %d: %v", op, shape, err)
			}
			if play(code, []step{{function: "f"}}, asTheyCome, &planted) != nil {
				found++
			}
		}
	}
	t.Logf("%d modules, of which %d would differ", c.modules, found)
	if c.modules < 150 || found < 50 {
		t.Errorf("%d modules, of which %d would differ; want more", c.modules, found)
	}
}

// TestEffectsAreTheEngines builds a function of every instruction whose effect on the stack
// is known, with as many operands, and wants the engine to find as many results.
func TestEffectsAreTheEngines(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	known := 0
	constants := [][]byte{
		{0x41, 0}, {0x42, 0}, {0x43, 0, 0, 0, 0}, cat([]byte{0x44}, make([]byte, 8)),
		cat([]byte{0xfd, 12}, make([]byte, 16)),
	}
	fits := func(takes int, code []byte) bool {
		for _, push := range constants {
			for _, result := range []ValType{I32, I64, F32, F64, V128} {
				m := opcodeBuild()
				m.types = append(m.types, sig{nil, []ValType{result}})
				m.funcs[0].typ, m.funcs[0].code = 2, cat(bytes.Repeat(push, takes), code)
				if compiles(t, r, m.encode()) == nil {
					return true
				}
			}
		}
		return false
	}
	check := func(in instruction, code []byte) {
		takes, gives := in.effect()
		if takes < 0 {
			return
		}
		known++
		if gives != 1 || !fits(takes, code) {
			t.Errorf("opcode %#x %#x does not take %d and give %d", in.op, in.sub, takes, gives)
		}
	}
	for op := range core {
		if opcodeTwin(0, op) == "" {
			continue
		}
		code := cat([]byte{byte(op)}, operands[opcodeTwin(0, op)])
		check(instruction{op: byte(op)}, code)
	}
	for sub := range vector {
		code := cat([]byte{0xfd}, leb(uint64(sub)), operands[opcodeTwin(0xfd, sub)])
		check(instruction{op: opVector, sub: uint32(sub)}, code)
	}
	if known < 60 {
		t.Errorf("%d opcodes, want more", known)
	}
}
