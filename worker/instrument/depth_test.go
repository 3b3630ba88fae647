package instrument

import (
	"fmt"
	"testing"
)

// recursion is a shape of function that calls itself, or another that does, for ever.
type recursion struct {
	name string
	code []byte
}

// recursions are functions that call themselves in every way there is, in frames of every
// shape. Each exports "f" of type () -> ().
func recursions() (list []recursion) {
	add := func(name string, change func(m *build)) {
		m := newBuild()
		m.types = []sig{{nil, nil}}
		change(m)
		m.exports = []exp{{"f", kindFunction, 0}}
		list = append(list, recursion{name, m.encode()})
	}
	call := func(i byte) []byte { return []byte{opCall, i} }
	add("direct", func(m *build) { m.funcs = []fun{{code: call(0)}} })
	add("in a loop", func(m *build) {
		m.funcs = []fun{{code: []byte{opLoop, typeEmpty, opCall, 0, opBr, 0, opEnd}}}
	})
	add("mutual", func(m *build) {
		m.funcs = []fun{{code: call(1)}, {code: call(2)}, {code: call(0)}}
	})
	add("by a table", func(m *build) {
		m.tables = [][]byte{{byte(FuncRef), 0, 1}}
		m.elements = [][]byte{{0, 0x41, 0, 0x0b, 1, 0}}
		m.funcs = []fun{{code: []byte{opI32Const, 0, opCallIndirect, 0, 0}}}
	})
	add("with a leaf at the bottom", func(m *build) {
		m.funcs = []fun{{code: cat(call(1), call(0))}, {code: []byte{opI32Const, 1, opDrop}}}
	})
	for _, n := range []int{64, 1000, 4096} {
		for _, t := range []ValType{I64, V128} {
			add(fmt.Sprintf("%d locals of %v", n, t), func(m *build) {
				m.funcs = []fun{{locals: many(n, t), code: liveLocals(n, t)}}
			})
		}
	}
	for _, t := range []ValType{I32, I64, F64, V128} {
		add(fmt.Sprintf("64 parameters and results of %v", t), func(m *build) {
			m.types = append(m.types, sig{many(64, t), many(64, t)})
			m.funcs = []fun{
				{code: cat(zeros(64, t), call(1), drops(64))},
				{typ: 1, code: passOn(64)},
			}
		})
	}
	for _, n := range []int{100, 10_000, 60_000} {
		add(fmt.Sprintf("%d values over a call", n), func(m *build) {
			m.types = append(m.types, sig{nil, []ValType{I64}})
			m.funcs = []fun{{code: stacked(n)}}
		})
	}
	add(
		"values that meet",
		func(m *build) { m.funcs = []fun{{locals: many(60, I64), code: meeting(60, 200)}} },
	)
	add("globals over calls", func(m *build) {
		for range 200 {
			m.globals = append(m.globals, glob{I64, true, []byte{0x42, 0}})
		}
		m.funcs = []fun{{code: globalsOverCalls(200, 50)}}
	})
	return list
}

func many(n int, t ValType) (ts []ValType) {
	for range n {
		ts = append(ts, t)
	}
	return ts
}

func zeros(n int, t ValType) (b []byte) {
	zero := map[ValType][]byte{
		I32: {0x41, 0}, I64: {0x42, 0}, F64: append([]byte{0x44}, make([]byte, 8)...),
		V128: append([]byte{0xfd, 12}, make([]byte, 16)...),
	}[t]
	for range n {
		b = append(b, zero...)
	}
	return b
}

func drops(n int) (b []byte) {
	for range n {
		b = append(b, opDrop)
	}
	return b
}

// passOn calls function 1 with the parameters, and returns the results.
func passOn(n int) (b []byte) {
	for i := range n {
		b = append(b, opLocalGet, byte(i))
	}
	return append(b, opCall, 1)
}

// liveLocals loads every local from memory, calls, and stores them all.
func liveLocals(n int, t ValType) (b []byte) {
	load, store := []byte{0x29, 3}, []byte{0x37, 3}
	if t == V128 {
		load, store = []byte{0xfd, 0, 4}, []byte{0xfd, 11, 4}
	}
	for i := range n {
		b = cat(
			b,
			[]byte{opI32Const, 0},
			load,
			leb(uint64(8*i%60000)),
			[]byte{opLocalSet},
			leb(uint64(i)),
		)
	}
	b = append(b, opCall, 0)
	for i := range n {
		b = cat(b, []byte{opI32Const, 0, opLocalGet}, leb(uint64(i)), store, leb(uint64(8*i%60000)))
	}
	return b
}

// stacked has so many values on the stack when it calls.
func stacked(n int) (b []byte) {
	for i := range n {
		b = cat(b, []byte{opI32Const, 0, 0x29, 3}, leb(uint64(i%60000)))
	}
	b = append(b, opCall, 0)
	for range n - 1 {
		b = append(b, opI64Add)
	}
	return cat([]byte{opI32Const, 0}, b, []byte{0x37, 3, 0})
}

// meeting has places where any of its locals may have one of two values.
func meeting(locals, places int) (b []byte) {
	for p := range places {
		b = append(b, opI32Const, 0, 0x28, 2, 0, opIf, typeEmpty)
		for i := range locals {
			b = cat(
				b,
				[]byte{opI32Const, 0, 0x29, 3},
				leb(uint64(8*i+p)),
				[]byte{opLocalSet, byte(i)},
			)
		}
		b = append(b, opEnd, opCall, 0)
	}
	for i := range locals {
		b = cat(b, []byte{opI32Const, 0, opLocalGet, byte(i), 0x37, 3, 0})
	}
	return b
}

// globalsOverCalls adds up all globals after each call.
func globalsOverCalls(globals, calls int) (b []byte) {
	for range calls {
		b = append(b, opCall, 0)
		for g := range globals {
			b = cat(b, []byte{opGlobalGet}, leb(uint64(g)), []byte{0x42, 1, opI64Add, opGlobalSet},
				leb(uint64(g)))
		}
	}
	return b
}

// TestDepthEndsRecursion calls functions that recur for ever: in both engines and forms
// they end because calls are too deep, with the same fuel used, before the engine's own
// stack is at its end.
func TestDepthEndsRecursion(t *testing.T) {
	t.Parallel()
	for _, r := range recursions() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			said := map[string]string{}
			for _, e := range engines {
				for _, f := range []Form{Metered, Yielding} {
					n, err := rewriteAs(r.code, nil, Limits{}, f)
					if err != nil {
						t.Fatal(err)
					}
					said[fmt.Sprint(e.name, " ", f)] = recur(t, e, r.code, n)
				}
			}
			want := said[fmt.Sprint("interpreter ", Metered)]
			t.Log(want)
			for which, got := range said {
				if got != want {
					t.Errorf("%s: %s, want %s", which, got, want)
				}
			}
		})
	}
}

// recur calls "f" and says how it ended.
func recur(t *testing.T, e engine, code []byte, n *Normal) string {
	b, err := newBench(e, code, n)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	in, err := b.instantiate(b.normal, false)
	if err != nil {
		t.Fatal(err)
	}
	_, trap, units := in.used("f", nil)
	_, deep := Left(in.word(n.Meter.Word), 0)
	return fmt.Sprintf("%s, too deep %v, %d units", trap, deep, units)
}
