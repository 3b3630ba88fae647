package streamstore

import (
	"fmt"

	"vatwarehouse/internal/frame"
)

// archive verifies an archive: each frame, the chain, and that its packs hold
// what its table says, item by item.
func (v *verifier) archive(t *tape, a archived) error {
	x, at, err := readFooterAt(t)
	if err == nil {
		err = a.checkTrailer(t.file, t.name)
	}
	if err != nil {
		return v.fault(Fault{File: t.name, Offset: at, Err: err})
	}
	w := archiveCheck{t: t, head: archiveHead{v.s.identity, a.number}, chained: true}
	parts, err := w.parts(x, at)
	if err != nil {
		return err
	}
	for _, part := range parts {
		f := Fault{File: t.name, Offset: part.offset}
		if int(part.stream) < len(w.streams) && part.items {
			f.Stream, f.Position = w.streams[part.stream], part.position
		}
		f.Err = w.part(part)
		if err := v.fault(f); err != nil {
			return err
		}
		w.chained = f.Err == nil
	}
	return nil
}

// archivePart is one frame of an archive, items is set for a pack.
type archivePart struct {
	packSpan
	items bool
}

// archiveCheck goes through an archive's frames with its table of streams.
type archiveCheck struct {
	t       *tape
	head    archiveHead
	streams []string // nil, as helds, if the table cannot be read whole
	helds   []held
	seed    uint32
	chained bool // the frame before was good
	stream  int  // where the next item is due
	done    uint64
	buf     []byte
}

// parts lists all frames, and takes the table of streams from where it can be
// read: what is bad of it is a fault when it is that part's turn.
func (w *archiveCheck) parts(x *footer, footerAt int64) ([]archivePart, error) {
	parts := []archivePart{{packSpan: packSpan{span: span{0, archiveHeaderBytes}}}}
	for _, p := range x.packs {
		parts = append(parts, archivePart{p, true})
	}
	whole := true
	for _, n := range x.names {
		parts = append(parts, archivePart{packSpan: packSpan{span: n.span}})
		f, err := w.t.frame(n.offset)
		if err != nil && !badFrame(err) {
			return nil, err
		}
		whole = whole && err == nil && eachName(f, w.entry) == nil
	}
	if !whole {
		w.streams, w.helds = nil, nil
	}
	last := w.t.size - trailerBytes
	return append(parts,
		archivePart{packSpan: packSpan{span: span{footerAt, last - footerAt}}},
		archivePart{packSpan: packSpan{span: span{last, trailerBytes}}}), nil
}

// entry notes one entry of the table of streams.
func (w *archiveCheck) entry(stream string, h held) bool {
	w.streams, w.helds = append(w.streams, stream), append(w.helds, h)
	return true
}

// part verifies one frame: itself, its place in the chain, what is in it.
func (w *archiveCheck) part(part archivePart) error {
	f, err := w.t.frame(part.offset)
	switch {
	case err != nil:
		return err
	case w.chained && f.Seed != w.seed:
		return errSeed(f.Seed, w.seed)
	case int64(f.Bytes()) != part.size:
		return fmt.Errorf("%w: %d bytes where %d are due", errStale, f.Bytes(), part.size)
	}
	w.seed = f.Check
	switch {
	case part.offset == 0:
		return w.head.check(f)
	case part.items:
		return w.pack(f, part.packSpan)
	case f.Kind == kindNames:
		return eachName(f, func(string, held) bool { return true })
	}
	return nil
}

// pack sees that a pack's items are those that the table has next. After a bad
// frame it starts anew where the pack says.
func (w *archiveCheck) pack(f frame.Frame, due packSpan) error {
	p, buf, err := decodePack(f, due, w.buf)
	if err != nil {
		return err
	}
	w.buf = buf
	if !w.chained && int(due.stream) < len(w.helds) {
		w.stream, w.done = int(due.stream), due.position-w.helds[due.stream].first
	}
	for {
		ok, err := p.next()
		if err != nil || !ok {
			return err
		}
		if w.helds == nil {
			continue
		}
		if w.stream >= len(w.helds) {
			return fmt.Errorf("%w: an item past the table", errStale)
		}
		h := w.helds[w.stream]
		if int(p.stream) != w.stream || p.position != h.first+w.done {
			return fmt.Errorf("%w: stream %d position %d", errStale, p.stream, p.position)
		}
		if w.done++; w.done == h.count {
			w.stream, w.done = w.stream+1, 0
		}
	}
}
