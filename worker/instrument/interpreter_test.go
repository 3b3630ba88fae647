package instrument

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// counter runs generated modules, one instruction after another, and adds up what each
// costs: the dumb twin of the meter. It knows only what generate makes use of, takes the
// costs from the golden file, and shares no code with the package.
type counter struct {
	m       *build
	costs   map[string]uint64
	memory  []byte
	most    int // of memory, in bytes
	globals [][2]uint64
	dropped map[int]bool
	units   uint64
}

// errTrap ends a run whose program traps.
var errTrap = errors.New("trap")

// readCosts reads a golden file of costs.
func readCosts(path string) (map[string]uint64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	costs := map[string]uint64{}
	for line := range strings.Lines(string(b)) {
		at := strings.LastIndexByte(line, ' ')
		var n uint64
		if _, err := fmt.Sscan(line[at+1:], &n); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		costs[line[:at]] = n
	}
	return costs, nil
}

// newCounter is a module that was born, but whose start function was not called.
func newCounter(m *build, pages int, costs map[string]uint64) *counter {
	c := &counter{
		m: m, costs: costs, memory: make([]byte, pageBytes), most: pages * pageBytes,
		dropped: map[int]bool{},
	}
	if b := m.memories[0]; b[0] == 1 {
		c.most = min(c.most, int(b[2])*pageBytes)
	}
	for _, g := range m.globals {
		c.globals = append(c.globals, initial(g))
	}
	for i, d := range m.data {
		if d.active {
			copy(c.memory[d.offset:], d.bytes)
			c.dropped[i] = true
		}
	}
	return c
}

// initial is the value of a constant.
func initial(g glob) (v [2]uint64) {
	switch g.typ {
	case I32:
		v[0] = uint64(uint32(evaluate(g.init)))
	case I64:
		v[0] = uint64(evaluate(g.init))
	case F32:
		v[0] = uint64(binary.LittleEndian.Uint32(g.init[1:]))
	case F64:
		v[0] = binary.LittleEndian.Uint64(g.init[1:])
	case V128:
		v[0] = binary.LittleEndian.Uint64(g.init[2:])
		v[1] = binary.LittleEndian.Uint64(g.init[10:])
	}
	return v
}

// signed reads a signed LEB128.
func signed(b []byte) (v int64, n int) {
	for {
		c := b[n]
		v |= int64(c&0x7f) << (7 * n)
		n++
		if c < 0x80 {
			if c&0x40 != 0 && n < 10 {
				v |= -1 << (7 * n)
			}
			return v, n
		}
	}
}

// call runs function index with arguments, which is no import.
func (c *counter) call(index int, args [][2]uint64) (result [2]uint64, err error) {
	f := c.m.funcs[index-len(c.m.imports)]
	r := &running{counter: c, code: append(f.code[:len(f.code):len(f.code)], 0x0b)}
	r.locals = append(r.locals, args...)
	r.locals = append(r.locals, make([][2]uint64, len(f.locals))...)
	defer func() {
		if p := recover(); p == errTrap {
			err = errTrap
		} else if p != nil {
			panic(p)
		}
	}()
	r.run()
	if len(c.m.types[f.typ].results) > 0 {
		result = r.pop()
	}
	return result, nil
}

// running is one function that runs.
type running struct {
	*counter
	code   []byte
	pc     int
	locals [][2]uint64
	stack  [][2]uint64
	labels []where
}

// where is what a branch to a label does.
type where struct {
	loop  bool
	begin int // the code of a loop's body
	end   int // the code behind the end
}

func (r *running) push(v uint64)    { r.stack = append(r.stack, [2]uint64{v}) }
func (r *running) push32(v uint32)  { r.push(uint64(v)) }
func (r *running) wide(v [2]uint64) { r.stack = append(r.stack, v) }

func (r *running) pop() [2]uint64 {
	v := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	return v
}

func (r *running) pop32() uint32 { return uint32(r.pop()[0]) }

func (r *running) unsigned() int {
	v, n := binary.Uvarint(r.code[r.pc:])
	r.pc += n
	return int(v)
}

func (r *running) signed() int64 {
	v, n := signed(r.code[r.pc:])
	r.pc += n
	return v
}

// run runs to the function's end.
func (r *running) run() {
	for r.pc < len(r.code) {
		op := r.code[r.pc]
		r.pc++
		table, sub := "core", int(op)
		if op == 0xfc || op == 0xfd {
			table = map[byte]string{0xfc: "misc", 0xfd: "vector"}[op]
			sub = r.unsigned()
		}
		cost, ok := r.costs[fmt.Sprintf("%s %#02x", table, sub)]
		if !ok {
			panic(fmt.Sprintf("no cost of %s %#02x", table, sub))
		}
		r.units += cost
		switch table {
		case "misc":
			r.misc(sub)
		case "vector":
			r.vector(sub)
		default:
			r.core(op)
		}
	}
}

