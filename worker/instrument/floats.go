package instrument

// canonical is the pass that gives NaNs one form where their bits can be seen. Which NaN
// an operation gives is the machine's and the engine's choice. See "Floats" in the
// package comment.
type canonical struct {
	scratch [3]int // of the function in hand: a local of each floating, or 0
}

// floating is what the lanes of a value are taken for.
type floating byte

const (
	noFloat floating = iota
	scalar32
	scalar64
	lanes32 // of a vector, as are
	lanes64
)

// These tables are filled once and never written again. A vector is made canonical when
// it is computed, since other instructions on vectors see its bits.
var (
	// exposes and vectorExposes say what an instruction's last operand is, if it shows
	// the operand's bits.
	exposes       = exposesTable()
	vectorExposes = vectorExposesTable()
	// vectorComputes says what an instruction's result is, if its NaNs may be any.
	vectorComputes = vectorComputesTable()
	// vectorConsumes says what an instruction's operands are, if all NaNs in them are
	// alike to it.
	vectorConsumes = vectorConsumesTable()
)

type floatTable [256]floating

func (t *floatTable) set(as floating, ops ...int) {
	for _, op := range ops {
		t[op] = as
	}
}

func exposesTable() (t floatTable) {
	t.set(scalar32, 0x38, 0x98, 0xbc) // f32.store, f32.copysign, i32.reinterpret_f32
	t.set(scalar64, 0x39, 0xa6, 0xbd) // f64.store, f64.copysign, i64.reinterpret_f64
	return t
}

func vectorExposesTable() (t floatTable) {
	t.set(scalar32, 0x13, 0x20) // f32x4.splat, f32x4.replace_lane
	t.set(scalar64, 0x14, 0x22) // f64x2.splat, f64x2.replace_lane
	return t
}

// vectorComputesTable leaves out abs, neg, pmin, pmax and comparisons, whose bits the
// specification says, and conversions of integers, which give no NaN.
func vectorComputesTable() (t floatTable) {
	t.set(lanes32, 0x5e, 0x67, 0x68, 0x69, 0x6a)             // demote, ceil to nearest
	t.set(lanes32, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9) // sqrt to max
	t.set(lanes64, 0x5f, 0x74, 0x75, 0x7a, 0x94)             // promote, ceil to nearest
	t.set(lanes64, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5) // sqrt to max
	return t
}

func vectorConsumesTable() (t floatTable) {
	t = vectorComputesTable()
	t[0x5e], t[0x5f] = lanes64, lanes32                // demote, promote
	t.set(lanes32, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46) // comparisons
	t.set(lanes64, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c)
	t.set(lanes32, 0xf8, 0xf9) // i32x4.trunc_sat_f32x4
	t.set(lanes64, 0xfc, 0xfd) // i32x4.trunc_sat_f64x2
	return t
}

// exposed says what the last operand of instruction i is if it must be canonical.
func (f *function) exposed(i int) floating {
	in := f.list[i]
	as := exposes[in.op]
	switch in.op {
	case opVector:
		as = vectorExposes[in.sub]
	case opGlobalSet:
		switch f.m.globals[in.index] {
		case F32:
			as = scalar32
		case F64:
			as = scalar64
		}
	}
	if as != noFloat && i > 0 && f.list[i-1].settled() {
		return noFloat
	}
	return as
}

// computed says what the result of an instruction is if it must be made canonical.
func (in instruction) computed() floating {
	if in.op != opVector {
		return noFloat
	}
	return vectorComputes[in.sub]
}

// consumerReach bounds how far consumed looks, in instructions.
const consumerReach = 32

// consumed reports whether the vector that instruction i computes is taken, before
// anything else can see it, by an instruction to which all NaNs are alike: one that
// computes with the same lanes, compares them, or makes other numbers of them.
func (f *function) consumed(i int) bool {
	above := 0 // values on top of it
	as := f.list[i].computed()
	for _, in := range f.list[i+1 : min(i+1+consumerReach, len(f.list))] {
		takes, gives := in.effect()
		if takes < 0 {
			return false
		}
		if takes > above {
			return in.op == opVector && vectorConsumes[in.sub] == as
		}
		above += gives - takes
	}
	return false
}

