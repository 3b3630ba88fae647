package instrument

// appendU32 appends an unsigned LEB128, as short as it can be.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendS64 appends a signed LEB128, as short as it can be.
func appendS64(b []byte, v int64) []byte {
	for v < -0x40 || v > 0x3f {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// encodeSlack is room for what a plan usually appends, so that the normal form
// is written into one allocation.
const encodeSlack = 16 << 10

// encode writes the module as planned. Sections that are not changed are
// copied, their length included.
func (p *plan) encode() []byte {
	out := make([]byte, 0, len(p.m.code)+encodeSlack)
	out = append(out, header...)
	for _, id := range sectionOrder {
		if frame := p.m.frames[id]; !p.changed[id] {
			out = append(out, p.m.code[frame.at:frame.end]...)
			continue
		}
		out = appendSection(out, id, func(b []byte) []byte { return p.content(b, id) })
	}
	if p.m.names == (span{}) {
		return out
	}
	return appendSection(out, sectionCustom, func(b []byte) []byte {
		names := p.m.code[p.m.names.at:p.m.names.end]
		b = append(b, "\x04name"...)
		b = appendU32(append(b, namesFunctions), uint32(len(names)))
		return append(b, names...)
	})
}

// appendSection appends a section of what write appends, or none if that is
// nothing.
func appendSection(b []byte, id byte, write func([]byte) []byte) []byte {
	start := len(b)
	b = appendSized(append(b, id), write)
	if len(b) == start+2 {
		return b[:start]
	}
	return b
}

// appendSized appends what write appends, with its length before it. The content
// is written once, and moved down when the length is known.
func appendSized(b []byte, write func([]byte) []byte) []byte {
	const lengthMax = 5
	start := len(b)
	at := start + lengthMax
	b = write(append(b, make([]byte, lengthMax)...))
	n := len(b) - at
	content := len(appendU32(b[:start], uint32(n)))
	copy(b[content:], b[at:])
	return b[:content+n]
}

// content appends the content of a section that is changed.
func (p *plan) content(b []byte, id byte) []byte {
	m := p.m
	switch id {
	case sectionType:
		return p.extend(b, id, len(m.types), p.types)
	case sectionFunction:
		return p.extend(b, id, len(m.functions)-m.imported, p.functions)
	case sectionMemory:
		return append(b, p.size...)
	case sectionGlobal:
		return p.extend(b, id, len(m.globals), p.globals)
	case sectionExport:
		return p.extend(b, id, len(m.exports), p.exports)
	case sectionCode:
		return p.code(b)
	case sectionDataCount:
		if m.dataUsed > 0 {
			b = appendU32(b, uint32(m.dataUsed))
		}
	case sectionData:
		return p.data(b)
	}
	return b
}

// rest returns what follows the count that a vector's section begins with.
func (p *plan) rest(id byte) span {
	r, present := p.m.section(id)
	if present {
		r.u32()
	}
	return span{r.at, r.end}
}

// extend appends a section's vector of n things, and more of them.
func (p *plan) extend(b []byte, id byte, n int, more items) []byte {
	old := p.rest(id)
	b = appendU32(b, uint32(n+more.n))
	b = append(b, p.m.code[old.at:old.end]...)
	return append(b, more.b...)
}

// data appends the data segments that instructions name, up to the last of
// them, so that indexes keep their meaning. The active ones are empty: the host
// has written them, and they were dropped. The rest would only cost every
// instance its bookkeeping.
func (p *plan) data(b []byte) []byte {
	m := p.m
	if m.dataUsed == 0 {
		return b
	}
	b = appendU32(b, uint32(m.dataUsed))
	for _, d := range m.data[:m.dataUsed] {
		content := m.code[d.content.at:d.content.end]
		if d.active {
			content = nil
		}
		b = appendU32(append(b, dataPassive), uint32(len(content)))
		b = append(b, content...)
	}
	return b
}
