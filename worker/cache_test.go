package worker_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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

// TestPreparedCacheIsRefused: a cache that is a link, or has one in it, or that others can
// write, is not opened at all.
func TestPreparedCacheIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not say who can write")
	}
	for name, prepare := range map[string]func(dir, program string) error{
		"a link to it": func(dir, _ string) error {
			return errors.Join(os.Rename(dir, dir+".real"), os.Symlink(dir+".real", dir))
		},
		"a link in it": func(_, program string) error {
			return errors.Join(os.Rename(program, program+".real"), os.Symlink(program+".real", program))
		},
		"the list a link": func(dir, program string) error {
			list := filepath.Join(dir, "list")
			return errors.Join(os.Remove(list), os.Symlink(program, list))
		},
		"others write it":         func(dir, _ string) error { return os.Chmod(dir, 0o777) },
		"others write a program":  func(_, program string) error { return os.Chmod(program, 0o666) },
		"its group writes a list": func(dir, _ string) error { return os.Chmod(filepath.Join(dir, "list"), 0o660) },
	} {
		dir := filepath.Join(t.TempDir(), "compiled")
		compileInto(t, dir)
		files := cacheFiles(t, dir)
		program := files[slices.IndexFunc(files, func(f string) bool { return filepath.Base(f) != "list" })]
		if err := prepare(dir, program); err != nil {
			t.Fatal(err)
		}
		if _, err := worker.NewEngine(context.Background(), worker.Options{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "only its owner") {
			t.Errorf("%s: %v", name, err)
		}
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
