package warehouse

import (
	"context"
	"slices"

	"vatwarehouse/swing"
)

// dueVat is a vat a snapshot of which has fallen due since TakeDue.
type dueVat struct {
	id swing.VatID
	// paused is the position at which it was evicted, and its image brought up
	// to date, if it was; the snapshot will be of that.
	paused uint64
	spent  int64 // of the allowance
}

// noteDue puts a vat on the list of due snapshots if it is due, and reports whether it is.
// ByCost takes a look first at what the vat writes.
func (w *Warehouse) noteDue(v *vat, m moment) (due bool, err error) {
	p := w.options.Snapshots
	due = p.due(w.standing(v), m)
	if p.Rule == ByCost && (due && w.unknown(v) || m == evicted && v.outgrown()) {
		if err := w.look(v); err != nil {
			return false, err
		}
		due = p.due(w.standing(v), m)
	}
	if due {
		w.owe(v)
	}
	return due, nil
}

// owe puts a vat on the list of due snapshots, once.
func (w *Warehouse) owe(v *vat) {
	if w.dueAt(v.id) < 0 {
		w.due = append(w.due, dueVat{id: v.id, spent: w.spend(v)})
	}
}

// dueAt returns where in the list a vat is, or -1.
func (w *Warehouse) dueAt(id swing.VatID) int {
	return slices.IndexFunc(w.due, func(d dueVat) bool { return d.id == id })
}

// TakeDue returns the vats a snapshot of which has fallen due since the last
// call. The image of each holds its heap at some position since then: what the
// host makes of it, it does from the image.
func (w *Warehouse) TakeDue(ctx context.Context) ([]swing.VatID, error) {
	w.ring()
	w.snapShadows()
	due := w.due
	w.due = nil
	ids := make([]swing.VatID, 0, len(due))
	for _, d := range due {
		ids = append(ids, d.id)
		v, ok := w.vats.Peek(d.id)
		if ok && d.paused == 0 {
			err := w.pause(ctx, v)
			if w.lose(err) {
				continue // the snapshot will fall due again
			}
			if err != nil {
				return nil, err
			}
			v.snapshot = v.at
			w.release(v.account)
		}
		a := w.account(d.id)
		if ok {
			a, v.paused = v.account, false
		}
		w.settle(a, d.spent)
		a.behind, a.rent = work{}, 0
	}
	return ids, nil
}

// Idle is told that there is nothing to deliver: what [OnIdle] asks for falls due.
func (w *Warehouse) Idle() {
	if w.options.Snapshots.Rule != OnIdle {
		return
	}
	for _, v := range w.vats.Values() {
		if w.options.Snapshots.due(w.standing(v), idle) {
			w.owe(v)
		}
	}
}
