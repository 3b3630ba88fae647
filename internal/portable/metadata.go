package portable

import (
	"errors"
	"fmt"
	"iter"

	"vatwarehouse/swing"
)

// Metadata is what a stream tells before its artifacts, all but rows and change
// sets, which may be too many to hold.
type Metadata struct {
	Facts
	Programs  []swing.Hash
	Spans     []Span
	Outputs   Outputs
	Snapshots []Snapshot
	Bases     []swing.Hash
}

// Metadata writes all but rows and change sets, which follow.
func (w *Writer) Metadata(m *Metadata) error {
	_ = w.item(KindFacts, m.encode()) // the first failure sticks
	for _, p := range m.Programs {
		_ = w.item(KindProgram, swing.AppendHash(nil, p))
	}
	for _, s := range m.Spans {
		_ = w.item(KindSpan, s.encode())
	}
	_ = w.item(KindOutputs, m.Outputs.encode())
	for _, s := range m.Snapshots {
		_ = w.item(KindSnapshot, s.encode())
	}
	for _, b := range m.Bases {
		_ = w.item(KindBase, swing.AppendHash(nil, b))
	}
	return w.err
}

// Row writes one row; keys ascend.
func (w *Writer) Row(row Row) error { return w.item(KindRow, row.encode(nil)) }

// Changes writes one change set; those of all blocks follow one another.
func (w *Writer) Changes(b []byte) error { return w.item(KindChanges, b) }

// Code writes a program.
func (w *Writer) Code(code []byte) error { return w.item(KindCode, code) }

// Entries writes the entries of a span, and fails unless they are its.
func (w *Writer) Entries(s Span, items iter.Seq2[[]byte, error]) error {
	at := s.from()
	for item, err := range items {
		if err == nil {
			at, err = s.extend(at, item)
		}
		if err == nil {
			err = w.item(KindEntry, item)
		}
		if err != nil {
			return w.fail(fmt.Errorf("transcript of %s: %w", s.Vat, err))
		}
	}
	if err := s.ends(at); err != nil {
		return w.fail(err)
	}
	return nil
}

// AllOutputs writes the outputs, and fails unless they are the ones told of.
func (w *Writer) AllOutputs(o Outputs, items iter.Seq2[[]byte, error]) error {
	at := Outputs{Start: o.Start, End: o.Start}
	for item, err := range items {
		if err == nil {
			err = w.item(KindOutput, item)
		}
		if err != nil {
			return w.fail(fmt.Errorf("outputs: %w", err))
		}
		at = at.Extend(item)
	}
	if at != o {
		return w.fail(corrupt("outputs [%d, %d) are not those counted", o.Start, o.End))
	}
	return nil
}

// Object writes one object of a heap.
func (w *Writer) Object(b []byte) error { return w.item(KindObject, b) }

// Facts reads the first item.
func (r *Reader) Facts() (f Facts, err error) {
	b, err := r.take(KindFacts)
	if err != nil {
		return f, err
	}
	if f, err = decodeFacts(r.what, b); err != nil {
		return f, r.fail(fmt.Errorf("%v: %w", KindFacts, asCorrupt(err)))
	}
	return f, nil
}

// Metadata reads and verifies what follows the facts, up to the seal, and returns
// all of it with the root.
// Rows and change sets are handed over as they come; what is done with them must
// wait until Metadata has returned without an error. They are valid for the call.
func (r *Reader) Metadata(
	f Facts, row func(Row) error, changes func([]byte) error,
) (m Metadata, root swing.Hash, err error) {
	m.Facts = f
	d := metadataDecoder{r: r, m: &m, row: row, changes: changes}
	for {
		kind, err := r.peek()
		if err != nil {
			return m, root, err
		}
		if kind == kindSeal {
			break
		}
		b, err := r.take(kind)
		if err == nil {
			err = d.record(kind, b)
		}
		if err != nil {
			return m, root, r.fail(fmt.Errorf("%v: %w", kind, err))
		}
	}
	if d.outputs != 1 || r.what == Vat && (len(m.Spans) != 1 || len(m.Snapshots) > 1) {
		return m, root, r.fail(corrupt("%d records of outputs, %d spans, %d snapshots in %v",
			d.outputs, len(m.Spans), len(m.Snapshots), r.what))
	}
	if want := m.Block - m.BaseBlock; r.what == Feed && d.blocks != want {
		return m, root, r.fail(corrupt("%d change sets of %d blocks", d.blocks, want))
	}
	root, err = r.seal()
	return m, root, err
}

