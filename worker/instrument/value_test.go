package instrument

// value pushes a random value of the type, of expressions at most so deep.
func (g *generator) value(t ValType, depth int) {
	if depth == 0 || g.IntN(5) == 0 {
		g.emit(g.constant(t)...)
		return
	}
	if g.IntN(4) == 0 && g.readGlobal(t) {
		return
	}
	if g.floats && g.IntN(2) == 0 {
		g.floatValue(t, depth-1)
		return
	}
	switch t {
	case I32:
		g.valueI32(depth - 1)
	case I64:
		g.valueI64(depth - 1)
	case F32:
		g.value(F64, depth-1)
		g.emit(0xb6) // f32.demote_f64
	case F64:
		g.valueF64(depth - 1)
	default:
		g.valueV128(depth - 1)
	}
}

func (g *generator) readGlobal(t ValType) bool {
	for _, i := range g.Perm(len(g.m.globals)) {
		if g.m.globals[i].typ == t {
			g.index(0x23, i)
			return true
		}
	}
	return false
}

func (g *generator) valueI32(depth int) {
	switch g.IntN(9) {
	case 0:
		g.index(0x20, g.IntN(2))
	case 1:
		g.address(depth)
		g.emit(0x28, 2)
		g.emit(leb(uint64(g.IntN(300)))...)
	case 2:
		g.emit(0x3f, 0) // memory.size
	case 3:
		g.value(I64, depth)
		g.emit(0xa7) // i32.wrap_i64
	case 4:
		g.value(I32, depth)
		g.emit(0xc0) // i32.extend8_s
	case 5:
		g.value(F64, depth)
		g.emit(0xfc, 2) // i32.trunc_sat_f64_s
	case 6:
		g.callValue(depth)
	case 7:
		g.value(V128, depth)
		g.emit(0xfd, 27, byte(g.IntN(4))) // i32x4.extract_lane
	default:
		g.value(I32, depth)
		g.value(I32, depth)
		g.emit([]byte{0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x46, 0x48}[g.IntN(8)])
	}
}

// callValue calls an earlier function, by the table if it is the first.
func (g *generator) callValue(depth int) {
	first := len(g.m.imports)
	if g.self == first {
		g.index(0x20, 0)
		return
	}
	g.value(I32, depth)
	g.value(I32, depth)
	if g.IntN(2) == 0 {
		g.i32(int32(g.IntN(2)))
		g.emit(0x11, 0, 0) // call_indirect
		return
	}
	g.index(0x10, first+g.IntN(min(g.self-first, 3)))
}

func (g *generator) valueI64(depth int) {
	switch g.IntN(4) {
	case 0:
		g.index(0x20, localWide)
	case 1:
		g.value(I32, depth)
		g.emit(0xac) // i64.extend_i32_s
	case 2:
		g.address(depth)
		g.emit(0x29, 3, 8)
	default:
		g.value(I64, depth)
		g.value(I64, depth)
		g.emit([]byte{0x7c, 0x7d, 0x7e, 0x85}[g.IntN(4)])
	}
}

// valueF64 never makes a NaN, on whose bits the engines disagree.
func (g *generator) valueF64(depth int) {
	switch g.IntN(3) {
	case 0:
		g.index(0x20, localFloat)
	case 1:
		g.value(I32, depth)
		g.emit(0xb7) // f64.convert_i32_s
	default:
		g.value(I64, depth)
		g.emit(0xb9) // f64.convert_i64_s
	}
}

func (g *generator) valueV128(depth int) {
	switch g.IntN(4) {
	case 0:
		g.index(0x20, localVec)
	case 1:
		g.value(I64, depth)
		g.emit(0xfd, 18) // i64x2.splat
	case 2:
		g.address(depth)
		g.emit(0xfd, 0, 4, 0) // v128.load
	default:
		g.value(V128, depth)
		g.value(V128, depth)
		g.emit(0xfd, 0xce, 0x01) // i64x2.add
	}
}
