package streamstore

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"vatwarehouse/internal/frame"
)

// bufferKeepBytes is the size up to which the open block's buffer is kept for
// the next block. A rare large block does not hold its memory for good.
const bufferKeepBytes = 8 << 20

// openBlock is the block being built: the bytes that Commit will write.
type openBlock struct {
	header  []byte // of the segment it begins, nil if it goes to the last one
	segment uint32
	base    int64  // the offset of bytes in the segment
	bytes   []byte // empty until the first Append
	seed    uint32
	records uint32
	head    []byte // scratch
}

// Append puts an item at a stream's end, in the open block. The position must be
// that end; a stream that is new starts at any. The item is copied. After a
// failure, and after Close, Append does nothing: Commit says so.
func (s *Store) Append(stream string, position uint64, item []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	b := &s.open
	if n := len(stream); n == 0 || n > nameBytesMax {
		panic(fmt.Sprintf("streamstore: stream name of %d bytes, limit %d", n, nameBytesMax))
	}
	if len(item) > s.o.ItemBytes {
		panic(fmt.Sprintf("streamstore: %s@%d: item of %d bytes, limit %d",
			stream, position, len(item), s.o.ItemBytes))
	}
	if n := len(b.bytes) + len(item) + recordHeadMax; n > blockBytesMax {
		panic(fmt.Sprintf("streamstore: %s@%d: block of %d bytes, limit %d",
			stream, position, n, blockBytesMax))
	}
	st := s.index.find(stream, position)
	if end := st.end(); end != position {
		panic(fmt.Sprintf("streamstore: append %s@%d, the end is %d", stream, position, end))
	}
	if len(b.bytes) == 0 {
		s.begin()
	}
	off := len(b.bytes)
	b.head = appendRecordHead(b.head[:0], st.name, position)
	b.bytes, b.seed = frame.Append(b.bytes, kindRecord, b.seed, b.head, item)
	b.records++
	s.index.add(st, place{b.segment, uint32(b.base) + uint32(off), uint32(len(b.bytes) - off)})
}

// begin starts a block, in a new segment if the last one is full. The segment's
// header is part of the chain, so it is made here though Commit writes it.
func (s *Store) begin() {
	if s.identity == 0 {
		s.identity = s.o.Identity
		for s.identity == 0 {
			s.identity = randomIdentity()
		}
		s.chain = uint32(s.identity)
		s.through.seed = s.chain
	}
	b := &s.open
	b.seed = s.chain
	o := opening{s.identity, s.block + 1, s.synced}
	last := segment{number: s.through.segment, size: s.o.SegmentBytes}
	if n := len(s.segments); n > 0 {
		last = s.segments[n-1]
	}
	if last.size < s.o.SegmentBytes {
		b.segment, b.base = last.number, last.size
	} else {
		h := segmentHeader{s.identity, last.number + 1, s.block + 1, s.synced}
		b.header, b.seed = h.append(nil, b.seed)
		b.segment, b.base = h.number, int64(len(b.header))
		o.synced = o.synced && !s.o.NoSync // else the header before it is not
	}
	b.bytes, b.seed = o.append(b.bytes, b.seed)
}

// randomIdentity draws the name of a new log. It is not secret, only unlikely: an
// item that is to pass for a frame of this log would have to guess it.
func randomIdentity() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// discard drops the open block.
func (s *Store) discard() {
	s.index.undo()
	s.open.reset()
}

// reset makes the block empty, and keeps its memory unless it is unusually large.
func (b *openBlock) reset() {
	if cap(b.bytes) > bufferKeepBytes {
		b.bytes = nil
	}
	b.header, b.bytes, b.records = nil, b.bytes[:0], 0
}

// Commit writes the open block with one write and makes it durable with one
// sync: the commit point. It returns the block's number, or the last one's if
// nothing was appended. After a failure the block is gone from memory, it may or
// may not be on disk, and every later Commit fails too.
func (s *Store) Commit() (block uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	b := &s.open
	if len(b.bytes) == 0 {
		return s.block, nil
	}
	c := closing{s.block + 1, b.records, uint64(len(b.bytes))}
	b.bytes, b.seed = c.append(b.bytes, b.seed)
	if err := s.writeBlock(); err != nil {
		s.discard()
		s.err = fmt.Errorf("%w: commit block %d: %w", ErrBroken, c.block, err)
		return 0, s.err
	}
	g := &s.segments[len(s.segments)-1]
	g.size += int64(len(b.bytes))
	g.length = max(g.length, g.size)
	s.stats.Blocks++
	s.stats.Items += uint64(b.records)
	s.stats.BytesAppended += uint64(len(b.bytes))
	s.block, s.chain = c.block, b.seed
	s.index.seal()
	b.reset()
	return s.block, nil
}

// writeBlock puts the closed block on disk, durably.
func (s *Store) writeBlock() error {
	b := &s.open
	if b.header != nil {
		if err := s.roll(); err != nil {
			return err
		}
	}
	g := &s.segments[len(s.segments)-1]
	if err := s.setAside(g, b.base+int64(len(b.bytes))); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(b.bytes, b.base); err != nil {
		return err
	}
	return s.sync()
}

// setAside makes room up to end, in steps, so that a sync need not record a new
// length each time.
func (s *Store) setAside(g *segment, end int64) error {
	step := s.o.PreallocateBytes
	if step < 0 || end <= g.length {
		return nil
	}
	want := (end + step - 1) / step * step
	if err := s.file.Preallocate(want); err != nil {
		return err
	}
	g.length = want
	return nil
}

// sync makes the last segment durable, or notes that it is not.
func (s *Store) sync() error {
	if s.o.NoSync {
		s.synced = false
		return nil
	}
	s.stats.Syncs++
	return s.file.Sync()
}

// roll starts the segment that the open block begins. Its header and its name
// are durable before the block is written: the block's opening frame says so.
func (s *Store) roll() error {
	b := &s.open
	if n := len(s.segments); n > 0 {
		g := &s.segments[n-1]
		if err := s.file.Truncate(g.size); err != nil {
			return err
		}
		g.length = g.size
		file := s.file
		s.file = nil
		if err := file.Close(); err != nil {
			return err
		}
	}
	file, err := s.o.FS.Create(s.path(segmentName(b.segment)))
	if err != nil {
		return err
	}
	s.file = file
	g := segment{number: b.segment}
	if err := s.setAside(&g, b.base+int64(len(b.bytes))); err != nil {
		return err
	}
	if _, err := file.WriteAt(b.header, 0); err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	if !s.o.NoSync {
		if err := s.o.FS.SyncDir(s.o.Dir); err != nil {
			return err
		}
	}
	g.size = b.base
	g.length = max(g.length, g.size)
	s.segments = append(s.segments, g)
	s.stats.BytesAppended += uint64(len(b.header))
	return nil
}
