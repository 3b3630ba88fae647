package instrument

import "fmt"

// Inspection is what there is to say of a module, for people who have not
// installed it. Of a module that is refused it is what was read before the fault.
type Inspection struct {
	// Facts are counts and sizes.
	Facts Facts
	// Imports are the functions that the module imports, in its order.
	Imports []Import
	// Exports are the functions that it exports, in its order.
	Exports []Export
	// Normal is the normal form, or nil if the module is refused.
	Normal *Normal
}

// Inspect admits and rewrites a module as [Rewrite] does, with the same errors,
// and says what is in it even if it is refused.
func Inspect(code []byte, allow []Import, l Limits) (Inspection, error) {
	l, err := l.resolve()
	if err != nil {
		return Inspection{}, fmt.Errorf("rewrite module: %w", err)
	}
	m, err := decode(code, allow, l)
	if err == nil {
		var n *Normal
		if n, err = m.normalise(); err == nil {
			return Inspection{Facts: n.Facts, Imports: n.Imports, Exports: n.Exports, Normal: n}, nil
		}
	}
	return Inspection{Facts: m.facts, Imports: m.imports, Exports: m.functionExports()}, err
}
