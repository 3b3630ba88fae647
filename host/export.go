package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Mode says how much of the history an export has.
type Mode = portable.Mode

// The modes.
const (
	// Operational has what it takes to go on: of each live vat the newest good
	// snapshot and the transcript since.
	Operational = portable.Operational
	// Replay has every live vat's transcript since its program was born, and no
	// snapshot.
	Replay = portable.Replay
	// Archival has every vat's whole transcript, dead ones and earlier incarnations
	// included, and the newest good snapshots.
	Archival = portable.Archival
	// Debug has all that is kept, whole or not, every snapshot included.
	Debug = portable.Debug
)

// Modes returns all modes.
func Modes() []Mode { return portable.Modes() }

// IncompleteError is an export that would not have, or an import that does not have,
// what its mode promises.
type IncompleteError struct {
	Mode    Mode
	Missing []string
}

// Error names what is missing.
func (e *IncompleteError) Error() string {
	const shown = 5
	list := strings.Join(e.Missing[:min(len(e.Missing), shown)], "; ")
	if more := len(e.Missing) - shown; more > 0 {
		list += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Sprintf("incomplete %s export: %s", e.Mode, list)
}

// Exported says what an export holds.
type Exported struct {
	// Root is the digest of the metadata. Who has it by a way he trusts can take
	// the export itself from anybody: see ImportOptions.Root.
	Root         swing.Hash
	Mode         Mode
	Activityhash swing.Hash
	Block        uint64 // change sets [0, Block) made the state
	Vats         int
	Programs     int
	Snapshots    int
	Entries      uint64
	Outputs      uint64
	Rows         uint64 // of a feed: change sets
	Bytes        uint64
	// Base is what a Feed of what changes from now on begins with.
	Base *Base
}

// Export commits, and writes the state with as much history as the mode says. Other
// calls wait meanwhile. It returns an *[IncompleteError], and has written nothing,
// if what the mode promises is not there. After any other error what was written is
// no export, and no import takes it for one. Equal states give equal bytes.
func (h *Host) Export(ctx context.Context, mode Mode, sink io.Writer) (Exported, error) {
	return read(h, func() (Exported, error) {
		if err := h.settle(ctx); err != nil {
			return Exported{}, err
		}
		x := export{h: h}
		x.m.Mode = mode
		if err := x.plan(ctx); err != nil {
			return Exported{}, fmt.Errorf("export: %w", damaged(err))
		}
		x.w = portable.NewWriter(sink, portable.State)
		steps := []func(context.Context) error{x.rows, x.seal, x.history, x.heaps}
		for _, step := range steps {
			if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
				return Exported{}, fmt.Errorf("export: %w", damaged(err))
			}
		}
		return x.finish()
	})
}

// export is an Export in progress.
type export struct {
	h       *Host
	w       *portable.Writer
	m       portable.Metadata
	live    map[swing.Hash]bool // programs that must be there
	missing []string
	done    Exported
}

// plan fills in the metadata, all but the rows.
func (x *export) plan(ctx context.Context) error {
	h := x.h
	if !slices.Contains(Modes(), x.m.Mode) {
		return fmt.Errorf("%w: mode %q, want one of %q", ErrRefused, x.m.Mode, Modes())
	}
	x.facts()
	x.live = map[swing.Hash]bool{}
	for id := range kernel.AllVats(h.kv) {
		if err := errors.Join(ctx.Err(), x.vat(id)); err != nil {
			return err
		}
	}
	if err := x.programs(); err != nil {
		return err
	}
	if err := x.outputs(0); err != nil {
		return err
	}
	if err := h.kv.Err(); err != nil {
		return err
	}
	return x.incomplete()
}

func (x *export) incomplete() error {
	if len(x.missing) > 0 {
		return &IncompleteError{x.m.Mode, x.missing}
	}
	return nil
}

func (x *export) facts() {
	counters := kernel.ReadCounters(x.h.kv)
	x.m.Schema = kernel.ReadSchema(x.h.kv)
	x.m.Activityhash, x.m.Block = x.h.kv.Activityhash(), x.h.kv.Position()
	x.m.Cranks, x.m.Deliveries = counters.Cranks, counters.Deliveries
}

