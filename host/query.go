package host

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// read runs a query that changes nothing.
func read[T any](h *Host, query func() (T, error)) (T, error) {
	var out T
	err := h.input(func() (err error) {
		out, err = query()
		return err
	})
	return out, err
}

// Activityhash returns the hash of everything that has happened: equal on every
// node that had the same inputs and observable options.
func (h *Host) Activityhash() (swing.Hash, error) {
	return read(h, func() (swing.Hash, error) { return h.kv.Activityhash(), nil })
}

// Promise returns how a promise is settled, and with what.
func (h *Host) Promise(ref swing.KRef) (kernel.Promise, error) {
	return read(h, func() (kernel.Promise, error) {
		p, ok := kernel.LookupPromise(h.kv, ref)
		if !ok {
			return p, fmt.Errorf("promise %s: %w", transcript.Text([]byte(ref)), ErrNotFound)
		}
		return p, nil
	})
}

// VatOptions are those of a vat's options that are not its program and name.
type VatOptions = kernel.VatOptions

// Vat is what a Host knows of one vat.
type Vat struct {
	ID         swing.VatID
	Name       string
	Root       swing.KRef // of its root object; "" if nobody refers to it any more
	Code       swing.Hash
	Alive      bool
	End        vatkeeper.End // once it is not
	Held       bool
	Waiting    uint64 // deliveries kept back, while it is held
	Quarantine string // why it failed, if it is held for that
	Options    VatOptions
	Span       transcript.Span
	References int // entries of its c-list
	PagedIn    bool
	Snapshots  []Snapshot // latest first
}

// Vat returns one vat, by id or by name.
func (h *Host) Vat(idOrName string) (Vat, error) {
	return read(h, func() (Vat, error) {
		id := swing.VatID(idOrName)
		if named, ok := kernel.VatByName(h.kv, idOrName); ok {
			id = named
		}
		v, err := h.vatState(id)
		if err != nil {
			return v, err
		}
		v.PagedIn = slices.Contains(h.vats.PagedIn(), id)
		return v, nil
	})
}

func (h *Host) vatState(id swing.VatID) (Vat, error) {
	vk := vatkeeper.New(id, h.kv)
	o, ok := vk.Options()
	if id.Validate() != nil || !ok {
		return Vat{}, fmt.Errorf("vat %s: %w", transcript.Text([]byte(id)), ErrNotFound)
	}
	v := Vat{
		ID: id, Name: o.Name, Code: o.Code, Alive: vk.Alive(), Span: vk.Span(),
		Snapshots: h.snapshotsOf(id),
	}
	v.End, _ = vk.End()
	v.Waiting, v.Held = kernel.Held(h.kv, id)
	v.Quarantine, _ = kernel.Quarantined(h.kv, id)
	v.Options, _ = kernel.LookupOptions(h.kv, id)
	if root, ok := vk.ByVRef(swing.RootVRef); ok {
		v.Root = root.KRef
	}
	for range vk.KRefs() {
		v.References++
	}
	return v, nil
}

// Vats returns all vats ever made, in the order they were made.
func (h *Host) Vats() ([]Vat, error) {
	return read(h, func() (all []Vat, err error) {
		pagedIn := map[swing.VatID]bool{}
		for _, id := range h.vats.PagedIn() {
			pagedIn[id] = true
		}
		for id := range kernel.AllVats(h.kv) {
			v, err := h.vatState(id)
			if err != nil {
				return nil, err
			}
			v.PagedIn = pagedIn[id]
			all = append(all, v)
		}
		return all, nil
	})
}

// items reads the positions [from, to) of a stream; no positions are no stream.
func (h *Host) items(stream string, from, to uint64) iter.Seq2[[]byte, error] {
	if from >= to {
		return func(func([]byte, error) bool) {}
	}
	return h.log.Read(stream, from, to)
}

// Transcript returns the entries [from, to) of a vat; to beyond the end is the
// end. Every byte is verified as it is read, but the chain of hashes only by
// Replay and Check.
func (h *Host) Transcript(
	vat swing.VatID, from, to uint64,
) ([]transcript.Entry, error) {
	return read(h, func() (entries []transcript.Entry, err error) {
		v, err := h.vatState(vat)
		if err != nil {
			return nil, err
		}
		if first := h.firstKept(vat).End; from < min(to, first) {
			return nil, fmt.Errorf("read vat %s position %d: %w: the first kept is %d",
				vat, from, ErrPruned, first)
		}
		for item, err := range h.items(string(vat), from, min(to, v.Span.End)) {
			at := from + uint64(len(entries))
			if err != nil {
				return entries, fmt.Errorf("read vat %s position %d: %w", vat, at, damaged(err))
			}
			e, err := transcript.Decode(slices.Clone(item))
			if err != nil {
				return entries, fmt.Errorf("read vat %s position %d: %w", vat, at, err)
			}
			entries = append(entries, e)
		}
		return entries, nil
	})
}

// recentKey lists the vats that were paged in at the last Close.
const recentKey = "local.recent"

func (h *Host) saveRecent() {
	var ids []string
	for _, id := range h.vats.PagedIn() {
		ids = append(ids, string(id))
	}
	if was, _ := h.kv.Get(recentKey); len(ids) > 0 && string(was) != strings.Join(ids, " ") {
		h.kv.Set(recentKey, []byte(strings.Join(ids, " ")))
	}
}

// recent returns the vats that were paged in at the last Close, latest first.
func (h *Host) recent() (ids []swing.VatID) {
	b, _ := h.kv.Get(recentKey)
	for _, id := range strings.Fields(string(b)) {
		if vatkeeper.New(swing.VatID(id), h.kv).Alive() {
			ids = append(ids, swing.VatID(id))
		}
	}
	slices.Reverse(ids)
	return ids
}

// Recovered says what Open found and mended.
func (h *Host) Recovered() Recovery { return h.recovery }

// Options returns the options in force, with their defaults.
func (h *Host) Options() Options { return h.options }
