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

	CodeBytes     int // the functions' locals and code
	DataBytes     int // content of the data segments
	CustomBytes   int // content of the custom sections
	FunctionBytes int // locals and code of the largest function
	Instructions  int // instructions of all functions
	Locals        int // locals declared by all functions
	Nesting       int // blocks within blocks, at the deepest

	// Features are what the module uses beyond WASM 1.0.
	Features Features
	// DropSites is how many data.drop instructions got a flag set beside them.
	DropSites int
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
