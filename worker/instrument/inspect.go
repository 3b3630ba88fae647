package instrument

import "fmt"

// Inspection is what there is to say of a module, for people who have not
// installed it. Of a module that is refused it is what could be read.
type Inspection struct {
	// Facts are counts and sizes, Limits what bounds them: the defaults where none
	// was given.
	Facts  Facts
	Limits Limits
	// Imports are the functions that the module imports, in its order; NotOffered says
	// of each why the host does not offer it, or "".
	Imports    []Import
	NotOffered []string
	// Exports are the functions that it exports, in its order.
	Exports []Export
	// ExportsMemory says that it exports its memory.
	ExportsMemory bool
	// Whole says that every section was read to its end: then Exports are all.
	Whole bool
	// Refusals are why it is refused, in the order in which they were found: what
	// lies behind one is looked at where that can be done. There are at most 20.
	Refusals []*RefusedError
	// Normal is the normal form, or nil if the module is refused.
	Normal *Normal

	module *module
}

// RefuseExports adds a refusal of what is exported, or is not.
func (in *Inspection) RefuseExports(format string, args ...any) {
	m := in.module
	r, present := m.section(sectionExport)
	if !present {
		r.at = len(m.code)
	}
	r.refuse(r.at, format, args...)
	in.Refusals = append(in.Refusals, r.err)
}

// RefuseFunction adds a refusal by a compiler of one of the functions that the module
// defines, counted from 0. It is malformed: all else was found before.
func (in *Inspection) RefuseFunction(defined int, what string) {
	m := in.module
	r, _ := m.section(sectionCode)
	r.u32()
	for range defined {
		r.take(int(r.u32()))
	}
	in.Refusals = append(in.Refusals, &RefusedError{
		Malformed: true, Offset: r.at, Where: m.functionText(m.imported + defined), What: what,
	})
}

// RefuseModule adds a refusal by a compiler of the module as a whole.
func (in *Inspection) RefuseModule(what string) {
	in.Refusals = append(in.Refusals, &RefusedError{Malformed: true, Where: "module", What: what})
}

// Inspect admits and rewrites a module as [Rewrite] does, and says what is in it
// even if it is refused. The first of the refusals is the error of Rewrite. An
// error is a limit that is none.
func Inspect(code []byte, allow []Import, l Limits, as Form) (Inspection, error) {
	l, err := l.resolve()
	if err != nil {
		return Inspection{}, fmt.Errorf("rewrite module: %w", err)
	}
	m := decode(code, allow, l)
	in := Inspection{Limits: l, Whole: m.whole, module: m}
	if len(m.refusals) == 0 {
		n, err := m.normalise(as)
		if err == nil {
			in.Facts, in.Imports, in.NotOffered = n.Facts, n.Imports, m.notOffered
			in.Exports, in.ExportsMemory, in.Normal = n.Exports, n.ExportsMemory, n
			return in, nil
		}
		m.refusals = append(m.refusals, err)
	}
	in.Facts, in.Imports, in.NotOffered = m.facts, m.imports, m.notOffered
	in.Exports, in.ExportsMemory = m.functionExports(), m.exportsMemory()
	in.Refusals = m.refusals
	return in, nil
}
