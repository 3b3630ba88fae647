package instrument

import "encoding/binary"

// generateFloats is generate, with floats of all kinds: NaNs among them, their bits in
// integers, vectors, memory and globals, and operations on whose NaNs engines disagree.
func generateFloats(seed uint64) *build { return generateAs(seed, true) }

// Scalars and lanes at the edges: zeros, infinities, least and greatest, NaNs that are
// canonical, negative, signalling, and of other payloads.
var (
	edges32 = []uint32{
		0, 1 << 31, 0x7f800000, 0xff800000, 1, 0x7f7fffff, 0x3f800000, 0x7fc00000,
		0xffc00000, 0x7fa00000, 0x7f800001, 0xffffffff, 0x7fc12345, 0x4f000000,
	}
	edges64 = []uint64{
		0, 1 << 63, 0x7ff << 52, 0xfff << 52, 1, 0x7fefffffffffffff, 0x3ff << 52,
		0x7ff8 << 48, 0xfff8 << 48, 0x7ff4 << 48, 0x7ff0000000000001, 1<<64 - 1,
		0x7ff8123456789abc, 0x43e << 52,
	}
)

func (g *generator) edge32() uint32 { return edges32[g.IntN(len(edges32))] }

func (g *generator) edge64() uint64 { return edges64[g.IntN(len(edges64))] }

// edge is a constant of the type at some edge.
func (g *generator) edge(t ValType) []byte {
	switch t {
	case F32:
		return binary.LittleEndian.AppendUint32([]byte{0x43}, g.edge32())
	case F64:
		return binary.LittleEndian.AppendUint64([]byte{0x44}, g.edge64())
	}
	b := []byte{0xfd, 12}
	if g.IntN(2) == 0 {
		return binary.LittleEndian.AppendUint64(
			binary.LittleEndian.AppendUint64(b, g.edge64()), g.edge64())
	}
	for range 4 {
		b = binary.LittleEndian.AppendUint32(b, g.edge32())
	}
	return b
}

// floatValue pushes a value of the type that comes of floats.
func (g *generator) floatValue(t ValType, depth int) {
	switch t {
	case I32:
		g.oneOf(depth, one(F32, 0xbc), // i32.reinterpret_f32
			two(F32, g.upTo(0x5b, 0x60)), two(F64, g.upTo(0x61, 0x66)),
			one(F32, 0xfc, 0), one(V128, 0xfd, 27, byte(g.IntN(4))))
	case I64:
		g.oneOf(depth, one(F64, 0xbd), one(V128, 0xfd, 29, byte(g.IntN(2))))
	case F32:
		g.oneOf(depth, one(I32, 0xbe), one(I32, 0xb2), one(F64, 0xb6),
			one(F32, g.upTo(0x8b, 0x91)), two(F32, g.upTo(0x92, 0x98)),
			two(F32, g.upTo(0x92, 0x98)), one(V128, 0xfd, 0x1f, byte(g.IntN(4))))
	case F64:
		g.oneOf(depth, one(I64, 0xbf), one(I64, 0xb9), one(F32, 0xbb),
			one(F64, g.upTo(0x99, 0x9f)), two(F64, g.upTo(0xa0, 0xa6)),
			two(F64, g.upTo(0xa0, 0xa6)), one(V128, 0xfd, 0x21, byte(g.IntN(2))))
	default:
		g.floatVector(depth)
	}
}

func (g *generator) floatVector(depth int) {
	vector := func(op byte) []byte { return cat([]byte{0xfd}, leb(uint64(op))) }
	g.oneOf(depth, one(F32, 0xfd, 0x13), one(F64, 0xfd, 0x14),
		pair(V128, F32, 0xfd, 0x20, byte(g.IntN(4))), pair(V128, F64, 0xfd, 0x22, byte(g.IntN(2))),
		one(V128, vector(g.pick(0x5e, 0x5f, 0x67, 0x68, 0x69, 0x6a, 0x74, 0x75, 0x7a, 0x94))...),
		one(V128, vector(g.pick(0xe0, 0xe1, 0xe3, 0xec, 0xed, 0xef, 0xf8, 0xf9, 0xfa, 0xfc))...),
		pair(V128, V128, vector(g.upTo(0xe4, 0xeb))...),
		pair(V128, V128, vector(g.upTo(0xf0, 0xf7))...),
		pair(V128, V128, vector(g.upTo(0x41, 0x4c))...))
}

func (g *generator) upTo(first, last int) byte { return byte(first + g.IntN(last-first+1)) }

func (g *generator) pick(ops ...byte) byte { return ops[g.IntN(len(ops))] }

// operation is an instruction, and its operands.
type operation struct {
	operands []ValType
	code     []byte
}

func one(t ValType, code ...byte) operation { return operation{[]ValType{t}, code} }

func pair(a, b ValType, code ...byte) operation { return operation{[]ValType{a, b}, code} }

func two(t ValType, op byte) operation { return pair(t, t, op) }

// oneOf writes one of the operations.
func (g *generator) oneOf(depth int, list ...operation) {
	o := list[g.IntN(len(list))]
	for _, t := range o.operands {
		g.value(t, depth)
	}
	g.emit(o.code...)
}
