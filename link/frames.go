package link

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
)

// The kinds of frame.
const (
	kindHello   = 1
	kindParcel  = 2
	kindRefusal = 3
)

// frameBytesMax bounds a frame's body: a parcel with one message of the longest.
const frameBytesMax = devices.MessageBytesMax + 1<<10

// frames are those of a connection, both ways. One goroutine may read while another writes.
type frames struct {
	conn      io.ReadWriter
	r         *bufio.Reader
	writing   sync.Mutex
	got, sent uint32 // the checks of the latest frames
	body      []byte
	out       []byte
}

func newFrames(conn io.ReadWriter) *frames {
	return &frames{conn: conn, r: bufio.NewReader(conn)}
}

// patience bounds the time from here on until all is read and written, where the connection
// can; 0 is no bound. A connection that cannot be bound any more fails soon enough.
func (f *frames) patience(d time.Duration) {
	timed, ok := f.conn.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return
	}
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	_ = timed.SetDeadline(until)
}

// write writes a frame.
func (f *frames) write(kind byte, body []byte) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.put(kind, body)
}

func (f *frames) put(kind byte, body []byte) error {
	f.out, f.sent = frame.Append(f.out[:0], kind, f.sent, body)
	if _, err := f.conn.Write(f.out); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// read reads a frame of a kind. Its body is good until the next. What the other side
// refuses is an error here.
func (f *frames) read(want byte) (body []byte, err error) {
	var head [frame.HeaderBytes]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	length, err := frame.DecodeLength(head[:])
	if err != nil {
		return nil, refusal("what it says is no frame")
	}
	if length > frameBytesMax {
		return nil, refusal("a frame of %d bytes, limit %d", length, frameBytesMax)
	}
	f.body = append(f.body[:0], head[:]...)
	f.body = append(f.body, make([]byte, length)...)
	if _, err := io.ReadFull(f.r, f.body[frame.HeaderBytes:]); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	got, err := frame.Decode(f.body)
	switch {
	case err != nil:
		return nil, refusal("%w", err)
	case got.Seed != f.got:
		return nil, refusal("a frame that does not follow the one before")
	case got.Kind == kindRefusal:
		r := swing.NewReader(got.Body)
		r.Fields(1)
		return nil, fmt.Errorf("%w: %.300q", errTheyRefused, r.Text())
	case got.Kind != want:
		return nil, refusal("a frame of kind %d, want %d", got.Kind, want)
	}
	f.got = got.Check
	return got.Body, nil
}

// refuse tells the other side why, if it listens and nothing is being written.
func (f *frames) refuse(why error) {
	if !f.writing.TryLock() {
		return
	}
	defer f.writing.Unlock()
	f.patience(helloTime)
	_ = f.put(kindRefusal, swing.AppendText(swing.AppendArray(nil, 1), why.Error()))
}
