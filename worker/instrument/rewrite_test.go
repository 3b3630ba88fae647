package instrument

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// note is the only import of generated modules.
var note = []Import{{"env", "note", []ValType{I32}, nil}}

// twins is how many random modules are compared with the twin byte by byte, and
// runs how many are run side by side in both engines.
const (
	twins = 2000
	runs  = 250
)

// TestNormalFormIsTheTwins compares the rewrite of random modules with their
// twins', which change the structure that the module was written from.
func TestNormalFormIsTheTwins(t *testing.T) {
	t.Parallel()
	for seed := range uint64(twins) {
		m := generate(seed)
		code := m.encode()
		n, err := rewriteAs(code, note, Limits{MemoryPages: 3}, Form{})
		if err != nil {
			t.Fatalf("seed %d: %v\n%x", seed, err, code)
		}
		if want := m.normal(3).encode(); !bytes.Equal(n.Code, want) {
			t.Fatalf("seed %d: normal form\n%x, want\n%x", seed, n.Code, want)
		}
		checkNormal(t, m, n)
	}
}

// checkNormal compares what Rewrite says about a module with what it was made of.
func checkNormal(t *testing.T, m *build, n *Normal) {
	t.Helper()
	active := 0
	for _, d := range m.data {
		if !d.active {
			continue
		}
		if s := n.Segments[active]; s.Offset != d.offset || !bytes.Equal(s.Bytes, d.bytes) {
			t.Fatalf("segment %d is %+v, want %+v", active, s, d)
		}
		active++
	}
	mutable := 0
	for i, g := range m.globals {
		if g.mut {
			if have := n.Globals[mutable]; have.Index != uint32(i) || have.Type != g.typ {
				t.Fatalf("global %d is %+v, want index %d, %v", mutable, have, i, g.typ)
			}
			mutable++
		}
	}
	for _, d := range n.Drops {
		if m.data[d.Segment].active || n.Globals[d.Flag].Type != I32 || d.Flag < mutable {
			t.Fatalf("drop %+v with flag %+v", d, n.Globals[d.Flag])
		}
	}
	if len(n.Segments) != active || len(n.Globals) != mutable+len(n.Drops) {
		t.Fatalf("%d segments and %d globals, want %d and %d",
			len(n.Segments), len(n.Globals), active, mutable+len(n.Drops))
	}
	if len(n.Exports) != len(m.exports) || n.ExportsMemory || (n.Start != "") != (m.start >= 0) {
		t.Fatalf("%d exports, memory %v, start %q", len(n.Exports), n.ExportsMemory, n.Start)
	}
}

// decoded decodes a module under the default limits.
func decoded(code []byte, allow []Import) *module {
	l, err := Limits{}.resolve()
	if err != nil {
		panic(err)
	}
	return decode(code, allow, l)
}

// TestEncodeWithoutPlanChangesNothing decodes modules, and encodes them with a
// plan that is empty: the result is the module without its custom sections.
func TestEncodeWithoutPlanChangesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(twins / 4) {
		b := generate(seed)
		b.custom = nil
		code := b.encode()
		m := decoded(code, note)
		if m.refusals != nil {
			t.Fatalf("seed %d: %v", seed, m.refusals[0])
		}
		if got := newPlan(m).encode(); !bytes.Equal(got, code) {
			t.Fatalf("seed %d: %x, want %x", seed, got, code)
		}
	}
}

// TestRewrittenBodiesAreCopied writes every function of modules out again, with no
// pass that inserts anything: the result is the module.
func TestRewrittenBodiesAreCopied(t *testing.T) {
	t.Parallel()
	for seed := range uint64(twins / 4) {
		b := generate(seed)
		b.custom = nil
		code := b.encode()
		m := decoded(code, note)
		if m.refusals != nil {
			t.Fatalf("seed %d: %v", seed, m.refusals[0])
		}
		p := newPlan(m)
		p.change(sectionCode)
		p.change(sectionType)
		p.change(sectionFunction)
		p.change(sectionGlobal)
		p.change(sectionExport)
		if got := p.encode(); !bytes.Equal(got, code) {
			t.Fatalf("seed %d: %x, want %x", seed, got, code)
		}
	}
}

