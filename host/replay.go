package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/warehouse"
)

// Replayed is what a Replay did.
type Replayed struct {
	Vat        swing.VatID
	From, To   uint64 // positions
	Deliveries uint64 // replayed; entries that took no effect are passed over
	Snapshots  int    // heaps compared with recorded snapshots
	Elapsed    time.Duration
}

// ReplayOptions say how a vat is replayed.
type ReplayOptions struct {
	// FromSnapshot starts from the latest snapshot, not from the birth.
	FromSnapshot bool
	// Progress is told now and then how far it is; nil is nobody.
	Progress func(done, total uint64)
}

// Replay runs a vat's recorded deliveries again beside the live vat, comparing
// every syscall and outcome, the chain of hashes, and, at the position of each
// recorded snapshot, the whole heap. It changes nothing.
func (h *Host) Replay(
	ctx context.Context, vat swing.VatID, o ReplayOptions,
) (Replayed, error) {
	return read(h, func() (Replayed, error) {
		if err := h.meansTheSame(vat); err != nil {
			return Replayed{}, fmt.Errorf("replay: %w", err)
		}
		r, err := h.newReplay(ctx, vat, o)
		if err != nil {
			return Replayed{}, fmt.Errorf("replay vat %s: %w",
				transcript.Text([]byte(vat)), damaged(err))
		}
		err = errors.Join(r.run(ctx, o), r.close(ctx))
		if err != nil {
			return r.done, fmt.Errorf("replay vat %s: %w", vat, damaged(err))
		}
		return r.done, nil
	})
}

// replay is a Replay in progress.
type replay struct {
	h      *Host
	span   transcript.Span
	at     home
	worker warehouse.Worker
	marks  map[uint64]Snapshot
	done   Replayed
	// costsDiffer says that what was used is counted otherwise than when it was recorded.
	costsDiffer bool
}

func (h *Host) newReplay(
	ctx context.Context, vat swing.VatID, o ReplayOptions,
) (*replay, error) {
	v, err := h.vatState(vat)
	if err != nil {
		return nil, err
	}
	p, err := h.vats.Program(ctx, v.Code)
	if err != nil {
		return nil, err
	}
	r := &replay{h: h, span: v.Span, marks: map[uint64]Snapshot{}}
	for _, s := range v.Snapshots {
		r.marks[s.Position] = s
	}
	if err := r.settleIn(p, v, o); err != nil {
		return nil, err
	}
	options, _ := vatkeeper.New(vat, h.kv).Options()
	r.done = Replayed{Vat: vat, From: r.at.span.End, To: r.at.span.End}
	r.worker, err = p.Start(ctx, r.at.img.Heap(), r.at.img, options.Seed)
	if err != nil {
		r.at.img.Release()
		return nil, err
	}
	return r, nil
}

func (r *replay) settleIn(p warehouse.Program, v Vat, o ReplayOptions) error {
	if o.FromSnapshot {
		if len(v.Snapshots) == 0 || v.Snapshots[0].Incarnation != v.Span.Incarnation {
			return fmt.Errorf("%w: it has no snapshot yet", ErrNotFound)
		}
		s := v.Snapshots[0]
		img, err := r.h.heaps.Image(s.ID)
		if err != nil {
			return fmt.Errorf("snapshot at position %d: %w", s.Position, err)
		}
		r.at = home{img: img, span: v.Span}
		r.at.span.End, r.at.span.Hash = s.Position, s.Transcript
		return nil
	}
	if err := r.h.whole(v.ID); err != nil {
		return fmt.Errorf("%w; start from the snapshot", err)
	}
	img, err := r.h.genesis(p)
	if err != nil {
		return err
	}
	r.at = home{img: img, span: transcript.Span{
		Incarnation: v.Span.Incarnation, Start: v.Span.Start, End: v.Span.Start,
	}}
	return nil
}

// progressEvery is how many entries pass between two reports.
const progressEvery = 1000

func (r *replay) run(ctx context.Context, o ReplayOptions) error {
	started := time.Now()
	items := r.h.items(string(r.done.Vat), r.at.span.End, r.span.End)
	for e, err := range r.span.Verified(r.at.span, items) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = r.step(ctx, e)
		}
		if err != nil {
			return err
		}
		r.done.To = e.Position + 1
		if o.Progress != nil && (e.Position+1)%progressEvery == 0 {
			o.Progress(r.done.To-r.done.From, r.span.End-r.done.From)
		}
	}
	r.done.Elapsed = time.Since(started)
	return nil
}

func (r *replay) step(ctx context.Context, e transcript.Entry) error {
	if r.costsDiffer {
		e.NoFuel, e.Outcome.Fuel = true, 0
	}
	if e.Outcome.OK() {
		player := transcript.NewReplayer(e)
		out, err := r.worker.Deliver(ctx, e.Delivery, e.Budget(r.h.options.Limits), player, nil)
		if err != nil {
			return err
		}
		if err := player.Finish(out); err != nil {
			var d *transcript.DivergenceError
			if errors.As(err, &d) {
				d.Vat = r.done.Vat
			}
			return err
		}
		r.done.Deliveries++
	}
	if s, ok := r.marks[e.Position+1]; ok {
		return r.compare(ctx, s)
	}
	return nil
}

// compare holds the heap against a recorded snapshot's.
func (r *replay) compare(ctx context.Context, s Snapshot) error {
	c, err := r.worker.Capture(ctx)
	if err != nil {
		return err
	}
	img, err := r.h.heaps.Pause(r.at.img, c.Heap, c.Written)
	if err != nil {
		return err
	}
	r.at.img = img
	if err := r.worker.Rebase(img); err != nil {
		return err
	}
	var info snapstore.Info
	if info, err = r.h.heaps.Commit(img); err != nil {
		return err
	}
	if info.ID != s.ID {
		return fmt.Errorf("%w: the heap at position %d is %s, the snapshot %s: "+
			"the replay did not repeat the vat, or the snapshot is not the vat's",
			ErrCorrupt, s.Position, info.ID.Short(), s.ID.Short())
	}
	r.done.Snapshots++
	return nil
}

func (r *replay) close(ctx context.Context) error {
	err := r.worker.Close(ctx)
	r.at.img.Release()
	return err
}
