package streamstore

import (
	"encoding/binary"
	"fmt"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// manifest says what archives there must be, where the segments go on, and
// where each stream stands at that point.
type manifest struct {
	identity uint64
	archivedThrough
	archives []archived
	streams  []standing // sorted by name
}

// archivedThrough is the end of what has been archived: the last segment, the
// check of its last frame, its last block.
type archivedThrough struct {
	segment uint32
	seed    uint32
	block   uint64
}

// archived is one archive. The witness is a stream that still needs it: while
// its start lies before witnessEnd, the archive must stay.
type archived struct {
	number     uint32
	size       int64
	check      uint32 // of its last frame
	witness    string
	witnessEnd uint64
}

// standing is a stream at the end of what has been archived.
type standing struct {
	name    string
	start   uint64
	end     uint64
	archive uint32
}

// manifestBodyBytes is where a frame of the manifest ends and the next begins.
const manifestBodyBytes = 64 << 10

// encode returns the manifest's bytes.
func (m *manifest) encode() []byte {
	body := appendFileHead(nil, magicManifest, m.identity)
	body = binary.LittleEndian.AppendUint32(body, m.segment)
	body = binary.LittleEndian.AppendUint32(body, m.seed)
	body = binary.LittleEndian.AppendUint64(body, m.block)
	body = binary.AppendUvarint(body, uint64(len(m.archives)))
	body = binary.AppendUvarint(body, uint64(len(m.streams)))
	b, seed := frame.Append(nil, kindManifest, 0, body)
	body = body[:0]
	for i, a := range m.archives {
		body = a.append(body)
		if len(body) >= manifestBodyBytes || i == len(m.archives)-1 {
			b, seed = frame.Append(b, kindArchives, seed, body)
			body = body[:0]
		}
	}
	for i, s := range m.streams {
		body = s.append(body)
		if len(body) >= manifestBodyBytes || i == len(m.streams)-1 {
			b, seed = frame.Append(b, kindStreams, seed, body)
			body = body[:0]
		}
	}
	return b
}

// append appends the archive as an entry of a body.
func (a archived) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(a.number))
	b = binary.AppendUvarint(b, uint64(a.size))
	b = binary.LittleEndian.AppendUint32(b, a.check)
	b = appendName(b, a.witness)
	return binary.AppendUvarint(b, a.witnessEnd)
}

// append appends the stream as an entry of a body.
func (s standing) append(b []byte) []byte {
	b = appendName(b, s.name)
	b = binary.AppendUvarint(b, s.start)
	b = binary.AppendUvarint(b, s.end-s.start)
	return binary.AppendUvarint(b, uint64(s.archive))
}

