package instrument

// The opcodes that this package names.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opLoadFirst    = 0x28 // loads and stores
	opStoreLast    = 0x3e
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eq        = 0x46
	opI64Ne        = 0x52
	opI64LtS       = 0x53
	opI32Add       = 0x6a // sub and mul follow
	opI32Mul       = 0x6c
	opI64Add       = 0x7c // sub and mul follow
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64And       = 0x83
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opExtendU      = 0xad // i64.extend_i32_u
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opMisc         = 0xfc // a second opcode follows
	opVector       = 0xfd // a second opcode follows

	miscTruncLast  = 7
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11

	vecConst      = 12
	vecSplatI64   = 18
	vecExtractI64 = 29
	vecReplaceI64 = 30
	relaxedFirst  = 0x100
	relaxedLast   = 0x12f
)

// immediate says what follows an opcode.
type immediate uint8

// The zero immediate is no opcode's.
const (
	unknown     immediate = iota
	refused               // an opcode that exists and is not admitted
	nothing               // no immediate
	blockType             // opens a label
	alternative           // the other half of an if
	ending                // closes a label
	label                 // a label's depth
	labels                // a vector of labels and one more
	functionIndex
	typeTable // a type and a table
	localIndex
	globalIndex
	tableIndex
	memoryArgument // alignment and offset
	memoryIndex    // one zero byte
	memoryPair     // two zero bytes
	signed32
	signed64
	bytes4
	bytes8
	bytes16
	lane       // one byte
	memoryLane // alignment, offset and one byte
	referenceType
	selectTypes // a vector of one type
	dataIndex
	dataMemory   // a data segment and one zero byte
	miscOpcode   // a second opcode of the misc table
	vectorOpcode // a second opcode of the vector table
)

// core, misc and vector say what follows each opcode. They are filled once and
// never written again.
var (
	core   = coreTable()
	misc   = miscTable()
	vector = vectorTable()
)

type opcodeTable [256]immediate

// set gives the opcodes [first, last] an immediate.
func (t *opcodeTable) set(im immediate, first, last int) {
	for op := first; op <= last; op++ {
		t[op] = im
	}
}

func coreTable() (t opcodeTable) {
	t.set(nothing, 0x00, 0x01)      // unreachable, nop
	t.set(blockType, opBlock, 0x04) // block, loop, if
	t.set(alternative, opElse, opElse)
	t.set(refused, 0x06, 0x0a) // try, catch, throw, rethrow, throw_ref
	t.set(ending, opEnd, opEnd)
	t.set(label, 0x0c, 0x0d) // br, br_if
	t.set(labels, 0x0e, 0x0e)
	t.set(nothing, 0x0f, 0x0f) // return
	t.set(functionIndex, 0x10, 0x10)
	t.set(typeTable, 0x11, 0x11)
	t.set(refused, 0x12, 0x15) // return_call …, call_ref, return_call_ref
	t.set(refused, 0x18, 0x19) // delegate, catch_all
	t.set(nothing, 0x1a, 0x1b) // drop, select
	t.set(selectTypes, 0x1c, 0x1c)
	t.set(refused, 0x1f, 0x1f)        // try_table
	t.set(localIndex, 0x20, 0x22)     // get, set, tee
	t.set(globalIndex, 0x23, 0x24)    // get, set
	t.set(tableIndex, 0x25, 0x25)     // get
	t.set(refused, 0x26, 0x26)        // table.set
	t.set(memoryArgument, 0x28, 0x3e) // loads and stores
	t.set(memoryIndex, 0x3f, 0x40)    // size, grow
	t.set(signed32, opI32Const, opI32Const)
	t.set(signed64, opI64Const, opI64Const)
	t.set(bytes4, opF32Const, opF32Const)
	t.set(bytes8, opF64Const, opF64Const)
	t.set(nothing, 0x45, 0xc4) // comparisons, arithmetic, conversions, sign extension
	t.set(referenceType, opRefNull, opRefNull)
	t.set(nothing, 0xd1, 0xd1) // ref.is_null
	t.set(functionIndex, opRefFunc, opRefFunc)
	t.set(refused, 0xd3, 0xd6) // ref.eq, ref.as_non_null, br_on_null, br_on_non_null
	t.set(refused, 0xfb, 0xfb) // garbage-collected types
	t.set(miscOpcode, opMisc, opMisc)
	t.set(vectorOpcode, opVector, opVector)
	t.set(refused, 0xfe, 0xfe) // threads
	return t
}

func miscTable() (t opcodeTable) {
	t.set(nothing, 0, 7) // saturating truncations
	t.set(dataMemory, 8, 8)
	t.set(dataIndex, miscDataDrop, miscDataDrop)
	t.set(memoryPair, 10, 10)  // memory.copy
	t.set(memoryIndex, 11, 11) // memory.fill
	t.set(refused, 12, 15)     // table.init, elem.drop, table.copy, table.grow
	t.set(tableIndex, 16, 16)  // table.size
	t.set(refused, 17, 17)     // table.fill
	return t
}

func vectorTable() (t opcodeTable) {
	t.set(nothing, 0x0e, 0xff)
	t.set(memoryArgument, 0x00, 0x0b) // loads, splatting loads, store
	t.set(bytes16, vecConst, 0x0d)    // const, shuffle
	t.set(lane, 0x15, 0x22)           // extract and replace
	t.set(memoryLane, 0x54, 0x5b)     // loads and stores of one lane
	t.set(memoryArgument, 0x5c, 0x5d) // zero-extending loads
	for _, hole := range []int{
		0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf,
		0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee,
	} {
		t[hole] = unknown
	}
	return t
}

const (
	whyTable = "no instruction may change a table; a snapshot does not hold it"
	whyTail  = "tail calls are not admitted"
)

// coreRefusal says why an opcode of the core table is refused, and its name.
func coreRefusal(op byte) (name, why string) {
	names := map[byte]string{
		0x06: "try", 0x07: "catch", 0x08: "throw", 0x09: "rethrow", 0x0a: "throw_ref",
		0x12: "return_call", 0x13: "return_call_indirect", 0x14: "call_ref",
		0x15: "return_call_ref", 0x18: "delegate", 0x19: "catch_all", 0x1f: "try_table",
		0x26: "table.set", 0xd3: "ref.eq", 0xd4: "ref.as_non_null", 0xd5: "br_on_null",
		0xd6: "br_on_non_null", 0xfb: "an opcode with prefix 0xfb",
		0xfe: "an opcode with prefix 0xfe",
	}
	switch op {
	case 0x12, 0x13:
		why = whyTail
	case 0x14, 0x15, 0xd4, 0xd5, 0xd6:
		why = whyTyped
	case 0x26:
		why = whyTable
	case 0xd3, 0xfb:
		why = whyGC
	case 0xfe:
		why = "threads and atomics are not admitted"
	default:
		why = whyCatch
	}
	return names[op], why
}

// miscName is the name of a refused opcode of the misc table.
func miscName(op uint32) string {
	names := map[uint32]string{
		12: "table.init", 13: "elem.drop", 14: "table.copy", 15: "table.grow", 17: "table.fill",
	}
	return names[op]
}
