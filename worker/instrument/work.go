package instrument

// work estimates what an optimising compiler does for one function beyond what
// is linear in its bytes. A module that passes every other limit can still hold
// a compiler for hours: 12 KB of nested loops took 55 s.
type work struct {
	labels   []byte // the opcodes of the blocks that are open
	loops    int    // loops that are open
	branches int    // blocks, elses and branches met
	targets  int    // targets of br_tables met
	squares  uint64 // over the loops met, the square of how many were open
	values   int    // parameters and results of the widest block
}

// The weights of an estimate's terms, and the values that every function is
// taken to have besides its locals. See "Compiler bombs" in the package comment.
const (
	workPerSquare = 64
	workPerTarget = 512
	workValues    = 8
)

func (k *work) reset() { *k = work{labels: k.labels[:0]} }

func (k *work) open(op byte) {
	k.labels = append(k.labels, op)
	k.branches++
	if op == opLoop {
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

// spend adds the estimate for a function of so many locals to the module's, and
// reports whether the sum is within the limit. No product overflows: branches
// and targets are at most limitMax, and loops nested at most nestingMax deep.
func (k *work) spend(sum *uint64, limit uint64, locals int) bool {
	terms := uint64(k.branches) * uint64(k.branches)
	terms += workPerSquare * k.squares
	terms += workPerTarget * uint64(k.targets)
	values := uint64(locals + k.values + workValues)
	if terms > (limit-*sum)/values {
		return false
	}
	*sum += terms * values
	return true
}
