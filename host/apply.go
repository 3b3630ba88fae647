package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// applyBytesMax bounds what a feed brings to the log: it becomes one block of it.
const applyBytesMax = 512 << 20

// Apply brings a directory that follows another one up to date with a feed of it:
// all of it in one block of the log, after everything was verified, or nothing (but
// for a program or two, which a crash may leave installed). The
// feed must go on from exactly where the directory is, so who follows makes no input
// of his own, and does not run or prune. A root that is not zero is the only one that
// is accepted. The Observer is told of nothing.
func (h *Host) Apply(
	ctx context.Context, source io.Reader, root swing.Hash,
) (Imported, error) {
	return read(h, func() (Imported, error) {
		a := applying{h: h, want: root}
		err := a.run(ctx, source)
		if err != nil {
			return Imported{}, fmt.Errorf("apply feed: %w", damaged(err))
		}
		return a.done, nil
	})
}

// item is one item for the log.
type item struct {
	stream   string
	position uint64
	b        []byte
}

// applying is an Apply in progress.
type applying struct {
	h     *Host
	want  swing.Hash // root, or zero
	r     *portable.Reader
	m     portable.Metadata
	sets  [][]byte
	final map[string][]byte // rows as the change sets leave them; nil is gone
	codes [][]byte
	items []item
	bytes int
	done  Imported
}

func (a *applying) run(ctx context.Context, source io.Reader) (err error) {
	h := a.h
	if err := h.settle(ctx); err != nil {
		return err
	}
	a.r, err = portable.NewReader(bufio.NewReaderSize(source, importBufferBytes))
	if err != nil {
		return err
	}
	if what := a.r.What(); what != portable.Feed {
		return fmt.Errorf("%w: it is %v, and only a feed can be applied", ErrRefused, what)
	}
	for _, step := range []func() error{
		a.metadata, a.programs, a.history, a.heaps, a.fits, a.recount,
	} {
		if err := errors.Join(ctx.Err(), step()); err != nil {
			return err
		}
	}
	h.vats.Ahead(ctx, nil)
	for _, vat := range h.vats.PagedIn() {
		if err := h.vats.Evict(ctx, vat); err != nil {
			return err
		}
	}
	return a.commit()
}

// metadata reads the metadata, and sees that it goes on from here.
func (a *applying) metadata() error {
	facts, err := a.r.Facts()
	if err != nil {
		return err
	}
	h := a.h
	if facts.BaseBlock != h.kv.Position() || facts.BaseActivityhash != h.kv.Activityhash() {
		return fmt.Errorf("%w: it goes on from block %d, activityhash %s; the directory is at "+
			"block %d, %s", ErrRefused, facts.BaseBlock, facts.BaseActivityhash.Short(),
			h.kv.Position(), h.kv.Activityhash().Short())
	}
	if err := h.options.schema.withDefaults().checkSchema("the feed", facts.Schema); err != nil {
		return err
	}
	a.final = map[string][]byte{}
	a.m, a.done.Root, err = a.r.Metadata(facts, nil, a.changes)
	a.done.Mode, a.done.Block, a.done.Activityhash = facts.Mode, facts.Block, facts.Activityhash
	a.done.Rows, a.done.Vats = uint64(len(a.sets)), len(a.m.Spans)
	a.done.Base = &Base{m: a.m}
	if err == nil && !a.want.IsZero() && a.want != a.done.Root {
		err = fmt.Errorf("%w: its root is %s, not %s", ErrRefused, a.done.Root, a.want)
	}
	return err
}

// changes keeps one change set.
func (a *applying) changes(b []byte) error {
	if err := a.grow(len(b)); err != nil {
		return err
	}
	b = slices.Clone(b)
	list, err := kvstore.DecodeChanges(b)
	if err != nil {
		return err
	}
	for _, c := range list {
		if !travels(c.Key) && !strings.HasPrefix(c.Key, snapshotPrefix) {
			return fmt.Errorf("%w: a row %q", portable.ErrCorrupt, c.Key)
		}
		if c.Value != nil {
			if err := checkPrivate(c.Key, c.Value); err != nil {
				return fmt.Errorf("%w: %w", portable.ErrCorrupt, err)
			}
		}
		a.final[c.Key] = c.Value
	}
	a.sets = append(a.sets, b)
	return nil
}

