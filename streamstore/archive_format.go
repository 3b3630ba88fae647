package streamstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"vatwarehouse/internal/frame"
	"vatwarehouse/vfs"
)

const (
	// namesBytes is where one frame of the table of streams is full.
	namesBytes = 4 << 10

	archiveHeaderBytes = frame.HeaderBytes + magicBytes + 4 + 8 + 4
	trailerBytes       = frame.HeaderBytes + 8
)

// held is what an archive holds of one stream: items [first, first+count).
// Earlier ones are in the archive prev, 0 for none.
type held struct {
	first uint64
	count uint64
	prev  uint32
}

// end returns the position after the last item held.
func (h held) end() uint64 { return h.first + h.count }

// span is where a frame lies.
type span struct {
	offset int64
	size   int64
}

// footer is an archive's index: where its packs are, by their first items, and
// where the table of streams is, by first names.
type footer struct {
	streams int
	packs   []packSpan
	names   []namesSpan
}

// packSpan is a pack and the stream, by its place in the sorted table, and
// position of its first item.
type packSpan struct {
	span
	stream   uint32
	position uint64
}

// namesSpan is one frame of the table of streams, its first name and the place
// of that name in the whole table.
type namesSpan struct {
	span
	stream uint32
	first  string
}

// append appends the body of the footer. Offsets are left out: the frames follow
// one another, so their sizes say where they are.
func (f *footer) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(f.streams))
	b = binary.AppendUvarint(b, uint64(len(f.packs)))
	for _, p := range f.packs {
		b = binary.AppendUvarint(b, uint64(p.size))
		b = binary.AppendUvarint(b, uint64(p.stream))
		b = binary.AppendUvarint(b, p.position)
	}
	b = binary.AppendUvarint(b, uint64(len(f.names)))
	for _, n := range f.names {
		b = binary.AppendUvarint(b, uint64(n.size))
		b = binary.AppendUvarint(b, uint64(n.stream))
		b = appendName(b, n.first)
	}
	return b
}

// decodeFooter reads a footer. The frames it lists follow one another from the
// archive's header to the footer itself, at end: no byte is left unaccounted for.
func decodeFooter(f frame.Frame, end int64) (*footer, error) {
	r := fieldReader{b: f.Body}
	x := &footer{streams: int(r.uvarint32())}
	off := int64(archiveHeaderBytes)
	next := func() span {
		sp := span{off, int64(r.uvarint())}
		if sp.size < frame.HeaderBytes ||
			sp.size > min(end-off, frame.HeaderBytes+frame.BodyBytesMax) {
			r.fail(errBody)
		}
		off += sp.size
		return sp
	}
	for n := r.count(3); n > 0 && r.err == nil; n-- {
		x.packs = append(x.packs, packSpan{next(), r.uvarint32(), r.uvarint()})
	}
	for n := r.count(4); n > 0 && r.err == nil; n-- {
		x.names = append(x.names, namesSpan{next(), r.uvarint32(), string(r.name())})
	}
	if off != end || len(x.packs) == 0 || len(x.names) == 0 || x.names[0].stream != 0 {
		r.fail(errBody)
	}
	return x, r.done(f, kindFooter)
}

// findName searches one frame of the table of streams. It returns what the
// archive holds of the stream and the stream's place in the whole table.
func findName(f frame.Frame, name string) (h held, stream uint32, ok bool, err error) {
	r := fieldReader{b: f.Body}
	for stream = r.uint32(); len(r.b) > 0 && f.Kind == kindNames; stream++ {
		got := r.name()
		h = held{r.uvarint(), r.uvarint(), r.uvarint32()}
		if r.err == nil && string(got) >= name {
			return h, stream, string(got) == name, nil
		}
	}
	return held{}, 0, false, r.done(f, kindNames)
}

// namesFor returns the frame in which a name must be, and whether there is one.
func (f *footer) namesFor(name string) (namesSpan, bool) {
	i := sort.Search(len(f.names), func(i int) bool { return f.names[i].first > name })
	if i == 0 {
		return namesSpan{}, false
	}
	return f.names[i-1], true
}

