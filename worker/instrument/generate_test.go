package instrument

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// generator makes random modules that are valid and always end: every loop
// counts down, and a function calls only those before it.
type generator struct {
	*rand.Rand
	floats bool // of all kinds
	m      *build
	f      *fun // the function being written
	self   int  // its index
	deep   int  // statements within statements
}

// The locals of every generated function: two parameters, then these.
var generatedLocals = []ValType{I32, I32, I64, F64, V128}

const (
	localCount = 2 // an i32 that loops count down; 3 is for inner loops
	localWide  = 4
	localFloat = 5
	localVec   = 6
)

// generate returns a random module of the seed. Every function is exported as
// "f" and its index, and has type (i32, i32) -> (i32).
func generate(seed uint64) *build { return generateAs(seed, false) }

func generateAs(seed uint64, floats bool) *build {
	g := &generator{Rand: newRand(seed), m: newBuild(), floats: floats}
	m := g.m
	m.types = []sig{
		{[]ValType{I32, I32}, []ValType{I32}},
		{nil, nil},
		{[]ValType{I32}, nil},
	}
	if g.IntN(2) == 0 {
		m.imports = []imp{{"env", "note", kindFunction, []byte{2}}}
	}
	m.memories = [][]byte{{0, 1}}
	if g.IntN(2) == 0 {
		m.memories = [][]byte{{1, 1, byte(1 + g.IntN(3))}}
	}
	g.globals()
	g.segments()
	functions := 2 + g.IntN(5)
	m.tables = [][]byte{{byte(FuncRef), 0, 2}}
	first := leb(uint64(len(m.imports)))
	m.elements = [][]byte{cat([]byte{0}, g.sum(I32, 0, 2), []byte{0x0b, 2}, first, first)}
	for range functions {
		g.function()
	}
	if g.IntN(2) == 0 {
		g.start()
	}
	for i := range len(m.imports) + len(m.funcs) {
		if g.IntN(2) == 0 {
			m.names = append(m.names, fmt.Sprintf("function-%d", i))
		} else {
			m.names = append(m.names, "")
		}
	}
	if g.IntN(2) == 0 {
		m.custom[byte(g.IntN(12))] = cat(text("producers"), []byte("anything"))
	}
	return m
}

func (g *generator) globals() {
	for range 1 + g.IntN(6) {
		t := []ValType{I32, I64, F32, F64, V128, V128}[g.IntN(6)]
		mutable, init := g.IntN(4) > 0, g.constant(t)
		if t == I32 || t == I64 {
			init = g.sum(t, int64(g.Uint64()), g.IntN(3))
		}
		g.m.globals = append(g.m.globals, glob{t, mutable, init})
	}
	if g.IntN(3) == 0 {
		g.m.globals = append(g.m.globals, glob{FuncRef, false, []byte{0xd0, byte(FuncRef)}})
	}
}

func (g *generator) segments() {
	for range g.IntN(7) {
		b := make([]byte, g.IntN(20))
		for i := range b {
			b[i] = byte(g.Uint32())
		}
		s := seg{active: g.IntN(2) == 0, offset: uint32(g.IntN(4000)), bytes: b}
		if g.IntN(2) == 0 {
			s.place = g.sum(I32, int64(s.offset), g.IntN(4))
		}
		g.m.data = append(g.m.data, s)
	}
	g.m.dataCount = len(g.m.data) > 0
}

// sum is a random constant expression that comes to v.
func (g *generator) sum(t ValType, v int64, depth int) []byte {
	constant, add := byte(0x41), byte(0x6a)
	if t == I64 {
		constant, add = 0x42, 0x7c
	}
	if depth == 0 {
		if t == I32 {
			v = int64(int32(v))
		}
		return cat([]byte{constant}, sleb(v))
	}
	a, depth := int64(g.Uint32()), depth-1
	left := g.sum(t, a, depth)
	switch g.IntN(3) {
	case 0:
		return cat(left, g.sum(t, v-a, depth), []byte{add})
	case 1:
		return cat(left, g.sum(t, a-v, depth), []byte{add + 1})
	}
	product := cat(left, g.sum(t, v, depth), []byte{add + 2})
	return cat(product, g.sum(t, v-a*v, depth), []byte{add})
}

// constant is a random constant, float bits that are no NaN included.
func (g *generator) constant(t ValType) []byte {
	if g.floats && t != I32 && t != I64 && g.IntN(2) == 0 {
		return g.edge(t)
	}
	switch t {
	case I32:
		return cat([]byte{0x41}, sleb(int64(int32(g.Uint32()>>g.IntN(32)))))
	case I64:
		return cat([]byte{0x42}, sleb(int64(g.Uint64()>>g.IntN(64))))
	case F32:
		return binary.LittleEndian.AppendUint32([]byte{0x43}, math.Float32bits(g.Float32()))
	case F64:
		return binary.LittleEndian.AppendUint64([]byte{0x44}, math.Float64bits(g.Float64()))
	}
	b := binary.LittleEndian.AppendUint64([]byte{0xfd, 12}, g.Uint64())
	return binary.LittleEndian.AppendUint64(b, g.Uint64())
}

func (g *generator) function() {
	g.f = &fun{typ: 0, locals: generatedLocals}
	g.self = len(g.m.imports) + len(g.m.funcs)
	g.deep = 0
	for range 2 + g.IntN(6) {
		g.statement()
	}
	g.value(I32, 3)
	g.m.funcs = append(g.m.funcs, *g.f)
	g.m.exports = append(g.m.exports, exp{fmt.Sprintf("f%d", g.self), kindFunction, g.self})
}

