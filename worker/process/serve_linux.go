package process

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// serving is set once Serve was called: a process that is started to serve then will.
var serving atomic.Bool

// connFile is the descriptor of the connection in a process that serves.
const connFile = 3

// Serve does nothing and returns false in a process that was not started to serve. Else
// it serves until the connection ends, and returns true: main has nothing more to do.
func Serve() bool {
	if os.Getenv(marker) == "" {
		serving.Store(true)
		return false
	}
	signal.Ignore(os.Interrupt) // of the whole group: the parent sees to it
	s := &server{
		c: &conn{fd: connFile}, programs: map[uint64]*worker.Program{},
		workers: map[uint64]*resident{},
	}
	ctx := context.Background()
	if err := errors.Join(s.serve(ctx), s.close(ctx)); err != nil {
		fmt.Fprintf(os.Stderr, "serve workers: %v\n", err)
	}
	return true
}

// server is the worker process.
type server struct {
	c        *conn
	engine   *worker.Engine
	programs map[uint64]*worker.Program
	workers  map[uint64]*resident
	input    []byte
	broken   error // of the connection, in the middle of a delivery
}

// resident is one worker and its image.
type resident struct {
	*worker.Worker
	img *image
}

// image is a file that was passed along.
type image struct {
	*os.File
	size int64
}

// Size implements worker.Image.
func (i *image) Size() int64 { return i.size }

// Fd implements worker.Image.
func (i *image) Fd() (uintptr, bool) { return i.File.Fd(), true }

// serve answers requests until the connection ends.
func (s *server) serve(ctx context.Context) error {
	for {
		f, err := s.c.receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.request(ctx, f)
		}
		if err != nil {
			return err
		}
	}
}

// request answers one. What went wrong with it is told; an error is of the connection.
func (s *server) request(ctx context.Context, f frame.Frame) error {
	do, known := map[byte]func(context.Context, []byte) (byte, []byte, error){
		kindOptions: s.open, kindCompile: s.compile, kindCloseProgram: s.closeProgram,
		kindStart: s.start, kindDeliver: s.deliver, kindCapture: s.capture,
		kindRebase: s.rebase, kindCloseWorker: s.closeWorker,
	}[f.Kind]
	if !known {
		return fmt.Errorf("a request of kind %d", f.Kind)
	}
	kind, answer, err := do(ctx, f.Body)
	if s.broken != nil {
		return s.broken
	}
	if err != nil {
		refused := errors.Is(err, instrument.ErrRefused)
		kind, answer = kindFailed, body(truth(refused), bytesOf([]byte(err.Error())))
	}
	return s.c.send(kind, noFile, answer)
}

func (s *server) open(ctx context.Context, b []byte) (kind byte, answer []byte, err error) {
	var o worker.Options
	if err := json.Unmarshal(b, &o); err != nil {
		return 0, nil, err
	}
	s.engine, err = worker.NewEngine(ctx, o)
	return kindDone, nil, err
}

func (s *server) compile(ctx context.Context, b []byte) (byte, []byte, error) {
	r := swing.NewReader(b)
	r.Fields(3)
	id, code, yields := r.Uint(), slices.Clone(r.Bytes()), r.Uint()
	if err := r.Done(); err != nil {
		return 0, nil, err
	}
	compile := s.engine.Compile
	if yields == 1 {
		compile = s.engine.CompileYielding
	}
	p, err := compile(ctx, code)
	if err != nil {
		return 0, nil, err
	}
	s.programs[id] = p
	heap, data := p.Genesis()
	fields := []func([]byte) []byte{hash(p.ID()), number(heap.Size)}
	for _, d := range data {
		fields = append(fields, number(uint64(d.Offset)), bytesOf(d.Bytes))
	}
	return kindCompiled, body(fields...), nil
}

// one reads the number of a request that has nothing else.
func one(b []byte) (uint64, error) {
	r := swing.NewReader(b)
	r.Fields(1)
	id := r.Uint()
	return id, r.Done()
}

func (s *server) closeProgram(ctx context.Context, b []byte) (byte, []byte, error) {
	id, err := one(b)
	if err != nil {
		return 0, nil, err
	}
	p := s.programs[id]
	delete(s.programs, id)
	return kindDone, nil, p.Close(ctx)
}

func (s *server) start(ctx context.Context, b []byte) (byte, []byte, error) {
	r := swing.NewReader(b)
	r.Fields(5)
	id, program, encoded, seed := r.Uint(), r.Uint(), r.Bytes(), r.Hash()
	img, err := s.image(int64(r.Uint()))
	if err = errors.Join(err, r.Done()); err != nil {
		return 0, nil, err
	}
	heap, err := swing.DecodeHeap(encoded)
	var w *worker.Worker
	if err == nil {
		w, err = s.programs[program].Start(ctx, heap, img, seed)
	}
	if err != nil {
		return 0, nil, errors.Join(err, img.Close())
	}
	s.workers[id] = &resident{w, img}
	return kindStarted, body(number(w.Size())), nil
}

