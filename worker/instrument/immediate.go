package instrument

// immediate takes what follows an opcode.
func (w *walker) immediate(im immediate) {
	switch im {
	case nothing:
	case localIndex:
		w.named = w.index("local", w.locals)
	case signed32:
		w.s32()
	case memoryArgument:
		w.memoryArgument()
	case label:
		w.work.branch(w.op)
		w.named = w.index("label", len(w.work.labels)+1)
	case functionIndex:
		w.function()
		if w.op == opCall && w.err == nil {
			w.work.call(w.m.types[w.m.functions[w.named]])
		}
	case blockType:
		w.blockType()
	case ending:
		if w.ended = len(w.work.labels) == 0; !w.ended {
			w.work.close()
		}
	case alternative:
		w.work.branches++
		if !w.work.alternate() {
			w.malformed(w.at-1, "an else without an if")
		}
	case globalIndex:
		w.named = w.index("global", len(w.m.globals))
	case signed64:
		w.s64()
	default:
		w.rareImmediate(im)
	}
}

// function takes the index of a function. One that ref.func names must be
// declared: the normal form exports the start function, and so would declare it.
func (w *walker) function() {
	at := w.at
	w.named = w.index("function", len(w.m.functions))
	if w.op == opRefFunc && w.err == nil && !w.m.declared[w.named] {
		w.malformed(at, "ref.func of function %d, which no export, element or global names",
			w.named)
	}
}

func (w *walker) rareImmediate(im immediate) {
	switch im {
	case labels:
		w.branchTable()
	case typeTable:
		w.named = w.index("type", len(w.m.types))
		w.index("table", len(w.m.tables))
		if w.err == nil {
			w.work.call(w.m.types[w.named])
		}
	case tableIndex:
		w.index("table", len(w.m.tables))
	case memoryIndex:
		if w.op == opMemoryGrow {
			w.work.branches += workMetered
		}
		w.memoryIndex()
	case memoryPair:
		w.memoryIndex()
		w.memoryIndex()
	case bytes4:
		w.take(4)
	case bytes8:
		w.take(8)
	case bytes16:
		w.take(16)
	case lane:
		w.take(1)
	case memoryLane:
		w.memoryArgument()
		w.take(1)
	case referenceType:
		w.refType()
	case selectTypes:
		w.selectTypes()
	case dataIndex:
		w.dataIndex()
	case dataMemory:
		w.dataMemory()
	case miscOpcode:
		w.miscOpcode()
	case vectorOpcode:
		w.vectorOpcode()
	case refused:
		name, why := coreRefusal(w.op)
		w.refuse(w.at-1, "%s: %s", name, why)
	default:
		w.malformed(w.at-1, "there is no opcode %#x", w.op)
	}
}

// branchTable takes the targets of a br_table: a vector, and the default.
func (w *walker) branchTable() {
	n := w.count("branch targets", 1, w.m.limits.BranchTargets)
	w.work.targets += n
	w.m.facts.BranchTargets = max(w.m.facts.BranchTargets, n)
	w.labels = w.labels[:0]
	for ; n >= 0 && w.err == nil; n-- {
		w.labels = append(w.labels, w.index("label", len(w.work.labels)+1))
	}
}

// blockType takes the type of a block, and opens its label. A type is one byte,
// or the index of a function type as a signed LEB128 of 33 bits.
func (w *walker) blockType() {
	at, m := w.at, w.m
	w.work.open(w.op)
	depth := len(w.work.labels)
	if m.facts.Nesting = max(m.facts.Nesting, depth); depth > m.limits.Nesting {
		w.refuse(at-1, "blocks nested %d deep, limit %d", depth, m.limits.Nesting)
		return
	}
	if w.left() > 0 && w.b[at] >= 0x40 && w.b[at] < 0x80 {
		if b := w.u8(); b != typeEmpty && !admitted(b) {
			w.badType(at, b)
		}
		return
	}
	switch i := w.u32(); {
	case w.err != nil:
	case w.b[w.at-1]&0x40 != 0:
		w.malformed(at, "a negative block type")
	case int64(i) >= int64(len(m.types)):
		w.missing(at, "type", i, len(m.types))
	default:
		t := m.types[i]
		w.work.values = max(w.work.values, t.params.bytes()+t.results.bytes())
		m.facts.Features |= FeatureMultiValue
	}
}

