package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Base is what a feed goes on from: what an export, or the feed before, had.
type Base struct{ m portable.Metadata }

// ReadBase reads the base of the next feed from an export or a feed: its metadata,
// and nothing after.
func ReadBase(source io.Reader) (*Base, error) {
	r, err := portable.NewReader(source)
	if err == nil && r.What() == portable.Vat {
		err = fmt.Errorf("%w: it is %v", ErrRefused, r.What())
	}
	var m portable.Metadata
	if err == nil {
		m.Facts, err = r.Facts()
	}
	if err == nil {
		m, _, err = r.Metadata(m.Facts, func(portable.Row) error { return nil },
			func([]byte) error { return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("read base: %w", damaged(err))
	}
	return &Base{m}, nil
}

// Block returns the block at which a feed from the base begins.
func (b *Base) Block() uint64 { return b.m.Block }

// Feed commits, and writes what has changed since the base, in its mode: the change
// sets of the blocks, transcript entries, outputs, and the programs and pages of
// snapshots that the base has not. Applied to a directory that is at the base, it
// makes one that exports as this one does. It is refused if the log does not keep
// all those change sets any more (see Options.KeepBlocks): then only a new export
// helps. Rows is then the number of blocks.
func (h *Host) Feed(ctx context.Context, base *Base, sink io.Writer) (Exported, error) {
	return read(h, func() (Exported, error) {
		if err := h.settle(ctx); err != nil {
			return Exported{}, err
		}
		x := feed{export: export{h: h}, base: base}
		if err := x.plan(ctx); err != nil {
			return Exported{}, fmt.Errorf("export feed: %w", damaged(err))
		}
		x.w = portable.NewWriter(sink, portable.Feed)
		steps := []func(context.Context) error{x.changes, x.seal, x.history, x.heaps}
		for _, step := range steps {
			if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
				return Exported{}, fmt.Errorf("export feed: %w", damaged(err))
			}
		}
		return x.finish()
	})
}

// feed is a Feed in progress: an export of which the base's part is left out.
type feed struct {
	export
	base *Base
	has  map[swing.Hash]bool // programs and heaps of the base
}

// plan plans an export, and takes from it what the base has.
func (x *feed) plan(ctx context.Context) error {
	b := x.base.m
	x.m.Mode, x.m.BaseBlock, x.m.BaseActivityhash = b.Mode, b.Block, b.Activityhash
	if err := x.export.plan(ctx); err != nil {
		return err
	}
	h := x.h
	start, _, known := h.log.Bounds(changesStream)
	if !known {
		start = h.kv.Position()
	}
	if b.Block < start || b.Block > x.m.Block {
		return fmt.Errorf("%w: the base is at block %d, and the log has the changes of blocks "+
			"%d to %d: begin with a new export", ErrRefused, b.Block, start, x.m.Block)
	}
	if b.Block == x.m.Block && b.Activityhash != x.m.Activityhash {
		return fmt.Errorf("%w: the base is of another history", ErrRefused)
	}
	x.bases()
	if err := x.spans(); err != nil {
		return err
	}
	return x.outputs(b.Outputs.End)
}

// bases names what of the base is here too: its programs, and its heaps of which
// there still is a record.
func (x *feed) bases() {
	x.has = map[swing.Hash]bool{}
	for _, p := range x.base.m.Programs {
		if slices.Contains(x.m.Programs, p) {
			x.has[p] = true
		}
	}
	for _, p := range x.base.m.Snapshots {
		if _, ok := x.h.kv.Get(snapshotKey(p.Vat, p.Position)); ok {
			x.has[p.Heap] = true
		}
	}
	x.m.Bases = slices.SortedFunc(maps.Keys(x.has), portable.CompareHashes)
}

// spans makes the spans begin where the base's end: with the rest of the incarnation that
// a vat had there, then those since.
func (x *feed) spans() error {
	was := map[swing.VatID]portable.Span{}
	for _, s := range x.base.m.Spans { // the last of a vat's is of its incarnation then
		was[s.Vat] = s
	}
	x.m.Spans = nil
	for id := range kernel.AllVats(x.h.kv) {
		before := was[id]
		spans := vatkeeper.New(id, x.h.kv).Spans()
		if n := uint64(len(spans)); before.Incarnation >= n ||
			before.End > spans[before.Incarnation].End {
			return fmt.Errorf("%w: the base has entries up to %d of incarnation %d of vat %s, "+
				"there are %d", ErrRefused, before.End, before.Incarnation, id, spans[n-1].End)
		}
		if first := x.h.firstKept(id).End; before.End < first {
			return fmt.Errorf("%w: entries %d to %d of vat %s are %w: begin with a new export",
				ErrRefused, before.End, first, id, ErrPruned)
		}
		from := transcript.Span{End: before.End, Hash: before.Hash}
		for _, s := range spans[before.Incarnation:] {
			if err := x.span(id, s, from); err != nil {
				return err
			}
			from = transcript.Span{End: s.End}
		}
	}
	return nil
}

// changes writes the metadata, with the change sets.
func (x *feed) changes(context.Context) error {
	if err := x.w.Metadata(&x.m); err != nil {
		return err
	}
	for b, err := range x.h.items(changesStream, x.m.BaseBlock, x.m.Block) {
		if err != nil {
			return err
		}
		list, err := kvstore.DecodeChanges(b)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(c kvstore.Change) bool { return !x.follows(c) })
		if err := x.w.Changes(kvstore.AppendChanges(nil, list)); err != nil {
			return err
		}
		x.done.Rows++
	}
	return nil
}

// follows reports whether a change goes along: of a row that does, or of the record
// of a snapshot that is gone, or goes along itself.
func (x *feed) follows(c kvstore.Change) bool {
	if !strings.HasPrefix(c.Key, snapshotPrefix) || c.Value == nil {
		return travels(c.Key) || strings.HasPrefix(c.Key, snapshotPrefix)
	}
	return slices.ContainsFunc(x.m.Snapshots, func(p portable.Snapshot) bool {
		s := snapshotFrom(p)
		return snapshotKey(s.Vat, s.Position) == c.Key && bytes.Equal(s.encode(), c.Value)
	})
}

// history is an export's, without the programs that the base has.
func (x *feed) history(ctx context.Context) error {
	all := x.m.Programs
	defer func() { x.m.Programs = all }()
	x.m.Programs = slices.DeleteFunc(slices.Clone(all), func(p swing.Hash) bool { return x.has[p] })
	return x.export.history(ctx)
}

// heaps writes what the base's heaps have not of the others.
func (x *feed) heaps(ctx context.Context) error {
	heaps := x.h.heaps.NewExport(x.w.Object)
	for _, id := range x.m.Bases {
		if slices.Contains(x.m.Programs, id) {
			continue
		}
		if err := heaps.Known(id); err != nil {
			return err
		}
	}
	for _, s := range x.m.Snapshots {
		if err := errors.Join(ctx.Err(), heaps.Heap(s.Heap)); err != nil {
			return err
		}
		x.done.Snapshots++
	}
	return nil
}