func (a *applying) grow(n int) error {
	const itemCost = 64
	if a.bytes += n + itemCost; a.bytes > applyBytesMax {
		return fmt.Errorf("%w: it brings more than %d bytes: make a new export",
			ErrRefused, applyBytesMax)
	}
	return nil
}

func (a *applying) programs() error {
	for _, p := range a.m.Programs {
		if slices.Contains(a.m.Bases, p) {
			continue
		}
		code, err := codeFrom(a.r, p)
		if err == nil {
			err = a.grow(len(code))
		}
		if err != nil {
			return err
		}
		a.codes = append(a.codes, slices.Clone(code))
		a.done.Programs++
	}
	return nil
}

// history keeps the entries and outputs, which must go on from those here.
func (a *applying) history() error {
	vat := swing.VatID("") // of the span before
	for _, s := range a.m.Spans {
		was := a.ends(s.Vat)
		if s.Vat != vat &&
			(s.Incarnation != was.Incarnation || s.Start != was.End || s.Base != was.Hash) {
			return fmt.Errorf("%w: entries of vat %s from %d, and here it ends at %d",
				portable.ErrCorrupt, s.Vat, s.Start, was.End)
		}
		vat = s.Vat
		if err := a.keep(string(s.Vat), s.Start, a.r.Entries(s)); err != nil {
			return err
		}
		a.done.Entries += s.End - s.Start
	}
	o := a.m.Outputs
	if o.Start != a.h.outputs() {
		return fmt.Errorf("%w: outputs from %d, and there are %d",
			portable.ErrCorrupt, o.Start, a.h.outputs())
	}
	a.done.Outputs = o.End - o.Start
	return a.keep(outputsStream, o.Start, a.r.AllOutputs(o))
}

// ends returns a vat's span here; one that there is not has none yet.
func (a *applying) ends(vat swing.VatID) (s transcript.Span) {
	vk := vatkeeper.New(vat, a.h.kv)
	if _, ok := vk.Options(); ok {
		s = vk.Span()
	}
	return s
}

// keep keeps items for a stream.
func (a *applying) keep(
	stream string, position uint64, items func(yield func([]byte, error) bool),
) error {
	for b, err := range items {
		if err == nil && stream == outputsStream {
			_, err = decodeOutput(position, b)
		}
		if err == nil {
			err = a.grow(len(b))
		}
		if err != nil {
			return err
		}
		a.items = append(a.items, item{stream, position, slices.Clone(b)})
		position++
	}
	return nil
}

// heaps stores what is new of the heaps. Should the feed prove bad after that, they
// are garbage.
func (a *applying) heaps() error {
	heaps := a.h.heaps.NewImport(a.r.Object)
	for _, id := range a.m.Bases {
		if slices.Contains(a.m.Programs, id) {
			continue
		}
		if err := heaps.Known(id); err != nil {
			return err
		}
	}
	for _, s := range a.m.Snapshots {
		if err := heaps.Heap(s.Heap); err != nil {
			return err
		}
		a.done.Snapshots++
	}
	if err := a.r.End(); err != nil {
		return err
	}
	a.done.Bytes = a.r.Bytes()
	return a.h.heaps.Sync()
}

// rowKV is rows as a keeper writes them.
type rowKV map[string][]byte

func (r rowKV) Get(key string) ([]byte, bool)         { v, ok := r[key]; return v, ok }
func (r rowKV) Set(key string, value []byte)          { r[key] = bytes.Clone(value) }
func (r rowKV) Delete(key string)                     { delete(r, key) }
func (r rowKV) Next(after, end string) (string, bool) { return "", false }