func (x *export) miss(format string, args ...any) {
	if x.m.Mode != Debug {
		x.missing = append(x.missing, fmt.Sprintf(format, args...))
	}
}

// vat chooses what goes along of one vat.
func (x *export) vat(id swing.VatID) error {
	h := x.h
	vk := vatkeeper.New(id, h.kv)
	span, alive := vk.Span(), vk.Alive()
	o, _ := vk.Options()
	x.done.Vats++
	from := span
	if alive || x.m.Mode == Archival || x.m.Mode == Debug {
		x.live[o.Code] = true
		from = h.kept(id)
	}
	if x.m.Mode == Archival || x.m.Mode == Debug {
		if err := x.past(id, vk.Spans()); err != nil {
			return err
		}
	}
	snaps, err := x.snapshots(id, o.Code, span, alive)
	if err != nil {
		return err
	}
	x.m.Snapshots = append(x.m.Snapshots, snaps...)
	if x.m.Mode == Operational && len(snaps) > 0 {
		from.End, from.Hash = snaps[0].Position, snaps[0].Transcript
	} else if from.End > span.Start && (alive || x.m.Mode == Archival) {
		x.miss("entries %d to %d of vat %s are %v", span.Start, from.End, id, ErrPruned)
	}
	return x.span(id, span, from)
}

// past has the transcripts of a vat's earlier incarnations go along, as far as they are
// kept.
func (x *export) past(id swing.VatID, spans []transcript.Span) error {
	first := x.h.firstKept(id)
	for _, s := range spans[:len(spans)-1] {
		gone := x.h.gone(id, s)
		if gone.End > s.Start && x.m.Mode == Archival {
			x.miss("entries %d to %d of vat %s are %v", s.Start, gone.End, id, ErrPruned)
		}
		if s.Incarnation < first.Incarnation {
			continue
		}
		if err := x.span(id, s, gone); err != nil {
			return err
		}
	}
	return nil
}

// span has a span of a vat's go along from where a part of it ends.
func (x *export) span(id swing.VatID, span, from transcript.Span) error {
	start, end, known := x.h.log.Bounds(string(id))
	if from.End < span.End && (!known || start > from.End || end < span.End) {
		return fmt.Errorf("%w: the log has entries %d to %d of vat %s, which should have %d to %d",
			ErrCorrupt, start, end, id, from.End, span.End)
	}
	x.m.Spans = append(x.m.Spans, portable.Span{
		Vat: id, Incarnation: span.Incarnation, Start: from.End, End: span.End,
		Base: from.Hash, Hash: span.Hash,
	})
	return nil
}

// snapshots returns the snapshots of a vat that go along, in order of position.
func (x *export) snapshots(
	id swing.VatID, code swing.Hash, span transcript.Span, alive bool,
) (list []portable.Snapshot, err error) {
	if x.m.Mode == Replay || !alive && x.m.Mode != Debug {
		return nil, nil
	}
	for _, s := range x.h.snapshotsOf(id) {
		usable := s.Incarnation == span.Incarnation && s.Position <= span.End &&
			s.Engine == x.h.engine.Fingerprint()
		if !usable && x.m.Mode != Debug {
			continue
		}
		program := x.h.engine.ProgramID(code)
		if s.Incarnation != span.Incarnation {
			program = swing.Hash{} // it is not known any more
		}
		if err := x.h.goodHeap(s, program); err != nil {
			if !spoilt(err) {
				return nil, err
			}
			x.h.fault(fmt.Errorf("snapshot of vat %s at position %d does not go along: %w",
				id, s.Position, err))
			continue
		}
		list = append(list, s.portable())
		if x.m.Mode != Debug {
			break
		}
	}
	slices.Reverse(list)
	return list, nil
}

// spoilt reports whether an error of the snapshot store is of what is stored.
func spoilt(err error) bool {
	return errors.Is(err, snapstore.ErrCorrupt) || errors.Is(err, snapstore.ErrNotFound)
}

// goodHeap returns why a snapshot's heap is not whole, or not one of the program, if that
// is not zero.
func (h *Host) goodHeap(s Snapshot, program swing.Hash) error {
	heap, err := h.heaps.Stored(s.ID)
	if err == nil && !program.IsZero() && heap.Program != program {
		err = fmt.Errorf("%w: a heap of another program", snapstore.ErrCorrupt)
	}
	if err == nil {
		err = h.heaps.VerifyHeap(s.ID)
	}
	return err
}

