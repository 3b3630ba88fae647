package host

import (
	"container/list"
	"context"
	"errors"
	"fmt"

	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// home is where a vat's memory is on this machine: one image, and the position
// it stands for. The Host holds one reference to the image for as long as it
// keeps the home, whether the vat has a worker or not.
type home struct {
	img *snapstore.Image
	// span is the vat's transcript as far as the image holds it.
	span transcript.Span
	// snapshot is how far its latest snapshot reaches, the one being made included,
	// and base the heap of the latest one made; or the start of the span, and the
	// heap it was born with.
	snapshot uint64
	base     swing.Hash
	resident bool          // the vat has a worker on it
	owed     bool          // a snapshot is being made of it
	ahead    *list.Element // in homes.ahead, if it is there
}

// homes are the homes of all vats that have one.
type homes struct {
	byVat map[swing.VatID]*home
	// genesis are the images that new vats start from, by program.
	genesis map[swing.Hash]*snapstore.Image
	// ahead are the vats (swing.VatID) without a worker whose images are ahead of
	// their snapshots, the one left first in front.
	ahead *list.List
}

func newHomes() homes {
	return homes{
		byVat: map[swing.VatID]*home{}, genesis: map[swing.Hash]*snapstore.Image{},
		ahead: list.New(),
	}
}

// aheadMax bounds the images kept for vats without a worker that are ahead of
// their snapshots. What is given up beyond it costs a replay, and nothing else.
const aheadMax = 4096

// lodging is a home's image as the warehouse holds it.
type lodging struct {
	*snapstore.Image
	h   *Host
	vat swing.VatID
}

// Release implements warehouse.Image: the vat has no worker any more.
func (l lodging) Release() {
	at := l.h.homes.byVat[l.vat]
	at.resident = false
	l.h.homes.leave(l.vat)
}

// leave gives up the home of a vat without a worker, unless it is ahead of the
// vat's snapshots: then it was brought up to date for a reason.
func (hs *homes) leave(vat swing.VatID) {
	at := hs.byVat[vat]
	if at == nil || at.resident || at.owed {
		return
	}
	if at.span.End > at.snapshot {
		at.ahead = hs.ahead.PushBack(vat)
		if hs.ahead.Len() <= aheadMax {
			return
		}
		vat = hs.ahead.Front().Value.(swing.VatID)
		at = hs.byVat[vat]
	}
	hs.back(at)
	delete(hs.byVat, vat)
	at.img.Release()
}

// back takes a home off the list of those that are ahead: it is used again.
func (hs *homes) back(at *home) {
	if at.ahead != nil {
		hs.ahead.Remove(at.ahead)
		at.ahead = nil
	}
}

// source is the Host as the warehouse sees it.
type source struct{ h *Host }

// Program implements warehouse.Source.
func (s source) Program(vat swing.VatID) (code, seed swing.Hash, err error) {
	o, ok := vatkeeper.New(vat, s.h.kv).Options()
	if !ok {
		return code, seed, fmt.Errorf("vat %s: %w", vat, ErrNotFound)
	}
	return o.Code, o.Seed, s.h.meansTheSame(vat)
}

// Code implements warehouse.Source.
func (s source) Code(code swing.Hash) ([]byte, error) {
	b, err := s.h.heaps.Code(code)
	if err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

// Life implements warehouse.Source: the vat's home, or its latest good
// snapshot, or its birth; and the entries from there on.
func (s source) Life(
	_ context.Context, vat swing.VatID, p warehouse.Program,
) (warehouse.Life, error) {
	h := s.h
	span := vatkeeper.New(vat, h.kv).Span()
	at := h.homes.byVat[vat]
	if at != nil && at.span.Incarnation != span.Incarnation {
		if err := h.moveOut(vat, at); err != nil {
			return warehouse.Life{}, err
		}
		at = nil
	}
	if at == nil {
		var err error
		if at, err = h.settleIn(vat, span, p); err != nil {
			return warehouse.Life{}, err
		}
		h.homes.byVat[vat] = at
	}
	h.homes.back(at)
	at.resident = true
	items := h.items(string(vat), at.span.End, span.End)
	return warehouse.Life{
		Heap: at.img.Heap(), Image: lodging{at.img, h, vat}, Position: at.span.End,
		Start: at.span.Start, Snapshot: at.snapshot, Entries: span.Verified(at.span, items),
	}, nil
}

// moveOut gives up a home that is of another incarnation than the vat is now: it was
// upgraded, or its upgrade was undone.
func (h *Host) moveOut(vat swing.VatID, at *home) error {
	if at.owed {
		if err := h.finishSnapshots(); err != nil {
			return err
		}
	}
	h.homes.back(at)
	delete(h.homes.byVat, vat)
	at.img.Release()
	return nil
}

// settleIn finds a home for a vat that has none: the latest of its snapshots
// that can be read and trusted, or its birth.
func (h *Host) settleIn(
	vat swing.VatID, span transcript.Span, p warehouse.Program,
) (*home, error) {
	for _, r := range h.snapshotsOf(vat) {
		if r.Incarnation != span.Incarnation || r.Engine != h.engine.Fingerprint() {
			continue // of another program, or made by another engine: replay instead
		}
		img, err := h.heaps.Image(r.ID)
		if errors.Is(err, snapstore.ErrCorrupt) || errors.Is(err, snapstore.ErrNotFound) {
			h.fault(fmt.Errorf("snapshot of vat %s at position %d is passed over: %w",
				vat, r.Position, err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("snapshot at position %d: %w", r.Position, err)
		}
		if img.Heap().Program != p.ID() {
			img.Release()
			continue
		}
		at := transcript.Span{
			Incarnation: span.Incarnation, Start: span.Start, End: r.Position, Hash: r.Transcript,
		}
		return &home{img: img, span: at, snapshot: r.Position, base: r.ID}, nil
	}
	if err := h.whole(vat); err != nil {
		return nil, fmt.Errorf("no snapshot of it can be used here (%s), and %w",
			h.engine.Fingerprint(), err)
	}
	img, err := h.genesis(p)
	if err != nil {
		return nil, err
	}
	born := transcript.Span{Incarnation: span.Incarnation, Start: span.Start, End: span.Start}
	return &home{img: img, span: born, snapshot: span.Start, base: img.Heap().ID()}, nil
}

// genesis returns the image that vats of a program start from, acquired.
func (h *Host) genesis(p warehouse.Program) (*snapstore.Image, error) {
	if _, made := h.homes.genesis[p.ID()]; !made {
		heap, data := p.Genesis()
		segments := make([]snapstore.Segment, len(data))
		for i, d := range data {
			segments[i] = snapstore.Segment{Address: uint64(d.Offset), Data: d.Bytes}
		}
		img, _, err := h.heaps.Genesis(heap, segments)
		if err != nil {
			return nil, fmt.Errorf("image of program %s: %w", p.ID().Short(), err)
		}
		h.homes.genesis[p.ID()] = img
	}
	img, err := h.heaps.Image(h.homes.genesis[p.ID()].Heap().ID())
	if err != nil {
		return nil, fmt.Errorf("image of program %s: %w", p.ID().Short(), err)
	}
	return img, nil
}

// Pause implements warehouse.Source. It is called between two cranks of the
// vat, so the vat's span ends where its worker is.
func (s source) Pause(
	vat swing.VatID, position uint64, _ warehouse.Image, c worker.Capture,
) (warehouse.Image, error) {
	h := s.h
	at := h.homes.byVat[vat]
	if at.owed { // the snapshot under way is of what the image holds now
		if err := h.finishSnapshots(); err != nil {
			return nil, err
		}
	}
	h.clock.work.footprint(vat, c)
	span := vatkeeper.New(vat, h.kv).Span()
	if span.End != position {
		panic(fmt.Sprintf("host: vat %s is paused at %d, its transcript ends at %d",
			vat, position, span.End))
	}
	img, err := h.heaps.Pause(at.img, c.Heap, c.Written)
	if err != nil {
		return nil, h.poison(err)
	}
	at.img, at.span = img, span
	return lodging{img, h, vat}, nil
}
