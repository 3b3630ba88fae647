package host

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"vatwarehouse/internal/portable"
	"vatwarehouse/kernel"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/worker"
)

// records puts into the table what the host keeps about what was imported, and makes
// it whole.
func (im *importing) records(context.Context) error {
	set := im.table.Set
	vat := swing.VatID("") // of the span before
	for _, s := range im.m.Spans {
		first := s.Vat != vat
		if vat = s.Vat; !first || s.Start == 0 {
			continue
		}
		gone := transcript.Span{Incarnation: s.Incarnation, End: s.Start, Hash: s.Base}
		if err := set(keptPrefix+string(s.Vat), encodeKept(gone)); err != nil {
			return err
		}
	}
	for _, p := range im.m.Snapshots {
		s := snapshotFrom(p)
		if err := set(snapshotKey(s.Vat, s.Position), s.encode()); err != nil {
			return err
		}
	}
	if err := set(logKey, origin{im.m.Block, im.last}.encode()); err != nil {
		return err
	}
	table := im.table
	im.table = nil
	return table.Finish()
}

// verify looks at the whole: that the metadata fits the rows, that the kernel's
// counts are right, and that every vat can come back as the mode promises.
func (im *importing) verify(ctx context.Context) (err error) {
	h := im.h
	h.kv, err = kvstore.Open(kvstore.Options{FS: h.fs, Name: tableName, NoSync: h.options.NoSync})
	if err != nil {
		return err
	}
	if _, ok := h.kv.Get("setup"); !ok {
		return fmt.Errorf("%w: it has no kernel", portable.ErrCorrupt)
	}
	if err := im.recount(); err != nil {
		return err
	}
	counters := kernel.ReadCounters(h.kv)
	m := &im.m
	if h.kv.Activityhash() != m.Activityhash || counters.Cranks != m.Cranks ||
		counters.Deliveries != m.Deliveries || kernel.ReadSchema(h.kv) != m.Schema ||
		h.outputs() != m.Outputs.End {
		return fmt.Errorf("%w: the facts are not those of the rows", portable.ErrCorrupt)
	}
	err = h.ownEngine(ctx, worker.Options{
		Interpreter: h.options.Interpreter, Limits: kernel.ReadOptions(h.kv).Limits,
		Pretend: h.options.pretend,
	})
	if err != nil {
		return err
	}
	return errors.Join(im.vats(), h.kv.Err())
}

// recount checks the kernel's rows as they will be once they are of the latest schema.
func (im *importing) recount() error {
	kv := im.h.kv
	as := kv.Savepoint()
	defer kv.Rollback(as)
	plan := im.h.options.schema.withDefaults()
	err := kernel.CheckUntrusted(kv, kernelRows(kv.Scan("")), func() error {
		return plan.migrate(kv, kernel.ReadSchema(kv))
	})
	if err != nil {
		return fmt.Errorf("%w: %w", portable.ErrCorrupt, err)
	}
	return nil
}

// kernelRows leaves out rows that are not the kernel's.
func kernelRows(all iter.Seq2[string, []byte]) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for key, value := range all {
			if !strings.HasPrefix(key, kvstore.PrivatePrefix) && !yield(key, value) {
				return
			}
		}
	}
}

// checkPrivate returns why a row of the host's that travels is none, or nil. Notes are
// the embedder's.
func checkPrivate(key string, value []byte) error {
	if key == outputsKey {
		_, err := decodeOutputs(value)
		return err
	}
	return checkMeaning(key, value)
}

// vats verifies the spans, and that nothing is missing.
func (im *importing) vats() error {
	have := map[swing.Hash]bool{}
	for _, p := range im.m.Programs {
		have[p] = true
	}
	snaps := map[swing.VatID][]Snapshot{}
	for _, p := range im.m.Snapshots {
		snaps[p.Vat] = append(snaps[p.Vat], snapshotFrom(p))
	}
	var missing []string
	rest := im.m.Spans
	for id := range kernel.AllVats(im.h.kv) {
		vk := vatkeeper.New(id, im.h.kv)
		n := 0
		for n < len(rest) && rest[n].Vat == id {
			n++
		}
		if err := fitSpans(id, rest[:n], vk.Spans()); err != nil {
			return err
		}
		im.done.Vats++
		o, _ := vk.Options()
		if vk.Alive() && !have[o.Code] {
			missing = append(missing, fmt.Sprintf("program %s of vat %s", o.Code, id))
		}
		if first := rest[0]; im.m.Mode == Archival && first.Start > 0 {
			missing = append(missing, fmt.Sprintf("entries 0 to %d of vat %s", first.Start, id))
		} else {
			missing = append(missing,
				im.lacks(id, o.Code, rest[n-1], vk.Span(), vk.Alive(), snaps[id])...)
		}
		rest = rest[n:]
		delete(snaps, id)
	}
	if len(rest) > 0 || len(snaps) > 0 {
		return fmt.Errorf("%w: spans or snapshots of vats that there are not",
			portable.ErrCorrupt)
	}
	if len(missing) > 0 {
		return &IncompleteError{im.m.Mode, missing}
	}
	return nil
}

// fitSpans sees that the spans of a vat that came are the last of those that the kernel
// knows of, the first from some position in it on.
func fitSpans(id swing.VatID, came []portable.Span, all []transcript.Span) error {
	if len(came) == 0 {
		return fmt.Errorf("%w: no span of vat %s", portable.ErrCorrupt, id)
	}
	for i, s := range came {
		at := len(all) - len(came) + i
		if at < 0 || s.Incarnation != all[at].Incarnation || s.Start < all[at].Start ||
			s.End != all[at].End || s.Hash != all[at].Hash ||
			s.Start == all[at].Start && !s.Base.IsZero() {
			return fmt.Errorf("%w: the span of incarnation %d of vat %s is not the kernel's",
				portable.ErrCorrupt, s.Incarnation, id)
		}
	}
	return nil
}

// lacks says what a vat lacks of what the mode promises, beside what only an archival
// one does.
func (im *importing) lacks(
	id swing.VatID, code swing.Hash, s portable.Span, span transcript.Span, alive bool,
	snaps []Snapshot,
) (missing []string) {
	if s.Start == span.Start || !alive {
		return nil
	}
	if im.m.Mode == Replay {
		return []string{fmt.Sprintf("entries %d to %d of vat %s", span.Start, s.Start, id)}
	}
	why := "it has none"
	for _, one := range snaps {
		heap, err := im.h.heaps.Stored(one.ID)
		switch {
		case err != nil:
			why = err.Error()
		case one.Incarnation != span.Incarnation || one.Position < s.Start ||
			one.Position > s.End:
			why = fmt.Sprintf("it is of position %d", one.Position)
		case heap.Program != im.h.engine.ProgramID(code):
			why = "it is of another version of the program"
		case one.Engine != im.h.engine.Fingerprint():
			why = fmt.Sprintf("it was made by %s, this is %s",
				one.Engine, im.h.engine.Fingerprint())
		default:
			return nil
		}
	}
	return []string{fmt.Sprintf("a snapshot that brings vat %s back: %s", id, why)}
}
