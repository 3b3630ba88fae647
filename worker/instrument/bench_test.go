package instrument

import (
	"os"
	"testing"
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
