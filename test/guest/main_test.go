// Package guest_test runs the example vats end to end: a kernel, live workers, and
// programs in C and in Go.
package guest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/worker"
)

// goGuest is a program in Go, built once per process.
type goGuest struct {
	once sync.Once
	code []byte
	err  error
}

var goGuests = map[string]*goGuest{}

// stands are the engines, each with the programs it has compiled.
var stands = map[bool]*stand{false: {}, true: {}}

type stand struct {
	sync.Mutex
	engine   *worker.Engine
	programs map[string]*worker.Program
}

func TestMain(m *testing.M) {
	for _, name := range guest.GoNames() {
		goGuests[name] = &goGuest{}
	}
	code := m.Run()
	for _, s := range stands {
		if err := s.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func (s *stand) close() error {
	if s.engine == nil {
		return nil
	}
	for _, p := range s.programs {
		if err := p.Close(context.Background()); err != nil {
			return err
		}
	}
	return s.engine.Close(context.Background())
}

// code returns a program in the style's language, or in C if there is but that.
func code(t testing.TB, language, name string) []byte {
	t.Helper()
	if language != "go" || !slices.Contains(guest.GoNames(), name) {
		b, ok := guest.Program(name)
		if !ok {
			t.Fatalf("there is no program %q", name)
		}
		return b
	}
	g := goGuests[name]
	g.once.Do(func() { g.code, g.err = guest.BuildGo(context.Background(), name) })
	if g.err != nil {
		t.Fatal(g.err)
	}
	return g.code
}

func program(t testing.TB, s style, name string) *worker.Program {
	t.Helper()
	return stands[s.interpreter].program(t, s.language+" "+name, code(t, s.language, name))
}

// program compiles code, once for a key.
func (s *stand) program(t testing.TB, key string, code []byte) *worker.Program {
	t.Helper()
	s.Lock()
	defer s.Unlock()
	if s.engine == nil {
		e, err := worker.NewEngine(context.Background(), worker.Options{Interpreter: s == stands[true]})
		if err != nil {
			t.Fatal(err)
		}
		s.engine, s.programs = e, map[string]*worker.Program{}
	}
	if p, ok := s.programs[key]; ok {
		return p
	}
	p, err := s.engine.Compile(context.Background(), code)
	if err != nil {
		t.Fatal(err)
	}
	s.programs[key] = p
	return p
}

// reference is the style that all others are compared with.
var reference = style{language: "c"}

// styles are all ways that must give the same history. Go programs are not built
// in short mode, and the log says so.
func styles(t testing.TB) []style {
	t.Helper()
	all := []style{
		reference,
		{language: "c", restart: true},
		{language: "c", interpreter: true, restart: true},
	}
	if testing.Short() {
		t.Log("-short: the programs in Go are neither built nor run")
		return all
	}
	return append(all, style{language: "go"}, style{language: "go", restart: true})
}

// inEveryStyle runs a scenario in all styles. The transcripts of all vats must be
// the same, byte for byte, and in one language the heaps; and every vat must repeat
// itself when it is replayed: in C in the other engine.
func inEveryStyle(t *testing.T, scenario func(w *world)) {
	t.Helper()
	firsts := map[string]history{}
	for _, s := range styles(t) {
		w := newWorld(t, s)
		scenario(w)
		w.run()
		h := w.history()
		for _, id := range sortedIDs(w.vats) {
			w.replay(id, w.vats[id].name, !s.interpreter && s.language == "c")
		}
		if d := firsts["c"].differs(h, false); len(firsts) > 0 && d != "" {
			t.Fatalf("%v and %v differ: %s", reference, s, d)
		}
		first, ok := firsts[s.language]
		if !ok {
			firsts[s.language] = h
			continue
		}
		if d := first.differs(h, true); d != "" {
			t.Fatalf("%s and %v differ: %s", s.language, s, d)
		}
	}
}
