package process

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// The kinds of frames: see the package's comment.
const (
	kindOptions = 1 + iota
	kindCompile
	kindCloseProgram
	kindStart
	kindDeliver
	kindCapture
	kindRebase
	kindCloseWorker
	kindAnswer
	kindFailed
	kindDone
	kindCompiled
	kindStarted
	kindOutcome
	kindCaptured
	kindSyscall
	kindLog
	kindPages
)

// conn is one end of the connection. The descriptor blocks: that is faster than waiting
// for it to be ready, and nobody else waits for the same end.
type conn struct {
	fd    int
	out   []byte
	in    []byte // received, from at on not used yet
	at    int
	files []int // received, not used yet
}

// readBytes is how much is read at a time at least.
const readBytes = 64 << 10

// noFile is in place of a descriptor.
const noFile = -1

// send sends one frame, and a file with it unless that is noFile.
func (c *conn) send(kind byte, file int, parts ...[]byte) error {
	c.out, _ = frame.Append(c.out[:0], kind, 0, parts...)
	var rights []byte
	if file != noFile {
		rights = syscall.UnixRights(file)
	}
	for rest := c.out; len(rest) > 0; {
		n, err := syscall.SendmsgN(c.fd, rest, rights, nil, syscall.MSG_NOSIGNAL)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		rest, rights = rest[n:], nil
	}
	return nil
}

// receive returns the next frame. Its body is good until the next call.
func (c *conn) receive() (frame.Frame, error) {
	if err := c.fill(frame.HeaderBytes); err != nil {
		return frame.Frame{}, err
	}
	n, err := frame.DecodeLength(c.in[c.at:])
	if err == nil {
		err = c.fill(frame.HeaderBytes + n)
	}
	if err != nil {
		return frame.Frame{}, err
	}
	f, err := frame.Decode(c.in[c.at:])
	c.at += f.Bytes()
	return f, err
}

// fill reads until n bytes can be used.
func (c *conn) fill(n int) error {
	if c.at == len(c.in) {
		c.in, c.at = c.in[:0], 0
	}
	if len(c.in)-c.at < n && cap(c.in)-c.at < n {
		room := make([]byte, len(c.in)-c.at, max(n, readBytes))
		copy(room, c.in[c.at:])
		c.in, c.at = room, 0
	}
	for len(c.in)-c.at < n {
		var rights [64]byte
		got, control, _, _, err := syscall.Recvmsg(
			c.fd, c.in[len(c.in):cap(c.in)], rights[:], syscall.MSG_CMSG_CLOEXEC)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil {
			err = c.take(rights[:control])
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if got == 0 {
			return io.EOF
		}
		c.in = c.in[:len(c.in)+got]
	}
	return nil
}

// take keeps the files that came along.
func (c *conn) take(control []byte) error {
	messages, err := syscall.ParseSocketControlMessage(control)
	for _, m := range messages {
		files, perr := syscall.ParseUnixRights(&m)
		err = errors.Join(err, perr)
		c.files = append(c.files, files...)
	}
	return err
}

// file returns the next file that came along.
func (c *conn) file() (int, error) {
	if len(c.files) == 0 {
		return noFile, errors.New("no file came along")
	}
	f := c.files[0]
	c.files = c.files[1:]
	return f, nil
}

// body is the encoding of a frame's fields.
func body(fields ...func(b []byte) []byte) []byte {
	b := swing.AppendArray(nil, len(fields))
	for _, f := range fields {
		b = f(b)
	}
	return b
}

func number(n uint64) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendUint(b, n) }
}

func truth(v bool) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBool(b, v) }
}

func bytesOf(v []byte) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBytes(b, v) }
}

func hash(v swing.Hash) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendHash(b, v) }
}
