package instrument

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero"
)

// shape is a family of modules that grow with n.
type shape struct {
	name string
	make func(n int) []byte
}

// repeated is a module of n functions with as many locals of one type and the same code.
// What they may name: types 0 and 1, which take and give nothing, or 64 numbers; a table;
// a global of 64 bits.
func repeated(n, locals int, local ValType, code []byte) []byte {
	m := newBuild()
	wide := slices.Repeat([]ValType{I64}, 64)
	m.types = []sig{{nil, nil}, {wide, wide}}
	m.tables = [][]byte{{byte(FuncRef), 0, 1}}
	m.globals = []glob{{I64, true, []byte{0x42, 0}}}
	m.funcs = slices.Repeat([]fun{{}}, n)
	p := m.parts()
	entry := cat(leb(1), leb(uint64(locals)), []byte{byte(local)}, code, []byte{opEnd})
	entry = append(leb(uint64(len(entry))), entry...)
	bodies := cat(leb(uint64(n)), bytes.Repeat(entry, n))
	return sections(section(1, p[1]), section(3, p[3]), section(4, p[4]), section(5, p[5]),
		section(6, p[6]), section(10, bodies))
}

// straight are instructions in a row, in small functions, larger ones and the largest.
// What they come to is used, so that no compiler leaves them out.
func straight() (all []shape) {
	used := map[ValType][]byte{
		I32: {0x20, 0, 0xad, 0x24, 0}, I64: {0x20, 0, 0x24, 0},
		F64: {0x20, 0, 0xbd, 0x24, 0}, V128: {0x20, 0, 0xfd, 0x1d, 0, 0x24, 0},
	}
	for _, s := range []struct {
		name  string
		local ValType
		unit  []byte // of which locals 0 and 1 are operands
	}{
		{"adds", I32, []byte{0x20, 0, 0x20, 1, 0x6a, 0x21, 0}},
		{"quotients", I64, []byte{0x20, 0, 0x20, 1, 0x7f, 0x21, 0}},
		{"loads", I32, []byte{0x20, 0, 0x28, 0, 0, 0x21, 0}},
		{"stores", I32, []byte{0x20, 0, 0x20, 0, 0x36, 0, 0}},
		{"stores of floats", F64, []byte{0x41, 0, 0x20, 0, 0x39, 0, 0}},
		{"bits of floats", F64, []byte{0x20, 0, 0xbd, 0xbf, 0x21, 0}},
		{"signs of floats", F64, []byte{0x20, 0, 0x20, 1, 0xa6, 0x21, 0}},
		{"integers of floats", I64, []byte{0x20, 0, 0xb9, 0xb0, 0x21, 0}},
		{"fills", I32, []byte{0x20, 0, 0x20, 0, 0x20, 0, 0xfc, 11, 0}},
		{"copies", I32, []byte{0x20, 0, 0x20, 0, 0x20, 0, 0xfc, 10, 0, 0}},
		{"growths", I32, []byte{0x20, 0, 0x40, 0, 0x21, 0}},
		{"calls", I32, []byte{0x10, 0}},
		{"calls by a table", I32, []byte{0x20, 0, 0x11, 0, 0}},
		{"globals", I64, []byte{0x23, 0, 0x24, 0}},
		{"selects", I32, []byte{0x20, 0, 0x20, 1, 0x20, 0, 0x1b, 0x21, 0}},
		{"vector products", V128, []byte{0x20, 0, 0x20, 1, 0xfd, 0xd5, 1, 0x21, 0}},
		{"vector counts", V128, []byte{0x20, 0, 0xfd, 0x62, 0x21, 0}},
		{"vector lanes", V128, []byte{0x20, 0, 0xfd, 0x1f, 0, 0xfd, 0x13, 0x21, 0}},
	} {
		for _, size := range []int{30, 3000, 500_000} {
			code := cat(bytes.Repeat(s.unit, max(size/len(s.unit), 1)), used[s.local])
			all = append(all, shape{fmt.Sprintf("%s, functions of %d bytes", s.name, size),
				func(n int) []byte { return repeated(n, 2, s.local, code) }})
		}
	}
	return all
}

