package streamstore

import (
	"errors"
	"fmt"
	"iter"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

const (
	// readBytesMax bounds what is read ahead of the reader, unless one item is
	// larger; readItemsMax bounds how many items that may be.
	readBytesMax = 1 << 20
	readItemsMax = 1024
	// readGapBytes is the gap between two records up to which one read takes both:
	// about what copying costs less than a call of the operating system.
	readGapBytes = 8 << 10
)

// Read returns the items [from, to) of a stream in order, those of the open
// block included. An item is valid until the next is taken. Positions that the
// stream does not hold yield ErrRange, bytes that are not what was appended
// ErrCorrupt; an error is the last thing yielded. The log may be used meanwhile.
func (s *Store) Read(stream string, from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r := reader{s: s, name: stream, at: from, to: to, yield: yield, scratch: s.takeScratch()}
		defer s.giveBack(r.scratch)
		for more := true; more; {
			var err error
			if more, err = r.step(); err != nil {
				yield(nil, fmt.Errorf("read %s@%d: %w", stream, r.at, err))
				return
			}
		}
	}
}

// reader is one use of Read. It takes a piece at a time, and looks each time
// where it lies: what is in a segment now may be in an archive at the next step.
type reader struct {
	s     *Store
	name  string
	at    uint64 // the next position
	to    uint64
	yield func([]byte, error) bool
	*scratch
}

// scratch is the memory of one use of Read. The store keeps one for the next.
type scratch struct {
	places   []located
	buf      []byte
	unpacked []byte
	hops     []hop
}

// takeScratch returns the memory that the last Read left, or new.
func (s *Store) takeScratch() *scratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.scratch
	s.scratch = nil
	if x == nil {
		x = &scratch{}
	}
	return x
}

// giveBack leaves it for the next Read, unless it is unusually large.
func (s *Store) giveBack(x *scratch) {
	if cap(x.buf) > readBytesMax || cap(x.unpacked) > readBytesMax {
		return // of a rare large item
	}
	x.hops = x.hops[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scratch = x
}

// located is a record and where it is in the reader's buffer.
type located struct {
	place
	at int
}

// step yields the next items, as many as are found together, and reports whether
// there is more to do.
func (r *reader) step() (more bool, err error) {
	v, archive, err := r.next()
	switch {
	case err != nil || r.at == r.to:
		return false, err
	case archive != 0:
		return r.archived(archive)
	case v != nil:
		err = r.load(v.file)
		r.release(v)
	}
	if err != nil {
		return false, err
	}
	return r.yieldRecords()
}

// release gives back a volume that next or acquire returned.
func (r *reader) release(v *volume) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.shelf.release(v)
}

// next finds where the next items are: in an archive, of which it returns the
// latest that has items of the stream; in a segment, which it returns, their
// places chosen; or in the open block, from which it copies them.
func (r *reader) next() (v *volume, archive uint32, err error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.err, ErrClosed) {
		return nil, 0, ErrClosed
	}
	st := s.index.streams[r.name]
	if st == nil {
		return nil, 0, fmt.Errorf("%w: there is no such stream", ErrRange)
	}
	if r.at < st.start || r.at > r.to || r.to > st.end() {
		return nil, 0, fmt.Errorf(
			"%w: [%d, %d) of [%d, %d)",
			ErrRange,
			r.at,
			r.to,
			st.start,
			st.end(),
		)
	}
	if r.at == r.to || r.at < st.rawStart {
		return nil, st.archive, nil
	}
	r.choose(st.raw[r.at-st.rawStart:r.to-st.rawStart], &s.open)
	if s.open.holds(r.places[0].place) {
		r.copy(&s.open)
		return nil, 0, nil
	}
	v, err = s.shelf.acquire(segmentName(r.places[0].segment))
	return v, 0, err
}

// choose takes the first places that lie in the same file, within the limits.
func (r *reader) choose(all []place, open *openBlock) {
	r.places = r.places[:0]
	bytes := 0
	for _, p := range all {
		bytes += int(p.size)
		if n := len(r.places); n > 0 && (n == readItemsMax || bytes > readBytesMax ||
			p.segment != all[0].segment || open.holds(p) != open.holds(all[0])) {
			return
		}
		r.places = append(r.places, located{place: p})
	}
}

// holds reports whether a record is in the open block.
func (b *openBlock) holds(p place) bool {
	return len(b.bytes) > 0 && p.segment == b.segment && int64(p.offset) >= b.base
}

// copy takes the chosen records from the open block, whose memory may move once
// the mutex is given up.
func (r *reader) copy(b *openBlock) {
	r.buf = r.buf[:0]
	for i, p := range r.places {
		r.places[i].at = len(r.buf)
		from := int64(p.offset) - b.base
		r.buf = append(r.buf, b.bytes[from:from+int64(p.size)]...)
	}
}

// load reads the places from their file, neighbours with one read.
func (r *reader) load(file vfs.File) error {
	total := 0
	for i := 0; i < len(r.places); {
		var size int
		i, size = r.extent(i, total)
		total += size
	}
	if cap(r.buf) < total {
		r.buf = make([]byte, total)
	}
	r.buf = r.buf[:total]
	for i := 0; i < len(r.places); {
		first := r.places[i]
		next, size := r.extent(i, first.at)
		if err := readFull(file, r.buf[first.at:first.at+size], int64(first.offset)); err != nil {
			return fmt.Errorf("read %s: %w", r.s.path(segmentName(first.segment)), err)
		}
		i = next
	}
	return nil
}

// extent finds the places from i on that one read takes, puts them at the offset
// in the buffer, and returns the place after them and what the read takes.
func (r *reader) extent(i, at int) (next, size int) {
	first := r.places[i].offset
	end := first
	for next = i; next < len(r.places); next++ {
		p := &r.places[next]
		if next > i && (p.offset-end > readGapBytes || p.offset+p.size-first > readBytesMax) {
			break
		}
		p.at = at + int(p.offset-first)
		end = p.offset + p.size
	}
	return next, int(end - first)
}

// yieldRecords verifies and yields what is in the buffer.
func (r *reader) yieldRecords() (more bool, err error) {
	for _, p := range r.places {
		item, err := p.item(r.buf[p.at:p.at+int(p.size)], r.name, r.at)
		if err != nil {
			return false, damaged(r.s.path(segmentName(p.segment)), int64(p.offset), err)
		}
		if !r.yield(item, nil) {
			return false, nil
		}
		r.at++
	}
	return r.at < r.to, nil
}

// item returns the item in a record's frame, if the frame is the one due.
func (p place) item(b []byte, name string, position uint64) ([]byte, error) {
	f, err := frame.Decode(b)
	if err != nil {
		return nil, err
	}
	c, err := decodeRecord(f)
	if err != nil {
		return nil, err
	}
	if f.Bytes() != len(b) || string(c.name) != name || c.position != position {
		return nil, fmt.Errorf("%w: %s@%d", errStale, c.name, c.position)
	}
	return c.item, nil
}