// target finds the label of a block that was just opened.
func (r *running) target(loop bool) where {
	at := where{loop: loop, begin: r.pc}
	_, at.end = r.skip()
	return at
}

// skip finds where the innermost block's else is, or 0, and the code behind its end.
func (r *running) skip() (alternative, end int) {
	s := &running{code: r.code, pc: r.pc}
	for depth := 1; ; {
		op := s.code[s.pc]
		s.pc++
		switch op {
		case 0x02, 0x03, 0x04:
			depth++
			s.pc++
		case 0x05:
			if depth == 1 {
				alternative = s.pc
			}
		case 0x0b:
			if depth--; depth == 0 {
				return alternative, s.pc
			}
		default:
			s.immediates(op)
		}
	}
}

// immediates skips what follows an opcode.
func (r *running) immediates(op byte) {
	switch op {
	case 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40:
		r.unsigned()
	case 0x11, 0x28, 0x29, 0x36, 0x37, 0x39:
		r.unsigned()
		r.unsigned()
	case 0x0e:
		for n := r.unsigned(); n >= 0; n-- {
			r.unsigned()
		}
	case 0x41, 0x42:
		r.signed()
	case 0x43:
		r.pc += 4
	case 0x44:
		r.pc += 8
	case 0xfc:
		r.pc += map[int]int{2: 0, 8: 2, 9: 1, 10: 2, 11: 1}[r.unsigned()]
	case 0xfd:
		switch r.unsigned() {
		case 0, 11:
			r.unsigned()
			r.unsigned()
		case 12:
			r.pc += 16
		case 27:
			r.pc++
		}
	}
}

// branch goes to a label.
func (r *running) branch(label int) {
	at := r.labels[len(r.labels)-1-label]
	r.labels = r.labels[:len(r.labels)-1-label]
	if at.loop {
		r.labels = append(r.labels, at)
		r.pc = at.begin
		return
	}
	r.pc = at.end
}

func (r *running) core(op byte) {
	switch op {
	case 0x02, 0x03:
		r.pc++
		r.labels = append(r.labels, r.target(op == 0x03))
	case 0x04:
		r.pc++
		alternative, end := r.skip()
		switch chosen := r.pop32() != 0; {
		case chosen || alternative > 0:
			r.labels = append(r.labels, r.target(false))
			if !chosen {
				r.pc = alternative
			}
		default:
			r.pc = end
		}
	case 0x05: // the end of what an if chose
		r.branch(0)
	case 0x0b:
		if len(r.labels) > 0 {
			r.labels = r.labels[:len(r.labels)-1]
		}
	case 0x0d:
		if label := r.unsigned(); r.pop32() != 0 {
			r.branch(label)
		}
	case 0x0e:
		n, i := r.unsigned(), int(r.pop32())
		labels := make([]int, n+1)
		for k := range labels {
			labels[k] = r.unsigned()
		}
		r.branch(labels[min(i, n)])
	case 0x10:
		r.calls(r.unsigned())
	case 0x11:
		r.unsigned()
		r.unsigned()
		r.pop()
		r.calls(len(r.m.imports)) // both of the table's are the first function
	default:
		r.plain(op)
	}
}

func (r *running) calls(index int) {
	if index < len(r.m.imports) { // note
		r.pop()
		return
	}
	n := len(r.stack) - 2
	v, err := r.counter.call(index, r.stack[n:])
	if err != nil {
		panic(err)
	}
	r.stack = r.stack[:n]
	r.wide(v)
}

func (r *running) plain(op byte) {
	switch op {
	case 0x1a:
		r.pop()
	case 0x20:
		r.wide(r.locals[r.unsigned()])
	case 0x21:
		r.locals[r.unsigned()] = r.pop()
	case 0x22:
		r.locals[r.unsigned()] = r.stack[len(r.stack)-1]
	case 0x23:
		r.wide(r.globals[r.unsigned()])
	case 0x24:
		r.globals[r.unsigned()] = r.pop()
	case 0x28:
		r.push32(binary.LittleEndian.Uint32(r.at(4)))
	case 0x29:
		r.push(binary.LittleEndian.Uint64(r.at(8)))
	case 0x36:
		v := r.pop32()
		binary.LittleEndian.PutUint32(r.at(4), v)
	case 0x37, 0x39:
		v := r.pop()[0]
		binary.LittleEndian.PutUint64(r.at(8), v)
	case 0x3f:
		r.pc++
		r.push32(uint32(len(r.memory) / pageBytes))
	case 0x40:
		r.pc++
		r.grow()
	case 0x41:
		r.push32(uint32(r.signed()))
	case 0x42:
		r.push(uint64(r.signed()))
	case 0x43:
		r.push32(binary.LittleEndian.Uint32(r.code[r.pc:]))
		r.pc += 4
	case 0x44:
		r.push(binary.LittleEndian.Uint64(r.code[r.pc:]))
		r.pc += 8
	default:
		r.number(op)
	}
}