// programs lists the programs that are installed.
func (x *export) programs() error {
	ids, err := x.h.heaps.CodeIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := x.h.heaps.Code(id)
		switch {
		case err == nil:
			x.m.Programs = append(x.m.Programs, id)
			delete(x.live, id)
		case !spoilt(err):
			return err
		case !x.live[id]:
			x.h.fault(fmt.Errorf("program %s, which no vat runs, does not go along: %w",
				id.Short(), err))
		}
	}
	var lost []string
	for id := range x.live {
		lost = append(lost, fmt.Sprintf("program %s", id))
	}
	slices.Sort(lost)
	for _, what := range lost {
		x.miss("%s", what)
	}
	return nil
}

// outputs counts the outputs from a number on, or from the first that is kept.
func (x *export) outputs(from uint64) error {
	h := x.h
	end := h.outputs()
	if start, _, known := h.log.Bounds(outputsStream); known {
		from = max(from, start)
	} else {
		from = end
	}
	x.m.Outputs = portable.Outputs{Start: from, End: from}
	for item, err := range h.items(outputsStream, from, end) {
		if err != nil {
			return err
		}
		x.m.Outputs = x.m.Outputs.Extend(item)
	}
	return nil
}

// rows writes the metadata, with every row that travels.
func (x *export) rows(ctx context.Context) error {
	if err := x.w.Metadata(&x.m); err != nil {
		return err
	}
	for key, value := range x.h.kv.Scan("") {
		if !travels(key) {
			continue
		}
		row := portable.Row{Key: key, Value: value}
		if err := errors.Join(ctx.Err(), x.w.Row(row)); err != nil {
			return err
		}
		x.done.Rows++
	}
	return x.h.kv.Err()
}

func (x *export) seal(context.Context) (err error) {
	x.done.Root, err = x.w.Seal()
	return err
}

// history writes programs, transcripts and outputs.
func (x *export) history(ctx context.Context) error {
	for _, id := range x.m.Programs {
		code, err := x.h.heaps.Code(id)
		if err == nil {
			err = x.w.Code(code)
		}
		if err != nil {
			return err
		}
		x.done.Programs++
	}
	for _, s := range x.m.Spans {
		items := x.h.items(string(s.Vat), s.Start, s.End)
		if err := errors.Join(ctx.Err(), x.w.Entries(s, items)); err != nil {
			return err
		}
		x.done.Entries += s.End - s.Start
	}
	o := x.m.Outputs
	x.done.Outputs = o.End - o.Start
	return x.w.AllOutputs(o, x.h.items(outputsStream, o.Start, o.End))
}

// heaps writes the snapshots' heaps.
func (x *export) heaps(ctx context.Context) error {
	heaps := x.h.heaps.NewExport(x.w.Object)
	for _, s := range x.m.Snapshots {
		if err := errors.Join(ctx.Err(), heaps.Heap(s.Heap)); err != nil {
			return err
		}
		x.done.Snapshots++
	}
	return nil
}

func (x *export) finish() (Exported, error) {
	if err := x.w.End(); err != nil {
		return Exported{}, fmt.Errorf("export: %w", err)
	}
	x.done.Mode, x.done.Activityhash, x.done.Block = x.m.Mode, x.m.Activityhash, x.m.Block
	x.done.Bytes = x.w.Bytes()
	x.done.Base = &Base{m: x.m}
	return x.done, nil
}

func (s Snapshot) portable() portable.Snapshot {
	return portable.Snapshot{
		Vat: s.Vat, Position: s.Position, Heap: s.ID, Transcript: s.Transcript,
		Engine: s.Engine, Incarnation: s.Incarnation, StoredBytes: uint64(s.StoredBytes),
	}
}

func snapshotFrom(p portable.Snapshot) Snapshot {
	return Snapshot{
		Vat: p.Vat, Position: p.Position, ID: p.Heap, Transcript: p.Transcript,
		Engine: p.Engine, Incarnation: p.Incarnation, StoredBytes: int64(p.StoredBytes),
	}
}