// effect returns how many operands an instruction takes and gives, if it is one of those
// between which vectors are computed; otherwise, it takes less than none.
func (in instruction) effect() (takes, gives int) {
	switch {
	case in.op == opLocalGet || in.op == opGlobalGet || in.op == opI32Const:
		return 0, 1
	case in.op >= 0x28 && in.op <= 0x35: // loads
		return 1, 1
	case in.op >= 0x6a && in.op <= 0x78: // i32.add to i32.rotr
		return 2, 1
	case in.op != opVector:
		return -1, 0
	case in.sub == vecConst:
		return 0, 1
	case in.sub <= 0x0a || in.sub >= 0x0f && in.sub <= 0x14: // loads, splats
		return 1, 1
	}
	if vectorConsumes[in.sub] == noFloat {
		return -1, 0
	}
	switch in.sub {
	case 0x5e, 0x5f, 0x67, 0x68, 0x69, 0x6a, 0x74, 0x75, 0x7a, 0x94, 0xe3, 0xef, 0xf8, 0xf9,
		0xfc, 0xfd:
		return 1, 1
	}
	return 2, 1
}

// settled reports whether an instruction gives a float whose bits are the same
// everywhere: one that was loaded, or made from integers or lanes.
func (in instruction) settled() bool {
	switch in.op {
	case 0x2a, 0x2b, opGlobalGet, opF32Const, opF64Const: // f32.load, f64.load
		return true
	case opVector:
		return in.sub == 0x1f || in.sub == 0x21 // f32x4.extract_lane, f64x2.extract_lane
	}
	// The conversions of integers, but for f64.promote_f32 and f32.demote_f64, and
	// f32.reinterpret_i32, f64.reinterpret_i64.
	return in.op >= 0xb2 && in.op <= 0xb5 || in.op >= 0xb7 && in.op <= 0xba ||
		in.op == 0xbe || in.op == 0xbf
}

func (c *canonical) begin(b []byte, _ *function) []byte {
	c.scratch = [3]int{}
	return b
}

func (c *canonical) before(b []byte, f *function, i int) []byte {
	return c.replace(b, f, f.exposed(i))
}

func (c *canonical) after(b []byte, f *function, i int) []byte {
	if as := f.list[i].computed(); as != noFloat && !f.consumed(i) {
		return c.replace(b, f, as)
	}
	return b
}

// replace puts the canonical NaN in the place of any other that is on the stack, in all
// lanes: a NaN is what does not equal itself.
func (c *canonical) replace(b []byte, f *function, as floating) []byte {
	if as == noFloat {
		return b
	}
	local := c.local(f, as)
	b = append(indexed(b, opLocalTee, local), nan[as]...)
	b = indexed(indexed(b, opLocalGet, local), opLocalGet, local)
	return append(b, choose[as]...)
}

// local returns the function's local for a value of the kind.
func (c *canonical) local(f *function, as floating) int {
	t, i := V128, 2
	switch as {
	case scalar32:
		t, i = F32, 0
	case scalar64:
		t, i = F64, 1
	}
	if c.scratch[i] == 0 {
		c.scratch[i] = f.local(t) + 1
	}
	return c.scratch[i] - 1
}

// nan are the instructions that push the canonical NaN: quiet, positive, and no other bit
// of the payload set. Choose are those that, after a value and twice another, leave the
// first where the other does not equal itself: what is pushed first is chosen where a
// comparison holds.
var (
	nan = [...]string{
		scalar32: "\x43\x00\x00\xc0\x7f",
		scalar64: "\x44\x00\x00\x00\x00\x00\x00\xf8\x7f",
		lanes32:  "\xfd\x0c" + nan32 + nan32 + nan32 + nan32,
		lanes64:  "\xfd\x0c" + nan64 + nan64,
	}
	choose = [...]string{
		scalar32: "\x5b\x1b",         // f32.eq, select
		scalar64: "\x61\x1b",         // f64.eq, select
		lanes32:  "\xfd\x41\xfd\x52", // f32x4.eq, v128.bitselect
		lanes64:  "\xfd\x47\xfd\x52", // f64x2.eq, v128.bitselect
	}
)

const (
	nan32 = "\x00\x00\xc0\x7f"
	nan64 = "\x00\x00\x00\x00\x00\x00\xf8\x7f"
)
