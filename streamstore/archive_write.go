package streamstore

import (
	"encoding/binary"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

// archiveWriter writes one archive from its first byte to its last.
type archiveWriter struct {
	file vfs.File
	off  int64 // what the file has
	buf  []byte
	seed uint32
	x    footer
	pack packer
}

// write writes the items of streams that are sorted by name.
func (w *archiveWriter) write(identity uint64, number uint32, streams []taken) (archived, error) {
	w.buf, w.seed = archiveHead{identity, number}.append(nil)
	for i, t := range streams {
		for j, item := range t.items {
			if err := w.add(uint32(i), t.first+uint64(j), item); err != nil {
				return archived{}, err
			}
		}
	}
	if err := w.flushPack(); err != nil {
		return archived{}, err
	}
	if err := w.names(streams); err != nil {
		return archived{}, err
	}
	w.x.streams = len(streams)
	at := w.off + int64(len(w.buf))
	if _, err := w.emit(kindFooter, w.x.append(nil)); err != nil {
		return archived{}, err
	}
	trailer := binary.LittleEndian.AppendUint64(nil, uint64(at))
	if _, err := w.emit(kindTrailer, trailer); err != nil {
		return archived{}, err
	}
	if err := w.flush(); err != nil {
		return archived{}, err
	}
	t := streams[0]
	return archived{number, w.off, w.seed, t.plan.name, t.plan.end}, nil
}

// add puts an item into the open pack, or into the next if it does not fit.
func (w *archiveWriter) add(stream uint32, position uint64, item []byte) error {
	if len(w.pack.raw) > 0 && len(w.pack.raw)+len(item) > packBytes {
		if err := w.flushPack(); err != nil {
			return err
		}
	}
	w.pack.add(stream, position, item)
	return nil
}

// flushPack writes the open pack and notes it for the footer.
func (w *archiveWriter) flushPack() error {
	p := w.pack.first
	kind, head, payload := w.pack.body()
	at, err := w.emit(kind, head, payload)
	p.span = at
	w.x.packs = append(w.x.packs, p)
	return err
}

// names writes the table of streams.
func (w *archiveWriter) names(streams []taken) error {
	var body []byte
	var first int
	for i, t := range streams {
		if len(body) == 0 {
			first = i
			body = binary.LittleEndian.AppendUint32(body, uint32(i))
		}
		body = appendName(body, t.plan.name)
		body = binary.AppendUvarint(body, t.first)
		body = binary.AppendUvarint(body, uint64(len(t.items)))
		body = binary.AppendUvarint(body, uint64(t.plan.archive))
		if len(body) < namesBytes && i < len(streams)-1 {
			continue
		}
		at, err := w.emit(kindNames, body)
		if err != nil {
			return err
		}
		w.x.names = append(w.x.names, namesSpan{at, uint32(first), streams[first].plan.name})
		body = body[:0]
	}
	return nil
}

// emit appends a frame, and writes when enough has come together.
func (w *archiveWriter) emit(kind byte, parts ...[]byte) (span, error) {
	at := span{offset: w.off + int64(len(w.buf))}
	w.buf, w.seed = frame.Append(w.buf, kind, w.seed, parts...)
	at.size = w.off + int64(len(w.buf)) - at.offset
	if len(w.buf) < tapeBytes {
		return at, nil
	}
	return at, w.flush()
}

// flush hands to the file what has come together.
func (w *archiveWriter) flush() error {
	_, err := w.file.WriteAt(w.buf, w.off)
	w.off += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}
