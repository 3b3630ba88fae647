// Package instrument admits WASM modules and rewrites them to a normal form in
// which all of a program's state can be reached from outside: bytes in, bytes or
// a refusal out.
//
// It is pure. The same module, allow-list and limits give the same normal form or
// the same refusal on every machine; [Version] says which rules were used.
//
// # What is admitted
//
// A module of WASM 2.0 and extended constants with one 32-bit memory of its own, that imports only
// functions of the host's list, and whose state between calls is its memory, its
// mutable globals and which passive data segments it dropped: nothing else may
// change. Everything the compiler would trust is checked before it: the order,
// number and length of all sections, every count, every name's UTF-8, every
// instruction's encoding, every index, every size against [Limits].
//
// Refused, with the place and what would be right, are:
//
//   - imported tables, memories, globals and tags; functions not on the list;
//   - no memory, several memories, shared ones, 64-bit ones, other page sizes;
//   - mutable references; host references (externref) anywhere;
//   - table.set, init, copy, grow, fill and elem.drop: a table never changes;
//   - memory.init of an active segment: the specification has it trap, wazero not;
//   - a segment that reaches past the least size: the module would trap at birth,
//     always;
//   - threads, exceptions, tail calls, typed function references, garbage-collected
//     types, relaxed SIMD;
//   - exports whose name begins with a zero byte.
//
// What is not checked: the types of operands, that an alignment is natural, lane
// numbers. The compiler checks those. It never sees a module that this package refused.
//
// # Encoding
//
// Integers are LEB128 as the specification has them: any spelling of at most
// ceil(N/7) bytes whose unused bits agree. Two spellings are refused although
// legal, because wazero reads them otherwise: a second opcode (after 0xfc, 0xfd)
// longer than it must be, and a memory index or the count of a typed select that
// is not one byte.
//
// # The normal form
//
//	id  section     in the normal form
//	 1  type        and the types of the functions added
//	 2  import      as it was
//	 3  function    and the functions added
//	 4  table       as it was
//	 5  memory      least size as it was; the maximum is MemoryMax
//	 6  global      a flag for every passive segment that is dropped; the meter's
//	 7  export      and the reserved names
//	 8  start       left out; the function is exported
//	 9  element     as it was
//	12  data count  the number of segments kept; left out if none is
//	10  code        with the meter in it, and a flag set after every data.drop; the
//	                functions added
//	11  data        kept up to the last segment that an instruction names, active
//	                ones empty and passive; left out if none is
//	 0  custom      only the functions' names, if they are well formed
//
// A section to which nothing is added is the same bytes as before, its length
// included. Things are added at the end of their index space, so that every index
// in the module keeps its meaning. Reserved exports, where I is a global's index
// and S a data segment's, in decimal:
//
//	name         what                                 type
//	\x00memory   the memory
//	\x00start    the former start function            () -> ()
//	\x00gI       a mutable global, or a segment's flag
//	\x00gI.low   lanes of a mutable v128              () -> (i64)
//	\x00gI.high                                       () -> (i64)
//	\x00gI.set   sets both, low lane first            (i64, i64) -> ()
//	\x00dropS    drops segment S again                () -> ()
//	\x00meter    the meter's word                     i64
//	\x00refused  1 once a memory.grow was refused     i32
//	\x00reserve  fuel kept back, if it yields         i64
//	\x00refill   moves fuel from there to the word    (i64) -> (i64)
//
// The bytes added, where <I> and <S> are LEB128 and L is 0 or 1:
//
//	what             bytes
//	get a v128 lane  00 23 <I> fd 1d L 0b
//	set a v128       00 20 00 fd 12 20 01 fd 1e 01 24 <I> 0b
//	drop again       00 fc 09 <S> 0b
//	flag             7f 01 41 00 0b
//	set the flag     41 01 24 <I>
//
// # Birth, capture, resume
//
// Birth: instantiate, write the Segments in order, call Start if there is one.
// Capture, between calls: the memory, and every one of Globals. Resume: instantiate,
// grow and fill the memory, set every one of Globals, and call the export of every
// one of Drops whose flag is 1. Nothing else of the program is left behind.
//
// # Fuel and depth
//
// Every instruction costs the units of fuel that cost.go says, whichever engine runs it.
// What a call uses is the sum over the instructions that were executed, and a price by
// size for bulk operations, for pages that memory.grow adds, and, charged by the host,
// for imports. The costs have a version of their own, [CostVersion]; files under testdata
// hold each version's.
//
// The host sets the meter's word before a call ([Budget]) and reads it after ([Left]).
// The word is kept in a local of each function, and written down in its global, where
// calls and the host find it, before and after calls, at returns and at unreachable. A
// run of instructions is charged for where it begins. That the word is below zero is
// tested at the head of every loop, at the beginning of every function that calls, and
// before bulk operations; functions that neither loop nor call, and cost at most 1,000
// units, charge the global and test nothing. So:
//
//   - A call that returns has used what its instructions cost, to the unit.
//   - A call is out of fuel if and only if the word is below zero in the end, however it
//     ended: it may have run on for a while, but not into the host, which tests first.
//   - A call that traps otherwise has used what was written down last. It is the same in
//     both engines, and leaves out what the function that trapped has done since.
//
// Calls within calls are counted in frames, in the same word. A frame counts for more
// than one if a compiler may need more than 23,000 bytes for it, by an estimate from above.
// With at most [DepthMax] frames neither the 2,000 of wazero's interpreter nor the
// 50,000,000 bytes of its compiler's stack come to their end. A function that calls
// nothing, in a frame that counts for one, is not counted.
//
// A call that is out of fuel or too deep ends in unreachable. A module that yields
// ([Yielding]) is handed its fuel in pieces of [YieldUnits] and goes into the host
// in between; word and reserve together are always worth the word of one that does not.
//
// # Compiler bombs
//
// The bytes of a module say little about what an optimising compiler does with
// them: values that pass through many branches are compared with each other, and
// what is kept of a function grows with the function. Over all functions the sum of
//
//	(locals + widest block + 8) × (branches² + 64 × Σ loops² + 512 × targets)
//	+ weight + (weight / 4,096)²
//
// is at most 1,000 × Limits.CompileWork. Locals include parameters; the widest
// block is in parameters and results. Branches are blocks, elses and branches, those of
// br_if twice; a loop, memory.copy, init and grow have 2 more by being metered, and
// memory.fill, of which engines make a loop, 6 more. Σ loops² goes over all loops, each
// with the square of how many are open; targets are those of br_table. The weight is that
// of the instructions: 200 each; 600 for loads, stores, divisions, vectors, and calls, with
// 100 for each parameter and result; 1,000 for integers of floats; 8,000 for call_indirect
// and what works on memory as a whole.
//
// BenchmarkCompile compiles the largest modules of some sixty shapes that are admitted.
// With wazero 1.12, metered, on one of 2 cores at 2 GHz, in seconds of CPU and MB more of
// resident memory at the peak, the worst of them are
//
//	FIGURES
//
// Guests of C come to 0.001·10⁹ to 0.01·10⁹ units, Go programs of 1.9 MB to 1·10⁹: what
// takes a program of Go past the limit of 4·10⁹ is about 8 MB.
//
// # Caveats
//
//   - Bytes of Segments alias the module.
//   - A name section is otherwise without meaning; one that is damaged is dropped,
//     not refused.
//   - ref.func is admitted, although wazero's compiler allocates for every one that
//     runs until the instance is closed. Its cost bounds that.
//   - The start function of a module may be an import, as the format allows.
package instrument