// appendName appends a name as fieldReader.name takes it.
func appendName(b []byte, name string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

// readManifest reads and verifies the whole manifest.
func readManifest(file vfs.File, name string) (*manifest, error) {
	t, err := newTape(file, name)
	if err != nil {
		return nil, err
	}
	d := manifestDecoder{tape: t, m: &manifest{}}
	for d.off < t.size {
		if err := d.frame(); err != nil {
			return nil, err
		}
	}
	if d.off == 0 || d.archives > 0 || d.streams > 0 {
		return nil, corrupt(name, d.off, "the end, with %d archives and %d streams missing",
			d.archives, d.streams)
	}
	return d.m, nil
}

// manifestDecoder counts down the archives and streams that are still to come.
type manifestDecoder struct {
	*tape
	m        *manifest
	off      int64
	seed     uint32
	archives int
	streams  int
}

// frame reads the next frame and sees that it follows the one before.
func (d *manifestDecoder) frame() error {
	f, err := d.tape.frame(d.off)
	if err != nil && !badFrame(err) {
		return err
	}
	if err == nil && f.Seed != d.seed {
		err = fmt.Errorf("seed %08x where %08x is due", f.Seed, d.seed)
	}
	if err == nil {
		err = d.body(f)
	}
	if err != nil {
		return damaged(d.name, d.off, err)
	}
	d.off += int64(f.Bytes())
	d.seed = f.Check
	return nil
}

// body reads what is due: first the head, then archives while any are missing,
// then streams.
func (d *manifestDecoder) body(f frame.Frame) error {
	r := fieldReader{b: f.Body}
	switch {
	case d.off == 0:
		d.head(&r)
		return r.done(f, kindManifest)
	case len(r.b) == 0 || d.archives == 0 && d.streams == 0:
		return errBody
	case d.archives > 0:
		for ; d.archives > 0 && len(r.b) > 0; d.archives-- {
			d.archive(&r)
		}
		return r.done(f, kindArchives)
	}
	for ; d.streams > 0 && len(r.b) > 0; d.streams-- {
		d.stream(&r)
	}
	return r.done(f, kindStreams)
}

// head reads the first body.
func (d *manifestDecoder) head(r *fieldReader) {
	d.m.identity = r.fileHead(magicManifest)
	d.m.segment = r.uint32()
	d.m.seed = r.uint32()
	d.m.block = r.uint64()
	// Each takes bytes still to come: no count exceeds the file's length.
	archives, streams := r.uvarint(), r.uvarint()
	if archives > uint64(d.size) || streams > uint64(d.size) {
		r.fail(errBody)
		return
	}
	d.archives, d.streams = int(archives), int(streams)
}

// archive reads one archive, which must be later than the one before.
func (d *manifestDecoder) archive(r *fieldReader) {
	number, size := r.uvarint(), r.uvarint()
	a := archived{uint32(number), int64(size), r.uint32(), string(r.name()), r.uvarint()}
	var before uint32
	if n := len(d.m.archives); n > 0 {
		before = d.m.archives[n-1].number
	}
	if number <= uint64(before) || number > uint64(d.m.segment) || int64(size) <= 0 {
		r.fail(errBody)
	}
	d.m.archives = append(d.m.archives, a)
}

// stream reads one stream, whose name must be greater than the one before.
func (d *manifestDecoder) stream(r *fieldReader) {
	s := standing{name: string(r.name()), start: r.uvarint()}
	held, archive := r.uvarint(), r.uvarint()
	s.end, s.archive = s.start+held, uint32(archive)
	n := len(d.m.streams)
	if n > 0 && s.name <= d.m.streams[n-1].name || s.end < s.start ||
		archive > uint64(d.m.segment) || held > 0 && archive == 0 {
		r.fail(errBody)
	}
	d.m.streams = append(d.m.streams, s)
}

// closedMark is what Close leaves: where exactly the log ends. While it is
// there, nothing about the end is taken for the work of a crash.
type closedMark struct {
	identity uint64
	segment  uint32 // the last, 0 if there is none
	size     uint64 // of the last segment
	seed     uint32 // the check of the last frame
	block    uint64
}

// encode returns the file of the mark.
func (c closedMark) encode() []byte {
	body := appendFileHead(nil, magicClosed, c.identity)
	body = binary.LittleEndian.AppendUint32(body, c.segment)
	body = binary.LittleEndian.AppendUint64(body, c.size)
	body = binary.LittleEndian.AppendUint32(body, c.seed)
	body = binary.LittleEndian.AppendUint64(body, c.block)
	b, _ := frame.Append(nil, kindClosed, 0, body)
	return b
}

// readClosedMark reads and verifies the mark: one frame, and not a byte more.
func readClosedMark(file vfs.File, name string) (c closedMark, err error) {
	t, err := newTape(file, name)
	if err != nil {
		return c, err
	}
	f, err := t.frame(0)
	if err != nil && !badFrame(err) {
		return c, err
	}
	if err == nil {
		r := fieldReader{b: f.Body}
		c.identity = r.fileHead(magicClosed)
		c.segment, c.size, c.seed, c.block = r.uint32(), r.uint64(), r.uint32(), r.uint64()
		err = r.done(f, kindClosed)
	}
	if err == nil && (f.Seed != 0 || int64(f.Bytes()) != t.size) {
		err = errBody
	}
	if err != nil {
		return c, damaged(name, 0, err)
	}
	return c, nil
}
