package host

import (
	"fmt"
	"iter"
	"slices"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Entry is one entry of a c-list.
type Entry = vatkeeper.Entry

// PromiseRow is a promise as Promises lists it.
type PromiseRow struct {
	Ref swing.KRef
	kernel.Promise
}

// Promises returns the first promises by number, at most so many, and how many more
// there are. With a state ("unresolved", "fulfilled", "rejected") it is those in that
// state, and every promise is read; with "" only those returned are.
func (h *Host) Promises(state string, most int) (list []PromiseRow, more int, err error) {
	switch state {
	case "", kernel.Unresolved.String(), kernel.Fulfilled.String(), kernel.Rejected.String():
	default:
		return nil, 0, fmt.Errorf("%w: there is no state %q of a promise", ErrRefused, state)
	}
	list, err = read(h, func() (list []PromiseRow, err error) {
		refs := kernel.References(h.kv, swing.Promise)
		if state != "" {
			refs = h.inState(refs, state)
		}
		var first []swing.KRef
		first, more = kernel.Least(refs, most)
		for _, ref := range first {
			p, _ := kernel.LookupPromise(h.kv, ref)
			list = append(list, PromiseRow{ref, p})
		}
		return list, nil
	})
	return list, more, err
}

// inState yields those of the promises that are in a state.
func (h *Host) inState(refs iter.Seq[swing.KRef], state string) iter.Seq[swing.KRef] {
	return func(yield func(swing.KRef) bool) {
		for ref := range refs {
			p, ok := kernel.LookupPromise(h.kv, ref)
			if ok && p.State.String() == state && !yield(ref) {
				return
			}
		}
	}
}

// Object is what a Host knows of an object.
type Object struct {
	kernel.Object
	Alive   bool            // its owner
	Imports []kernel.Import // at most so many as were asked for
	Cut     bool            // there are more
}

// Object returns one object, and at most so many of the vats that import it.
func (h *Host) Object(ref swing.KRef, importers int) (Object, error) {
	return read(h, func() (Object, error) {
		o, ok := h.object(ref, importers)
		if !ok {
			return o, fmt.Errorf("object %s: %w", transcript.Text([]byte(ref)), ErrNotFound)
		}
		return o, nil
	})
}

func (h *Host) object(ref swing.KRef, importers int) (Object, bool) {
	o, ok := kernel.LookupObject(h.kv, ref)
	if !ok {
		return Object{}, false
	}
	alive := o.Owner == kernel.ServiceOwner || o.Owner != "" && vatkeeper.New(o.Owner, h.kv).Alive()
	all := kernel.Importers(h.kv, o, importers+1)
	first := all[:min(importers, len(all))]
	return Object{o, alive, first, len(first) < len(all)}, true
}

// Objects returns the first objects by number, at most so many and of each at most so
// many importers, and how many more objects there are. Only those returned are read.
func (h *Host) Objects(most int) (list []Object, more int, err error) {
	list, err = read(h, func() (list []Object, err error) {
		var refs []swing.KRef
		refs, more = kernel.Least(kernel.References(h.kv, swing.Object), most)
		for _, ref := range refs {
			o, _ := h.object(ref, most)
			list = append(list, o)
		}
		return list, nil
	})
	return list, more, err
}

// CList returns the first entries of a vat's c-list, objects before promises and by
// number, at most so many, and how many more there are. Only those returned are read.
func (h *Host) CList(vat swing.VatID, most int) (list []Entry, more int, err error) {
	list, err = read(h, func() (list []Entry, err error) {
		vk := vatkeeper.New(vat, h.kv)
		if _, ok := vk.Options(); !ok || vat.Validate() != nil {
			return nil, fmt.Errorf("vat %s: %w", transcript.Text([]byte(vat)), ErrNotFound)
		}
		var refs []swing.KRef
		refs, more = kernel.Least(vk.KRefs(), most)
		for _, ref := range refs {
			e, _ := vk.ByKRef(ref)
			list = append(list, e)
		}
		return list, nil
	})
	return list, more, err
}

// Queues returns the acceptance queue, the sets of GC actions and of reaps, the run-queue,
// the set of vats to be cleaned up, and what is held back for each held vat: their lengths,
// and their first events, at most so many in all.
func (h *Host) Queues(most int) ([]kernel.Queue, error) {
	return read(h, func() ([]kernel.Queue, error) { return kernel.Queues(h.kv, most), nil })
}

// Watch has Difference tell what changes from now on. It costs time and memory for
// every row of the kernel's that is written.
func (h *Host) Watch() error {
	return h.input(func() error {
		h.past = h.kv.Watch()
		return nil
	})
}

// Difference returns what differs in the kernel's state from when Watch was called;
// without a Watch that is nothing. Values of vatstores in it are the caller's.
func (h *Host) Difference() (kernel.Difference, error) {
	return read(h, func() (d kernel.Difference, err error) {
		if h.past == nil {
			return d, nil
		}
		d = kernel.Compare(h.past.Get, h.kv, h.past.Changed())
		for _, v := range d.Vats {
			for i := range v.Store {
				s := &v.Store[i]
				s.Before, s.After = slices.Clone(s.Before), slices.Clone(s.After)
			}
		}
		return d, nil
	})
}
