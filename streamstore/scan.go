package streamstore

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"vatwarehouse/internal/frame"
)

// reach is how far a log is whole: after a block, or a segment's header.
type reach struct {
	identity uint64 // 0 while unknown
	segment  uint32 // the last begun
	size     int64  // of what is whole in it
	last     int64  // where its last whole block begins, 0 if it has none
	seed     uint32 // the check of the last whole frame
	block    uint64 // the last whole block
}

// tear is where and why the bytes stop to be what they should. A crash may have
// done that, or not: see evidence.
type tear struct {
	segment uint32
	header  bool  // the segment itself did not begin as it should
	at      int64 // where the first thing begins that is not whole
	reason  error
}

// scanner reads segments in order and puts their records into the index.
type scanner struct {
	x *index
	reach
	// tolerant has it pass over damaged records, which it collects; proven is the
	// last block that a later frame says was durable.
	tolerant bool
	damaged  []damagedRecord
	proven   uint64
}

// readSegment reads the next segment. It returns a tear if the segment does not
// follow or ends before its last non-zero byte, and an error for what no crash
// explains or what cannot be read.
func (s *scanner) readSegment(t *tape, number uint32) (*tear, error) {
	f, err := t.frame(0)
	if err != nil {
		return torn(number, 0, true, err)
	}
	h, err := decodeSegmentHeader(f)
	switch {
	case err != nil:
		return nil, damaged(t.name, 0, err)
	case s.identity != 0 && h.identity != s.identity:
		return nil, corrupt(
			t.name,
			0,
			"a segment of log %016x in log %016x",
			h.identity,
			s.identity,
		)
	case h.number != number:
		return nil, corrupt(t.name, 0, "a segment of number %d", h.number)
	case s.identity == 0 && number != 1:
		return nil, corrupt(t.name, 0, "segments 1 to %d are missing", number-1)
	case t.size > math.MaxUint32:
		return nil, corrupt(t.name, 0, "a segment of %d bytes", t.size)
	}
	if s.identity == 0 {
		s.identity, s.seed = h.identity, uint32(h.identity)
	}
	if h.firstBlock != s.block+1 || f.Seed != s.seed {
		err := fmt.Errorf("%w: block %d after check %08x where block %d after %08x is due",
			errStale, h.firstBlock, f.Seed, s.block+1, s.seed)
		return torn(number, 0, true, err)
	}
	if h.synced {
		s.proven = s.block
	}
	s.reach = reach{s.identity, number, int64(f.Bytes()), 0, f.Check, s.block}
	return s.blocks(t)
}

// blocks reads blocks until the end, or zeros to the end, or a tear.
func (s *scanner) blocks(t *tape) (*tear, error) {
	for s.size < t.size {
		start := s.size
		f, err := t.frame(start)
		if err != nil {
			if rest, zerr := t.zeros(start); rest || zerr != nil {
				return nil, zerr
			}
			return torn(s.segment, start, false, err)
		}
		if f.Seed != s.seed {
			return torn(s.segment, start, false, errSeed(f.Seed, s.seed))
		}
		o, err := decodeOpening(f)
		if err == nil && (o.identity != s.identity || o.block != s.block+1) {
			err = fmt.Errorf("block %d of log %016x where block %d of log %016x is due",
				o.block, o.identity, s.block+1, s.identity)
		}
		if err != nil {
			return nil, damaged(t.name, start, err)
		}
		if o.synced {
			s.proven = s.block
		}
		off, err := s.records(t, start+int64(f.Bytes()), f.Check)
		if err != nil {
			s.x.undo()
			return torn(s.segment, start, false, err)
		}
		s.x.seal()
		s.size, s.last, s.block = off, start, o.block
	}
	return nil, nil
}

// records reads the records of a block up to its closing frame, and returns
// where the block ends. It sets the seed only for a whole block.
func (s *scanner) records(t *tape, off int64, seed uint32) (int64, error) {
	start := off - openingBytes
	for count := uint32(0); ; count++ {
		f, err := t.frame(off)
		if err == nil && f.Seed != seed {
			err = errSeed(f.Seed, seed)
		}
		if next, after, ok := s.passOver(t, off, err); ok {
			off, seed = next, after
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("record at byte %d: %w", off, err)
		}
		if f.Kind == kindClosing {
			c, err := decodeClosing(f)
			want := closing{s.block + 1, count, uint64(off - start)}
			if err == nil && c != want {
				err = fmt.Errorf("closing frame %+v where %+v is due", c, want)
			}
			if err != nil {
				return 0, damaged(t.name, off, err)
			}
			s.seed = f.Check
			return off + int64(f.Bytes()), nil
		}
		if err := s.record(t, off, f); err != nil {
			return 0, err
		}
		off += int64(f.Bytes())
		seed = f.Check
	}
}

// record puts one record into the index, if it is at its stream's end.
func (s *scanner) record(t *tape, off int64, f frame.Frame) error {
	c, err := decodeRecord(f)
	if err != nil {
		return damaged(t.name, off, err)
	}
	st := s.x.findBytes(c.name, c.position)
	if st.end() != c.position {
		return corrupt(t.name, off, "%s@%d where %d is due", c.name, c.position, st.end())
	}
	s.x.add(st, place{s.segment, uint32(off), uint32(f.Bytes())})
	return nil
}

// errStale marks a frame that is whole but does not follow the one before.
var errStale = errors.New("out of its chain")

// errSeed says that a frame follows another than the one before it.
func errSeed(got, due uint32) error {
	return fmt.Errorf("%w: seed %08x where %08x is due", errStale, got, due)
}

// torn sorts a failure: bytes that are no frame, or not the one due, are a tear;
// the rest is damage, or the file system's failure, already wrapped.
func torn(number uint32, at int64, header bool, err error) (*tear, error) {
	if badFrame(err) || errors.Is(err, errStale) {
		return &tear{number, header, at, err}, nil
	}
	return nil, err
}

// evidence searches a file for the opening frame of a block not before least,
// which says that all before it was durable when it was written. Before such a
// frame no crash can have torn anything. It returns the frame's offset, or -1.
func (s *scanner) evidence(t *tape, from int64, least uint64) (int64, error) {
	const overlap = openingBytes - 1
	for off := from; off < t.size; off += tapeBytes {
		b, err := t.window(off, int(min(tapeBytes+overlap, t.size-off)))
		if err != nil {
			return -1, err
		}
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], []byte(magicBlock))
			if i < 0 {
				break
			}
			at += i
			begin := at - frame.HeaderBytes
			if begin >= 0 && s.proves(b[begin:], least) {
				return off + int64(begin), nil
			}
		}
	}
	return -1, nil
}

// proves reports whether b starts with such an opening frame.
func (s *scanner) proves(b []byte, least uint64) bool {
	f, err := frame.Decode(b)
	if err != nil {
		return false
	}
	o, err := decodeOpening(f)
	known := s.identity == 0 || o.identity == s.identity
	return err == nil && known && o.synced && o.block >= least
}
