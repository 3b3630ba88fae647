package instrument

import (
	"fmt"
	"slices"
)

// The kinds of import and export.
const (
	kindFunction = 0
	kindTable    = 1
	kindMemory   = 2
	kindGlobal   = 3
	kindTag      = 4
)

func (m *module) decodeTypes() *RefusedError {
	r, present := m.section(sectionType)
	if !present {
		return nil
	}
	m.types = make([]funcType, r.count("types", 3, m.limits.Types))
	for i := range m.types {
		r.in = place{"type", i}
		switch at, form := r.at, r.u8(); {
		case form == typeStruct || form == typeArray || form >= typeSubFirst && form <= typeSubLast:
			r.refuse(at, "form %#x: %s", form, whyGC)
		case form != typeFunc:
			r.malformed(at, "form %#x, want a function type (%#x)", form, typeFunc)
		}
		m.types[i] = funcType{m.valueList(r, "parameters"), m.valueList(r, "results")}
		m.facts.TypeValues = max(m.facts.TypeValues, m.types[i].params.bytes(),
			m.types[i].results.bytes())
		if m.types[i].results.bytes() > 1 {
			m.facts.Features |= FeatureMultiValue
		}
		if r.err != nil {
			break
		}
	}
	m.facts.Types = len(m.types)
	return r.done()
}

func (m *module) valueList(r *reader, what string) span {
	n := r.count(what, 1, m.limits.TypeValues)
	at := r.at
	for range n {
		if r.valType() == V128 {
			m.vectors = true
		}
	}
	return span{at, at + n}
}

func (m *module) decodeImports() *RefusedError {
	r, present := m.section(sectionImport)
	if !present {
		return nil
	}
	n := r.count("imports", 4, m.limits.Imports)
	m.imports = make([]Import, 0, n)
	for i := range n {
		r.in = place{"import", i}
		at := r.at
		from := m.name(r, "a module name")
		name := m.name(r, "a name")
		kind := r.u8()
		if r.err != nil {
			break
		}
		what := quote(from) + "." + quote(name)
		if kind != kindFunction {
			refuseImport(r, at, what, kind)
			break
		}
		t := r.index("type", len(m.types))
		if r.err != nil {
			break
		}
		m.functions = append(m.functions, uint32(t))
		params, results := m.signature(i)
		m.imports = append(m.imports, Import{string(from), string(name), params, results})
		why := m.whyNot(m.imports[i])
		m.notOffered = append(m.notOffered, why)
		if why != "" {
			err := &RefusedError{Where: r.in.String(), Offset: at, What: why}
			if !m.goOn(err) {
				return err
			}
		}
	}
	m.imported = len(m.functions)
	m.facts.Imports = len(m.imports)
	return r.done()
}

// whyNot says why an import is not on the allow-list as it is, or "".
func (m *module) whyNot(im Import) string {
	offered := ""
	for _, a := range m.allow {
		if a.Module != im.Module || a.Name != im.Name {
			continue
		}
		if slices.Equal(a.Params, im.Params) && slices.Equal(a.Results, im.Results) {
			if slices.Contains(im.Params, F32) || slices.Contains(im.Params, F64) {
				return quote(im.Module) + "." + quote(im.Name) +
					" takes a float, and would see a NaN's bits; want integers"
			}
			return ""
		}
		offered = signatureText(a.Params, a.Results)
	}
	what := quote(im.Module) + "." + quote(im.Name)
	if offered == "" {
		return what + " is not offered by the host"
	}
	return fmt.Sprintf("%s is %s, the host offers %s",
		what, signatureText(im.Params, im.Results), offered)
}

func refuseImport(r *reader, at int, what string, kind byte) {
	switch kind {
	case kindTable:
		r.refuse(at, "%s is a table; only functions can be imported", what)
	case kindMemory:
		r.refuse(at, "%s is a memory; define and export one instead", what)
	case kindGlobal:
		r.refuse(at, "%s is a global; only functions can be imported", what)
	case kindTag:
		r.refuse(at, "%s is a tag: %s", what, whyCatch)
	default:
		r.malformed(at, "%s is of kind %d, which there is not", what, kind)
	}
}