// start adds a start function.
func (g *generator) start() {
	g.f = &fun{typ: 1, locals: append([]ValType{I32, I32}, generatedLocals...)}
	g.self = len(g.m.imports) + len(g.m.funcs)
	g.deep = 0
	g.statement()
	g.statement()
	g.m.start = g.self
	g.m.funcs = append(g.m.funcs, *g.f)
}

func (g *generator) emit(b ...byte) { g.f.code = append(g.f.code, b...) }

func (g *generator) index(op byte, i int) { g.emit(append([]byte{op}, leb(uint64(i))...)...) }

func (g *generator) i32(v int32) { g.emit(append([]byte{0x41}, sleb(int64(v))...)...) }

// address pushes an address in the first 4,096 bytes.
func (g *generator) address(depth int) {
	g.value(I32, depth)
	g.i32(0xfff)
	g.emit(0x71)
}

// statement emits instructions that leave the stack as it was.
func (g *generator) statement() {
	g.deep++
	defer func() { g.deep-- }()
	for !g.tryStatement(g.IntN(14)) {
	}
}

func (g *generator) tryStatement(kind int) bool {
	if g.deep > 3 && kind >= 10 {
		return false
	}
	switch kind {
	case 0, 1:
		return g.setGlobal()
	case 2, 3:
		g.store()
	case 4:
		return g.initMemory()
	case 5:
		return g.dropData()
	case 6:
		g.address(1)
		g.value(I32, 1)
		g.i32(int32(g.IntN(40)))
		g.emit(0xfc, 11, 0) // memory.fill
	case 7:
		g.address(1)
		g.address(1)
		g.i32(int32(g.IntN(40)))
		g.emit(0xfc, 10, 0, 0) // memory.copy
	case 8:
		g.i32(int32(g.IntN(2)))
		g.emit(0x40, 0, 0x1a) // memory.grow, drop
	case 9:
		g.setLocal()
	case 10:
		g.branch()
	case 11:
		g.loop()
	case 12:
		g.choice()
	case 13:
		g.call()
	}
	return true
}

func (g *generator) setGlobal() bool {
	i := g.IntN(len(g.m.globals))
	if !g.m.globals[i].mut {
		return false
	}
	g.value(g.m.globals[i].typ, 2)
	g.index(0x24, i)
	return true
}

func (g *generator) setLocal() {
	i := []int{0, 1, localWide, localFloat, localVec}[g.IntN(5)]
	g.value(g.localType(i), 2)
	g.index(0x21, i)
}

func (g *generator) localType(i int) ValType {
	if i < 2 {
		return I32
	}
	return generatedLocals[i-2]
}

func (g *generator) store() {
	stores := [][]byte{{0x36, 2}, {0x37, 3}, {0x39, 3}, {0xfd, 11, 4}, {0x38, 2}}
	types := []ValType{I32, I64, F64, V128, F32}
	if !g.floats {
		types = types[:4]
	}
	i := g.IntN(len(types))
	g.address(1)
	g.value(types[i], 2)
	g.emit(stores[i]...)
	g.emit(leb(uint64(g.IntN(300)))...)
}

func (g *generator) initMemory() bool {
	if len(g.m.data) == 0 {
		return false
	}
	s := g.IntN(len(g.m.data))
	if g.m.data[s].active {
		return false
	}
	g.address(1)
	g.i32(0)
	g.i32(int32(g.IntN(len(g.m.data[s].bytes) + 1)))
	g.emit(0xfc, 8)
	g.emit(leb(uint64(s))...)
	g.emit(0)
	g.f.init = append(g.f.init, s)
	return true
}

func (g *generator) dropData() bool {
	if len(g.m.data) == 0 {
		return false
	}
	s := g.IntN(len(g.m.data))
	g.emit(0xfc, 9)
	g.emit(leb(uint64(s))...)
	g.f.drop = append(g.f.drop, s)
	g.f.after = append(g.f.after, len(g.f.code))
	return true
}

func (g *generator) branch() {
	g.value(I32, 2)
	g.emit(0x04, 0x40)
	g.statement()
	if g.IntN(2) == 0 {
		g.emit(0x05)
		g.statement()
	}
	g.emit(0x0b)
}

// loop runs a statement up to three times.
func (g *generator) loop() {
	c := localCount
	if g.deep > 1 {
		c++
	}
	if g.deep > 2 {
		g.statement()
		return
	}
	g.i32(int32(1 + g.IntN(3)))
	g.index(0x21, c)
	g.emit(0x03, 0x40)
	g.statement()
	g.index(0x20, c)
	g.i32(1)
	g.emit(0x6b)
	g.index(0x22, c)
	g.emit(0x0d, 0, 0x0b)
}

// choice branches by a table out of blocks.
func (g *generator) choice() {
	n := 1 + g.IntN(3)
	for range n {
		g.emit(0x02, 0x40)
	}
	g.value(I32, 2)
	g.emit(0x0e)
	g.emit(leb(uint64(n - 1))...)
	for i := range n {
		g.emit(byte(i))
	}
	for range n {
		g.emit(0x0b)
		g.statement()
	}
}

func (g *generator) call() {
	if len(g.m.imports) > 0 && g.IntN(3) == 0 {
		g.value(I32, 1)
		g.index(0x10, 0)
		return
	}
	g.value(I32, 1)
	g.emit(0x1a)
}