// metadataDecoder takes records, and sees that they ascend.
type metadataDecoder struct {
	r       *Reader
	m       *Metadata
	row     func(Row) error
	changes func([]byte) error
	outputs int
	blocks  uint64
	key     string
}

func (d *metadataDecoder) record(kind Kind, b []byte) (err error) {
	m := d.m
	switch kind {
	case KindProgram:
		m.Programs, err = ascending(m.Programs, decodeHash, b, CompareHashes)
	case KindSpan:
		m.Spans, err = ascending(m.Spans, decodeSpan, b, Span.compare)
		if n := len(m.Spans); err == nil && n > 1 {
			err = m.Spans[n-1].follows(m.Spans[n-2])
		}
	case KindOutputs:
		d.outputs++
		m.Outputs, err = decodeOutputs(d.r.what, b)
	case KindSnapshot:
		m.Snapshots, err = ascending(m.Snapshots, decodeSnapshot, b, Snapshot.compare)
	case KindBase:
		m.Bases, err = ascending(m.Bases, decodeHash, b, CompareHashes)
	case KindChanges:
		d.blocks++
		return d.changes(b)
	case KindRow:
		var row Row
		if row, err = decodeRow(b); err == nil && row.Key <= d.key {
			err = corrupt("key %q after key %q", row.Key, d.key)
		}
		if d.key = row.Key; err == nil {
			return d.row(row)
		}
	default:
		err = corrupt("%v", kind)
	}
	return asCorrupt(err)
}

// asCorrupt marks what decoders say of bytes.
func asCorrupt(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

func decodeHash(b []byte) (swing.Hash, error) {
	r := swing.NewReader(b)
	h := r.Hash()
	return h, r.Done()
}

// ascending decodes a record that must come after the last of a list.
func ascending[T any](
	list []T, decode func([]byte) (T, error), b []byte, compare func(a, b T) int,
) ([]T, error) {
	v, err := decode(b)
	if err == nil && len(list) > 0 && compare(list[len(list)-1], v) >= 0 {
		err = corrupt("records out of order")
	}
	return append(list, v), err
}

// Code reads a program; the caller holds it against the hash in the metadata.
func (r *Reader) Code() ([]byte, error) { return r.take(KindCode) }

// Entries yields the entries of a span, each valid until the next, and an error at
// the end unless they are the ones that the span's hash is of.
func (r *Reader) Entries(s Span) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		at := s.from()
		for at.End < s.End {
			item, err := r.take(KindEntry)
			if err == nil {
				at, err = s.extend(at, item)
			}
			if err != nil {
				yield(nil, r.fail(err))
				return
			}
			if !yield(item, nil) {
				return
			}
		}
		if err := s.ends(at); err != nil {
			yield(nil, r.fail(err))
		}
	}
}

// AllOutputs yields the outputs, as Entries does entries.
func (r *Reader) AllOutputs(o Outputs) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		at := Outputs{Start: o.Start, End: o.Start}
		for at.End < o.End {
			item, err := r.take(KindOutput)
			if err != nil {
				yield(nil, err)
				return
			}
			at = at.Extend(item)
			if !yield(item, nil) {
				return
			}
		}
		if at != o {
			yield(nil, r.fail(corrupt("outputs [%d, %d) are not those told of", o.Start, o.End)))
		}
	}
}

// Object reads one object of a heap; who asks knows its hash.
func (r *Reader) Object() ([]byte, error) { return r.take(KindObject) }
