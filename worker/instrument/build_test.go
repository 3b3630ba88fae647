package instrument

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
)

// build is a module as a test thinks of it: a plain structure, written out by the
// simplest encoder there is. It shares no code with the package.
type build struct {
	types     []sig
	imports   []imp
	funcs     []fun
	tables    [][]byte // reference type and limits
	memories  [][]byte // limits
	globals   []glob
	exports   []exp
	start     int // a function, or -1
	elements  [][]byte
	data      []seg
	dataCount bool
	names     []string // of the functions, imports first; "" has none
	custom    map[byte][]byte
	own       int // how many types there were before add, set by normal
}

type sig struct{ params, results []ValType }

type imp struct {
	module, name string
	kind         byte
	desc         []byte
}

// fun is a function. Code leaves out the final end. After[i] is where the code
// goes on after its i-th data.drop, which names segment drop[i]; init are the
// segments that a memory.init names.
type fun struct {
	typ    int
	locals []ValType
	code   []byte
	after  []int
	drop   []int
	init   []int
}

type glob struct {
	typ  ValType
	mut  bool
	init []byte // without end
}

type exp struct {
	name  string
	kind  byte
	index int
}

type seg struct {
	active bool
	offset uint32
	bytes  []byte
	place  []byte // what comes to offset, or nothing for an i32.const; without end
}

// newBuild is the smallest module that is admitted: one page of memory.
func newBuild() *build {
	return &build{start: -1, memories: [][]byte{{0, 1}}, custom: map[byte][]byte{}}
}

// leb is an unsigned LEB128, written the dumb way.
func leb(v uint64) (b []byte) {
	for {
		if v < 0x80 {
			return append(b, byte(v))
		}
		b = append(b, byte(v%128)+128)
		v /= 128
	}
}

// sleb is a signed LEB128, written the dumb way.
func sleb(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c < 0x40 || v == -1 && c >= 0x40 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(s string) []byte { return append(leb(uint64(len(s))), s...) }

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func vec[T any](items []T, write func(T) []byte) []byte {
	b := leb(uint64(len(items)))
	for _, it := range items {
		b = append(b, write(it)...)
	}
	return b
}

func section(id byte, content []byte) []byte {
	return cat([]byte{id}, leb(uint64(len(content))), content)
}

func raw(b []byte) []byte { return b }

func types(ts []ValType) []byte {
	return vec(ts, func(t ValType) []byte { return []byte{byte(t)} })
}

func (f fun) body() []byte {
	locals := vec(f.locals, func(t ValType) []byte { return []byte{1, byte(t)} })
	b := cat(locals, f.code, []byte{opEnd})
	return append(leb(uint64(len(b))), b...)
}

func (s seg) encode() []byte {
	if s.active {
		place := s.place
		if place == nil {
			place = cat([]byte{0x41}, sleb(int64(int32(s.offset))))
		}
		return cat([]byte{0}, place, []byte{0x0b}, text(string(s.bytes)))
	}
	return cat([]byte{1}, text(string(s.bytes)))
}

// parts returns the content of every section that the module has.
func (m *build) parts() map[byte][]byte {
	p := map[byte][]byte{}
	put := func(id byte, n int, content []byte) {
		if n > 0 {
			p[id] = content
		}
	}
	put(1, len(m.types), vec(m.types, func(s sig) []byte {
		return cat([]byte{0x60}, types(s.params), types(s.results))
	}))
	put(2, len(m.imports), vec(m.imports, func(i imp) []byte {
		return cat(text(i.module), text(i.name), []byte{i.kind}, i.desc)
	}))
	put(3, len(m.funcs), vec(m.funcs, func(f fun) []byte { return leb(uint64(f.typ)) }))
	put(4, len(m.tables), vec(m.tables, raw))
	put(5, len(m.memories), vec(m.memories, raw))
	put(6, len(m.globals), vec(m.globals, func(g glob) []byte {
		mut := byte(0)
		if g.mut {
			mut = 1
		}
		return cat([]byte{byte(g.typ), mut}, g.init, []byte{0x0b})
	}))
	put(7, len(m.exports), vec(m.exports, func(e exp) []byte {
		return cat(text(e.name), []byte{e.kind}, leb(uint64(e.index)))
	}))
	put(8, m.start+1, leb(uint64(max(m.start, 0))))
	put(9, len(m.elements), vec(m.elements, raw))
	put(10, len(m.funcs), vec(m.funcs, fun.body))
	put(11, len(m.data), vec(m.data, seg.encode))
	if m.dataCount {
		p[12] = leb(uint64(len(m.data)))
	}
	return p
}

// nameSection is a custom section with the functions' names, or nothing.
func (m *build) nameSection() []byte {
	var list []byte
	n := 0
	for i, name := range m.names {
		if name != "" {
			list = cat(list, leb(uint64(i)), text(name))
			n++
		}
	}
	if n == 0 {
		return nil
	}
	list = cat(leb(uint64(n)), list)
	return section(0, cat(text("name"), section(1, list)))
}

// encode writes the module. Custom sections stand before the section that they
// are kept under, 0 for the end.
func (m *build) encode() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	p := m.parts()
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11} {
		if c, ok := m.custom[id]; ok {
			out = append(out, section(0, c)...)
		}
		if content, ok := p[id]; ok {
			out = append(out, section(id, content)...)
		}
	}
	if c, ok := m.custom[0]; ok {
		out = append(out, section(0, c)...)
	}
	return append(out, m.nameSection()...)
}

