package instrument

// Version is part of a program's identity. It changes whenever the same module
// under the same limits may give another normal form, or another verdict.
const Version = 2

// pageBytes is the size of a WASM page.
const pageBytes = 64 << 10

// Import is a function that a host offers, or that a module imports.
type Import struct {
	Module, Name    string
	Params, Results []ValType
}

// Export is a function that a module exports itself.
type Export struct {
	Name            string
	Params, Results []ValType
}

// Signature returns the function's type as (i32, i64) -> (i32).
func (i Import) Signature() string { return signatureText(i.Params, i.Results) }

// Signature returns the function's type as (i32, i64) -> (i32).
func (e Export) Signature() string { return signatureText(e.Params, e.Results) }

// Segment is bytes that the host writes into memory at birth.
type Segment struct {
	Offset uint32
	Bytes  []byte // aliases the module given to Rewrite
}

// Global is one mutable global, and how to read and set it. A v128 is read by
// two functions of type () -> (i64) and set by one of type (i64, i64) -> (), low
// lane first; a global of any other type is exported as itself.
type Global struct {
	Index          uint32
	Type           ValType
	Export         string // unless Type is V128
	Low, High, Set string // if Type is V128
}

// Drop is a passive data segment that the program may drop. A segment is either
// whole or gone; it never comes back.
type Drop struct {
	Segment uint32
	Flag    int    // index into Globals: an i32, 1 once the segment is gone
	Export  string // a function of type () -> () that drops it again
}

// Normal is a module in normal form, and how to be born, captured and resumed
// with it. Everything in it follows from the module, the allow-list, the limits
// and [Version] alone.
type Normal struct {
	// Code is the normal form.
	Code []byte
	// MemoryMin and MemoryMax are the memory's size in WASM pages of 64 KiB. The
	// maximum is the declared one or the limit, whichever is less.
	MemoryMin, MemoryMax uint32
	// Memory is the name of the memory's export in Code.
	Memory string
	// Segments are the active data, in the order in which to write them at birth.
	Segments []Segment
	// Start is the name of the former start function's export, or "". At birth
	// it runs once, after the segments are written; it may trap.
	Start string
	// Globals are the mutable globals by index, then the flags of the Drops.
	Globals []Global
	// Drops are the passive data segments that the program may drop, by index.
	Drops []Drop
	// Imports are the functions that the module imports, in its order.
	Imports []Import
	// Exports are the functions that the module itself exports, in its order.
	Exports []Export
	// ExportsMemory says that the module itself exports its memory.
	ExportsMemory bool
	// Meter is how to set and read the program's fuel.
	Meter Meter
	// Facts are for people.
	Facts Facts
}

// Rewrite admits a module and returns its normal form, or refuses it with a
// [RefusedError]. It does not check the types of operands: the compiler must, on
// the normal form. Any other error is a limit that is none.
func Rewrite(code []byte, allow []Import, l Limits) (*Normal, error) {
	return rewriteAs(code, allow, l, Metered)
}

// Form says which normal form is wanted. All have the same state.
type Form struct {
	floats bool // NaNs are canonical
	counts bool // fuel and depth are counted
	yields bool // the meter goes by way of the host
}

// The forms.
var (
	// Metered is that of [Rewrite].
	Metered = Form{floats: true, counts: true}
	// Yielding goes by way of the host after each YieldUnits of fuel, and is otherwise
	// Metered: it uses the same fuel, and either resumes what the other left.
	Yielding = Form{floats: true, counts: true, yields: true}
	// Unmetered has instructions that cost nothing: its meter is there, but only the host
	// charges it. It is for measuring what metering costs.
	Unmetered = Form{floats: true}
)

func rewriteAs(code []byte, allow []Import, l Limits, as Form) (*Normal, error) {
	in, err := Inspect(code, allow, l, as)
	if err == nil && len(in.Refusals) > 0 {
		return nil, in.Refusals[0]
	}
	return in.Normal, err
}