func (m *module) decodeFunctions() *RefusedError {
	r, present := m.section(sectionFunction)
	n := 0
	if present {
		n = r.count("functions", 1, m.limits.Functions)
	}
	m.functions = slices.Grow(m.functions, n)
	for i := 0; i < n && r.err == nil; i++ {
		r.in = place{"function", m.imported + i}
		m.functions = append(m.functions, uint32(r.index("type", len(m.types))))
	}
	r.in = place{sectionName(sectionFunction), whole}
	m.declared = make([]bool, len(m.functions))
	m.facts.Functions = n
	return r.done()
}

func (m *module) decodeTables() *RefusedError {
	r, present := m.section(sectionTable)
	if !present {
		return nil
	}
	n := r.count("tables", 3, m.limits.Tables)
	m.tables = make([]uint32, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		r.in = place{"table", i}
		at := r.at
		if r.left() > 0 && r.b[r.at] == typeEmpty {
			r.refuse(at, "a table with an initial value: %s", whyTyped)
		}
		r.refType()
		least, _, _ := r.sizeLimits("table")
		m.tables = append(m.tables, least)
		m.facts.TableEntries += int(min(least, limitMax))
		if r.err == nil && m.facts.TableEntries > m.limits.TableEntries {
			r.refuse(at, "%d entries in the tables so far, limit %d",
				m.facts.TableEntries, m.limits.TableEntries)
		}
	}
	m.facts.Tables = n
	return r.done()
}

func (m *module) decodeMemory() *RefusedError {
	r, present := m.section(sectionMemory)
	n := 0
	if present {
		n = r.count("memories", 2, limitMax)
	}
	limit := uint32(m.limits.MemoryPages)
	at := r.at
	switch {
	case r.err != nil:
	case n == 0:
		r.refuse(at, "there is no memory; define and export one")
	case n > 1:
		r.refuse(at, "%d memories, want one", n)
	}
	t := &m.memory
	t.least, t.most, t.bounded = r.sizeLimits("memory")
	m.facts.MemoryPages, m.facts.MemoryPagesMax = t.least, t.most
	switch {
	case r.err != nil:
	case t.least > addressablePages || t.most > addressablePages:
		r.malformed(at, "a memory of %d pages, want at most %d",
			max(t.least, t.most), addressablePages)
	case t.least > limit:
		r.refuse(at, "a memory of at least %d pages, limit %d", t.least, limit)
	}
	return r.done()
}

func (m *module) refuseTags() *RefusedError {
	r, present := m.section(sectionTag)
	if present {
		r.refuse(r.at, "%s", whyCatch)
	}
	return r.done()
}

func (m *module) decodeGlobals() *RefusedError {
	r, present := m.section(sectionGlobal)
	if !present {
		return nil
	}
	n := r.count("globals", 4, m.limits.Globals)
	m.globals = make([]ValType, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		r.in = place{"global", i}
		at := r.at
		t := r.valType()
		mutable := r.u8()
		value := m.constant(r)
		m.globals = append(m.globals, t)
		switch {
		case r.err != nil:
		case mutable > 1:
			r.malformed(at+1, "mutability %d, want 0 or 1", mutable)
		case value.typ != t:
			r.malformed(at, "a global of type %v that begins as %v", t, value.typ)
		case mutable == 0:
		case t == FuncRef:
			r.refuse(at, "a mutable %v, which a snapshot cannot hold", t)
		default:
			m.vectors = m.vectors || t == V128
			m.mutable = append(m.mutable, globalAccess(i, t))
		}
	}
	m.facts.Globals = n
	return r.done()
}

func (m *module) decodeStart() *RefusedError {
	r, present := m.section(sectionStart)
	if !present {
		return nil
	}
	at := r.at
	f := r.index("function", len(m.functions))
	if r.err == nil {
		if p, q := m.signature(f); len(p)+len(q) > 0 {
			r.malformed(at, "function %d is %s, want () -> ()", f, signatureText(p, q))
		}
	}
	m.start = f
	return r.done()
}
