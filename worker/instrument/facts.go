package instrument

// Facts is what a module was found to contain, for people: counts by section,
// sizes, features, and what the normal form leaves out or adds. Nothing in the
// system depends on it.
type Facts struct {
	Types           int // function types
	Imports         int // imported functions
	Functions       int // functions defined
	Tables          int // tables
	TableEntries    int // entries of all tables at birth
	ElementSegments int // element segments
	ElementEntries  int // functions in all element segments
	Globals         int // globals, mutable or not
	Exports         int // exports
	DataSegments    int // data segments, active or passive
	CustomSections  int // custom sections

	MemoryPages    uint32 // the memory at birth, in WASM pages of 64 KiB
	MemoryPagesMax uint32 // the most it may grow to, or 0 if the module does not say

	ModuleBytes    int // the module
	NameBytes      int // the longest name of an import, export or custom section
	CodeBytes      int // the functions' locals and code
	DataBytes      int // content of the data segments
	CustomBytes    int // content of the custom sections
	FunctionBytes  int // locals and code of the largest function
	Instructions   int // instructions of all functions
	Locals         int // locals declared by all functions
	FunctionLocals int // locals declared by the function with the most
	Nesting        int // blocks within blocks, at the deepest
	BranchTargets  int // targets of the largest br_table
	TypeValues     int // parameters, or results, of the type with the most
	Work           int // what a compiler has to do, in thousands of units, rounded up

	// Features are what the module uses beyond WASM 1.0.
	Features Features
	// Floats says that some instruction works on floating-point numbers.
	Floats bool
	// DropSites is how many data.drop instructions got a flag set beside them.
	DropSites int
	// Flags is how many data segments got a flag: those that some data.drop names.
	Flags int
	// FunctionsAdded is how many functions the normal form has at its end.
	FunctionsAdded int
	// NamesKept says that the functions' names are in the normal form. All other
	// custom sections never are.
	NamesKept bool
}

// Features is a set of additions to WASM 1.0.
type Features uint16

// The features.
const (
	FeatureMultiValue Features = 1 << iota // functions of several results, blocks with parameters
	FeatureSignExtend                      // i32.extend8_s and its like
	FeatureSaturating                      // float-to-integer conversions that do not trap
	FeatureBulkMemory                      // memory.copy, fill, init; passive segments
	FeatureReferences                      // references to functions as values
	FeatureVectors                         // 128-bit SIMD
	FeatureConstants                       // constants computed of others
)

// List returns the features' names, in the order of the constants.
func (f Features) List() (names []string) {
	for i, name := range []string{
		"multi-value", "sign-extension", "saturating-float-to-int", "bulk-memory",
		"reference-types", "simd128", "extended-const",
	} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// noteOpcodes adds the features that a walker's opcodes show.
func (m *module) noteOpcodes(w *walker) {
	for _, floats := range floatOpcodes {
		for op := floats.first; op <= floats.last; op++ {
			m.facts.Floats = m.facts.Floats || w.seen[op]
		}
	}
	for _, f := range []struct {
		feature     Features
		first, last int
	}{
		{FeatureSignExtend, 0xc0, 0xc4},
		{FeatureReferences, 0x1c, 0x1c},
		{FeatureReferences, 0x25, 0x25},
		{FeatureReferences, opRefNull, opRefFunc},
		{FeatureVectors, opVector, opVector},
	} {
		for op := f.first; op <= f.last; op++ {
			if w.seen[op] {
				m.facts.Features |= f.feature
			}
		}
	}
}

// floatOpcodes are the opcodes of the core table that take or give f32 or f64.
var floatOpcodes = []struct{ first, last int }{
	{0x2a, 0x2b}, {0x38, 0x39}, // loads, stores
	{opF32Const, opF64Const},
	{0x5b, 0x66}, // comparisons
	{0x8b, 0xa6}, // arithmetic
	{0xa8, 0xab}, // i32 of floats
	{0xae, 0xb1}, // i64 of floats
	{0xb2, 0xbf}, // floats of integers and of each other, reinterpretations
}