// memoryArgument takes an alignment and an offset. Bit 6 of the alignment would
// say that the index of a memory follows.
func (w *walker) memoryArgument() {
	at := w.at
	const indexed, alignmentMax = 0x40, 31
	if a := w.u32(); a > alignmentMax {
		if a&indexed != 0 {
			w.refuse(at, "an access that names a memory; there is but one")
		} else {
			w.malformed(at, "alignment 2^%d", a)
		}
	}
	w.u32()
}

func (w *walker) memoryIndex() {
	at := w.at
	if b := w.u8(); b != 0 {
		w.refuse(at, "memory %#x, want the one byte 0x0", b)
	}
}

// selectTypes takes the types of a typed select. The engine reads the vector's
// length as one byte, so that no other spelling of 1 may pass.
func (w *walker) selectTypes() {
	at := w.at
	if n := w.u8(); n != 1 {
		w.malformed(at, "a select of %#x types, want the one byte 0x1", n)
	}
	w.valType()
}

func (w *walker) dataIndex() {
	if w.m.dataCount == noDataCount {
		w.malformed(w.at, "it names a data segment, but there is no data count section")
	}
	w.named = w.index("data segment", w.m.dataCount)
	w.m.dataUsed = max(w.m.dataUsed, w.named+1)
}

// dataMemory takes what follows a memory.init. An active segment is dropped at
// birth, so that reading one traps unless nothing is read; the engine does not
// drop them, and the normal form has none.
func (w *walker) dataMemory() {
	at := w.at
	w.dataIndex()
	w.memoryIndex()
	if w.err == nil && w.m.data[w.named].active {
		w.refuse(at, "memory.init of data segment %d, which is active and gone by then", w.named)
	}
}

// second takes a second opcode. It must be as short as it can be: the engine
// reads a vector opcode as one byte, and the 0x01 after it as a nop, so that
// any other spelling means something else to it.
func (w *walker) second() bool {
	at := w.at
	w.sub = w.u32()
	shortest := 1
	for v := w.sub >> 7; v > 0; v >>= 7 {
		shortest++
	}
	if w.err == nil && w.at-at != shortest {
		w.refuse(at, "opcode %#x %d in %d bytes, want %d", w.op, w.sub, w.at-at, shortest)
	}
	return w.err == nil
}

func (w *walker) miscOpcode() {
	at := w.at - 1
	if !w.second() {
		return
	}
	im := unknown
	if int(w.sub) < len(misc) {
		im = misc[w.sub]
	}
	switch im {
	case unknown:
		w.malformed(at, "there is no opcode %#x %d", w.op, w.sub)
	case refused:
		w.refuse(at, "%s: %s", miscName(w.sub), whyTable)
	default:
		if w.sub <= miscTruncLast {
			w.m.facts.Features |= FeatureSaturating
		} else {
			w.m.facts.Features |= FeatureBulkMemory
		}
		w.work.bulk(w.sub)
		w.immediate(im)
	}
}

func (w *walker) vectorOpcode() {
	at := w.at - 1
	if !w.second() {
		return
	}
	im := unknown
	if int(w.sub) < len(vector) {
		im = vector[w.sub]
	}
	switch {
	case w.sub >= relaxedFirst && w.sub <= relaxedLast:
		w.refuse(at, "opcode %#x %d: relaxed SIMD may differ between machines", w.op, w.sub)
	case im == unknown:
		w.malformed(at, "there is no opcode %#x %d", w.op, w.sub)
	default:
		w.immediate(im)
	}
}
