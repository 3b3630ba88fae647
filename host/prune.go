package host

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// PrunePolicy says what may go beside the transcript entries that lie before every
// live vat's oldest kept snapshot. It is private, as pruning is.
type PrunePolicy struct {
	// Margin is how many entries before that snapshot stay.
	Margin uint64
	// Dead lets the transcripts of vats that have ended go.
	Dead bool
	// Outputs lets all outputs before this number go: those the embedder is done with.
	Outputs uint64
}

// Pruned says what a Prune did, or, in Stats, all of them since Open.
type Pruned struct {
	Vats    int    // that lost entries
	Entries uint64 // that can't be read any more
	Outputs uint64 // likewise
	// Skipped are vats that kept all entries, because a snapshot of theirs is missing,
	// damaged or of another engine.
	Skipped int
	// ArchivesRemoved and BytesFreed are of the log's files. What is in a file with
	// something that is needed stays on disk until that goes, too.
	ArchivesRemoved int
	BytesFreed      int64
}

func (p *Pruned) add(o Pruned) {
	p.Vats += o.Vats
	p.Entries += o.Entries
	p.Outputs += o.Outputs
	p.Skipped += o.Skipped
	p.ArchivesRemoved += o.ArchivesRemoved
	p.BytesFreed += o.BytesFreed
}

// Prune gives up transcript entries that nothing needs: of each live vat those before
// its oldest kept snapshot, every kept one of which must be whole and trusted here. A
// vat without a snapshot loses nothing. What was pruned is in no later export, which
// an archival one says; it is refused in a directory opened as Options.Archival.
//
//  1. the rows that say from where on each transcript is kept become durable;
//  2. the log is told, and forgets what it holds of it (at the next Open again).
//
// A crash between the two leaves entries that nobody reads.
func (h *Host) Prune(ctx context.Context, policy PrunePolicy) (Pruned, error) {
	return read(h, func() (Pruned, error) {
		if h.options.Archival {
			return Pruned{}, fmt.Errorf("prune: %w: it is kept as an archive", ErrRefused)
		}
		if err := h.settle(ctx); err != nil {
			return Pruned{}, err
		}
		var done Pruned
		for id := range kernel.AllVats(h.kv) {
			if err := errors.Join(ctx.Err(), h.pruneVat(id, policy, &done)); err != nil {
				return Pruned{}, fmt.Errorf("prune: %w", err)
			}
		}
		h.pruneOutputs(policy, &done)
		if err := h.commit(ctx); err != nil {
			return Pruned{}, err
		}
		if err := h.forget(&done); err != nil {
			return done, fmt.Errorf("prune: %w", err)
		}
		h.totals.pruned.add(done)
		return done, nil
	})
}

// pruneVat writes from where on a vat's transcript is kept.
func (h *Host) pruneVat(id swing.VatID, policy PrunePolicy, done *Pruned) error {
	vk := vatkeeper.New(id, h.kv)
	span, kept := vk.Span(), h.kept(id)
	to := span
	if vk.Alive() {
		oldest, sound, err := h.oldestSnapshot(id, span)
		if err != nil {
			return err
		}
		if !sound {
			done.Skipped++
		}
		if oldest == nil {
			return nil
		}
		to.End, to.Hash = oldest.Position, oldest.Transcript
	} else if !policy.Dead {
		return nil
	}
	if at := h.homes.byVat[id]; at != nil && at.span.End < to.End {
		to = at.span // its memory here is older, and replays from there
	}
	if policy.Margin > 0 && to.End > kept.End {
		var err error
		if to, err = h.chainAt(id, kept, to.End-min(policy.Margin, to.End-kept.End)); err != nil {
			return err
		}
	}
	if to.End <= kept.End {
		return nil
	}
	done.Vats++
	done.Entries += to.End - h.firstKept(id).End
	h.kv.Set(keptPrefix+string(id), encodeKept(to))
	return nil
}

// oldestSnapshot returns the oldest of a vat's snapshots, or nil if there is none, or
// if not all of them could bring the vat back. Sound says that none is bad.
func (h *Host) oldestSnapshot(
	id swing.VatID, span transcript.Span,
) (oldest *Snapshot, sound bool, err error) {
	o, _ := vatkeeper.New(id, h.kv).Options()
	for _, s := range h.snapshotsOf(id) {
		if s.Incarnation != span.Incarnation || s.Position > span.End ||
			s.Engine != h.engine.Fingerprint() {
			return nil, false, nil
		}
		if err := h.goodHeap(s, h.engine.ProgramID(o.Code)); spoilt(err) {
			h.fault(fmt.Errorf("snapshot of vat %s at position %d: %w", id, s.Position, err))
			return nil, false, nil
		} else if err != nil {
			return nil, false, err
		}
		oldest = &s
	}
	return oldest, true, nil
}

// chainAt returns the chain of a vat's transcript at a position, from an earlier one.
func (h *Host) chainAt(
	id swing.VatID, at transcript.Span, position uint64,
) (transcript.Span, error) {
	for item, err := range h.items(string(id), at.End, position) {
		if err != nil {
			return at, damaged(err)
		}
		at = at.Extend(item)
	}
	return at, nil
}

// pruneOutputs counts the outputs that are to go. That they start later is not
// written down: the log says so once it has forgotten them.
func (h *Host) pruneOutputs(policy PrunePolicy, done *Pruned) {
	to := min(policy.Outputs, h.outputs())
	start, _, known := h.log.Bounds(outputsStream)
	if !known || to <= start {
		return
	}
	h.log.Retain(outputsStream, to)
	done.Outputs = to - start
}

// retain tells the log from where on each transcript is kept.
func (h *Host) retain() {
	for key := range h.kv.Scan(keptPrefix) {
		id := swing.VatID(key[len(keptPrefix):])
		h.log.Retain(string(id), h.firstKept(id).End)
	}
}

// forget has the log drop what it was told is not kept.
func (h *Host) forget(done *Pruned) error {
	h.retain()
	if _, err := h.archives.wait(); err != nil {
		h.unarchived = true
		return err
	}
	before := h.log.Stats().DiskBytes
	stats, err := h.log.Archive()
	if err != nil {
		h.unarchived = true
		return fmt.Errorf("archive the log: %w", err)
	}
	done.ArchivesRemoved = stats.Removed
	done.BytesFreed = max(before-h.log.Stats().DiskBytes, 0)
	return nil
}
