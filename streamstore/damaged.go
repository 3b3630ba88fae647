package streamstore

import (
	"errors"
	"fmt"

	"vatwarehouse/internal/frame"
)

// damagedRecord is a record that fails its check in a chain that goes on behind
// it: the bytes of one item have changed, and nothing else.
type damagedRecord struct {
	Fault
	block uint64
}

// passOver goes on behind a record that fails its check, if the frame after it
// is whole and follows it by the record's stored check, or by the check its bytes
// have (then the stored one is what has changed). The record stays in the index,
// where its name and position say: whoever reads it learns that it is damaged. (If
// it says that it is the first of a stream, the name may be what has changed; then
// there seems to be a stream that never was.) It returns where the next frame is,
// and its seed.
//
// That is right only where the block was durable before it was damaged; a crash
// may have torn one that was not. See provenDamage.
func (s *scanner) passOver(t *tape, off int64, reason error) (next int64, seed uint32, ok bool) {
	if !s.tolerant || !errors.Is(reason, frame.ErrCheck) {
		return 0, 0, false
	}
	head, err := t.window(off, frame.HeaderBytes)
	if err != nil {
		return 0, 0, false
	}
	n, err := frame.DecodeLength(head)
	if err != nil {
		return 0, 0, false
	}
	b, err := t.window(off, frame.HeaderBytes+n)
	if err != nil {
		return 0, 0, false
	}
	f, check, err := frame.Inspect(b)
	if err != nil {
		return 0, 0, false
	}
	stored := f.Check
	c, err := decodeRecord(f)
	if err != nil {
		return 0, 0, false
	}
	name := string(c.name)
	next = off + int64(len(b))
	after, err := t.frame(next) // what was read before is no longer valid
	if err != nil || (after.Seed != stored && after.Seed != check) {
		return 0, 0, false
	}
	if s.x.streams[name] == nil && c.position != 0 {
		return 0, 0, false // the name has changed: whose item it was is not known
	}
	st := s.x.find(name, c.position)
	if st.end() != c.position {
		return 0, 0, false
	}
	s.x.add(st, place{s.segment, uint32(off), uint32(next - off)})
	s.damaged = append(s.damaged, damagedRecord{
		Fault{t.name, off, name, c.position, reason}, s.block + 1,
	})
	return next, after.Seed, true
}

// provenDamage reports whether every damaged record that was passed over is in a
// block that was durable: because the log was closed and ends as its mark says, or
// because a later frame says so. If not, the scan must be done again without
// passing over any.
func (p *opener) provenDamage() bool {
	if p.closed != nil {
		return p.judgeClosed() == nil
	}
	for _, d := range p.scan.damaged {
		if d.block > max(p.scan.proven, p.o.Durable) {
			return false
		}
	}
	return true
}

// rescan reads the segments again, taking every bad frame for the end.
func (p *opener) rescan() error {
	p.scan, p.tear = scanner{x: newIndex()}, nil
	if p.manifest != nil {
		p.startAfterManifest()
	}
	return p.scanSegments()
}

// errDamaged is what Recovery says of a record that was passed over.
func (d damagedRecord) errDamaged() error {
	return fmt.Errorf("%w: %s at byte %d: item %s@%d: %w",
		ErrCorrupt, d.File, d.Offset, d.Stream, d.Position, d.Err)
}
