package instrument

// block is a run of instructions that are all executed if the first one is, as far as
// nothing traps. Its cost is charged before the first one.
type block struct {
	at   int   // its first instruction
	cost int64 // units
	loop bool  // it begins a loop
}

// flow is what is found out about a function before it is written out: its blocks, and
// how large a frame a compiler may give it.
type flow struct {
	f      *function
	blocks []block
	calls  bool // it calls
	tests  bool // it has a loop, or an instruction whose cost depends on an operand
	exits  bool // it returns, or branches out of its outermost block
	frame  frame

	open []opened
	dead bool // nothing gets to the instruction
}

// opened is a label that is open.
type opened struct {
	op       byte
	arrivals int // branches to it, and other ways to its end
	since    int // the instruction that opened it
	set      int // locals that were set since
}

// read goes through a function. Its instructions were admitted.
func (w *flow) read(f *function) {
	*w = flow{f: f, blocks: append(w.blocks[:0], block{}), open: w.open[:0], frame: w.frame}
	w.frame.reset(f)
	for i, in := range f.list {
		if !w.dead {
			w.blocks[len(w.blocks)-1].cost += in.cost()
		}
		w.frame.note(w, i, in)
		w.step(i, in)
	}
}

// begin starts a block at instruction i.
func (w *flow) begin(i int, loop bool) {
	w.blocks = append(w.blocks, block{at: i, loop: loop})
	w.dead = false
}

func (w *flow) step(i int, in instruction) {
	switch in.op {
	case opBlock, opLoop, opIf:
		w.open = append(w.open, opened{op: in.op, since: i})
		switch {
		case in.op == opLoop && !w.dead:
			w.tests = true
			w.begin(i+1, true)
		case in.op == opIf:
			w.begin(i+1, false)
		}
	case opElse:
		w.leave(0)
		w.begin(i+1, false)
	case opEnd:
		if !w.f.last(i) {
			w.end(i)
		}
	case opBr:
		w.branch(int(in.index))
		w.dead = true
	case opBrIf:
		w.branch(int(in.index))
		if !w.dead {
			w.begin(i+1, false)
		}
	case opBrTable:
		for _, label := range w.f.targets[in.index : in.index+in.targets] {
			w.branch(label)
		}
		w.dead = true
	case opReturn:
		w.exits = true
		w.dead = true
	case opUnreachable:
		w.dead = true
	default:
		w.other(in)
	}
}

func (w *flow) other(in instruction) {
	switch {
	case in.op == opCall || in.op == opCallIndirect:
		w.calls = true
	case in.op == opMemoryGrow || in.bulk():
		w.tests = true
	}
}

// bulk reports whether the instruction is paid by the size on top of the stack.
func (in instruction) bulk() bool {
	return in.op == opMisc && in.sub >= miscMemoryInit && in.sub <= miscMemoryFill &&
		in.sub != miscDataDrop
}

func (w *flow) branch(label int) {
	if label == len(w.open) {
		w.exits = true
		return
	}
	w.open[len(w.open)-1-label].arrivals++
}

// leave counts the way that runs on to the end of an open label.
func (w *flow) leave(label int) {
	if !w.dead {
		w.open[len(w.open)-1-label].arrivals++
	}
}

// end closes a label. Behind it a block begins, unless nothing comes there but what runs
// on.
func (w *flow) end(i int) {
	label := w.open[len(w.open)-1]
	targeted := label.arrivals > 0
	w.leave(0)
	label = w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if label.op == opIf || label.op == opLoop && targeted || label.arrivals > 1 {
		w.frame.merge(label)
	}
	if label.op == opIf || label.op == opBlock && targeted || w.dead {
		w.begin(i+1, false)
	}
}
