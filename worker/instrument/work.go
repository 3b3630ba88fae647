package instrument

// work estimates what an optimising compiler does for one function. A module that
// passes every other limit can still hold a compiler for hours: 12 KB of nested
// loops took 55 s, 512 KB of memory.fill 200 s and 1.8 GB.
type work struct {
	labels   []byte // the opcodes of the blocks that are open
	loops    int    // loops that are open
	branches int    // blocks, elses and branches met
	targets  int    // targets of br_tables met
	squares  uint64 // over the loops met, the square of how many were open
	values   int    // parameters and results of the widest block
	weight   uint64 // of the instructions met
}

// The weights of an estimate's terms, and the values that every function is
// taken to have besides its locals. See "Compiler bombs" in the package comment.
const (
	workUnit = 1000 // units, in Limits.CompileWork and Facts.Work

	workPerSquare = 64
	workPerTarget = 512
	workValues    = 8

	workPlain    = 200  // any instruction
	workGuarded  = 600  // one that may trap: loads, stores, divisions
	workConvert  = 1000 // one that makes integers of floats
	workVector   = 600  // one of the vector table
	workCall     = 600  // a call, and
	workPerValue = 100  // for each parameter and result of it
	workFar      = 8000 // call_indirect; memory.copy, init, fill and grow

	// workMetered is the branches that metering adds: at a loop's head, and before an
	// instruction whose fuel depends on an operand.
	workMetered = 2

	// workPart squared is the weight at which a function costs twice its weight: what
	// a compiler keeps of a function grows with it.
	workPart = 1 << 12
)

// weights are those of the core opcodes.
var weights = coreWeights()

func coreWeights() (w [256]uint64) {
	for op := range w {
		w[op] = workPlain
	}
	for _, guarded := range []struct{ first, last int }{
		{opLoadFirst, opStoreLast},
		{0x6d, 0x70}, {0x7f, 0x82}, // division
	} {
		for op := guarded.first; op <= guarded.last; op++ {
			w[op] = workGuarded
		}
	}
	for op := 0xa8; op <= 0xb1; op++ { // conversions, of which truncations are the dearest
		w[op] = workConvert
	}
	w[opMisc] = workConvert
	w[opVector] = workVector
	w[opCall] = workCall
	w[opCallIndirect] = workFar
	w[opMemoryGrow] = workFar
	return w
}

func (k *work) reset() { *k = work{labels: k.labels[:0]} }

func (k *work) open(op byte) {
	k.labels = append(k.labels, op)
	k.branches++
	if op == opLoop {
		k.branches += workMetered
		k.loops++
		k.squares += uint64(k.loops * k.loops)
	}
}

// alternate reports whether the innermost label is that of an if without an else, and
// gives it one.
func (k *work) alternate() bool {
	last := len(k.labels) - 1
	if last < 0 || k.labels[last] != opIf {
		return false
	}
	k.labels[last] = opElse
	return true
}

func (k *work) close() {
	last := len(k.labels) - 1
	if k.labels[last] == opLoop {
		k.loops--
	}
	k.labels = k.labels[:last]
}

// branch adds a br, or a br_if, which goes on in a block of its own.
func (k *work) branch(op byte) {
	k.branches++
	if op == opBrIf {
		k.branches++
	}
}

// call adds what a call of that type costs for its values.
func (k *work) call(t funcType) {
	k.weight += workPerValue * uint64(t.params.bytes()+t.results.bytes())
}

// bulk adds what an instruction of the misc table costs beyond another: engines make
// a loop of memory.fill, with a block on either side.
func (k *work) bulk(op uint32) {
	switch op {
	case miscMemoryInit, miscMemoryCopy:
		k.weight += workFar
		k.branches += workMetered
	case miscMemoryFill:
		k.weight += workFar
		k.open(opLoop)
		k.close()
		k.branches += workMetered + 2
	}
}

// spend adds the estimate for a function of so many locals to the module's, and
// reports whether the sum is within the limit. No product overflows: branches,
// targets, calls and the values of a type are at most limitMax each, loops nested at
// most nestingMax deep, and a limit is less than 2³⁸.
func (k *work) spend(sum *uint64, limit uint64, locals int) bool {
	terms := uint64(k.branches) * uint64(k.branches)
	terms += workPerSquare * k.squares
	terms += workPerTarget * uint64(k.targets)
	values := uint64(locals + k.values + workValues)
	left := limit - *sum
	if k.weight > left {
		return false
	}
	straight := k.weight + (k.weight/workPart)*(k.weight/workPart)
	if straight > left || terms > (left-straight)/values {
		return false
	}
	*sum += straight + terms*values
	return true
}
