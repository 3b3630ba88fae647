package instrument

import "fmt"

// A pass puts instructions between those of functions while these are written
// out again. None changes or leaves out an instruction, so that a pass need not
// know what others insert; and what it inserts leaves the operand stack as it was,
// but for a value that it puts in place of another.
type pass interface {
	// begin appends what stands before a function's first instruction.
	begin(b []byte, f *function) []byte
	// before and after append what stands on either side of instruction i.
	before(b []byte, f *function, i int) []byte
	after(b []byte, f *function, i int) []byte
}

// function is one of the module's functions, being written out again. It is used for one
// after another, to spare memory.
type function struct {
	m        *module
	index    int // among all functions, imports first
	declared span
	groups   int // of locals, in declared
	list     []instruction
	targets  []int     // of the br_tables, one after another
	added    []ValType // locals that passes have asked for
	locals   int       // parameters, declared locals, and added ones
	code     []byte    // what is written so far, without locals
}

// instruction is one instruction of a function. It is small, since a hostile function has
// one a byte.
type instruction struct {
	at, end int32  // its bytes
	index   int32  // what it names: a local, global, function, type, segment or label
	targets int32  // of a br_table: how many, in function.targets from index on
	sub     uint32 // its second opcode, if any
	op      byte   // its opcode
}

// local adds a local, which begins as zero, and returns its index.
func (f *function) local(t ValType) int {
	f.added = append(f.added, t)
	f.locals++
	return f.locals - 1
}

// last reports whether instruction i is the function's own end.
func (f *function) last(i int) bool { return i == len(f.list)-1 }

// code appends the functions' bodies, with what the passes insert.
func (p *plan) code(b []byte) []byte {
	m := p.m
	r, _ := m.section(sectionCode)
	if r.left() > 0 {
		r.u32()
	}
	defined := len(m.functions) - m.imported
	b = appendU32(b, uint32(defined+p.bodies.n))
	w := &walker{reader: *r, m: m}
	f := &function{m: m}
	for i := range defined {
		f.read(w, m.imported+i)
		p.rewrite(f)
		b = appendSized(b, f.encode)
	}
	return append(b, p.bodies.b...)
}

// read takes the next function's body, which was admitted.
func (f *function) read(w *walker, index int) {
	section := w.end
	f.index, f.list, f.targets, f.added = index, f.list[:0], f.targets[:0], f.added[:0]
	w.enter(index)
	f.declared, f.groups, f.locals = w.declared, w.groups, w.locals
	for at := w.at; !w.ended && w.next(); at = w.at {
		i := instruction{
			at: int32(at), end: int32(w.at), op: w.op, sub: w.sub, index: int32(w.named),
		}
		if w.op == opBrTable {
			i.index, i.targets = int32(len(f.targets)), int32(len(w.labels))
			f.targets = append(f.targets, w.labels...)
		}
		f.list = append(f.list, i)
	}
	if w.err != nil || w.at != w.end {
		panic(fmt.Sprintf("instrument: function %d was admitted, and now ends at %d of %d: %v",
			index, w.at, w.end, w.err))
	}
	w.end = section
}

// rewrite writes a function's code with what the passes insert.
func (p *plan) rewrite(f *function) {
	b := f.code[:0]
	for _, pass := range p.passes {
		b = pass.begin(b, f)
	}
	for i, in := range f.list {
		for _, pass := range p.passes {
			b = pass.before(b, f, i)
		}
		b = append(b, f.m.code[in.at:in.end]...)
		for _, pass := range p.passes {
			b = pass.after(b, f, i)
		}
	}
	f.code = b
}

// encode appends the body: locals and code.
func (f *function) encode(b []byte) []byte {
	b = appendU32(b, uint32(f.groups+len(f.added)))
	b = append(b, f.m.code[f.declared.at:f.declared.end]...)
	for _, t := range f.added {
		b = append(b, 1, byte(t))
	}
	return append(b, f.code...)
}

// dropFlags sets a segment's flag after every data.drop. Neither can trap, so that no
// program sees the one without the other.
type dropFlags struct {
	flags map[int]int // the flag global of every segment that is dropped
}

func (d dropFlags) begin(b []byte, _ *function) []byte { return b }

func (d dropFlags) before(b []byte, _ *function, _ int) []byte { return b }

func (d dropFlags) after(b []byte, f *function, i int) []byte {
	in := f.list[i]
	if in.op != opMisc || in.sub != miscDataDrop || f.m.data[in.index].active {
		return b
	}
	b = append(b, opI32Const, 1, opGlobalSet)
	return appendU32(b, uint32(d.flags[int(in.index)]))
}
