package instrument

// meter is the pass that counts fuel and depth. See "Fuel and depth" in the package
// comment.
type meter struct {
	word, refused int // globals
	refill        int // a function, or none
	yields        bool
	wrappers      map[string]int // block types, for functions of several results

	// The function in hand.
	flow   flow
	kind   kind
	weight int64 // of its frame; 0 if its depth is not counted
	next   int   // the next block in flow.blocks
	open   int   // labels that are open
	fuel   int   // the local that holds the meter's word
	size   int   // a local for an operand
	result int   // a local for what memory.grow says
}

// kind says how a function is metered.
type kind byte

const (
	// light: a short function that neither loops nor calls. It charges the word itself,
	// and tests nothing: whoever called it does, soon.
	light kind = iota
	// counted: it keeps the word in a local, and writes it down around calls and when it
	// is left.
	counted
)

// lightUnits is the most that a light function costs.
const lightUnits = 1000

// meter appends the meter's globals, and the pass that counts.
func (p *plan) meter(as Form) Meter {
	t := &meter{yields: as.yields, wrappers: map[string]int{}}
	access := Meter{Word: wordExport, Refused: refusedExport}
	t.word = p.global(wordExport, I64)
	t.refused = p.global(refusedExport, I32)
	if !as.counts {
		return access
	}
	if t.yields {
		access.Reserve = reserveExport
		reserve := p.global(reserveExport, I64)
		t.refill = len(p.m.functions) + p.functions.n
		p.function(refillExport, []ValType{I64}, []ValType{I64},
			refillCode(t.word, reserve), I64)
	}
	for _, i := range p.m.functions[p.m.imported:] {
		if r := p.m.values(p.m.types[i].results); len(r) > 1 {
			t.wrappers[signatureText(nil, r)] = p.typeOf(nil, r)
		}
	}
	p.change(sectionCode)
	p.passes = append(p.passes, t)
	return access
}

// global appends a mutable global that begins as zero, and exports it.
func (p *plan) global(name string, t ValType) int {
	zero := map[ValType]byte{I32: opI32Const, I64: opI64Const}[t]
	index := len(p.m.globals) + p.globals.n
	p.globals.b = append(p.globals.b, byte(t), 1, zero, 0, opEnd)
	p.globals.n++
	p.change(sectionGlobal)
	p.export(name, kindGlobal, index)
	return index
}

func (t *meter) begin(b []byte, f *function) []byte {
	w := &t.flow
	w.read(f)
	t.next, t.open, t.weight = 1, 0, w.frame.weight()
	total := int64(0)
	for _, c := range w.blocks {
		total += c.cost
	}
	entry := w.blocks[0].cost << fuelShift
	if !w.calls && t.weight == 1 {
		t.weight = 0
		if !w.tests && total <= lightUnits {
			t.kind = light
			return t.charge(b, entry)
		}
	}
	t.kind = counted
	t.fuel = f.local(I64)
	if w.tests {
		t.size, t.result = f.local(I32), f.local(I32)
	}
	b = indexed(b, opGlobalGet, t.word)
	if entry != t.weight {
		b = append(constant64(b, entry-t.weight), opI64Sub)
	}
	if t.weight > 0 {
		const minus = -1 << 63
		b = indexed(b, opLocalTee, t.fuel)
		b = append(constant64(b, minus|tooDeep), opI64And)
		b = append(constant64(b, 0), opI64Ne)
		b = t.stop(b)
	} else {
		b = indexed(b, opLocalSet, t.fuel)
	}
	if w.exits {
		b = t.wrap(b, f)
	}
	return b
}

// wrap opens a block around the function's code, so that all ways out of it lead to
// where the word is written down.
func (t *meter) wrap(b []byte, f *function) []byte {
	results := f.m.values(f.m.types[f.m.functions[f.index]].results)
	switch len(results) {
	case 0:
		return append(b, opBlock, typeEmpty)
	case 1:
		return append(b, opBlock, byte(results[0]))
	}
	// A block's type is a signed number.
	return appendS64(append(b, opBlock), int64(t.wrappers[signatureText(nil, results)]))
}

func (t *meter) before(b []byte, f *function, i int) []byte {
	if t.next < len(t.flow.blocks) && t.flow.blocks[t.next].at == i {
		b = t.enter(b, t.flow.blocks[t.next])
		t.next++
	}
	in := f.list[i]
	switch in.op {
	case opBlock, opLoop, opIf:
		t.open++
	case opEnd:
		t.open--
	}
	if t.kind == light {
		return b
	}
	switch {
	case f.last(i):
		if t.flow.exits {
			b = append(b, opEnd)
		}
		return t.leave(b)
	case in.op == opReturn: // what follows is never reached
		return indexed(b, opBr, t.open)
	case in.op == opCall || in.op == opCallIndirect || in.op == opUnreachable:
		return t.flush(b)
	case in.op == opMemoryGrow:
		return indexed(b, opLocalTee, t.size)
	case in.bulk():
		b = indexed(b, opLocalTee, t.size)
		return t.paySize(b, opI64ShrU, bulkShift)
	}
	return b
}

func (t *meter) after(b []byte, f *function, i int) []byte {
	if t.kind == light {
		return b
	}
	switch f.list[i].op {
	case opCall, opCallIndirect:
		return indexed(indexed(b, opGlobalGet, t.word), opLocalSet, t.fuel)
	case opMemoryGrow:
		return t.grown(b)
	}
	return b
}

