package snapstore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"vatwarehouse/internal/frame"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

const (
	indexMagic       = "vatindx"
	indexHeaderBytes = len(indexMagic) + 1 + 4 + 4 + 4 + 8
	indexEntryBytes  = swing.HashBytes + 1 + 4 + 2
	// indexFrameEntries is how many entries a frame of an index file holds.
	indexFrameEntries = 1024
	// recordBytesMin is the size of the smallest record.
	recordBytesMin = recordHeadBytes + 1
)

// packIndex is what an index file says of its pack.
type packIndex struct {
	pack    uint32
	size    int64  // the pack's length
	check   uint32 // of the pack's last frame
	entries []entry
}

// indexBytes returns the size of the index file of so many entries.
func indexBytes(entries int) int64 {
	frames := int64(entries+indexFrameEntries-1) / indexFrameEntries
	return int64(frame.HeaderBytes+indexHeaderBytes) + frames*frame.HeaderBytes +
		int64(entries)*indexEntryBytes
}

// compareEntries orders entries by hash, then class.
func compareEntries(a, b entry) int {
	if c := bytes.Compare(a.hash[:], b.hash[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.class, b.class)
}

// encode returns the index file's bytes. It sorts the entries.
func (x *packIndex) encode() []byte {
	slices.SortFunc(x.entries, compareEntries)
	head := append([]byte(indexMagic), FormatVersion)
	head = binary.LittleEndian.AppendUint32(head, x.pack)
	head = binary.LittleEndian.AppendUint32(head, x.check)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(x.entries)))
	head = binary.LittleEndian.AppendUint64(head, uint64(x.size))
	b := make([]byte, 0, indexBytes(len(x.entries)))
	b, check := frame.Append(b, kindIndexHeader, 0, head)
	var body []byte
	for part := range slices.Chunk(x.entries, indexFrameEntries) {
		body = body[:0]
		for i := range part {
			body = appendEntry(body, &part[i])
		}
		b, check = frame.Append(b, kindEntries, check, body)
	}
	return b
}

func appendEntry(b []byte, e *entry) []byte {
	b = append(append(b, e.hash[:]...), byte(e.class))
	b = binary.LittleEndian.AppendUint32(b, e.offset)
	return binary.LittleEndian.AppendUint16(b, e.size)
}

var errIndex = errors.New("not an index file")

// decodePackIndex reads what encode returns.
func decodePackIndex(b []byte) (packIndex, error) {
	f, err := frame.Decode(b)
	if err != nil {
		return packIndex{}, fmt.Errorf("header: %w", err)
	}
	x, count, err := decodeIndexHeader(f)
	if err != nil {
		return packIndex{}, err
	}
	if int64(len(b)) != indexBytes(count) {
		return packIndex{}, fmt.Errorf("%w: %d entries in %d bytes", errIndex, count, len(b))
	}
	x.entries = make([]entry, 0, count)
	for check := f.Check; len(x.entries) < count; check = f.Check {
		b = b[f.Bytes():]
		if f, err = frame.Decode(b); err != nil {
			return packIndex{}, fmt.Errorf("after entry %d: %w", len(x.entries), err)
		}
		n := min(count-len(x.entries), indexFrameEntries)
		if f.Seed != check || f.Kind != kindEntries || len(f.Body) != n*indexEntryBytes {
			return packIndex{}, fmt.Errorf("%w: the frame after entry %d", errIndex, len(x.entries))
		}
		if err := x.decodeEntries(f.Body); err != nil {
			return packIndex{}, err
		}
	}
	return x, nil
}

func decodeIndexHeader(f frame.Frame) (x packIndex, count int, err error) {
	n := len(indexMagic)
	if f.Kind != kindIndexHeader || f.Seed != 0 || len(f.Body) != indexHeaderBytes ||
		string(f.Body[:n]) != indexMagic {
		return x, 0, fmt.Errorf("%w: a frame of kind %d", errIndex, f.Kind)
	}
	if f.Body[n] != FormatVersion {
		return x, 0, fmt.Errorf("%w: %d", ErrVersion, f.Body[n])
	}
	b := f.Body[n+1:]
	x.pack = binary.LittleEndian.Uint32(b)
	x.check = binary.LittleEndian.Uint32(b[4:])
	count = int(binary.LittleEndian.Uint32(b[8:]))
	size := binary.LittleEndian.Uint64(b[12:])
	if size > packFileBytesMax || uint64(count) > size/recordBytesMin {
		return x, 0, fmt.Errorf("%w: %d entries for a pack of %d bytes", errIndex, count, size)
	}
	x.size = int64(size)
	return x, count, nil
}

func (x *packIndex) decodeEntries(b []byte) error {
	for ; len(b) > 0; b = b[indexEntryBytes:] {
		e := entry{hash: swing.Hash(b[:swing.HashBytes]), class: class(b[swing.HashBytes])}
		rest := b[swing.HashBytes+1:]
		e.pack = x.pack
		e.offset = binary.LittleEndian.Uint32(rest)
		e.size = binary.LittleEndian.Uint16(rest[4:])
		n := len(x.entries)
		switch {
		case e.class < classPage || e.class > classHeap,
			e.size < recordBytesMin || int64(e.offset)+int64(e.size) > x.size,
			n > 0 && compareEntries(x.entries[n-1], e) >= 0:
			return fmt.Errorf("%w: entry %d", errIndex, n)
		}
		x.entries = append(x.entries, e)
	}
	return nil
}

// readPackIndex reads the index file of a pack of that length.
func (s *Store) readPackIndex(p *pack, size int64) (x packIndex, err error) {
	f, err := s.o.FS.Open(s.indexFile(p))
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := readWhole(f, indexBytes(int(min(size, packFileBytesMax)/recordBytesMin)))
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return x, err
	}
	if err == nil {
		x, err = decodePackIndex(b)
	}
	if err == nil && (x.pack != p.number || x.size != size) {
		err = fmt.Errorf("%w of %s with %d bytes, but of pack %08x with %d",
			errIndex, p.name(), size, x.pack, x.size)
	}
	if err != nil {
		err = &Fault{File: s.indexFile(p), Problem: err.Error()}
	}
	return x, err
}

// readWhole returns a file's bytes, of which there may be at most max.
func readWhole(f vfs.File, max int64) ([]byte, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > max {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, size, max)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}
