package instrument

import (
	"slices"
	"strings"
)

// reserved begins every name that the rewrite exports, and no other.
const reserved = "\x00"

func (m *module) decodeExports() *RefusedError {
	r, present := m.section(sectionExport)
	if !present {
		return nil
	}
	n := r.count("exports", 3, m.limits.Exports)
	m.exports = make([]export, 0, n)
	places := make([]int, 0, n)
	for i := range n {
		r.in = place{"export", i}
		at := r.at
		e := export{name: string(m.name(r, "a name")), kind: r.u8()}
		if r.err != nil {
			break
		}
		if strings.HasPrefix(e.name, reserved) {
			r.refuse(at, "%s begins with a zero byte, which is reserved", quote(e.name))
			break
		}
		if e.index = m.exportIndex(r, e); r.err != nil {
			break
		}
		m.exports = append(m.exports, e)
		places = append(places, at)
	}
	m.refuseTwins(r, places)
	m.facts.Exports = n
	return r.done()
}

func (m *module) exportIndex(r *reader, e export) int {
	switch e.kind {
	case kindFunction:
		return m.declare(r)
	case kindTable:
		return r.index("table", len(m.tables))
	case kindMemory:
		return r.index("memory", 1)
	case kindGlobal:
		return r.index("global", len(m.globals))
	case kindTag:
		r.refuse(r.at, "%s is a tag: %s", quote(e.name), whyCatch)
	default:
		r.malformed(r.at, "%s is of kind %d, which there is not", quote(e.name), e.kind)
	}
	return 0
}

// refuseTwins looks for the first name that was used before. It sorts rather
// than hashes, so that a hostile choice of names costs no more than any other.
func (m *module) refuseTwins(r *reader, places []int) {
	order := make([]int, len(m.exports))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := strings.Compare(m.exports[a].name, m.exports[b].name); c != 0 {
			return c
		}
		return a - b
	})
	twin := -1
	for k := 1; k < len(order); k++ {
		first, i := order[k-1], order[k]
		if m.exports[first].name == m.exports[i].name && (twin < 0 || i < twin) {
			twin = i
		}
	}
	if twin >= 0 {
		r.in = place{"export", twin}
		r.malformed(places[twin], "%s is exported twice", quote(m.exports[twin].name))
	}
}