// fits sees that the change sets say of the history what the metadata does.
func (a *applying) fits() error {
	want := rowKV{}
	for i, s := range a.m.Spans {
		at := transcript.Span{
			Incarnation: s.Incarnation, Start: s.Start, End: s.End, Hash: s.Hash,
		}
		if was := a.ends(s.Vat); s.Incarnation == was.Incarnation {
			at.Start = was.Start
		}
		vk := vatkeeper.New(s.Vat, want)
		if i+1 < len(a.m.Spans) && a.m.Spans[i+1].Vat == s.Vat {
			vk.SetPastSpan(at)
		} else {
			vk.SetSpan(at)
		}
	}
	for key, value := range a.final {
		if strings.HasPrefix(key, snapshotPrefix) && value != nil && !a.snapped(key, value) {
			return fmt.Errorf("%w: row %q is of no snapshot that came along",
				portable.ErrCorrupt, key)
		}
		_, part, _, ok := vatkeeper.ParseKey(key)
		if span := part == vatkeeper.PartSpan || part == vatkeeper.PartPastSpan; ok && span {
			if _, known := want[key]; !known {
				return fmt.Errorf("%w: row %q is of no history", portable.ErrCorrupt, key)
			}
		}
	}
	if a.m.Outputs.Start < a.m.Outputs.End {
		want[outputsKey] = swing.AppendUint(nil, a.m.Outputs.End)
	}
	if a.m.Activityhash != a.m.BaseActivityhash {
		want[kvstore.ActivityKey] = a.m.Activityhash[:]
	}
	for key, value := range want {
		have, changed := a.final[key]
		if !changed {
			have, _ = a.h.kv.Get(key)
		}
		if !bytes.Equal(have, value) {
			return fmt.Errorf("%w: row %q is not what the history makes it",
				portable.ErrCorrupt, key)
		}
	}
	return nil
}

// snapped reports whether a row is the record of a snapshot that came along.
func (a *applying) snapped(key string, value []byte) bool {
	return slices.ContainsFunc(a.m.Snapshots, func(p portable.Snapshot) bool {
		s := snapshotFrom(p)
		return snapshotKey(s.Vat, s.Position) == key && bytes.Equal(s.encode(), value)
	})
}

// recount checks the kernel's rows as they will be.
func (a *applying) recount() error {
	if len(a.final) == 0 {
		return nil
	}
	after := newAhead(a.h.kv, a.final)
	if err := kernel.CheckUntrusted(after, kernelRows(after.all()), nil); err != nil {
		return fmt.Errorf("%w: %w", portable.ErrCorrupt, err)
	}
	return nil
}

// setBytesMax is the largest change set that the log takes.
const setBytesMax = 16 << 20

// place puts into the first change set which block of the log all of them are in.
func (a *applying) place(position uint64) error {
	list, err := kvstore.DecodeChanges(a.sets[0])
	if err != nil {
		return err
	}
	now := a.h.origin()
	end := origin{a.m.Block, now.blockOf(position) + 1}
	list = append(list, kvstore.Change{Key: logKey, Value: end.encode()})
	slices.SortFunc(list, func(x, y kvstore.Change) int { return strings.Compare(x.Key, y.Key) })
	a.sets[0] = kvstore.AppendChanges(nil, list)
	if n := len(a.sets[0]); n > setBytesMax {
		return fmt.Errorf("%w: a change set of %d bytes, limit %d", ErrRefused, n, setBytesMax)
	}
	return nil
}

// commit stores the programs, appends everything to the log, durably, and takes the
// change sets over. A crash between leaves a program that is installed, and no more.
func (a *applying) commit() error {
	h := a.h
	position := h.kv.Position()
	if len(a.sets) == 0 {
		return nil
	}
	if err := a.place(position); err != nil {
		return err
	}
	for _, code := range a.codes {
		if _, err := h.heaps.PutCode(code); err != nil {
			return h.poison(err)
		}
	}
	for _, i := range a.items {
		h.log.Append(i.stream, i.position, i.b)
	}
	for i, set := range a.sets {
		h.log.Append(changesStream, position+uint64(i), set)
	}
	if _, err := h.log.Commit(); err != nil {
		return h.poison(fmt.Errorf("commit blocks %d to %d: %w", position, a.m.Block, err))
	}
	for i, set := range a.sets {
		if err := h.kv.Redo(position+uint64(i), set); err != nil {
			return h.poison(err)
		}
	}
	return h.tidy()
}