// packFor returns the index of the pack in which an item must be, or -1.
func (f *footer) packFor(stream uint32, position uint64) int {
	return sort.Search(len(f.packs), func(i int) bool {
		p := f.packs[i]
		return p.stream > stream || p.stream == stream && p.position > position
	}) - 1
}

// archiveHead is an archive's first frame.
type archiveHead struct {
	identity uint64
	number   uint32
}

// append appends the head as a frame, and returns its check.
func (h archiveHead) append(b []byte) ([]byte, uint32) {
	body := appendFileHead(nil, magicArchive, h.identity)
	return frame.Append(b, kindArchive, 0, binary.LittleEndian.AppendUint32(body, h.number))
}

// check sees that a frame is this head.
func (h archiveHead) check(f frame.Frame) error {
	r := fieldReader{b: f.Body}
	got := archiveHead{r.fileHead(magicArchive), r.uint32()}
	if err := r.done(f, kindArchive); err != nil {
		return err
	}
	if got != h || f.Seed != 0 {
		return fmt.Errorf("%w: archive %d of log %016x", errStale, got.number, got.identity)
	}
	return nil
}

// readFooter reads an archive's first frame, as another version may mean other
// things by the rest, and its last two: the trailer says where the footer begins.
func (h archiveHead) readFooter(file vfs.File, name string) (*footer, error) {
	b := make([]byte, archiveHeaderBytes)
	if err := readFull(file, b, 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f, err := frame.Decode(b)
	if err == nil {
		err = h.check(f)
	}
	if err != nil {
		return nil, damaged(name, 0, err)
	}
	t, err := newTape(file, name)
	if err != nil {
		return nil, err
	}
	x, _, err := readFooterAt(t)
	return x, err
}

// readFooterAt reads the last two frames, and returns where the footer begins, or
// where reading it failed.
func readFooterAt(t *tape) (x *footer, at int64, err error) {
	at = t.size - trailerBytes
	f, err := t.frame(max(at, 0))
	if err == nil {
		r := fieldReader{b: f.Body}
		at = int64(r.uint64())
		err = r.done(f, kindTrailer)
	}
	if err == nil && (at < archiveHeaderBytes || at > t.size-trailerBytes) {
		err = errBody
	}
	seed := f.Seed
	if err == nil {
		f, err = t.frame(at)
	}
	if err == nil && (f.Check != seed || at+int64(f.Bytes()) != t.size-trailerBytes) {
		err = errStale
	}
	if err == nil {
		x, err = decodeFooter(f, at)
	}
	if err != nil {
		return nil, at, frameError(t.name, at, err)
	}
	return x, at, nil
}

// frameError wraps what a frame could not be used for: damage, or the file
// system's failure to read it.
func frameError(name string, at int64, err error) error {
	if badFrame(err) || errors.Is(err, errStale) || errors.Is(err, errBody) {
		return damaged(name, at, err)
	}
	return err
}

// eachHeld calls visit with every stream of an archive, in order, until it
// returns false.
func (h archiveHead) eachHeld(
	file vfs.File, name string, visit func(stream string, h held) bool,
) error {
	x, err := h.readFooter(file, name)
	if err != nil {
		return err
	}
	t, err := newTape(file, name)
	if err != nil {
		return err
	}
	more := true
	for _, n := range x.names {
		f, err := t.frame(n.offset)
		if err == nil {
			err = eachName(f, func(stream string, h held) bool {
				more = visit(stream, h)
				return more
			})
		}
		if err != nil {
			return frameError(name, n.offset, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// eachName is eachHeld for one frame of the table.
func eachName(f frame.Frame, visit func(stream string, h held) bool) error {
	r := fieldReader{b: f.Body}
	r.uint32()
	for len(r.b) > 0 {
		stream := string(r.name())
		h := held{r.uvarint(), r.uvarint(), r.uvarint32()}
		if r.err == nil && !visit(stream, h) {
			return nil
		}
	}
	return r.done(f, kindNames)
}
