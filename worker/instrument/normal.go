package instrument

import "strconv"

// The names of what the rewrite exports.
const (
	memoryExport = reserved + "memory"
	startExport  = reserved + "start"
	globalExport = reserved + "g" // and the global's index
	lowSuffix    = ".low"         // of a v128 global
	highSuffix   = ".high"
	setSuffix    = ".set"
	dropExport   = reserved + "drop" // and the segment's index

	wordExport    = reserved + "meter"
	refusedExport = reserved + "refused"
	reserveExport = reserved + "reserve"
	refillExport  = reserved + "refill"
)

// globalAccess returns how the normal form exposes a mutable global.
func globalAccess(index int, t ValType) Global {
	name := globalExport + strconv.Itoa(index)
	if t == V128 {
		return Global{uint32(index), t, "", name + lowSuffix, name + highSuffix, name + setSuffix}
	}
	return Global{Index: uint32(index), Type: t, Export: name}
}

// normalise plans the normal form, and encodes it.
func (m *module) normalise(as Form) (*Normal, *RefusedError) {
	n := &Normal{
		MemoryMin:     m.memory.least,
		MemoryMax:     uint32(m.limits.MemoryPages),
		Memory:        memoryExport,
		Segments:      m.segments(),
		Globals:       m.mutable,
		Imports:       m.imports,
		Exports:       m.functionExports(),
		ExportsMemory: m.exportsMemory(),
	}
	if m.memory.bounded {
		n.MemoryMax = min(n.MemoryMax, m.memory.most)
	}
	p := newPlan(m)
	p.memory(n)
	if m.start != noStart {
		n.Start = startExport
		p.export(startExport, kindFunction, m.start)
		p.change(sectionStart)
	}
	for _, g := range m.mutable {
		p.expose(g)
	}
	if err := p.trackDrops(n); err != nil {
		return nil, err
	}
	if as.floats {
		p.change(sectionCode)
		p.passes = append(p.passes, &canonical{})
	}
	n.Meter = p.meter(as)
	p.change(sectionData)
	p.change(sectionDataCount)
	n.Code = p.encode()
	m.facts.Flags = len(n.Drops)
	m.facts.FunctionsAdded = p.functions.n
	m.facts.NamesKept = m.names != span{}
	n.Facts = m.facts
	return n, nil
}

// segments returns the active data.
func (m *module) segments() []Segment {
	list := make([]Segment, 0, len(m.data))
	for _, d := range m.data {
		if s := d.content; d.active {
			list = append(list, Segment{d.offset, m.code[s.at:s.end:s.end]})
		}
	}
	return list
}

func (m *module) functionExports() (list []Export) {
	for _, e := range m.exports {
		if e.kind == kindFunction {
			params, results := m.signature(e.index)
			list = append(list, Export{e.name, params, results})
		}
	}
	return list
}

func (m *module) exportsMemory() bool {
	for _, e := range m.exports {
		if e.kind == kindMemory {
			return true
		}
	}
	return false
}
