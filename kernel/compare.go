package kernel

import (
	"cmp"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Difference is what lies between two states of a kernel. Lists are in order: of
// references by number, of vats by id.
type Difference struct {
	Cranks, Deliveries uint64
	Vats               []VatDifference // those of which anything differs
	ObjectsMade        []swing.KRef
	ObjectsGone        []swing.KRef
	PromisesMade       []swing.KRef
	PromisesGone       []swing.KRef
	PromisesResolved   []swing.KRef // of those that there were before and are after
}

// VatDifference is what differs of one vat.
type VatDifference struct {
	Vat        swing.VatID
	Name       string
	Made       bool
	Ended      bool
	End        vatkeeper.End // if it ended
	Deliveries uint64
	Added      []vatkeeper.Entry // to its c-list
	Removed    []vatkeeper.Entry
	Changed    []vatkeeper.Entry // dropped, or reachable again: as they are after
	Store      []StoreChange     // of its vatstore, in the order of keys
}

// StoreChange is one key of a vatstore that differs. Before and After are values;
// where the key was not there, or is not, it is said so.
type StoreChange struct {
	Key           []byte
	Before, After []byte
	Was, Is       bool
}

// earlier is a state that answers for single keys only.
type earlier struct {
	vatkeeper.KV
	get func(key string) ([]byte, bool)
}

func (e earlier) Get(key string) ([]byte, bool) { return e.get(key) }

// Compare returns what lies between an earlier state, of which before returns the
// rows, and the state now; keys are all whose rows differ.
func Compare(before func(key string) ([]byte, bool), now vatkeeper.KV, keys []string) Difference {
	c := comparison{was: earlier{now, before}, now: now, vats: map[swing.VatID]*VatDifference{}}
	for _, key := range keys {
		if ref := swing.KRef(key); ref.Validate() == nil {
			c.ref(ref)
		} else if vat, part, rest, ok := vatkeeper.ParseKey(key); ok {
			c.vat(vat, part, rest, key)
		}
	}
	cranks, deliveries := readCrank(c.was)
	c.out.Cranks, c.out.Deliveries = readCrank(now)
	c.out.Cranks -= cranks
	c.out.Deliveries -= deliveries
	for _, refs := range []*[]swing.KRef{
		&c.out.ObjectsMade, &c.out.ObjectsGone,
		&c.out.PromisesMade, &c.out.PromisesGone, &c.out.PromisesResolved,
	} {
		slices.SortFunc(*refs, compareRefs)
	}
	c.gather()
	return c.out
}

// comparison is a Compare in progress.
type comparison struct {
	was, now vatkeeper.KV
	order    []swing.VatID
	vats     map[swing.VatID]*VatDifference
	out      Difference
}

// ref notes a row of an object or promise that differs.
func (c *comparison) ref(ref swing.KRef) {
	was, is := exists(c.was, ref), exists(c.now, ref)
	made, gone := &c.out.ObjectsMade, &c.out.ObjectsGone
	if ref.Kind() == swing.Promise {
		made, gone = &c.out.PromisesMade, &c.out.PromisesGone
	}
	switch {
	case !was:
		*made = append(*made, ref)
	case !is:
		*gone = append(*gone, ref)
	case ref.Kind() == swing.Promise:
		if readPromise(c.was, ref).state != readPromise(c.now, ref).state {
			c.out.PromisesResolved = append(c.out.PromisesResolved, ref)
		}
	}
}

// vat notes a row of a vat that differs.
func (c *comparison) vat(id swing.VatID, part vatkeeper.Part, rest, key string) {
	was, is := vatkeeper.New(id, c.was), vatkeeper.New(id, c.now)
	old, had := c.was.Get(key)
	value, has := c.now.Get(key)
	switch part {
	case vatkeeper.PartOptions:
		c.of(id).Made = !had
	case vatkeeper.PartSpan:
		if has {
			c.of(id).Deliveries = is.Span().End
		}
		if had {
			c.of(id).Deliveries -= was.Span().End
		}
	case vatkeeper.PartEnd:
		v := c.of(id)
		v.End, v.Ended = is.End()
	case vatkeeper.PartCList:
		c.entry(id, was, is, swing.KRef(rest))
	case vatkeeper.PartVatstore:
		v := c.of(id)
		v.Store = append(v.Store, StoreChange{[]byte(rest), old, value, had, has})
	}
}

// entry notes an entry of a c-list that differs.
func (c *comparison) entry(id swing.VatID, was, is vatkeeper.Keeper, ref swing.KRef) {
	old, had := was.ByKRef(ref)
	e, has := is.ByKRef(ref)
	v := c.of(id)
	switch {
	case had && has && old.VRef == e.VRef:
		v.Changed = append(v.Changed, e)
		return
	case had:
		v.Removed = append(v.Removed, old)
	}
	if has {
		v.Added = append(v.Added, e)
	}
}

// compareVats orders vats by number: v2 before v10.
func compareVats(a, b swing.VatID) int { return cmp.Compare(a.Number(), b.Number()) }

// of returns what is noted of a vat.
func (c *comparison) of(id swing.VatID) *VatDifference {
	v := c.vats[id]
	if v == nil {
		v = &VatDifference{Vat: id}
		c.vats[id] = v
		c.order = append(c.order, id)
	}
	return v
}

// gather puts the vats in order.
func (c *comparison) gather() {
	slices.SortFunc(c.order, compareVats)
	for _, id := range c.order {
		v := c.vats[id]
		if o, ok := vatkeeper.New(id, c.now).Options(); ok {
			v.Name = o.Name
		}
		for _, entries := range [][]vatkeeper.Entry{v.Added, v.Removed, v.Changed} {
			slices.SortFunc(entries, func(a, b vatkeeper.Entry) int {
				return compareRefs(a.KRef, b.KRef)
			})
		}
		c.out.Vats = append(c.out.Vats, *v)
	}
}
