package instrument

import (
	"fmt"
	"strconv"
)

// plan is what the normal form has other than the module: things appended to
// its index spaces, so that every index keeps its meaning, and sections changed.
type plan struct {
	m         *module
	changed   [sectionCount]bool
	size      []byte // the content of the memory section
	types     items
	functions items // their types
	globals   items
	exports   items
	bodies    items
	forms     map[string]int // the types appended
	passes    []pass         // what changes the functions' code
}

// items are encoded things to append to a vector.
type items struct {
	n int
	b []byte
}

func newPlan(m *module) *plan { return &plan{m: m, forms: map[string]int{}} }

func (p *plan) change(section byte) { p.changed[section] = true }

// memory writes the memory's maximum into the module, so that memory.grow has
// one answer everywhere.
func (p *plan) memory(n *Normal) {
	p.size = append(p.size, 1, limitsBounded)
	p.size = appendU32(appendU32(p.size, n.MemoryMin), n.MemoryMax)
	p.change(sectionMemory)
	p.export(memoryExport, kindMemory, 0)
}

func (p *plan) export(name string, kind byte, index int) {
	b := appendU32(p.exports.b, uint32(len(name)))
	b = append(append(b, name...), kind)
	p.exports.b = appendU32(b, uint32(index))
	p.exports.n++
	p.change(sectionExport)
}

// function appends a function, and exports it.
func (p *plan) function(
	name string, params, results []ValType, code []byte, locals ...ValType,
) {
	p.export(name, kindFunction, len(p.m.functions)+p.functions.n)
	p.functions.b = appendU32(p.functions.b, uint32(p.typeOf(params, results)))
	p.functions.n++
	p.bodies.b = appendSized(p.bodies.b, func(b []byte) []byte {
		b = appendU32(b, uint32(len(locals)))
		for _, t := range locals {
			b = append(b, 1, byte(t))
		}
		return append(append(b, code...), opEnd)
	})
	p.bodies.n++
	p.change(sectionFunction)
	p.change(sectionCode)
}

// typeOf appends a function type unless the plan did so already, and returns
// its index.
func (p *plan) typeOf(params, results []ValType) int {
	form := signatureText(params, results)
	if index, ok := p.forms[form]; ok {
		return index
	}
	index := len(p.m.types) + p.types.n
	p.forms[form] = index
	p.types.b = append(p.types.b, typeFunc)
	for _, list := range [][]ValType{params, results} {
		p.types.b = appendU32(p.types.b, uint32(len(list)))
		for _, t := range list {
			p.types.b = append(p.types.b, byte(t))
		}
	}
	p.types.n++
	p.change(sectionType)
	return index
}

// expose exports a mutable global, or functions that stand for it: a host can
// read and set 64 bits of a global, and a v128 has more.
func (p *plan) expose(g Global) {
	if g.Type != V128 {
		p.export(g.Export, kindGlobal, int(g.Index))
		return
	}
	get := appendU32([]byte{opGlobalGet}, g.Index)
	for lane, name := range []string{g.Low, g.High} {
		body := append(get[:len(get):len(get)], opVector, vecExtractI64, byte(lane))
		p.function(name, nil, []ValType{I64}, body)
	}
	set := []byte{
		opLocalGet, 0, opVector, vecSplatI64,
		opLocalGet, 1, opVector, vecReplaceI64, 1, opGlobalSet,
	}
	p.function(g.Set, []ValType{I64, I64}, nil, appendU32(set, g.Index))
}

// trackDrops gives every passive segment that an instruction drops a flag and
// a function that drops it again.
func (p *plan) trackDrops(n *Normal) *RefusedError {
	m, limit := p.m, p.m.limits.Globals
	flags := map[int]int{}
	for i, d := range m.data {
		if !d.dropped {
			continue
		}
		flag := len(m.globals) + p.globals.n
		if flag >= limit {
			return &RefusedError{
				Offset: d.content.at,
				Where:  fmt.Sprintf("data segment %d", i),
				What:   fmt.Sprintf("its flag is global %d, limit %d globals", flag, limit),
			}
		}
		flags[i] = flag
		p.change(sectionCode)
		g := globalAccess(flag, I32)
		p.global(g.Export, I32)
		n.Globals = append(n.Globals, g)
		name := dropExport + strconv.Itoa(i)
		n.Drops = append(n.Drops, Drop{uint32(i), len(n.Globals) - 1, name})
		p.function(name, nil, nil, appendU32([]byte{opMisc, miscDataDrop}, uint32(i)))
	}
	if len(flags) > 0 {
		p.passes = append(p.passes, dropFlags{flags})
	}
	return nil
}
