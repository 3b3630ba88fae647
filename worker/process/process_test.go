//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
	"vatwarehouse/worker/process"
)

var ctx = context.Background()

// TestMain lets the test's own binary be the worker process.
func TestMain(m *testing.M) {
	if process.Serve() {
		return
	}
	os.Exit(m.Run())
}

func newEngine(t *testing.T) *process.Engine {
	t.Helper()
	o := worker.Options{Limits: swing.DefaultLimits()}
	e, err := process.New(process.Options{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// twin is an engine that is in this process.
func twin(t *testing.T) warehouse.Engine {
	t.Helper()
	e, err := worker.NewEngine(ctx, worker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return warehouse.Local{Engine: e}
}

// fileImage is an image in a file.
type fileImage struct {
	*os.File
	size int64
}

func (f *fileImage) Size() int64         { return f.size }
func (f *fileImage) Fd() (uintptr, bool) { return f.File.Fd(), true }

// newImage writes a memory to a file.
func newImage(t *testing.T, memory []byte) *fileImage {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err == nil {
		_, err = f.Write(memory)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &fileImage{f, int64(len(memory))}
}

// script is a Syscaller that notes what it hears.
type script struct{ heard []string }

func (s *script) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	s.heard = append(s.heard, fmt.Sprintf("%v %x", op, request))
	if op.Vatstore() {
		return swing.AppendAnswer(nil, nil, false), true
	}
	return nil, true
}

func message(method string, args ...uint64) []byte {
	body := swing.AppendArray(nil, len(args))
	for _, a := range args {
		body = swing.AppendUint(body, a)
	}
	return swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverMessage, Time: 1e18, Target: swing.RootVRef,
		Message: swing.Message[swing.VRef]{
			Method: method, Args: swing.CapData[swing.VRef]{Body: body}, Result: "p-60",
		},
	})
}

// life runs a glutton through deliveries, and is captured and rebased between: on its own
// image written in place, and on new ones; what is seen of all that comes back.
func life(t *testing.T, e warehouse.Engine, files bool) (seen []string) {
	t.Helper()
	code, _ := guest.Program("glutton")
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	heap, data := p.Genesis()
	memory := make([]byte, heap.Size)
	for _, d := range data {
		copy(memory[d.Offset:], d.Bytes)
	}
	var img worker.Image = newImage(t, memory)
	if !files {
		img = worker.NewBirth(heap, data)
	}
	w, err := p.Start(ctx, heap, img, swing.Sum("seed"))
	if err != nil {
		t.Fatal(err)
	}
	start := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Time: 1e18,
		Params: swing.CapData[swing.VRef]{Body: gluttonParams()},
	})
	deliveries := [][]byte{start, message("touch"), message("incr", 1), message("read"), message("nothing")}
	for i, delivery := range slices.Concat(deliveries, deliveries[1:]) {
		s := &script{}
		var lines []string
		log := func(l worker.Level, text []byte) { lines = append(lines, fmt.Sprint(l, string(text))) }
		out, err := w.Deliver(ctx, delivery, 1e8, s, log)
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.Capture(ctx)
		if err != nil {
			t.Fatal(err)
		}
		memory = append(memory, make([]byte, int(c.Heap.Size)-len(memory))...)
		for _, page := range c.Written {
			copy(memory[int(page.Index)*swing.PageBytes:], page.Data)
		}
		seen = append(seen, fmt.Sprintf("%v %d %q %v %v %v %v", out, out.Fuel, lines, s.heard, c.Heap.ID(), w.Size(),
			swing.Sum("memory", memory)))
		if img = next(t, img, i, files, c.Heap, memory); img != nil {
			if err := w.Rebase(img); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(ctx), p.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	return seen
}

func gluttonParams() []byte {
	b := swing.AppendArray(nil, 7)
	for _, n := range []uint64{3 << 20, 512, 700, 2, 64, 2, 30} {
		b = swing.AppendUint(b, n)
	}
	return b
}

// next is the image that a worker is rebased on: the same file, written in place, or
// another.
func next(
	t *testing.T, was worker.Image, i int, files bool, heap swing.Heap, memory []byte,
) worker.Image {
	t.Helper()
	f, ok := was.(*fileImage)
	switch {
	case !files:
		return worker.NewBirth(heap, []worker.Segment{{Bytes: memory}})
	case !ok || i%3 == 2:
		return newImage(t, memory)
	}
	if _, err := f.WriteAt(memory, 0); err != nil {
		t.Fatal(err)
	}
	f.size = int64(len(memory))
	return f
}

// TestProcessIsNoDifferent: outcomes, fuel, logs, syscalls, heaps and memories are those
// of an engine in this process, on images that are files and that are not.
func TestProcessIsNoDifferent(t *testing.T) {
	for _, files := range []bool{true, false} {
		want, got := life(t, twin(t), files), life(t, newEngine(t), files)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("files %v, delivery %d:\n%s\nwant\n%s", files, i, got[i], want[i])
			}
		}
	}
}

