package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// ExportVat commits, and writes one vat's history: its program, the transcript of its
// incarnation from birth, and the newest good snapshot, with as much of the kernel's
// state as replaying needs. It returns an *[IncompleteError] if the transcript is not
// whole, or the program is gone, and has then written nothing.
func (h *Host) ExportVat(ctx context.Context, vat swing.VatID, sink io.Writer) (Exported, error) {
	return read(h, func() (Exported, error) {
		if err := h.settle(ctx); err != nil {
			return Exported{}, err
		}
		x := history{export: export{h: h}, id: vat}
		failed := func(err error) error {
			return fmt.Errorf("export vat %s: %w", transcript.Text([]byte(vat)), damaged(err))
		}
		if err := x.plan(); err != nil {
			return Exported{}, failed(err)
		}
		x.w = portable.NewWriter(sink, portable.Vat)
		steps := []func(context.Context) error{x.rows, x.seal, x.history, x.heaps}
		for _, step := range steps {
			if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
				return Exported{}, failed(err)
			}
		}
		done, err := x.finish()
		done.Base = nil // no feed goes on from one vat
		return done, err
	})
}

// history is an ExportVat in progress.
type history struct {
	export
	id swing.VatID
}

func (x *history) plan() error {
	h := x.h
	v, err := h.vatState(x.id)
	if err != nil {
		return err
	}
	x.m.Mode = Replay
	x.facts()
	kept := h.kept(v.ID)
	if kept.End > kept.Start {
		x.miss("entries %d to %d of vat %s are %v", kept.Start, kept.End, v.ID, ErrPruned)
	}
	if _, err := h.heaps.Code(v.Code); spoilt(err) {
		x.miss("program %s: %v", v.Code, err)
	} else if err != nil {
		return err
	}
	if err := x.incomplete(); err != nil {
		return err
	}
	x.done.Vats = 1
	x.m.Programs = []swing.Hash{v.Code}
	x.m.Spans = []portable.Span{{
		Vat: v.ID, Incarnation: v.Span.Incarnation, Start: v.Span.Start, End: v.Span.End,
		Hash: v.Span.Hash,
	}}
	x.m.Mode = Operational // which has the newest snapshot
	x.m.Snapshots, err = x.snapshots(v.ID, v.Code, v.Span, true)
	x.m.Mode = Replay
	return err
}

// vatRows are the suffixes of the vat's rows that replaying needs.
var vatRows = []string{".o", ".s"}

// rows writes the metadata, with the rows that are of the vat.
func (x *history) rows(context.Context) error {
	if err := x.w.Metadata(&x.m); err != nil {
		return err
	}
	span := vatkeeper.New(x.id, x.h.kv).Span()
	keys := []string{meaningKey(x.id, span.Incarnation), kernel.SetupKey}
	for _, suffix := range vatRows {
		keys = append(keys, string(x.id)+suffix)
	}
	for _, key := range keys { // ascending: "local", "setup", "v"
		value, ok := x.h.kv.Get(key)
		if !ok { // a meaning from before they were recorded
			continue
		}
		if err := x.w.Row(portable.Row{Key: key, Value: value}); err != nil {
			return err
		}
		x.done.Rows++
	}
	return x.h.kv.Err()
}

// Verified says what a verified history is of.
type Verified struct {
	Imported
	Vat      swing.VatID
	Name     string
	Code     swing.Hash
	Replayed Replayed
}

// VerifyVat imports the history of one vat, elsewhere than where it was made, and
// runs it again from nothing else: it accepts the history only if every syscall and
// outcome, the chain of hashes, and the heap at the snapshot's position come out as
// recorded. It uses the FS of the options as scratch, which must be empty, or memory,
// and leaves nothing that Open opens.
func VerifyVat(ctx context.Context, source io.Reader, o *ImportOptions) (Verified, error) {
	if o == nil {
		o = &ImportOptions{}
	}
	options, err := o.Host.withDefaults()
	if err != nil {
		return Verified{}, fmt.Errorf("verify vat: %w", err)
	}
	im := &importing{h: &Host{options: options}, o: o}
	var v Verified
	if im.r, err = portable.NewReader(bufio.NewReaderSize(source, importBufferBytes)); err == nil {
		v, err = im.runVat(ctx)
	}
	if err = errors.Join(err, im.close(ctx)); err != nil {
		return Verified{}, fmt.Errorf("verify vat: %w", damaged(err))
	}
	return v, nil
}

func (im *importing) runVat(ctx context.Context) (v Verified, err error) {
	h := im.h
	if what := im.r.What(); what != portable.Vat {
		return v, fmt.Errorf("%w: it is %v, not one vat's history", ErrRefused, what)
	}
	steps := []func(context.Context) error{
		func(context.Context) error { return im.openFiles("") },
		im.metadata, im.programs, im.history, im.heaps, im.records, im.openVat,
	}
	for _, step := range steps {
		if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
			return v, err
		}
	}
	s := im.m.Spans[0]
	if err := h.meansTheSame(s.Vat); err != nil {
		return v, err
	}
	options, _ := vatkeeper.New(s.Vat, h.kv).Options()
	v = Verified{Imported: im.done, Vat: s.Vat, Name: options.Name, Code: options.Code}
	v.Imported.Base, v.Imported.Vats = nil, 1
	r, err := h.newReplay(ctx, s.Vat, ReplayOptions{})
	if err != nil {
		return v, err
	}
	err = r.run(ctx, ReplayOptions{Progress: func(uint64, uint64) {
		if im.o.Progress != nil {
			im.o.Progress(im.r.Bytes())
		}
	}})
	v.Replayed = r.done
	return v, errors.Join(err, r.close(ctx))
}

// openVat opens what was imported of a vat as far as replaying needs.
func (im *importing) openVat(ctx context.Context) (err error) {
	h := im.h
	h.kv, err = kvstore.Open(kvstore.Options{FS: h.fs, Name: tableName, NoSync: h.options.NoSync})
	if err != nil {
		return err
	}
	s := im.m.Spans[0]
	want := rowKV{}
	vatkeeper.New(s.Vat, want).SetSpan(transcript.Span{
		Incarnation: s.Incarnation, Start: s.Start, End: s.End, Hash: s.Hash,
	})
	for _, key := range []string{kernel.SetupKey, string(s.Vat) + ".o", string(s.Vat) + ".s"} {
		have, ok := h.kv.Get(key)
		if due, known := want[key]; !ok || known && string(due) != string(have) {
			return fmt.Errorf("%w: row %q is missing, or not what the history makes it",
				portable.ErrCorrupt, key)
		}
	}
	o, ok := vatkeeper.New(s.Vat, h.kv).Options()
	if !ok || len(im.m.Programs) != 1 || im.m.Programs[0] != o.Code || !s.Base.IsZero() {
		return fmt.Errorf("%w: not the vat's program, or not from its birth", portable.ErrCorrupt)
	}
	h.options.Limits = im.limits
	return h.openVats(ctx, "")
}
