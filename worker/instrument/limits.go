package instrument

import "fmt"

// Limits bound what a module may ask of a compiler and of a host. A zero field
// means its default. All are observable: two nodes with different limits may
// admit different modules, or write a different memory maximum.
type Limits struct {
	// ModuleBytes bounds the module. Default 16 MiB.
	ModuleBytes int
	// NameBytes bounds one name, of an import, export or function. Default 1,024 bytes.
	NameBytes int
	// Types bounds the function types. Default 16,384.
	Types int
	// TypeValues bounds the parameters, and the results, of one type. Default 64.
	TypeValues int
	// Imports bounds the imports. Default 256.
	Imports int
	// Exports bounds the exports. Default 16,384.
	Exports int
	// Functions bounds the functions the module defines. Default 50,000.
	Functions int
	// FunctionBytes bounds one function's locals and code. Default 512 KiB.
	FunctionBytes int
	// FunctionLocals bounds the locals one function declares. Default 4,096.
	FunctionLocals int
	// Locals bounds the locals all functions declare. Default 1,000,000.
	Locals int
	// Nesting bounds blocks within blocks. Default 4,096, at most 16,384. Go nests
	// them a thousand deep.
	Nesting int
	// BranchTargets bounds the targets of one br_table. Default 4,096.
	BranchTargets int
	// CompileWork bounds the estimate of what a compiler does, in thousands of units;
	// see the package comment. Default 4,000,000: 10 s and 1 GB at most.
	CompileWork int
	// Tables bounds the tables. Default 64.
	Tables int
	// TableEntries bounds the entries of all tables. Default 65,536.
	TableEntries int
	// ElementSegments bounds the element segments. Default 16,384.
	ElementSegments int
	// ElementEntries bounds the functions in all element segments. Default 65,536.
	ElementEntries int
	// Globals bounds the globals and the dropped-segment flags. Default 1,024.
	Globals int
	// DataSegments bounds the data segments. Default 100,000.
	DataSegments int
	// MemoryPages bounds the memory, in WASM pages of 64 KiB, and is written into
	// the module as its maximum. Default 4,096 (256 MiB), at most 65,536.
	MemoryPages int
}

// limitMax bounds the limits, so that sums of a few of them fit an int of 32
// bits; nestingMax bounds one more, so that no estimate of work overflows.
const (
	limitMax   = 1 << 28
	nestingMax = 1 << 14
)

// addressablePages is how many pages a 32-bit memory can have.
const addressablePages = 1 << 16

// resolve returns l with defaults in place of zeros, or an error for a limit
// that is none.
func (l Limits) resolve() (Limits, error) {
	for _, f := range []struct {
		name            string
		value           *int
		byDefault, most int
	}{
		{"ModuleBytes", &l.ModuleBytes, 16 << 20, limitMax},
		{"NameBytes", &l.NameBytes, 1024, limitMax},
		{"Types", &l.Types, 16 << 10, limitMax},
		{"TypeValues", &l.TypeValues, 64, limitMax},
		{"Imports", &l.Imports, 256, limitMax},
		{"Exports", &l.Exports, 16 << 10, limitMax},
		{"Functions", &l.Functions, 50_000, limitMax},
		{"FunctionBytes", &l.FunctionBytes, 512 << 10, limitMax},
		{"FunctionLocals", &l.FunctionLocals, 4096, limitMax},
		{"Locals", &l.Locals, 1_000_000, limitMax},
		{"Nesting", &l.Nesting, 4096, nestingMax},
		{"BranchTargets", &l.BranchTargets, 4096, limitMax},
		{"CompileWork", &l.CompileWork, 4_000_000, limitMax},
		{"Tables", &l.Tables, 64, limitMax},
		{"TableEntries", &l.TableEntries, 64 << 10, limitMax},
		{"ElementSegments", &l.ElementSegments, 16 << 10, limitMax},
		{"ElementEntries", &l.ElementEntries, 64 << 10, limitMax},
		{"Globals", &l.Globals, 1024, limitMax},
		{"DataSegments", &l.DataSegments, 100_000, limitMax},
		{"MemoryPages", &l.MemoryPages, 4096, addressablePages},
	} {
		if *f.value == 0 {
			*f.value = f.byDefault
		}
		if *f.value < 0 || *f.value > f.most {
			return l, fmt.Errorf("limit %s is %d, want 1 to %d (0 for %d)",
				f.name, *f.value, f.most, f.byDefault)
		}
	}
	return l, nil
}
