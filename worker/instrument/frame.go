package instrument

// A compiled function keeps in its frame the values that it cannot keep in registers, each
// in a slot of its own. How many these are is the compiler's affair, but a value comes from
// an instruction, from a parameter or local, from a call, after which what may have
// changed is loaded again, or from a place where ways with different values meet.
const (
	slotBytes   = 8
	vectorBytes = 16 // of a slot, if the function may have values of 128 bits
	// frameBytes is what a frame of depth 1 may take. The compiler's stack is 50,000,000
	// bytes; with DepthMax frames of this size a tenth of it stays free.
	frameBytes = 23_000
	// reloaded are the values that a call may change, besides the globals that the
	// function names: the memory's place and size, and the meter.
	reloaded = 4
	// canonicalSlots are the values that making a float canonical needs.
	canonicalSlots = 3
)

// frame estimates from above the slots of a function's frame.
type frame struct {
	slots   int
	vectors bool
	globals int   // mutable or not, that are named
	merges  int   // places where ways meet
	calls   int   // calls
	widest  int   // parameters and results of the widest call
	seen    []int // by global: 1 + the function that named it last
	set     []int // by local: 1 + the instruction that set it last
}

func (fr *frame) reset(f *function) {
	seen, set := fr.seen, fr.set[:0]
	if seen == nil {
		seen = make([]int, len(f.m.globals))
	}
	for range f.locals {
		set = append(set, 0)
	}
	*fr = frame{slots: f.locals, seen: seen, set: set, vectors: f.m.vectors}
}

// note counts one instruction.
func (fr *frame) note(w *flow, i int, in instruction) {
	m := w.f.m
	switch in.op {
	case opLocalSet, opLocalTee:
		fr.sets(w, int(in.index), i)
	case opGlobalGet, opGlobalSet:
		if function := w.f.index + 1; fr.seen[in.index] != function {
			fr.seen[in.index] = function
			fr.globals++
		}
	case opCall:
		fr.call(m.types[m.functions[in.index]])
	case opCallIndirect:
		fr.call(m.types[in.index])
	case opVector:
		fr.vectors = true
	}
	if w.f.exposed(i) != noFloat || in.computed() != noFloat {
		fr.slots += canonicalSlots
	}
	switch op := in.op; {
	case op <= opReturn || op >= opDrop && op <= opLocalTee && op != opSelect:
	case op >= opLoadFirst && op <= opStoreLast:
		fr.slots += 2 // the address too
	default:
		fr.slots++
	}
}

func (fr *frame) call(t funcType) {
	fr.calls++
	fr.slots += t.results.bytes()
	fr.widest = max(fr.widest, t.params.bytes()+t.results.bytes())
}

// sets notes that a local is set: from the innermost label outward, until one in which it
// was set before.
func (fr *frame) sets(w *flow, local, i int) {
	for k := len(w.open) - 1; k >= 0 && fr.set[local] <= w.open[k].since; k-- {
		w.open[k].set++
	}
	fr.set[local] = i + 1
}

// merge counts the values that may differ where a label's ways meet.
func (fr *frame) merge(label opened) {
	fr.merges++
	fr.slots += label.set
}

// weight is what the frame counts for in the depth of calls.
func (fr *frame) weight() int64 {
	bytes := slotBytes
	if fr.vectors {
		bytes = vectorBytes
	}
	slots := fr.slots + fr.widest + (fr.merges+fr.calls)*(fr.globals+reloaded)
	return min(1+int64(slots)*int64(bytes)/frameBytes, depthMax)
}
