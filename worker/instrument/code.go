package instrument

import "math"

// walker reads the instructions of one function after another, and checks every
// index in them that the rewrite gives a meaning to: an index that was past the
// end of its space must not come to name what the rewrite appends.
type walker struct {
	reader
	m      *module
	locals int       // the function's parameters and locals
	work   work      // the labels open, and what the function costs a compiler
	seen   [256]bool // opcodes met, for the facts
	op     byte      // the instruction's opcode
	sub    uint32    // its second opcode, if any
	named  int       // what the instruction names, if anything: see instruction
	labels []int     // the targets of a br_table
	ended  bool      // the function's own end was met

	declared span // the groups of locals of the function entered
	groups   int  // and how many there are
}

func (m *module) decodeCode() *RefusedError {
	r, present := m.section(sectionCode)
	defined, at, n := len(m.functions)-m.imported, r.at, 0
	if present {
		n = r.count("functions", 3, math.MaxInt32)
	}
	if n != defined && r.err == nil {
		r.malformed(at, "%d bodies for %d functions", n, defined)
	}
	w := &walker{reader: *r, m: m}
	for i := 0; i < n && w.err == nil; i++ {
		w.in = place{"function", m.imported + i}
		entry, section := w.at, w.end
		m.decodeFunction(w)
		if err := w.err; err != nil {
			err.Where = m.functionText(m.imported + i)
			if w.skip(entry, section) && !m.goOn(err) {
				return err
			}
		}
	}
	m.noteOpcodes(w)
	m.facts.Work = int((m.work + workUnit - 1) / workUnit)
	w.in = r.in
	m.facts.CodeBytes = r.left()
	return w.done()
}

// decodeFunction walks one body, and notes which data segments it drops.
func (m *module) decodeFunction(w *walker) {
	entry, section := w.at, w.end
	declared := w.enter(w.in.index)
	m.facts.Locals += declared
	m.facts.FunctionLocals = max(m.facts.FunctionLocals, declared)
	if before := m.facts.Locals - declared; before <= m.limits.Locals &&
		m.facts.Locals > m.limits.Locals && w.err == nil {
		w.refuse(entry, "%d locals in the functions so far, limit %d",
			m.facts.Locals, m.limits.Locals)
	}
	for !w.ended && w.next() {
		m.facts.Instructions++
		if w.drops() {
			m.data[w.named].dropped = true
			m.facts.DropSites++
		}
	}
	if w.err == nil && w.at != w.end {
		w.malformed(w.at, "%d bytes after the function's end", w.left())
	}
	limit := uint64(m.limits.CompileWork) * workUnit
	if w.err == nil && !w.work.spend(&m.work, limit, w.locals) {
		w.refuse(entry, "%d branches, %d br_table targets, %d locals and instructions of weight "+
			"%d would hold a compiler too long; split the function, or the program",
			w.work.branches, w.work.targets, w.locals, w.work.weight)
	}
	if w.err == nil {
		w.end = section
	}
}

// enter begins the function whose body the walker stands before: it takes the
// length, at which the walker then ends, and the locals, and returns how many of
// those are declared.
func (w *walker) enter(function int) (declared int) {
	w.ended = false
	w.work.reset()
	at := w.at
	size := int64(w.u32())
	limit := w.m.limits.FunctionBytes
	switch {
	case w.err != nil:
		return 0
	case size > int64(w.left()):
		w.malformed(at, "a body of %d bytes in %d", size, w.left())
		return 0
	case size > int64(limit):
		w.refuse(at, "a body of %d bytes, limit %d", size, limit)
		return 0
	}
	w.end = w.at + int(size)
	w.m.facts.FunctionBytes = max(w.m.facts.FunctionBytes, int(size))
	at, limit = w.at, w.m.limits.FunctionLocals
	w.groups = w.count("groups of locals", 2, math.MaxInt32)
	groups := w.at
	for n := w.groups; n > 0 && w.err == nil; n-- {
		k := w.u32()
		if w.valType() == V128 {
			w.m.vectors = true
		}
		declared += int(min(k, limitMax))
		if declared > limit && w.err == nil {
			w.refuse(at, "at least %d locals, limit %d", declared, limit)
		}
	}
	w.declared = span{groups, w.at}
	w.locals = w.m.types[w.m.functions[function]].params.bytes() + declared
	return declared
}

// skip moves past a function in which a fault was found, if its length can be
// read, and forgets the fault.
func (w *walker) skip(entry, section int) bool {
	r := w.m.read(span{entry, section}, w.in)
	if r.take(int(r.u32())); r.err != nil {
		return false
	}
	w.at, w.end, w.err = r.at, section, nil
	return true
}

// drops reports whether the instruction just taken drops a passive segment. An
// active one is dropped at birth, and dropping it again does nothing.
func (w *walker) drops() bool {
	return w.op == opMisc && w.sub == miscDataDrop && w.err == nil && !w.m.data[w.named].active
}

// next takes one instruction.
func (w *walker) next() bool {
	w.op = w.u8()
	w.seen[w.op] = true
	w.work.weight += weights[w.op]
	w.immediate(core[w.op])
	return w.err == nil
}
