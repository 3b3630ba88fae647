package instrument

import (
	"os"
	"testing"
	"time"
)

// benchmarkRewrite reports bytes of module a second, and instructions a second.
func benchmarkRewrite(b *testing.B, g guest) {
	allow := importsOf(b, g.code)
	instructions := 0
	b.SetBytes(int64(len(g.code)))
	b.ReportAllocs()
	for b.Loop() {
		n, err := Rewrite(g.code, allow, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		instructions += n.Facts.Instructions
	}
	b.ReportMetric(float64(instructions)/b.Elapsed().Seconds()/1e6, "Minstr/s")
}

// BenchmarkRewriteC rewrites a WASI reactor of 32 KB.
func BenchmarkRewriteC(b *testing.B) {
	code, err := os.ReadFile("testdata/reactor.wasm")
	if err != nil {
		b.Fatal(err)
	}
	benchmarkRewrite(b, guest{"reactor.wasm", code})
}

// BenchmarkRewriteGo rewrites a Go program of 1.9 MB, or the module that
// WASM names.
func BenchmarkRewriteGo(b *testing.B) {
	g := goGuest(b)
	if file := os.Getenv("WASM"); file != "" {
		code, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		g = guest{file, code}
	}
	benchmarkRewrite(b, g)
}

// BenchmarkBombs refuses all the modules that would hold a compiler, once each.
func BenchmarkBombs(b *testing.B) {
	all := bombs()
	b.ReportAllocs()
	for b.Loop() {
		for name, code := range all {
			if _, err := Rewrite(code, note, Limits{}); err == nil {
				b.Fatal(name)
			}
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*len(all)), "ms/bomb")
}

// BenchmarkRewriteDrops rewrites a module whose every function drops a segment,
// so that every body is rewritten.
func BenchmarkRewriteDrops(b *testing.B) {
	m := opcodeBuild()
	f := m.funcs[0]
	f.code = nil
	for range 200 {
		f.code = append(f.code, 0xfc, 9, 0, 0x20, 0, 0x1a)
	}
	for range 1000 {
		m.funcs = append(m.funcs, f)
	}
	benchmarkRewrite(b, guest{"drops", m.encode()})
}

// BenchmarkFloats runs kernels of floats in the compiler, and reports how many times as
// long they take as without canonical NaNs, in turns.
func BenchmarkFloats(b *testing.B) {
	code, err := os.ReadFile("testdata/kernels/floats.wasm")
	if err != nil {
		b.Fatal(err)
	}
	for kernel, rounds := range map[string]uint64{
		"matmul": 20, "rows": 20, "vectors": 1000, "polynomial": 500,
	} {
		b.Run(kernel, func(b *testing.B) {
			var forms [2]*instance
			for i, as := range []Form{{counts: true}, Metered} {
				n, err := rewriteAs(code, nil, Limits{}, as)
				if err != nil {
					b.Fatal(err)
				}
				s, err := newBench(engines[1], code, n)
				if err != nil {
					b.Fatal(err)
				}
				defer s.close()
				if forms[i], err = s.birth(); err != nil {
					b.Fatal(err)
				}
				forms[i].call("fill")
			}
			var least [2]time.Duration
			for b.Loop() {
				for i, in := range forms {
					start := time.Now()
					if _, trap := in.call(kernel, rounds); trap != "" {
						b.Fatal(trap)
					}
					took := time.Since(start)
					if least[i] == 0 || took < least[i] {
						least[i] = took
					}
				}
			}
			b.ReportMetric(float64(least[0].Microseconds()), "µs-without")
			b.ReportMetric(float64(least[1].Microseconds()), "µs")
			b.ReportMetric(float64(least[1])/float64(least[0]), "times")
			b.ReportMetric(0, "ns/op")
		})
	}
}
