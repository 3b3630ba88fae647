package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Program is a program that the process has compiled.
type Program struct {
	child  *child
	number uint64
	id     swing.Hash
	size   uint64
	data   []worker.Segment
}

// read reads what the process says of the program.
func (p *Program) read(b []byte) error {
	r := swing.NewReader(b)
	n := r.Array()
	p.id, p.size = r.Hash(), r.Uint()
	for i := 2; i < n && r.Err() == nil; i += 2 {
		offset := uint32(r.Uint())
		p.data = append(p.data, worker.Segment{Offset: offset, Bytes: bytes.Clone(r.Bytes())})
	}
	return r.Done()
}

// ID implements warehouse.Program.
func (p *Program) ID() swing.Hash { return p.id }

// Genesis implements warehouse.Program.
func (p *Program) Genesis() (swing.Heap, []worker.Segment) {
	return swing.Heap{Program: p.id, Size: p.size}, p.data
}

// Close implements warehouse.Program.
func (p *Program) Close(context.Context) error {
	_, err := p.child.call(kindCloseProgram, noFile, body(number(p.number)), kindDone)
	return gone(err)
}

// Start implements warehouse.Program.
func (p *Program) Start(
	_ context.Context, heap swing.Heap, img worker.Image, seed swing.Hash,
) (warehouse.Worker, error) {
	w := &Worker{child: p.child, number: p.child.number(), base: img}
	encoded := swing.AppendHeap(nil, heap)
	err := withFile(img, func(fd int) error {
		f, err := p.child.call(kindStart, fd, body(number(w.number), number(p.number),
			bytesOf(encoded), hash(seed), number(uint64(img.Size()))), kindStarted)
		if err != nil {
			return err
		}
		w.size, err = one(f.Body)
		return w.sane(err)
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// withFile hands over the image's file, or a copy of the image in a file that has no name
// any more.
func withFile(img worker.Image, use func(fd int) error) (err error) {
	if fd, ok := img.Fd(); ok {
		return use(int(fd))
	}
	f, err := os.CreateTemp("", "vatwarehouse-image-*")
	if err != nil {
		return fmt.Errorf("copy image for the worker process: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	if _, err := io.Copy(f, io.NewSectionReader(img, 0, img.Size())); err != nil {
		return fmt.Errorf("copy image for the worker process: %w", err)
	}
	return use(int(f.Fd()))
}

// Worker is a worker in the process.
type Worker struct {
	child  *child
	number uint64
	base   worker.Image
	size   uint64
	pages  []byte // of the latest Capture
}

// sane gives the process up if what it said could not be read.
func (w *Worker) sane(err error) error {
	if err != nil {
		return w.child.die(err)
	}
	return nil
}

// Size implements warehouse.Worker.
func (w *Worker) Size() uint64 { return w.size }

// Deliver implements warehouse.Worker. A panic of the Syscaller leaves the request under
// way: who uses the process next gives it up.
func (w *Worker) Deliver(
	_ context.Context, delivery []byte, fuel uint64, sys swing.Syscaller, log worker.LogFunc,
) (swing.Outcome, error) {
	ch := w.child
	if err := ch.begin(); err != nil {
		return swing.Outcome{}, err
	}
	err := ch.c.send(kindDeliver, noFile,
		body(number(w.number), number(fuel), truth(log != nil), bytesOf(delivery)))
	for err == nil {
		var f frame.Frame
		if f, err = ch.c.receive(); err != nil {
			break
		}
		switch f.Kind {
		case kindSyscall:
			err = ch.ask(f.Body, sys)
		case kindLog:
			err = hear(f.Body, log)
		default:
			if f, err = ch.judge(f, kindOutcome); err != nil {
				return swing.Outcome{}, err
			}
			return w.outcome(f.Body)
		}
	}
	return swing.Outcome{}, ch.die(err)
}

// ask has a syscall answered.
func (ch *child) ask(b []byte, sys swing.Syscaller) error {
	r := swing.NewReader(b)
	r.Fields(2)
	op, request := swing.Op(r.Uint()), r.Bytes()
	if err := r.Done(); err != nil {
		return err
	}
	answer, goOn := sys.Syscall(op, request)
	return ch.c.send(kindAnswer, noFile, body(truth(goOn), bytesOf(answer)))
}

// hear passes on what a vat logs.
func hear(b []byte, log worker.LogFunc) error {
	r := swing.NewReader(b)
	r.Fields(2)
	level, text := worker.Level(r.Uint()), r.Bytes()
	if err := r.Done(); err != nil {
		return err
	}
	log(level, text)
	return nil
}

func (w *Worker) outcome(b []byte) (out swing.Outcome, err error) {
	r := swing.NewReader(b)
	r.Fields(4)
	out = swing.Outcome{Status: swing.Status(r.Uint()), Problem: string(r.Bytes()), Fuel: r.Uint()}
	w.size = r.Uint()
	return out, w.sane(r.Done())
}

// Capture implements warehouse.Worker.
func (w *Worker) Capture(context.Context) (c worker.Capture, err error) {
	f, err := w.child.call(kindCapture, noFile, body(number(w.number)), kindCaptured)
	if err != nil {
		return c, err
	}
	r := swing.NewReader(f.Body)
	r.Fields(2)
	encoded, n := r.Bytes(), int(r.Uint())
	if err := r.Done(); err != nil {
		return c, w.sane(err)
	}
	if c.Heap, err = swing.DecodeHeap(encoded); err != nil {
		return c, w.sane(err)
	}
	w.pages = w.pages[:0]
	for first := true; first || len(w.pages) < n*pageBytes; first = false {
		if f, err = w.child.answer(kindPages); err != nil {
			return c, err
		}
		if len(f.Body) == 0 && n > 0 {
			return c, w.sane(errors.New("a frame of no pages"))
		}
		w.pages = append(w.pages, f.Body...)
	}
	if len(w.pages) != n*pageBytes {
		return c, w.sane(fmt.Errorf("%d bytes of %d pages", len(w.pages), n))
	}
	c.Written = make([]swing.Page, n)
	for i := range c.Written {
		page := w.pages[i*pageBytes:]
		c.Written[i] = swing.Page{
			Index: binary.LittleEndian.Uint32(page), Data: page[4:pageBytes:pageBytes],
		}
	}
	return c, nil
}

// Rebase implements warehouse.Worker.
func (w *Worker) Rebase(img worker.Image) error {
	_, file := img.Fd()
	same := file && img == w.base
	request := body(number(w.number), number(uint64(img.Size())), truth(same))
	w.base = img
	if same {
		_, err := w.child.call(kindRebase, noFile, request, kindDone)
		return err
	}
	return withFile(img, func(fd int) error {
		_, err := w.child.call(kindRebase, fd, request, kindDone)
		return err
	})
}

// Close implements warehouse.Worker.
func (w *Worker) Close(context.Context) error {
	_, err := w.child.call(kindCloseWorker, noFile, body(number(w.number)), kindDone)
	return gone(err)
}