func (s *server) image(size int64) (*image, error) {
	fd, err := s.c.file()
	if err != nil {
		return nil, err
	}
	return &image{os.NewFile(uintptr(fd), "image"), size}, nil
}

func (s *server) deliver(ctx context.Context, b []byte) (byte, []byte, error) {
	r := swing.NewReader(b)
	r.Fields(4)
	id, fuel, logs := r.Uint(), r.Uint(), r.Bool()
	s.input = append(s.input[:0], r.Bytes()...)
	if err := r.Done(); err != nil {
		return 0, nil, err
	}
	w := s.workers[id]
	var log worker.LogFunc
	if logs {
		log = s.log
	}
	out, err := w.Deliver(ctx, s.input, fuel, (*syscaller)(s), log)
	if err != nil {
		return 0, nil, err
	}
	return kindOutcome, body(number(uint64(out.Status)), bytesOf([]byte(out.Problem)),
		number(out.Fuel), number(w.Size())), nil
}

func (s *server) log(level worker.Level, text []byte) {
	if s.broken == nil {
		s.broken = s.c.send(kindLog, noFile, body(number(uint64(level)), bytesOf(text)))
	}
}

// syscaller asks the parent.
type syscaller server

// Syscall implements swing.Syscaller.
func (s *syscaller) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	if s.broken != nil {
		return nil, false
	}
	s.broken = s.c.send(kindSyscall, noFile, body(number(uint64(op)), bytesOf(request)))
	if s.broken != nil {
		return nil, false
	}
	f, err := s.c.receive()
	if err == nil && f.Kind != kindAnswer {
		err = fmt.Errorf("a frame of kind %d where an answer is due", f.Kind)
	}
	r := swing.NewReader(f.Body)
	r.Fields(2)
	goOn, answer := r.Bool(), r.Bytes()
	if err == nil {
		err = r.Done()
	}
	s.broken = err
	return answer, goOn && err == nil
}

// pagesAtOnce is how many pages are sent in one frame.
const pagesAtOnce = 256

func (s *server) capture(ctx context.Context, b []byte) (byte, []byte, error) {
	id, err := one(b)
	if err != nil {
		return 0, nil, err
	}
	c, err := s.workers[id].Capture(ctx)
	if err != nil {
		return 0, nil, err
	}
	heap := swing.AppendHeap(nil, c.Heap)
	s.broken = s.c.send(kindCaptured, noFile,
		body(bytesOf(heap), number(uint64(len(c.Written)))))
	var last []byte
	for pages := range slices.Chunk(c.Written, pagesAtOnce) {
		if s.broken == nil && last != nil {
			s.broken = s.c.send(kindPages, noFile, last)
		}
		last = make([]byte, 0, len(pages)*pageBytes)
		for _, p := range pages {
			last = append(binary.LittleEndian.AppendUint32(last, p.Index), p.Data...)
		}
	}
	return kindPages, last, nil
}

// pageBytes is what a page takes in a frame.
const pageBytes = 4 + swing.PageBytes

func (s *server) rebase(_ context.Context, b []byte) (byte, []byte, error) {
	r := swing.NewReader(b)
	r.Fields(3)
	id, size, same := r.Uint(), int64(r.Uint()), r.Bool()
	if err := r.Done(); err != nil {
		return 0, nil, err
	}
	w := s.workers[id]
	if same {
		w.img.size = size
		return kindDone, nil, w.Rebase(w.img)
	}
	img, err := s.image(size)
	if err != nil {
		return 0, nil, err
	}
	if err := w.Rebase(img); err != nil {
		return 0, nil, errors.Join(err, img.Close())
	}
	old := w.img
	w.img = img
	return kindDone, nil, old.Close()
}

func (s *server) closeWorker(ctx context.Context, b []byte) (byte, []byte, error) {
	id, err := one(b)
	if err != nil {
		return 0, nil, err
	}
	w := s.workers[id]
	delete(s.workers, id)
	return kindDone, nil, errors.Join(w.Close(ctx), w.img.Close())
}

// close gives everything up.
func (s *server) close(ctx context.Context) error {
	var errs []error
	for _, w := range s.workers {
		errs = append(errs, w.Close(ctx))
	}
	for _, p := range s.programs {
		errs = append(errs, p.Close(ctx))
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close(ctx))
	}
	return errors.Join(errs...)
}
