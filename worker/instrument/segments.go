package instrument

// The flags of an element segment.
const (
	elementInactive = 1 << iota // passive, or declarative if elementExplicit
	elementExplicit             // a table index, if active; a type in any case
	elementConstant             // constant expressions in place of indexes
	elementFlagsMax = 1<<iota - 1
)

// decodeElements checks the element segments. They stay as they are: no
// admitted instruction changes a table, so that instantiation always makes the
// same one, nor reads a passive segment, which only declares its functions.
func (m *module) decodeElements() *RefusedError {
	r, present := m.section(sectionElement)
	if !present {
		return nil
	}
	n := r.count("element segments", 3, m.limits.ElementSegments)
	for i := 0; i < n && r.err == nil; i++ {
		r.in = place{"element segment", i}
		m.decodeElement(r)
	}
	m.facts.ElementSegments = n
	return r.done()
}

func (m *module) decodeElement(r *reader) {
	at := r.at
	flags := r.u32()
	if flags > elementFlagsMax {
		r.malformed(at, "flags %#x, want at most %#x", flags, elementFlagsMax)
	}
	active := flags&elementInactive == 0
	table, offset := 0, uint32(0)
	if active {
		if flags&elementExplicit != 0 {
			table = r.index("table", len(m.tables))
		} else if len(m.tables) == 0 {
			r.missing(at, "table", 0, 0)
		}
		offset = m.offset(r)
	}
	if flags&(elementInactive|elementExplicit) != 0 {
		if flags&elementConstant != 0 {
			r.refType()
		} else if kind := r.u8(); kind != 0 {
			r.malformed(r.at-1, "element kind %d, want 0 (functions)", kind)
		}
	}
	n := r.count("entries", 1, limitMax)
	if m.facts.ElementEntries += n; m.facts.ElementEntries > m.limits.ElementEntries {
		r.refuse(at, "%d entries in the element segments so far, limit %d",
			m.facts.ElementEntries, m.limits.ElementEntries)
	}
	for i := 0; i < n && r.err == nil; i++ {
		if flags&elementConstant != 0 {
			m.constant(r)
		} else {
			m.declare(r)
		}
	}
	if active && r.err == nil && uint64(offset)+uint64(n) > uint64(m.tables[table]) {
		r.refuse(at, "entries [%d, %d) reach past the %d of table %d",
			offset, uint64(offset)+uint64(n), m.tables[table], table)
	}
}

// The flags of a data segment.
const (
	dataActive   = 0
	dataPassive  = 1
	dataExplicit = 2 // active, with a memory index
)

// noDataCount is the data count of a module that does not say it.
const noDataCount = -1

func (m *module) decodeDataCount() *RefusedError {
	m.dataCount = noDataCount
	r, present := m.section(sectionDataCount)
	if present {
		m.dataCount = int(r.u32())
	}
	return r.done()
}

func (m *module) decodeData() *RefusedError {
	r, present := m.section(sectionData)
	at, n := r.at, 0
	if present {
		n = r.count("data segments", 2, m.limits.DataSegments)
	}
	if r.err == nil && m.dataCount != noDataCount && m.dataCount != n {
		r.malformed(at, "%d data segments, the data count is %d", n, m.dataCount)
	}
	m.data = make([]dataSegment, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		r.in = place{"data segment", i}
		m.data = append(m.data, m.decodeSegment(r))
	}
	m.facts.DataSegments = n
	return r.done()
}

func (m *module) decodeSegment(r *reader) (d dataSegment) {
	at := r.at
	switch flags := r.u32(); flags {
	case dataActive:
		d.active = true
	case dataExplicit:
		d.active = true
		r.index("memory", 1)
	case dataPassive:
		m.facts.Features |= FeatureBulkMemory
	default:
		r.malformed(at, "flags %#x, want 0, 1 or 2", flags)
	}
	if d.active {
		d.offset = m.offset(r)
	}
	n := len(r.take(int(r.u32())))
	d.content = span{r.at - n, r.at}
	end := uint64(d.offset) + uint64(n)
	if size := uint64(m.memory.least) * pageBytes; r.err == nil && d.active && end > size {
		r.refuse(at, "bytes [%d, %d) reach past the memory's least size, %d", d.offset, end, size)
	}
	m.facts.DataBytes += n
	return d
}