// observed is the original with functions that read the lanes of its v128
// globals, which nothing else can.
func observed(b *build) []byte {
	m := *b
	m.types, m.funcs = slices.Clone(m.types), slices.Clone(m.funcs)
	m.exports = slices.Clone(m.exports)
	m.own = len(m.types)
	for i, g := range m.globals {
		if g.mut && g.typ == V128 {
			for lane, name := range []string{"low", "high"} {
				m.add(fmt.Sprintf("%s%d", name, i), sig{results: []ValType{I64}},
					cat([]byte{0x23}, leb(uint64(i)), []byte{0xfd, 0x1d, byte(lane)}))
			}
		}
	}
	return m.encode()
}

// script is a random run over the functions that a generated module exports.
func script(r *rand.Rand, m *build, steps int) (list []step) {
	for range steps {
		e := m.exports[r.IntN(len(m.exports))]
		args := []uint64{uint64(r.Uint32()), uint64(r.IntN(4))}
		list = append(list, step{e.name, args, r.IntN(3) == 0})
	}
	return list
}

// run compares a random module with its normal form in an engine, with a fault
// planted that the comparison should find.
func run(e engine, seed uint64, f func(*Normal) fault) error {
	m := generate(seed)
	n, err := Rewrite(m.encode(), note, Limits{MemoryPages: 3})
	if err != nil {
		return err
	}
	// The limit of the original's memory is written into the normal form; the
	// original gets it by its own maximum.
	m.memories = m.normal(3).memories
	planted := f(n)
	b, err := newBench(e, observed(m), n)
	if err != nil {
		return err
	}
	defer b.close()
	b.fault, b.lanes = planted, true
	return b.compare(script(newRand(seed), m, 20))
}

// TestNormalFormBehavesTheSame runs random modules and their normal forms side
// by side in both engines: results, traps, memory and globals are the same after
// every call, also when the normal form is captured and goes on elsewhere.
func TestNormalFormBehavesTheSame(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(runs) {
				if err := run(e, seed, func(*Normal) fault { return fault{} }); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestPlantedFaultsAreFound leaves out one part of birth or resume at a time, and
// wants the comparison to find a difference in some of the random modules.
func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*Normal) fault{
		"first global not restored": func(*Normal) fault { return fault{global: 1} },
		"last global not restored": func(n *Normal) fault {
			return fault{global: len(n.Globals) - len(n.Drops)}
		},
		"high lanes not restored":  func(*Normal) fault { return fault{half: true} },
		"segments not dropped":     func(*Normal) fault { return fault{drops: true} },
		"memory not restored":      func(*Normal) fault { return fault{memory: true} },
		"memory not grown":         func(*Normal) fault { return fault{growth: true} },
		"segment not written":      func(*Normal) fault { return fault{segments: true} },
		"segments in wrong order":  func(*Normal) fault { return fault{order: true} },
		"start not called":         func(*Normal) fault { return fault{start: true} },
		"flag not set with a drop": unsetFlags,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(400) {
				if run(engines[0], seed, f) != nil {
					return
				}
			}
			t.Error("no difference in any module")
		})
	}
}

// unsetFlags makes every flag of the normal form be set to 0 beside its drop.
func unsetFlags(n *Normal) fault {
	for _, d := range n.Drops {
		set := append([]byte{0x41, 1, 0x24}, leb(uint64(n.Globals[d.Flag].Index))...)
		unset := append([]byte{0x41, 0, 0x24}, set[3:]...)
		n.Code = bytes.ReplaceAll(n.Code, set, unset)
	}
	return fault{}
}