// at is the memory that a load or store works on.
func (r *running) at(n int) []byte {
	r.unsigned()
	offset := r.unsigned()
	return r.bytes(int(r.pop32())+offset, n)
}

func (r *running) bytes(at, n int) []byte {
	if at+n > len(r.memory) {
		panic(errTrap)
	}
	return r.memory[at : at+n]
}

func (r *running) grow() {
	before, more := len(r.memory)/pageBytes, int(r.pop32())
	if len(r.memory)+more*pageBytes > r.most {
		r.push32(math.MaxUint32)
		return
	}
	r.memory = append(r.memory, make([]byte, more*pageBytes)...)
	r.units += uint64(more) * r.costs["page"]
	r.push32(uint32(before))
}

func (r *running) number(op byte) {
	if op >= 0xa7 { // of one operand
		r.convert(op)
		return
	}
	b, a := r.pop()[0], r.pop()[0]
	x, y := uint32(a), uint32(b)
	truth := map[bool]uint32{true: 1}
	switch op {
	case 0x46:
		r.push32(truth[x == y])
	case 0x48:
		r.push32(truth[int32(x) < int32(y)])
	case 0x6a:
		r.push32(x + y)
	case 0x6b:
		r.push32(x - y)
	case 0x6c:
		r.push32(x * y)
	case 0x71:
		r.push32(x & y)
	case 0x72:
		r.push32(x | y)
	case 0x73:
		r.push32(x ^ y)
	case 0x7c:
		r.push(a + b)
	case 0x7d:
		r.push(a - b)
	case 0x7e:
		r.push(a * b)
	case 0x85:
		r.push(a ^ b)
	default:
		panic(fmt.Sprintf("opcode %#x is not known", op))
	}
}

func (r *running) convert(op byte) {
	v := r.pop()[0]
	switch op {
	case 0xa7:
		r.push32(uint32(v))
	case 0xac:
		r.push(uint64(int64(int32(v))))
	case 0xb6:
		r.push32(math.Float32bits(float32(math.Float64frombits(v))))
	case 0xb7:
		r.push(math.Float64bits(float64(int32(v))))
	case 0xb9:
		r.push(math.Float64bits(float64(int64(v))))
	case 0xc0:
		r.push32(uint32(int32(int8(v))))
	default:
		panic(fmt.Sprintf("opcode %#x is not known", op))
	}
}

func (r *running) misc(sub int) {
	if sub == 2 {
		f := math.Float64frombits(r.pop()[0])
		r.push32(uint32(int32(max(math.MinInt32, min(f, math.MaxInt32)))))
		return
	}
	segment := 0
	if sub == 8 || sub == 9 {
		segment = r.unsigned()
	}
	if sub == 9 {
		r.dropped[segment] = true
		return
	}
	r.pc += map[int]int{8: 1, 10: 2, 11: 1}[sub]
	n, from, to := int(r.pop32()), r.pop32(), int(r.pop32())
	r.units += uint64(n) / r.costs["bulk bytes a unit"]
	switch sub {
	case 8:
		data := r.m.data[segment].bytes
		if r.dropped[segment] {
			data = nil
		}
		if int(from)+n > len(data) {
			panic(errTrap)
		}
		copy(r.bytes(to, n), data[from:])
	case 10:
		copy(r.bytes(to, n), r.bytes(int(from), n))
	case 11:
		b := r.bytes(to, n)
		for i := range b {
			b[i] = byte(from)
		}
	}
}

func (r *running) vector(sub int) {
	switch sub {
	case 0:
		b := r.at(16)
		r.wide([2]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])})
	case 11:
		v := r.pop()
		b := r.at(16)
		binary.LittleEndian.PutUint64(b, v[0])
		binary.LittleEndian.PutUint64(b[8:], v[1])
	case 12:
		b := r.code[r.pc:]
		r.wide([2]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])})
		r.pc += 16
	case 18:
		v := r.pop()[0]
		r.wide([2]uint64{v, v})
	case 27:
		v, lane := r.pop(), r.code[r.pc]
		r.pc++
		r.push32(uint32(v[lane/2] >> (32 * (lane % 2))))
	case 0xce:
		b, a := r.pop(), r.pop()
		r.wide([2]uint64{a[0] + b[0], a[1] + b[1]})
	default:
		panic(fmt.Sprintf("vector opcode %d is not known", sub))
	}
}