// normal is the dumb twin of the rewrite: the unmetered normal form of a module, made by
// changing the structure that it was written from. It never reads any WASM.
func (m *build) normal(limit uint32) *build {
	n := *m
	n.custom, n.own = nil, len(m.types)
	n.memories = [][]byte{m.normalMemory(limit)}
	n.exports = append(slices.Clone(m.exports), exp{"\x00memory", kindMemory, 0})
	if m.start >= 0 {
		n.exports = append(n.exports, exp{"\x00start", kindFunction, m.start})
		n.start = -1
	}
	n.types, n.funcs = slices.Clone(m.types), slices.Clone(m.funcs)
	n.globals = slices.Clone(m.globals)
	for i, g := range m.globals {
		if g.mut {
			n.expose(i, g.typ)
		}
	}
	n.track()
	n.hide("\x00meter", glob{I64, true, []byte{0x42, 0}})
	n.hide("\x00refused", glob{I32, true, []byte{0x41, 0}})
	n.keepData(m)
	return &n
}

func (m *build) normalMemory(limit uint32) []byte {
	b := m.memories[0]
	least, k := binary.Uvarint(b[1:])
	most := uint64(limit)
	if b[0] == 1 {
		declared, _ := binary.Uvarint(b[1+k:])
		most = min(most, declared)
	}
	return cat([]byte{1}, leb(least), leb(most))
}

// add appends a function and its type, unless add made that type before, and
// exports it.
func (m *build) add(name string, s sig, code []byte) {
	t := slices.IndexFunc(m.types[m.own:], func(o sig) bool {
		return slices.Equal(o.params, s.params) && slices.Equal(o.results, s.results)
	})
	if t < 0 {
		t = len(m.types) - m.own
		m.types = append(m.types, s)
	}
	m.exports = append(m.exports, exp{name, kindFunction, len(m.imports) + len(m.funcs)})
	m.funcs = append(m.funcs, fun{typ: m.own + t, code: code})
}

func (m *build) expose(index int, t ValType) {
	name := "\x00g" + strconv.Itoa(index)
	if t != V128 {
		m.exports = append(m.exports, exp{name, kindGlobal, index})
		return
	}
	g := leb(uint64(index))
	get := sig{results: []ValType{I64}}
	m.add(name+".low", get, cat([]byte{0x23}, g, []byte{0xfd, 0x1d, 0}))
	m.add(name+".high", get, cat([]byte{0x23}, g, []byte{0xfd, 0x1d, 1}))
	m.add(name+".set", sig{params: []ValType{I64, I64}},
		cat([]byte{0x20, 0, 0xfd, 0x12, 0x20, 1, 0xfd, 0x1e, 1, 0x24}, g))
}

// track adds a flag for every passive segment that some function drops.
func (m *build) track() {
	flags := map[int]int{}
	for s, d := range m.data {
		drops := func(f fun) bool { return slices.Contains(f.drop, s) }
		if d.active || !slices.ContainsFunc(m.funcs, drops) {
			continue
		}
		flags[s] = len(m.globals)
		m.globals = append(m.globals, glob{I32, true, []byte{0x41, 0}})
		m.expose(flags[s], I32)
		m.add("\x00drop"+strconv.Itoa(s), sig{}, cat([]byte{0xfc, 9}, leb(uint64(s))))
	}
	for i, f := range m.funcs {
		var code []byte
		from := 0
		for k, at := range f.after {
			code = append(code, f.code[from:at]...)
			if flag, ok := flags[f.drop[k]]; ok {
				code = cat(code, []byte{0x41, 1, 0x24}, leb(uint64(flag)))
			}
			from = at
		}
		m.funcs[i].code = append(code, f.code[from:]...)
	}
}

// hide adds a global of the meter's.
func (m *build) hide(name string, g glob) {
	m.exports = append(m.exports, exp{name, kindGlobal, len(m.globals)})
	m.globals = append(m.globals, g)
}

// keepData keeps the segments up to the last that some function names.
func (m *build) keepData(from *build) {
	named := 0
	for _, f := range from.funcs {
		for _, s := range slices.Concat(f.drop, f.init) {
			named = max(named, s+1)
		}
	}
	m.data, m.dataCount = nil, named > 0
	for _, d := range from.data[:named] {
		if d.active {
			d = seg{}
		}
		m.data = append(m.data, d)
	}
}

// evaluate is the value of an integer constant expression; of an i32, the lower half.
func evaluate(b []byte) int64 {
	var stack []int64
	for len(b) > 0 {
		op := b[0]
		b = b[1:]
		if op == 0x41 || op == 0x42 {
			v, n := signed(b)
			stack, b = append(stack, v), b[n:]
			continue
		}
		last := len(stack) - 1
		x, y := stack[last-1], stack[last]
		stack = stack[:last]
		stack[last-1] = map[byte]int64{
			0x6a: x + y, 0x6b: x - y, 0x6c: x * y, 0x7c: x + y, 0x7d: x - y, 0x7e: x * y,
		}[op]
	}
	return stack[0]
}

// newRand is the source of every random test; its seed is printed by the test.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
