package instrument

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// small are modules of at most a few hundred bytes: the committed ones and some
// random ones.
func small(t testing.TB) (list []guest) {
	const smallBytes = 600
	for _, g := range committed(t) {
		if len(g.code) <= smallBytes {
			list = append(list, g)
		}
	}
	for seed := uint64(0); len(list) < 8; seed++ {
		if code := generate(seed).encode(); len(code) <= smallBytes {
			list = append(list, guest{fmt.Sprintf("seed %d", seed), code})
		}
	}
	return list
}

var offered = append([]Import{{"env", "begin", nil, nil}}, note...)

// TestTruncatedModules cuts modules at every length. What is left is refused, or
// ends where a section does; then the engine may judge it, without a panic.
func TestTruncatedModules(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
	defer r.Close(ctx)
	for _, g := range small(t) {
		for n := range len(g.code) {
			out, err := Rewrite(g.code[:n], offered, Limits{})
			switch {
			case err == nil && !bytes.HasSuffix(withoutCustom(g.code), g.code[n:]) &&
				!slices.Contains(boundaries(g.code), n):
				t.Fatalf("%s: %d of %d bytes are admitted", g.name, n, len(g.code))
			case err == nil:
				_ = compiles(t, r, out.Code)
			case !errors.Is(err, ErrRefused):
				t.Fatalf("%s cut to %d: %v", g.name, n, err)
			}
		}
	}
}

// boundaries are the offsets at which a section of a good module ends.
func boundaries(code []byte) (list []int) {
	for at := 8; at < len(code); {
		size, n := 0, 1
		for ; code[at+n] >= 0x80; n++ {
			size |= int(code[at+n]&0x7f) << (7 * (n - 1))
		}
		size |= int(code[at+n]) << (7 * (n - 1))
		at += n + 1 + size
		list = append(list, at)
	}
	return list
}

// flips is how many modules have every bit flipped.
const flips = 8

// TestFlippedBits flips every bit of small modules. Each is refused, or the engine
// takes the normal form if it takes the module; and it takes the normal form
// only if it takes the module, so that no bad index came to name what was added.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	modules := small(t)[:flips]
	if testing.Short() {
		modules = modules[:2]
	}
	for _, g := range modules {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			r := wazero.NewRuntimeWithConfig(ctx, engines[0].config())
			defer r.Close(ctx)
			admitted := 0
			for bit := range 8 * len(g.code) {
				code := bytes.Clone(g.code)
				code[bit/8] ^= 1 << (bit % 8)
				if checkEngineAgrees(t, r, code) {
					admitted++
				}
			}
			if admitted < len(g.code) {
				t.Errorf("only %d flips of %d are admitted", admitted, 8*len(g.code))
			}
		})
	}
}

// checkEngineAgrees rewrites any bytes, and wants the engine to judge the module
// and its normal form alike. It reports whether the module was admitted.
func checkEngineAgrees(t testing.TB, r wazero.Runtime, code []byte) bool {
	t.Helper()
	n, err := Rewrite(code, offered, Limits{})
	if err != nil {
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("%x: %v", code, err)
		}
		return false
	}
	normal := compiles(t, r, n.Code)
	original := compiles(t, r, code)
	switch {
	case normal == nil && original != nil && !widened(original):
		t.Fatalf("%x: the engine refuses this, %v, but takes %x", code, original, n.Code)
	case normal != nil && original == nil:
		t.Fatalf("%x: the engine takes this, but refuses %x: %v", code, n.Code, normal)
	}
	return true
}

