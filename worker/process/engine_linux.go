package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// Options of an engine. Limits must be given.
type Options struct {
	worker.Options
	// Binary is the program to start, which calls Serve first in main; "" is this one.
	Binary string
}

// Engine is a warehouse.Engine whose workers are in a process of their own. It has one
// owner, like its programs and workers.
type Engine struct {
	options Options
	binary  string
	child   *child // the latest; nil before the first
}

// New returns an engine. It fails with ErrUnsupported if the binary is this one and does
// not serve.
func New(o Options) (*Engine, error) {
	e := &Engine{options: o, binary: o.Binary}
	if e.binary != "" {
		return e, nil
	}
	if !serving.Load() {
		return nil, fmt.Errorf("%w: this program does not call ServeWorker first in main, and "+
			"no other was named that does", ErrUnsupported)
	}
	var err error
	if e.binary, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("find the program to start worker processes with: %w", err)
	}
	return e, nil
}

// Limits implements warehouse.Engine.
func (e *Engine) Limits() swing.Limits { return e.options.Limits }

// PID returns the process's number: 0 if there is none.
func (e *Engine) PID() int {
	if e.child == nil || e.child.lost != nil {
		return 0
	}
	return e.child.cmd.Process.Pid
}

// Close ends the process, if there is one. All programs must be closed before.
func (e *Engine) Close() error {
	if e.child == nil || e.child.lost != nil {
		return nil
	}
	return e.child.end()
}

// running returns the process, and starts it if there is none.
func (e *Engine) running() (*child, error) {
	if e.child != nil && e.child.lost == nil {
		return e.child, nil
	}
	ch, err := start(e.binary)
	if err != nil {
		return nil, fmt.Errorf("start worker process: %w", err)
	}
	e.child = ch
	o, err := json.Marshal(e.options.Options)
	if err != nil {
		panic(fmt.Sprintf("process: options: %v", err))
	}
	_, err = ch.call(kindOptions, noFile, o, kindDone)
	return ch, err
}

// child is one worker process.
type child struct {
	cmd   *exec.Cmd
	c     *conn
	words tail
	// lost says that it is gone, and why.
	lost *warehouse.LostError
	// busy says that a request is under way: if a caller finds it so, the one before
	// never came back.
	busy bool
	next uint64 // number of the next program or worker
}

// tail is the beginning of what a process says on its standard error: a fault is named
// first.
type tail struct{ bytes.Buffer }

// tailBytesMax bounds it.
const tailBytesMax = 2048

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.Buffer.Write(b[:min(len(b), tailBytesMax-t.Len())])
	return len(b), nil
}

func start(binary string) (*child, error) {
	pair, err := syscall.Socketpair(
		syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "worker process")
	ch := &child{cmd: exec.Command(binary), c: &conn{fd: pair[0]}}
	ch.cmd.Env = append(os.Environ(), marker+"=1")
	ch.cmd.ExtraFiles = []*os.File{theirs}
	ch.cmd.Stderr = &ch.words
	err = ch.cmd.Start()
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, errors.Join(err, syscall.Close(pair[0]))
	}
	return ch, nil
}

// die gives the process up after an error of the connection, or because it did not do
// its part, and returns the LostError.
func (ch *child) die(cause error) error {
	if ch.lost != nil {
		return ch.lost
	}
	_ = ch.cmd.Process.Kill() // it may be gone already
	_ = ch.end()              // how it ended is in its state
	why := fmt.Sprintf("%v (%v)", ch.cmd.ProcessState, cause)
	if said, _, _ := bytes.Cut(ch.words.Bytes(), []byte("\n\n")); len(said) > 0 {
		why += ": " + string(said)
	}
	ch.lost = &warehouse.LostError{Why: why}
	return ch.lost
}

// end closes the connection and waits for the process's end.
func (ch *child) end() error {
	if err := errors.Join(syscall.Close(ch.c.fd), ch.cmd.Wait()); err != nil {
		return fmt.Errorf("end worker process: %w", err)
	}
	return nil
}

// call makes a request, and returns the answer, which must be of the kind wanted.
func (ch *child) call(kind byte, file int, b []byte, want byte) (frame.Frame, error) {
	if err := ch.begin(); err != nil {
		return frame.Frame{}, err
	}
	if err := ch.c.send(kind, file, b); err != nil {
		return frame.Frame{}, ch.die(err)
	}
	return ch.answer(want)
}

// begin begins a request.
func (ch *child) begin() error {
	if ch.lost != nil {
		return ch.lost
	}
	if ch.busy {
		return ch.die(errors.New("a request before was not seen to its end"))
	}
	ch.busy = true
	return nil
}

// answer receives the end of an answer.
func (ch *child) answer(want byte) (frame.Frame, error) {
	f, err := ch.c.receive()
	if err != nil {
		return f, ch.die(err)
	}
	return ch.judge(f, want)
}

// judge ends a request with its answer.
func (ch *child) judge(f frame.Frame, want byte) (frame.Frame, error) {
	switch f.Kind {
	case want:
		ch.busy = false
		return f, nil
	case kindFailed:
		ch.busy = false
		r := swing.NewReader(f.Body)
		r.Fields(2)
		failed := &failure{r.Bool(), string(r.Bytes())}
		if err := r.Done(); err != nil {
			return f, ch.die(err)
		}
		return f, failed
	}
	return f, ch.die(fmt.Errorf("a frame of kind %d where %d is due", f.Kind, want))
}

// failure is an error of a request: what the process says of it.
type failure struct {
	refused bool
	text    string
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Is reports whether the failure is a refusal of a program.
func (f *failure) Is(target error) bool { return f.refused && target == instrument.ErrRefused }

// gone returns nil for a LostError: what is to be closed is closed already.
func gone(err error) error {
	if errors.As(err, new(*warehouse.LostError)) {
		return nil
	}
	return err
}

func (ch *child) number() uint64 {
	ch.next++
	return ch.next
}

// Compile implements warehouse.Engine.
func (e *Engine) Compile(_ context.Context, code []byte) (warehouse.Program, error) {
	return e.compile(code, 0)
}

// CompileYielding implements warehouse.Engine.
func (e *Engine) CompileYielding(_ context.Context, code []byte) (warehouse.Program, error) {
	return e.compile(code, 1)
}

// compile has a program compiled; yields is 1 if it is to yield, and else 0.
func (e *Engine) compile(code []byte, yields uint64) (warehouse.Program, error) {
	ch, err := e.running()
	if err != nil {
		return nil, err
	}
	id := ch.number()
	ask := body(number(id), bytesOf(code), number(yields))
	f, err := ch.call(kindCompile, noFile, ask, kindCompiled)
	if err != nil {
		return nil, err
	}
	p := &Program{child: ch, number: id}
	if err := p.read(f.Body); err != nil {
		return nil, ch.die(err)
	}
	return p, nil
}
