package streamstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// tapeBytes is how much is read at once of a file that is read from end to end.
const tapeBytes = 1 << 20

// tape reads the frames of a file mostly in order. A length that the file does
// not hold is a fault of the frame: nothing is allocated for it.
type tape struct {
	file vfs.File
	name string
	size int64
	buf  []byte
	at   int64 // offset of buf
}

// newTape returns a tape over a file as long as it is now. The name is for errors.
func newTape(file vfs.File, name string) (*tape, error) {
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	return &tape{file: file, name: name, size: size}, nil
}

// window returns n bytes at the offset, valid until the next call.
func (t *tape) window(off int64, n int) ([]byte, error) {
	if int64(n) > t.size-off {
		return nil, frame.ErrCut
	}
	if off < t.at || off+int64(n) > t.at+int64(len(t.buf)) {
		want := int(min(max(int64(n), tapeBytes), t.size-off))
		if cap(t.buf) < want {
			t.buf = make([]byte, want)
		}
		t.buf, t.at = t.buf[:want], off
		if err := readFull(t.file, t.buf, off); err != nil {
			t.buf = t.buf[:0]
			return nil, fmt.Errorf("read %s: %w", t.name, err)
		}
	}
	return t.buf[off-t.at:][:n:n], nil
}

// frame returns the frame at the offset, valid until the next call.
func (t *tape) frame(off int64) (frame.Frame, error) {
	head, err := t.window(off, frame.HeaderBytes)
	if err != nil {
		return frame.Frame{}, err
	}
	n, err := frame.DecodeLength(head)
	if err != nil {
		return frame.Frame{}, err
	}
	b, err := t.window(off, frame.HeaderBytes+n)
	if err != nil {
		return frame.Frame{}, err
	}
	return frame.Decode(b)
}

// zeros reports whether nothing but zeros is left from the offset on.
func (t *tape) zeros(off int64) (bool, error) {
	for off < t.size {
		b, err := t.window(off, int(min(tapeBytes, t.size-off)))
		if err != nil {
			return false, err
		}
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			return false, nil
		}
		off += int64(len(b))
	}
	return true, nil
}

// badFrame reports whether err says that bytes are no frame, and not that they
// could not be read.
func badFrame(err error) bool {
	return errors.Is(err, frame.ErrCut) || errors.Is(err, frame.ErrCheck)
}

// readFull reads len(b) bytes at the offset: less is a failure.
func readFull(file vfs.File, b []byte, off int64) error {
	n, err := file.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%d bytes at %d: %w", len(b), off, err)
}