// widened are complaints about what the normal form leaves out or makes good:
// custom sections that the engine cannot read, although they mean nothing, and references to functions that only the start section
// named, which the export of the start function declares.
func widened(err error) bool {
	for _, s := range []string{"section custom", "custom section", "undeclared function"} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

// TestNormalFormIsNoInput rewrites normal forms again: their reserved exports
// are refused, so that nobody mistakes one for a module.
func TestNormalFormIsNoInput(t *testing.T) {
	t.Parallel()
	for _, g := range small(t) {
		n, err := Rewrite(g.code, offered, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Rewrite(n.Code, offered, Limits{})
		if err == nil || !strings.Contains(err.Error(), "reserved") {
			t.Errorf("%s: %v", g.name, err)
		}
	}
}

// bomb is a module of many equal functions.
func bomb(functions, locals int, body ...byte) []byte {
	m := newBuild()
	m.types = []sig{{nil, nil}}
	f := fun{code: body}
	m.funcs = slices.Repeat([]fun{f}, functions)
	p := m.parts()
	entry := cat(leb(1), leb(uint64(locals)), []byte{byte(I32)}, body, []byte{0x0b})
	entry = append(leb(uint64(len(entry))), entry...)
	code := cat(leb(uint64(functions)), bytes.Repeat(entry, functions))
	return sections(section(1, p[1]), section(3, p[3]), section(5, p[5]), section(10, code))
}

// loops are nested loops, each of which moves a local and may begin again.
func loops(depth, locals int) (b []byte) {
	for i := range depth {
		b = cat(
			b,
			[]byte{0x03, 0x40, 0x20},
			leb(uint64((i+1)%locals)),
			[]byte{0x21},
			leb(uint64(i%locals)),
		)
	}
	return append(b, bytes.Repeat([]byte{0x41, 0, 0x0d, 0, 0x0b}, depth)...)
}

// bombs are modules of a few kilobytes that hold a compiler for seconds or hours.
func bombs() map[string][]byte {
	nested := cat(bytes.Repeat([]byte{0x02, 0x40}, 20_000), bytes.Repeat([]byte{0x0b}, 20_000))
	flat := bytes.Repeat([]byte{0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b}, 36_000)
	table := cat([]byte{0x41, 0, 0x0e}, leb(300_000), make([]byte, 300_001))
	tables := bytes.Repeat(cat([]byte{0x41, 0, 0x0e}, leb(4096), make([]byte, 4097)), 100)
	ifs := bytes.Repeat([]byte{0x41, 0, 0x04, 0x40, 0x05, 0x0b}, 80_000)
	return map[string][]byte{
		"1,000 functions of 50,000 locals":  bomb(1000, 50_000),
		"50,000 functions of 100 locals":    bomb(50_000, 100),
		"60 KB of nested blocks":            bomb(1, 1, nested...),
		"a br_table of 300,000 targets":     bomb(1, 1, table...),
		"100 br_tables of 4,096 targets":    bomb(1, 50, tables...),
		"12 KB of nested loops":             bomb(1, 1024, slices.Repeat(loops(250, 1024), 3)...),
		"250 KB of loops one after another": bomb(1, 1, flat...),
		"480 KB of ifs":                     bomb(1, 1, ifs...),
		"functions that are not there": sections(
			section(1, []byte{1, 0x60, 0, 0}),
			section(3, leb(1<<32-1)),
			memoryOnly,
		),
		"data that are not there": sections(memoryOnly, section(11, leb(1<<32-1))),
		"a name of 4 GB": sections(
			memoryOnly,
			section(7, cat([]byte{1}, leb(1<<32-1))),
		),
		"a body of 4 GB": sections(
			oneFunction,
			memoryOnly,
			section(10, cat([]byte{1}, leb(1<<32-1))),
		),
		"100 million table entries": sections(
			section(4, cat([]byte{1, 0x70, 0}, leb(100_000_000))),
			memoryOnly,
		),
	}
}

// TestBombsAreRefusedCheaply refuses modules that are made to hold a compiler or
// to eat memory, and counts what that allocates: no more than a small multiple of
// the module. BenchmarkBombs says how long it takes.
func TestBombsAreRefusedCheaply(t *testing.T) {
	for name, code := range bombs() {
		bytes, err := allocated(func() error {
			_, err := Rewrite(code, note, Limits{})
			return err
		})
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if most := uint64(8*len(code) + 64<<10); bytes > most {
			t.Errorf("%s: %d bytes allocated for %d, want at most %d", name, bytes, len(code), most)
		}
	}
}

// allocated runs f alone and returns how many bytes it allocated.
func allocated(f func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

// TestAllocationIsBounded rewrites modules in which one kind of thing is as many
// as the limits allow, so that whatever the package keeps for each shows.
func TestAllocationIsBounded(t *testing.T) {
	shapes := map[string]func(m *build){
		"types":    func(m *build) { m.types = slices.Repeat([]sig{{nil, nil}}, 16_000) },
		"segments": func(m *build) { m.data = slices.Repeat([]seg{{active: true}}, 90_000) },
		"globals": func(m *build) {
			m.globals = slices.Repeat(
				[]glob{{V128, true, cat([]byte{0xfd, 12}, make([]byte, 16))}},
				1000,
			)
		},
		"functions": func(m *build) { m.funcs = slices.Repeat([]fun{{}}, 49_000) },
		"drops": func(m *build) {
			m.funcs[0].code = bytes.Repeat([]byte{0xfc, 9, 0}, 100_000)
		},
		"exports": func(m *build) {
			for i := range 16_000 {
				m.exports = append(m.exports, exp{fmt.Sprint(i), kindFunction, 0})
			}
		},
	}
	for name, shape := range shapes {
		m := opcodeBuild()
		shape(m)
		m.dataCount = name == "drops"
		code := m.encode()
		bytes, err := allocated(func() error {
			_, err := Rewrite(code, nil, Limits{})
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if most := uint64(64*len(code) + 64<<10); bytes > most {
			t.Errorf("%s: %d bytes allocated for %d, want at most %d", name, bytes, len(code), most)
		} else {
			t.Logf("%s: %.1f bytes allocated for each", name, float64(bytes)/float64(len(code)))
		}
	}
}
