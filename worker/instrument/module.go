package instrument

import (
	"bytes"
	"fmt"
)

// The sections of a module by their id in the binary format.
const (
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionFunction  = 3
	sectionTable     = 4
	sectionMemory    = 5
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionElement   = 9
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12
	sectionTag       = 13
	sectionCount     = 14
)

// sectionOrder is the order in which the format wants the sections. Their ids
// do not give it: the data count came later, and stands before the code.
var sectionOrder = [...]byte{
	sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionTag,
	sectionGlobal, sectionExport, sectionStart, sectionElement, sectionDataCount, sectionCode,
	sectionData,
}

// sectionName is what a refusal calls a section.
func sectionName(id byte) string {
	names := [sectionCount]string{
		"custom", "type", "import", "function", "table", "memory", "global", "export",
		"start", "element", "code", "data", "data count", "tag",
	}
	return names[id] + " section"
}

// sectionRank is a section's place in the order, from 1.
func sectionRank(id byte) int { return bytes.IndexByte(sectionOrder[:], id) + 1 }

// header is how every module begins: the magic number and version 1.
const header = "\x00asm\x01\x00\x00\x00"

// module is a decoded module: where everything lies in code, and what the
// rewrite needs to know of it. Nothing in it is a copy of the module's bytes.
type module struct {
	code   []byte
	allow  []Import
	limits Limits

	frames   [sectionCount]span // sections with their id and length
	sections [sectionCount]span // their contents
	names    span               // the content of the first custom section called "name"

	types      []funcType
	notOffered []string // why each import is not, or ""
	imports    []Import
	functions  []uint32 // the type of every function, imports first
	imported   int      // how many functions are imported
	declared   []bool   // the functions that an export, element or global names
	tables     []uint32 // the least size of every table, in entries
	memory     memoryType
	globals    []ValType
	mutable    []Global
	exports    []export
	start      int // the start function, or noStart
	dataCount  int // what the data count section says, or noDataCount
	data       []dataSegment
	vectors    bool   // a parameter, result, local or global has 128 bits
	dataUsed   int    // 1 + the highest segment that an instruction names
	work       uint64 // what the functions so far cost a compiler, in units
	facts      Facts
	// refusals are those found so far, of which none but the last ended the reading.
	refusals []*RefusedError
	whole    bool // every section was read to its end
}

const noStart = -1

type funcType struct{ params, results span }

type memoryType struct {
	least, most uint32 // WASM pages
	bounded     bool   // most is declared
}

type export struct {
	name  string
	kind  byte
	index int
}

type dataSegment struct {
	content span
	offset  uint32 // where the content goes, if active
	active  bool
	dropped bool // some instruction drops it
}

// decode reads every section of code but the functions' instructions, in the
// order in which they need each other, which is the format's but for the data:
// the code refers to it. It goes on after a refusal where it can; what it returns
// then holds what was read, and all refusals.
func decode(code []byte, allow []Import, l Limits) *module {
	m := &module{code: code, allow: allow, limits: l, start: noStart}
	m.facts.ModuleBytes = len(code)
	if len(code) > l.ModuleBytes {
		m.refusals = []*RefusedError{{Where: "module", Offset: l.ModuleBytes,
			What: fmt.Sprintf("%d bytes, limit %d", len(code), l.ModuleBytes)}}
		return m
	}
	for _, section := range []func() *RefusedError{
		m.split, m.decodeTypes, m.decodeImports, m.decodeFunctions, m.decodeTables, m.decodeMemory,
		m.refuseTags, m.decodeGlobals, m.decodeExports, m.decodeStart, m.decodeElements,
		m.decodeDataCount, m.decodeData, m.findNames, m.decodeCode,
	} {
		if err := section(); err != nil {
			m.refusals = append(m.refusals, err)
			return m
		}
	}
	m.whole = true
	return m
}

// refusalsMax bounds the refusals of one module.
const refusalsMax = 20

// goOn keeps a refusal after which the rest can be read, unless the one place left
// is for the last: then it reports false.
func (m *module) goOn(err *RefusedError) bool {
	if len(m.refusals) == refusalsMax-1 {
		return false
	}
	m.refusals = append(m.refusals, err)
	return true
}

// split finds the sections, and checks their order and that they fill code.
func (m *module) split() *RefusedError {
	r := m.read(span{0, len(m.code)}, place{"module", whole})
	if !bytes.HasPrefix(m.code, []byte(header)) {
		r.malformed(0, "%s", m.otherFormat())
	}
	r.take(len(header))
	for rank := 0; r.err == nil && r.left() > 0; {
		frame := r.at
		id := r.u8()
		if id >= sectionCount {
			r.malformed(frame, "there is no section %d", id)
			break
		}
		at := r.at
		content := r.take(int(r.u32()))
		s := span{r.at - len(content), r.at}
		if r.err != nil {
			r.err.Where = sectionName(id)
			r.err.Offset = at
			break
		}
		if id == sectionCustom {
			m.noteCustom(r, s)
			continue
		}
		if sectionRank(id) <= rank {
			r.malformed(frame, "the %s comes twice or too late", sectionName(id))
		}
		rank = sectionRank(id)
		m.frames[id], m.sections[id] = span{frame, s.end}, s
	}
	return r.done()
}

// otherFormat says what the bytes are that do not begin as a module does.
func (m *module) otherFormat() string {
	const magic = 4
	text := bytes.TrimLeft(m.code, " \t\r\n")
	switch {
	case len(m.code) == 0:
		return "it is empty"
	case bytes.HasPrefix(text, []byte("(module")) || bytes.HasPrefix(text, []byte(";;")) ||
		bytes.HasPrefix(text, []byte("(;")):
		return "it is a module's text; compile it, with wat2wasm or another such tool"
	case bytes.HasPrefix(m.code, []byte(header[:magic])) && len(m.code) > magic+3 &&
		m.code[magic+2] == 1:
		return "it is a component; a vat is a module"
	}
	return fmt.Sprintf("it does not begin with the bytes %x (magic, version 1)", header)
}

// noteCustom checks that a custom section has a name, and keeps the place of
// the first one with the functions' names.
func (m *module) noteCustom(r *reader, s span) {
	c := m.read(s, place{sectionName(sectionCustom), whole})
	name := m.name(c, "a name")
	if c.err != nil {
		r.err = c.err
		return
	}
	if string(name) == "name" && m.names == (span{}) {
		m.names = span{c.at, c.end}
	}
	m.facts.CustomSections++
	m.facts.CustomBytes += s.bytes()
}

// name takes a name that counts.
func (m *module) name(r *reader, what string) []byte {
	b := r.name(what, m.limits.NameBytes)
	m.facts.NameBytes = max(m.facts.NameBytes, len(b))
	return b
}

// section returns a reader of a section, and whether there is one.
func (m *module) section(id byte) (*reader, bool) {
	r := m.read(m.sections[id], place{sectionName(id), whole})
	return r, m.frames[id] != span{}
}

// signature returns a function's type, by its index.
func (m *module) signature(function int) (params, results []ValType) {
	t := m.types[m.functions[function]]
	return m.values(t.params), m.values(t.results)
}

func (m *module) values(s span) []ValType {
	v := make([]ValType, s.bytes())
	for i, b := range m.code[s.at:s.end] {
		v[i] = ValType(b)
	}
	return v
}
