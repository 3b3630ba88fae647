package worker_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"vatwarehouse/worker"
)

// cacheFiles returns the files under a cache's directory.
func cacheFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// compileInto compiles the probe with a cache, and runs it once.
func compileInto(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	e, err := worker.NewEngine(ctx, worker.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("testdata/probe.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{t: t, engine: e, program: p}
	w, _ := s.start(s.genesis())
	if out, _ := s.deliver(w, order{op: 5, a: 1}); !out.OK() {
		t.Error(out)
	}
	s.close(w)
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedCacheIsNotRun: with any byte of a cached program changed, cut or
// without its list, the engine gets none of it, and compiles anew.
func TestDamagedCacheIsNotRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "compiled")
	compileInto(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("cache %v, %v", info.Mode(), err)
	}
	files := cacheFiles(t, dir)
	if len(files) != 2 { // the program and the list
		t.Fatalf("cache holds %v", files)
	}
	program, list := files[1], files[0]
	if filepath.Base(program) == "list" {
		program, list = list, program
	}
	whole, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(what string, b []byte) {
		if err := os.WriteFile(program, b, 0o600); err != nil {
			t.Fatal(err)
		}
		compileInto(t, dir)
		if now, err := os.ReadFile(program); err != nil || string(now) != string(whole) {
			t.Errorf("%s: the program was not made again, %v", what, err)
		}
	}
	for at := 0; at < len(whole); at += max(1, len(whole)/60) {
		b := append([]byte(nil), whole...)
		b[at] ^= 1
		spoil("flipped", b)
	}
	spoil("cut", whole[:len(whole)/2])
	spoil("empty", nil)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	spoil("without its list", append([]byte("x"), whole...))
}
