package streamstore

import (
	"fmt"

	"vatwarehouse/internal/frame"
)

// hop is an archive still to be read, and what it holds of the stream.
type hop struct {
	number uint32
	stream uint32 // its place in the archive's table
	held
}

// archived yields items from one pack of the archive that the next item is in.
func (r *reader) archived(last uint32) (more bool, err error) {
	for len(r.hops) > 0 && r.hops[len(r.hops)-1].end() <= r.at {
		r.hops = r.hops[:len(r.hops)-1]
	}
	if len(r.hops) == 0 { // at first, and where an archive was made meanwhile
		if err := r.findHops(last); err != nil {
			return false, err
		}
	}
	h := r.hops[len(r.hops)-1]
	v, err := r.acquire(archiveName(h.number))
	if err != nil {
		return false, err
	}
	p, err := r.pack(v, h)
	r.release(v)
	if err != nil {
		return false, err
	}
	return r.yieldPack(p, h)
}

// acquire opens a file for reading, for the caller to release.
func (r *reader) acquire(name string) (*volume, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.s.shelf.acquire(name)
}

// findHops goes back from the stream's last archive, each naming the one before,
// to the one that holds the next item. They are then read the other way round.
func (r *reader) findHops(number uint32) error {
	for {
		v, err := r.acquire(archiveName(number))
		if err != nil {
			return err
		}
		h, err := r.lookUp(v, number)
		r.release(v)
		if err != nil {
			return err
		}
		name := r.s.path(archiveName(number))
		if n := len(r.hops); n > 0 && h.end() != r.hops[n-1].first {
			return corrupt(
				name,
				0,
				"%s ends at %d, goes on at %d",
				r.name,
				h.end(),
				r.hops[n-1].first,
			)
		}
		r.hops = append(r.hops, h)
		if h.first <= r.at {
			return nil
		}
		if h.prev == 0 || h.prev >= number {
			return corrupt(
				name,
				0,
				"%s begins at %d, archive %d before it",
				r.name,
				h.first,
				h.prev,
			)
		}
		number = h.prev
	}
}

// lookUp finds the stream in an archive's table.
func (r *reader) lookUp(v *volume, number uint32) (hop, error) {
	name := r.s.path(v.name)
	x, err := v.index(archiveHead{r.s.identity, number}, name)
	if err != nil {
		return hop{}, err
	}
	n, ok := x.namesFor(r.name)
	if ok {
		var f frame.Frame
		if f, err = r.frame(v, name, n.span); err != nil {
			return hop{}, err
		}
		var h held
		var stream uint32
		if h, stream, ok, err = findName(f, r.name); err != nil {
			return hop{}, damaged(name, n.offset, err)
		}
		if ok {
			return hop{number, stream, h}, nil
		}
	}
	return hop{}, corrupt(name, n.offset, "no stream %s, which others say is here", r.name)
}

// frame reads and verifies one frame, valid until the next is read.
func (r *reader) frame(v *volume, name string, at span) (frame.Frame, error) {
	if int64(cap(r.buf)) < at.size {
		r.buf = make([]byte, at.size)
	}
	b := r.buf[:at.size]
	if err := readFull(v.file, b, at.offset); err != nil {
		return frame.Frame{}, fmt.Errorf("read %s: %w", name, err)
	}
	f, err := frame.Decode(b)
	if err == nil && f.Bytes() != len(b) {
		err = errStale
	}
	if err != nil {
		return frame.Frame{}, damaged(name, at.offset, err)
	}
	return f, nil
}

// pack reads the pack in which the next item is, and passes what is before it.
func (r *reader) pack(v *volume, h hop) (pack, error) {
	name := r.s.path(v.name)
	x, err := v.index(archiveHead{r.s.identity, h.number}, name)
	if err != nil {
		return pack{}, err
	}
	i := x.packFor(h.stream, r.at)
	if i < 0 {
		return pack{}, corrupt(name, 0, "no pack for stream %d position %d", h.stream, r.at)
	}
	due := x.packs[i]
	f, err := r.frame(v, name, due.span)
	if err != nil {
		return pack{}, err
	}
	var p pack
	if p, r.unpacked, err = decodePack(f, due, r.unpacked); err != nil {
		return pack{}, damaged(name, due.offset, err)
	}
	for {
		ok, err := p.next()
		if err == nil && (!ok || p.stream > h.stream) {
			err = fmt.Errorf("%w: stream %d position %d is not there", errStale, h.stream, r.at)
		}
		if err != nil {
			return pack{}, damaged(name, due.offset, err)
		}
		if p.stream == h.stream && p.position == r.at {
			return p, nil
		}
	}
}

// yieldPack yields the item that p is at, and those after it.
func (r *reader) yieldPack(p pack, h hop) (more bool, err error) {
	for {
		if !r.yield(p.item, nil) {
			return false, nil
		}
		if r.at++; r.at == r.to {
			return false, nil
		}
		ok, err := p.next()
		if err != nil {
			return false, damaged(r.s.path(archiveName(h.number)), 0, err)
		}
		if !ok || p.stream != h.stream {
			return true, nil
		}
		if p.position != r.at {
			return false, corrupt(r.s.path(archiveName(h.number)), 0, "position %d", p.position)
		}
	}
}
