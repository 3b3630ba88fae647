package instrument

import "fmt"

// namesFunctions is the subsection of the name section that is kept: the
// functions' names.
const namesFunctions = 1

// findNames replaces m.names by the span of the functions' names in it, or by
// none. A name section means nothing, so that a bad one is no fault; but the
// engine reads it and refuses, or allocates by its counts, so that only what is
// well formed may stay.
func (m *module) findNames() *RefusedError {
	r := m.read(m.names, place{"name section", whole})
	m.names = span{}
	for r.left() > 0 {
		id := r.u8()
		n := len(r.take(int(r.u32())))
		if r.err == nil && id == namesFunctions {
			if s := (span{r.at - n, r.at}); m.eachName(s, func(int, []byte) {}) {
				m.names = s
			}
			return nil
		}
	}
	return nil
}

// eachName calls f for every function and name in a subsection, and reports
// whether it is well formed: indexes in order and in range, names of UTF-8.
func (m *module) eachName(s span, f func(function int, name []byte)) bool {
	r := m.read(s, place{"name section", whole})
	last := -1
	for n := r.count("names", 2, len(m.functions)); n > 0 && r.err == nil; n-- {
		i := r.index("function", len(m.functions))
		name := r.name("a name", m.limits.NameBytes)
		if r.err == nil && i <= last {
			return false
		}
		if last = i; r.err == nil {
			f(i, name)
		}
	}
	return r.done() == nil
}

// functionText names a function for a refusal: by index, and by the name that
// it is exported under or that the name section gives it.
func (m *module) functionText(function int) string {
	name := ""
	m.eachName(m.names, func(i int, n []byte) {
		if i == function {
			name = quote(n)
		}
	})
	for _, e := range m.exports {
		if e.kind == kindFunction && e.index == function {
			name = quote(e.name)
			break
		}
	}
	if name == "" {
		return fmt.Sprintf("function %d", function)
	}
	return fmt.Sprintf("function %d %s", function, name)
}
