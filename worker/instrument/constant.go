package instrument

// constant takes a constant expression: one constant and an end. The values of
// other globals cannot be constants here, because none can be imported; sums of
// constants (the extended constants) are left out.
func (m *module) constant(r *reader) {
	at := r.at
	switch op := r.u8(); op {
	case opI32Const:
		r.s32()
	case opI64Const:
		r.skipS64()
	case opF32Const:
		r.take(4)
	case opF64Const:
		r.take(8)
	case opRefNull:
		r.refType()
		m.facts.Features |= FeatureReferences
	case opRefFunc:
		m.declare(r)
		m.facts.Features |= FeatureReferences
	case opVector:
		if r.u8() != vecConst {
			r.malformed(at, "no constant, want v128.const after opcode %#x", op)
		}
		r.take(16)
		m.facts.Features |= FeatureVectors
	case opGlobalGet:
		r.refuse(at, "global.get in a constant, where no global is imported")
	case opEnd:
		r.malformed(at, "an empty constant expression")
	default:
		r.malformed(at, "opcode %#x begins no constant", op)
	}
	m.endConstant(r)
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

// offset takes a constant expression that must be an i32.const: where a segment
// goes must be known before the program runs.
func (m *module) offset(r *reader) uint32 {
	at := r.at
	if op := r.u8(); r.err == nil && op != opI32Const {
		r.refuse(at, "an offset that begins with opcode %#x, want i32.const", op)
		return 0
	}
	v := r.s32()
	m.endConstant(r)
	return uint32(v)
}

func (m *module) endConstant(r *reader) {
	at := r.at
	switch op := r.u8(); {
	case r.err != nil || op == opEnd:
	case op >= opI32Add && op <= opI32Mul || op >= opI64Add && op <= opI64Mul ||
		op >= opI32Const && op <= opF64Const || op == opGlobalGet:
		r.refuse(at, "an extended constant; want one constant and an end")
	default:
		r.malformed(at, "opcode %#x after a constant, want an end", op)
	}
}
