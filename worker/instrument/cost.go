package instrument

// CostVersion is part of a program's identity. It changes whenever anything in this file
// does: the same delivery must use the same fuel on every machine.
const CostVersion = 1

// Fuel is counted in units, of which an ordinary instruction costs one: about a fifth of
// a nanosecond of compiled code. What an instruction costs does not depend on its operands,
// but for the prices below.
const (
	// bulkShift: memory.copy, fill and init cost a unit for each 8 bytes, before
	// anything is written.
	bulkShift = 3
	// PageUnits is the price of each page of 64 KiB that memory.grow adds. It pays for
	// the page's first touch.
	PageUnits = 16 << 10
	// HostCallUnits is the price of calling the host, SyscallUnits that of a syscall
	// on top of it.
	HostCallUnits = 200
	SyscallUnits  = 2000
	// HostByteUnits is the price of each byte that the host copies, hashes or keeps.
	HostByteUnits = 1
)

// The costs of instructions, other than one unit.
const (
	costNothing  = 0   // labels and their ends: no machine does anything there
	costVector   = 2   // anything of 128 bits
	costTruncate = 2   // floats to integers
	costTable    = 3   // br_table, table.get, table.size
	costDivide   = 8   // quotients, remainders and square roots
	costCall     = 10  // a frame made and left, the count written down and read again
	costIndirect = 15  // the same, by a table
	costBulk     = 30  // before any byte
	costGrow     = 300 // before any page; the program is left for it
	costNaN      = 2   // more, if a float is made canonical
	costRefFunc  = 500 // the compiler's code allocates for every one
)

type prices [256]uint16

func (t *prices) set(cost uint16, first, last int) {
	for op := first; op <= last; op++ {
		t[op] = cost
	}
}

// addNaNs adds the price of canonical floats.
func (t *prices) addNaNs(floats floatTable) {
	for op, as := range floats {
		if as != noFloat {
			t[op] += costNaN
		}
	}
}

// coreCost, miscCost and vectorCost are what each opcode costs. They are filled once and
// never written again.
var (
	coreCost   = coreCosts()
	miscCost   = miscCosts()
	vectorCost = vectorCosts()
)

func coreCosts() (t prices) {
	t.set(1, 0, len(t)-1)
	t.set(costNothing, 0x01, 0x03) // nop, block, loop
	t.set(costNothing, opElse, opElse)
	t.set(costNothing, opEnd, opEnd)
	t.set(costTable, opBrTable, opBrTable)
	t.set(costCall, opCall, opCall)
	t.set(costIndirect, opCallIndirect, opCallIndirect)
	t.set(costTable, 0x25, 0x25) // table.get
	t.set(costGrow, opMemoryGrow, opMemoryGrow)
	t.set(costDivide, 0x6d, 0x70) // i32.div_s, div_u, rem_s, rem_u
	t.set(costDivide, 0x7f, 0x82) // i64
	t.set(costDivide, 0x91, 0x91) // f32.sqrt
	t.set(costDivide, 0x95, 0x95) // f32.div
	t.set(costDivide, 0x9f, 0x9f) // f64.sqrt
	t.set(costDivide, 0xa3, 0xa3) // f64.div
	t.set(costTruncate, 0xa8, 0xab)
	t.set(costTruncate, 0xae, 0xb1)
	t.set(costRefFunc, opRefFunc, opRefFunc)
	t.addNaNs(exposes)
	return t
}

func miscCosts() (t prices) {
	t.set(costTruncate, 0, miscTruncLast)
	t.set(costBulk, miscMemoryInit, miscMemoryFill) // data.drop among them
	t.set(costTable, 16, 16)                        // table.size
	return t
}

func vectorCosts() (t prices) {
	t.set(costVector, 0, len(t)-1)
	t.set(costDivide, 0xe3, 0xe3) // f32x4.sqrt
	t.set(costDivide, 0xe7, 0xe7) // f32x4.div
	t.set(costDivide, 0xef, 0xef) // f64x2.sqrt
	t.set(costDivide, 0xf3, 0xf3) // f64x2.div
	t.addNaNs(vectorExposes)
	t.addNaNs(vectorComputes)
	return t
}

// cost is what an instruction costs, whatever its operands.
func (in instruction) cost() int64 {
	switch in.op {
	case opMisc:
		return int64(miscCost[in.sub])
	case opVector:
		return int64(vectorCost[in.sub])
	}
	return int64(coreCost[in.op])
}
