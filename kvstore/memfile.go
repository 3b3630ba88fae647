package kvstore

import (
	"errors"
	"fmt"
	"io"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// readMem reads and verifies a memory table's file.
func readMem(f vfs.File) (*memState, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	r := memReader{file: f, size: size, seed: memSeed}
	body, err := r.next(frameHead)
	if err != nil {
		return nil, err
	}
	want, err := decodeHead(body, frame.HeaderBytes)
	if err != nil {
		return nil, err
	}
	m := &memState{head: head{position: want.position}, pairs: newMemPairs()}
	sums, last := newPairs(), ""
	for r.at < size {
		at := r.at + frame.HeaderBytes
		body, err := r.next(framePairs)
		if err != nil {
			return nil, err
		}
		list, err := decodeChanges(body)
		if err != nil {
			return nil, corrupt(at, "pairs: %w", err)
		}
		if len(list) == 0 {
			return nil, corrupt(at, "a frame without pairs")
		}
		for _, c := range list {
			if c.value == nil || c.key <= last {
				return nil, corrupt(at, "key %.40q after %.40q, %d bytes of value",
					c.key, last, len(c.value))
			}
			m.pairs.Load(c.key, c.value)
			m.head.insert(sums.sum([]byte(c.key), c.value))
			last = c.key
		}
	}
	if m.head != want {
		return nil, corrupt(size, "the end, after %d keys with digest %x; the head says %d and %x",
			m.head.count, m.head.digest, want.count, want.digest)
	}
	return m, nil
}

// memReader reads a file frame by frame.
type memReader struct {
	file io.ReaderAt
	size int64
	at   int64
	seed uint32
}

// next returns the body of the next frame, in memory of its own.
func (r *memReader) next(kind byte) ([]byte, error) {
	header := make([]byte, frame.HeaderBytes)
	if err := r.read(header); err != nil {
		return nil, err
	}
	n, err := frame.DecodeLength(header)
	if err != nil {
		return nil, corrupt(r.at, "%w: header % x", err, header)
	}
	// Asked for before the memory is: a length read from rot may be anything.
	if int64(n) > r.size-r.at-frame.HeaderBytes {
		return nil, corrupt(r.at, "%w: %d bytes where %d are left",
			frame.ErrCut, n, r.size-r.at-frame.HeaderBytes)
	}
	b := make([]byte, frame.HeaderBytes+n)
	if err := r.read(b); err != nil {
		return nil, err
	}
	f, err := frame.Decode(b)
	switch {
	case err != nil:
		return nil, corrupt(r.at, "%w", err)
	case f.Kind != kind || f.Seed != r.seed:
		return nil, corrupt(r.at, "a frame of kind %d and seed %08x, not %d and %08x",
			f.Kind, f.Seed, kind, r.seed)
	}
	r.at += int64(len(b))
	r.seed = f.Check
	return f.Body, nil
}

// read fills b from where the next frame begins.
func (r *memReader) read(b []byte) error {
	n, err := r.file.ReadAt(b, r.at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corrupt(r.at, "%w: a file of %d bytes", frame.ErrCut, r.size)
	}
	return fmt.Errorf("read at offset %d: %w", r.at, err)
}
