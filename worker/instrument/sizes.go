package instrument

// Size is one thing that a limit bounds, for people.
type Size struct {
	What        string
	Used, Limit int
}

// Sizes returns what the module uses of every limit, in the order of [Limits]. What
// was not read, because of a refusal, is 0.
func (in *Inspection) Sizes() []Size {
	f, l := &in.Facts, &in.Limits
	return []Size{
		{"bytes of the module", f.ModuleBytes, l.ModuleBytes},
		{"bytes of the longest name", f.NameBytes, l.NameBytes},
		{"types", f.Types, l.Types},
		{"parameters or results of a type", f.TypeValues, l.TypeValues},
		{"imports", f.Imports, l.Imports},
		{"exports", f.Exports, l.Exports},
		{"functions", f.Functions, l.Functions},
		{"bytes of the largest function", f.FunctionBytes, l.FunctionBytes},
		{"locals of a function", f.FunctionLocals, l.FunctionLocals},
		{"locals of all functions", f.Locals, l.Locals},
		{"blocks within blocks", f.Nesting, l.Nesting},
		{"targets of a br_table", f.BranchTargets, l.BranchTargets},
		{"compile work, in thousands", f.Work, l.CompileWork},
		{"tables", f.Tables, l.Tables},
		{"entries of all tables", f.TableEntries, l.TableEntries},
		{"element segments", f.ElementSegments, l.ElementSegments},
		{"entries of element segments", f.ElementEntries, l.ElementEntries},
		{"globals and flags", f.Globals + f.Flags, l.Globals},
		{"data segments", f.DataSegments, l.DataSegments},
		{"pages of memory at birth", int(f.MemoryPages), l.MemoryPages},
	}
}