// branching are functions of n branches or blocks, or n functions of many.
func branching() []shape {
	get := func(i int) []byte { return append([]byte{0x20}, leb(uint64(i))...) }
	set := func(i int) []byte { return append([]byte{0x21}, leb(uint64(i))...) }
	each := func(n int, f func(i int) []byte) (b []byte) {
		for i := range n {
			b = append(b, f(i)...)
		}
		return b
	}
	one := func(name string, locals int, code func(n int) []byte) shape {
		return shape{name, func(n int) []byte { return repeated(1, locals, I64, code(n)) }}
	}
	row := func(unit ...byte) func(n int) []byte {
		return func(n int) []byte { return bytes.Repeat(unit, n) }
	}
	table := func(targets int) []byte {
		return cat([]byte{0x41, 0, 0x0e}, leb(uint64(targets)), make([]byte, targets+1))
	}
	many := func(name string, locals int, code []byte) shape {
		return shape{name, func(n int) []byte { return repeated(n, locals, I32, code) }}
	}
	const live = 1000
	load := each(live, func(i int) []byte { return cat([]byte{0x23, 0}, set(i)) })
	use := each(live, func(i int) []byte { return cat(get(i), []byte{0x24, 0}) })
	return []shape{
		one("loops in a row", 1, row(0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b)),
		one("ifs in a row", 1, row(0x41, 0, 0x04, 0x40, 0x05, 0x0b)),
		one("br_ifs in a row", 1, row(0x41, 1, 0x0d, 0)),
		one("fills in a row", 1, row(0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0)),
		one("sets in ifs", live, func(n int) []byte {
			return each(n, func(i int) []byte {
				return cat([]byte{0x41, 1, 0x04, 0x40, 0x42, 1}, set(i%live), []byte{0x0b})
			})
		}),
		one("1,000 values across ifs", live, func(n int) []byte {
			return cat(load, row(0x41, 1, 0x04, 0x40, 0x0b)(n), use)
		}),
		one("1,000 values across calls", live, func(n int) []byte {
			return cat(load, row(0x10, 0)(n), use)
		}),
		many("loops nested 30 deep", 100, loops(30, 100)),
		many("a br_table of 4,096", 1, table(4096)),
		many("a br_table of 64", 1, table(64)),
		many("blocks nested 4,000 deep, and a br_table", 1, cat(bytes.Repeat([]byte{0x02, 0x40}, 4000),
			table(4000), bytes.Repeat([]byte{0x0b}, 4000))),
		many("a loop of 64 values", 0, cat(bytes.Repeat([]byte{0x42, 0}, 64),
			[]byte{0x03, 1, 0x41, 0, 0x0d, 0, 0x0b}, bytes.Repeat([]byte{0x1a}, 64))),
		many("100,000 operands", 0, cat(bytes.Repeat([]byte{0x42, 1}, 100_000),
			bytes.Repeat([]byte{0x1a}, 100_000))),
		many("nothing", 20, nil),
	}
}

// largest returns the largest module of the shape that is admitted.
func (s shape) largest(b *testing.B) *Normal {
	admit := func(n int) *Normal {
		normal, err := Rewrite(s.make(n), note, Limits{})
		if err != nil {
			return nil
		}
		return normal
	}
	n, best := 1, admit(1)
	if best == nil {
		b.Skip("one is too many")
	}
	for next := admit(2); next != nil; next = admit(2 * n) {
		n, best = 2*n, next
	}
	for step := n / 2; step > 0; step /= 2 {
		if more := admit(n + step); more != nil {
			n, best = n+step, more
		}
	}
	return best
}

// BenchmarkCompile compiles the largest module of every shape that is admitted. The CPU
// time is that of the process: other benchmarks, or collecting garbage, are in it. The
// package comment tells of the worst.
func BenchmarkCompile(b *testing.B) {
	for _, s := range slices.Concat(straight(), branching()) {
		b.Run(strings.ReplaceAll(s.name, " ", "-"), func(b *testing.B) {
			normal := s.largest(b)
			debug.FreeOSMemory()
			if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
				b.Fatal(err) // VmHWM would not begin anew
			}
			before, started := status(b, "VmRSS"), cpuSeconds(b)
			for b.Loop() {
				ctx := context.Background()
				r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
				if _, err := r.CompileModule(ctx, normal.Code); err != nil {
					b.Fatal(err)
				}
				r.Close(ctx)
			}
			b.ReportMetric((cpuSeconds(b)-started)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(status(b, "VmHWM")-before)/1024, "MB-peak")
			b.ReportMetric(float64(normal.Facts.Work)/1e6, "Gunits")
		})
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// status returns a value of the process's status, in KiB.
func status(b *testing.B, name string) (kib int) {
	text, err := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(text), name+":")
	if _, scanned := fmt.Sscan(after, &kib); err != nil || scanned != nil {
		b.Fatal(err, scanned)
	}
	return kib
}