// TestInputOutlivesAnswers: what a delivery says can still be read after a syscall was
// answered.
func TestInputOutlivesAnswers(t *testing.T) {
	code, err := os.ReadFile("testdata/late.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newEngine(t).Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	heap, data := p.Genesis()
	w, err := p.Start(ctx, heap, worker.NewBirth(heap, data), swing.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	input := message(strings.Repeat("late", 20))
	out, err := w.Deliver(ctx, input, 1e8, answering{}, nil)
	want := strings.ToValidUTF8(string(input), "\uFFFD")
	if err != nil || out.Status != swing.StatusFailed || out.Problem != want {
		t.Errorf("%+q, want %+q, %v", out.Problem, want, err)
	}
}

// answering answers everything with much.
type answering struct{}

func (answering) Syscall(swing.Op, []byte) ([]byte, bool) { return make([]byte, 500), true }

// TestRefusalIsOne: a program that is refused is so by the process too, and the process
// goes on.
func TestRefusalIsOne(t *testing.T) {
	e := newEngine(t)
	for range 2 {
		if _, err := e.Compile(ctx, []byte("no program")); !errors.Is(err, instrument.ErrRefused) {
			t.Errorf("compiled: %v", err)
		}
	}
	code, _ := guest.Program("counter")
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := twin(t).Compile(ctx, code); err != nil || want.ID() != p.ID() {
		t.Errorf("%v, %v", want, err)
	}
}

// TestDeathIsTold: when the process has been killed, every call on what was in it says
// so, with one error; closing does nothing; the next program starts another process.
func TestDeathIsTold(t *testing.T) {
	e := newEngine(t)
	code, _ := guest.Program("counter")
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	heap, data := p.Genesis()
	w, err := p.Start(ctx, heap, worker.NewBirth(heap, data), swing.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	victim, err := os.FindProcess(e.PID())
	if err == nil {
		err = victim.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	_, delivered := w.Deliver(ctx, message("incr", 1), 1e8, &script{}, nil)
	_, captured := w.Capture(ctx)
	_, started := p.Start(ctx, heap, worker.NewBirth(heap, data), swing.Hash{})
	var first, other *warehouse.LostError
	for _, err := range []error{delivered, captured, started, w.Rebase(worker.NewBirth(heap, data))} {
		if !errors.As(err, &other) || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("told: %v", err)
		}
		if first == nil {
			first = other
		}
		if other != first {
			t.Errorf("one death is told as two: %v and %v", first, other)
		}
	}
	if err := errors.Join(w.Close(ctx), p.Close(ctx)); err != nil {
		t.Error(err)
	}
	if e.PID() != 0 {
		t.Errorf("process %d is dead", e.PID())
	}
	if _, err := e.Compile(ctx, code); err != nil || e.PID() == 0 {
		t.Errorf("another process: %d, %v", e.PID(), err)
	}
}

// TestLastWords: what a process says before it dies of itself is in the error.
func TestLastWords(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "liar")
	text := "#!/bin/sh\necho 'fatal error: out of luck' >&2\nexit 3\n"
	if err := os.WriteFile(binary, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := process.New(process.Options{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	code, _ := guest.Program("counter")
	_, err = e.Compile(ctx, bytes.Clone(code))
	if !errors.As(err, new(*warehouse.LostError)) || !strings.Contains(err.Error(), "out of luck") ||
		!strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
