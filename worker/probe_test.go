package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// memoryImage is an image that is no file.
type memoryImage struct{ *bytes.Reader }

func newMemoryImage(b []byte) worker.Image { return memoryImage{bytes.NewReader(bytes.Clone(b))} }
func (m memoryImage) Fd() (uintptr, bool)  { return 0, false }

// fileImage is an image in a file.
type fileImage struct {
	*os.File
	size int64
}

func newFileImage(t testing.TB, b []byte) *fileImage {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	return &fileImage{f, int64(len(b))}
}

func (f *fileImage) Size() int64         { return f.size }
func (f *fileImage) Fd() (uintptr, bool) { return f.File.Fd(), true }

// setup is one way to run programs.
type setup struct {
	worker.Options
	inMemory bool // images are no files
}

func (s setup) String() string {
	return fmt.Sprintf("interpreter=%v/%s/%s/inMemory=%v",
		s.Interpreter, s.Memory, s.Detector, s.inMemory)
}

// setups are all ways that must give the same answers.
func setups() (all []setup) {
	for _, interpreter := range []bool{false, true} {
		for _, d := range []worker.Detector{
			worker.DetectScan, worker.DetectPagemap, worker.DetectCompare,
		} {
			all = append(all, setup{worker.Options{
				Interpreter: interpreter, Memory: worker.MemoryMapped, Detector: d,
			}, false})
		}
		all = append(all,
			setup{worker.Options{Interpreter: interpreter, Memory: worker.MemoryCopied}, false},
			setup{worker.Options{Interpreter: interpreter}, true})
	}
	return all
}

// stand is an engine and a program on it.
type stand struct {
	t       testing.TB
	setup   setup
	engine  *worker.Engine
	program *worker.Program
}

func newStand(t testing.TB, s setup, module string) *stand {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("testdata", module))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	e, err := worker.NewEngine(ctx, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return &stand{t, s, e, p}
}

func (s *stand) image(b []byte) worker.Image {
	if s.setup.inMemory {
		return newMemoryImage(b)
	}
	return newFileImage(s.t, b)
}

// state is a heap with its memory: what a dumb snapshot keeps.
type state struct {
	heap   swing.Heap
	memory []byte
}

func (s *stand) genesis() state {
	heap, segments := s.program.Genesis()
	memory := make([]byte, heap.Size)
	for _, seg := range segments {
		copy(memory[seg.Offset:], seg.Bytes)
	}
	return state{heap, memory}
}

var seed = swing.Sum("seed")

func (s *stand) start(st state) (*worker.Worker, worker.Image) {
	s.t.Helper()
	img := s.image(st.memory)
	w, err := s.program.Start(context.Background(), st.heap, img, seed)
	if err != nil {
		s.t.Fatal(err)
	}
	return w, img
}

// capture returns the worker's state, given the memory of its image.
func (s *stand) capture(w *worker.Worker, base []byte) state {
	s.t.Helper()
	c, err := w.Capture(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	memory := make([]byte, c.Heap.Size)
	copy(memory, base)
	for _, p := range c.Written {
		copy(memory[int(p.Index)*swing.PageBytes:], p.Data)
	}
	if !bytes.Equal(memory, w.Memory()) {
		s.t.Fatalf("%v: the image and the pages captured are not the memory", s.setup)
	}
	return state{c.Heap, memory}
}

func (s *stand) close(w *worker.Worker) {
	s.t.Helper()
	if err := w.Close(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// same says how two states differ, or "".
func same(a, b state) string {
	if a.heap.ID() != b.heap.ID() {
		return fmt.Sprintf("heaps differ:\n%+v\n%+v", a.heap, b.heap)
	}
	for i := range a.memory {
		if a.memory[i] != b.memory[i] {
			return fmt.Sprintf("memory differs at %d: %02x and %02x", i, a.memory[i], b.memory[i])
		}
	}
	return ""
}

// order is what the probe is told to do.
type order struct{ op, a, b, c uint32 }

func (o order) delivery(time uint64) []byte {
	var body []byte
	for _, word := range []uint32{o.op, o.a, o.b, o.c} {
		body = binary.LittleEndian.AppendUint32(body, word)
	}
	return swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Time: time, Params: swing.CapData[swing.VRef]{Body: body},
	})
}

// echo is a Syscaller that answers with the request and its op, and ends the
// delivery at op 99.
type echo struct {
	heard  []string
	answer []byte
}

func (e *echo) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	e.heard = append(e.heard, fmt.Sprintf("%d:%x", uint32(op), request))
	e.answer = append(append(e.answer[:0], byte(op)), request...)
	return e.answer, op != 99
}

const noon = 1_000_000_000_000

func (s *stand) deliver(w *worker.Worker, o order) (swing.Outcome, []string) {
	s.t.Helper()
	e := &echo{}
	out, err := w.Deliver(context.Background(), o.delivery(noon), swing.Unbounded, e, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return out, e.heard
}

var _ io.ReaderAt = memoryImage{}

var errBroken = errors.New("broken disk")