// enter charges for a block, and has the word tested if it begins a loop: all that goes
// on for long passes there, or the beginning of a function.
func (t *meter) enter(b []byte, c block) []byte {
	if !c.loop {
		return t.charge(b, c.cost<<fuelShift)
	}
	b = indexed(b, opLocalGet, t.fuel)
	b = append(constant64(b, c.cost<<fuelShift), opI64Sub)
	return t.test(indexed(b, opLocalTee, t.fuel))
}

// charge takes a constant from the word.
func (t *meter) charge(b []byte, amount int64) []byte {
	get, set, index := byte(opLocalGet), byte(opLocalSet), t.fuel
	if t.kind == light {
		get, set, index = opGlobalGet, opGlobalSet, t.word
	}
	if amount == 0 {
		return b
	}
	b = append(constant64(indexed(b, get, index), amount), opI64Sub)
	return indexed(b, set, index)
}

// test stops the program if the word, which is on the stack, is below zero.
func (t *meter) test(b []byte) []byte {
	return t.stop(append(constant64(b, 0), opI64LtS))
}

// stop ends the program if what is on the stack is not zero; or, if it yields, has it go
// on with more fuel if there is.
func (t *meter) stop(b []byte) []byte {
	b = append(b, opIf, typeEmpty)
	if t.yields {
		b = indexed(b, opLocalGet, t.fuel)
		b = indexed(b, opCall, t.refill)
		return append(indexed(b, opLocalSet, t.fuel), opEnd)
	}
	return append(t.flush(b), opUnreachable, opEnd)
}

func (t *meter) flush(b []byte) []byte {
	return indexed(indexed(b, opLocalGet, t.fuel), opGlobalSet, t.word)
}

// leave writes the word down at the function's end.
func (t *meter) leave(b []byte) []byte {
	b = indexed(b, opLocalGet, t.fuel)
	if t.weight > 0 {
		b = append(constant64(b, t.weight), opI64Sub)
	}
	return indexed(b, opGlobalSet, t.word)
}

// paySize charges by a number in the local for operands, after one operation with a
// constant.
func (t *meter) paySize(b []byte, op byte, by int64) []byte {
	b = indexed(b, opLocalGet, t.fuel)
	b = append(indexed(b, opLocalGet, t.size), opExtendU)
	b = append(constant64(b, by), op)
	b = append(constant64(b, fuelShift), opI64Shl, opI64Sub)
	return t.test(indexed(b, opLocalTee, t.fuel))
}

// grown notes that memory.grow was refused, or charges for the pages it added.
func (t *meter) grown(b []byte) []byte {
	b = indexed(b, opLocalTee, t.result)
	b = append(b, opI32Const, 0x7f, opI32Eq, opIf, typeEmpty) // -1
	b = indexed(append(b, opI32Const, 1), opGlobalSet, t.refused)
	b = t.paySize(append(b, opElse), opI64Mul, PageUnits)
	return indexed(append(b, opEnd), opLocalGet, t.result)
}

// indexed appends an instruction that names a local, global, function or label.
func indexed(b []byte, op byte, index int) []byte {
	return appendU32(append(b, op), uint32(index))
}

func constant64(b []byte, v int64) []byte { return appendS64(append(b, opI64Const), v) }

// refillCode is a function that takes a word below zero and returns one that is not, with
// up to YieldUnits of fuel from the reserve; if there is not enough, the program ends. It
// adds the same to the word that is written down, which is therefore worth as much
// together with the reserve as before. In between it asks for no pages of memory, which
// brings it into the host, where Go's garbage collector can have its turn. Its second
// local is no parameter.
func refillCode(word, reserve int) []byte {
	const given, taken = 0, 1
	const chunk = YieldUnits << fuelShift
	const fuelMask = -1 << fuelShift
	// taken = YieldUnits and as much as is missing, or all there is.
	b := constant64(nil, chunk)
	b = append(constant64(indexed(b, opLocalGet, given), fuelMask), opI64And, opI64Sub)
	b = indexed(b, opLocalTee, taken)
	b = indexed(b, opGlobalGet, reserve)
	b = indexed(indexed(b, opLocalGet, taken), opGlobalGet, reserve)
	b = append(b, opI64LtS, opSelect)
	b = indexed(b, opLocalTee, taken)
	// word += taken; given += taken; reserve -= taken.
	b = append(indexed(b, opGlobalGet, word), opI64Add)
	b = indexed(b, opGlobalSet, word)
	b = append(indexed(indexed(b, opLocalGet, given), opLocalGet, taken), opI64Add)
	b = indexed(b, opLocalSet, given)
	b = append(indexed(indexed(b, opGlobalGet, reserve), opLocalGet, taken), opI64Sub)
	b = indexed(b, opGlobalSet, reserve)
	// Stop if that was not enough, or if calls are too deep.
	const minus = -1 << 63
	b = append(constant64(indexed(b, opLocalGet, given), minus|tooDeep), opI64And)
	b = append(constant64(b, 0), opI64Ne, opIf, typeEmpty)
	b = indexed(indexed(b, opLocalGet, given), opGlobalSet, word)
	b = append(b, opUnreachable, opEnd)
	b = append(b, opI32Const, 0, opMemoryGrow, 0, opDrop)
	return indexed(b, opLocalGet, given)
}
