package instrument

// constant is the value of a constant expression. Bits are those of an i32 or i64; of
// other types only the type is known, since nothing is computed with them.
type constant struct {
	typ  ValType
	bits uint64
}

// constantOperands bounds the operands that wait in a constant expression. A linker
// that adds an offset to a base needs two.
const constantOperands = 64

// constant takes a constant expression: constants, and sums, differences and products
// of integers. The values of other globals cannot be constants here, because none can
// be imported.
func (m *module) constant(r *reader) constant {
	start := r.at
	stack := make([]constant, 0, 2)
	for r.err == nil {
		at := r.at
		op := r.u8()
		switch {
		case op == opEnd || r.err != nil:
		case op >= opI32Add && op <= opI32Mul || op >= opI64Add && op <= opI64Mul:
			stack = calculate(r, at, op, stack)
			m.facts.Features |= FeatureConstants
		default:
			stack = append(stack, m.constantOperand(r, at, op))
		}
		if len(stack) > constantOperands {
			r.refuse(at, "more than %d operands in a constant", constantOperands)
		}
		if op == opEnd {
			break
		}
	}
	if len(stack) != 1 && r.err == nil {
		r.malformed(start, "a constant expression of %d values, want one", len(stack))
	}
	if r.err != nil {
		return constant{}
	}
	return stack[0]
}

// constantOperand takes what follows an opcode that stands for a constant.
func (m *module) constantOperand(r *reader, at int, op byte) constant {
	switch op {
	case opI32Const:
		return constant{I32, uint64(r.s32())}
	case opI64Const:
		return constant{I64, uint64(r.s64())}
	case opF32Const:
		r.take(4)
		return constant{typ: F32}
	case opF64Const:
		r.take(8)
		return constant{typ: F64}
	case opRefNull:
		r.refType()
		m.facts.Features |= FeatureReferences
		return constant{typ: FuncRef}
	case opRefFunc:
		m.declare(r)
		m.facts.Features |= FeatureReferences
		return constant{typ: FuncRef}
	case opVector:
		if r.u8() != vecConst {
			r.malformed(at, "no constant, want v128.const after opcode %#x", op)
		}
		r.take(16)
		m.facts.Features |= FeatureVectors
		return constant{typ: V128}
	case opGlobalGet:
		r.refuse(at, "global.get in a constant, where no global is imported")
	default:
		r.malformed(at, "opcode %#x in a constant", op)
	}
	return constant{}
}

// calculate puts the sum, difference or product of the last two operands in
// their place.
func calculate(r *reader, at int, op byte, stack []constant) []constant {
	t, first := I32, byte(opI32Add)
	if op >= opI64Add {
		t, first = I64, opI64Add
	}
	n := len(stack) - 2
	if n < 0 || stack[n].typ != t || stack[n+1].typ != t {
		r.malformed(at, "opcode %#x in a constant, want two operands of type %v before it", op, t)
		return stack
	}
	a, b := stack[n].bits, stack[n+1].bits
	switch op - first {
	case 0:
		a += b
	case 1:
		a -= b
	default:
		a *= b
	}
	stack[n].bits = a // of an i32, the lower half
	return stack[:n+1]
}

// declare takes the index of a function, which the code may then make a
// reference of.
func (m *module) declare(r *reader) int {
	f := r.index("function", len(m.functions))
	if r.err == nil {
		m.declared[f] = true
	}
	return f
}

// offset takes a constant expression that must be an i32: where a segment goes
// must be known before the program runs.
func (m *module) offset(r *reader) uint32 {
	at := r.at
	c := m.constant(r)
	if r.err == nil && c.typ != I32 {
		r.malformed(at, "an offset of type %v, want i32", c.typ)
	}
	return uint32(c.bits)
}
