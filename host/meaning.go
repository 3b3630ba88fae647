package host

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/worker"
)

// Meaning is what, beside a vat's code, decides what the vat computes.
type Meaning = worker.Meaning

// Stranger is a vat whose incarnation was run under another meaning than this program's.
type Stranger struct {
	Vat      swing.VatID
	Name     string
	Recorded Meaning
}

// MeaningError says that vats were run under another meaning than this program's: here
// they might compute something else. Nothing was changed.
type MeaningError struct {
	Strangers []Stranger
	Present   Meaning
}

// Error names the vats and both meanings, and says what can be done.
func (e *MeaningError) Error() string {
	const shown = 5
	var names []string
	for _, s := range e.Strangers[:min(len(e.Strangers), shown)] {
		names = append(names, fmt.Sprintf("vat %s (%s)", s.Vat, s.Recorded))
	}
	list := strings.Join(names, ", ")
	if more := len(e.Strangers) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("made by another version: %s; this is %s. Use the program that made "+
		"it; or have every such vat's history run again and compared (swingsim adopt); or give "+
		"the vat a new incarnation, of the same program or another (swingsim upgrade)",
		list, e.Present)
}

// meaningPrefix begins the rows that say under which meaning an incarnation of a vat is
// run. They are written with its first delivery, and travel.
const meaningPrefix = "local.meaning."

// meaningVersion is the first field of such a row.
const meaningVersion = 1

func meaningKey(vat swing.VatID, incarnation uint64) string {
	return fmt.Sprintf("%s%s.%016x", meaningPrefix, vat, incarnation)
}

func encodeMeaning(m Meaning) []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 4), meaningVersion)
	return swing.AppendUint(swing.AppendUint(swing.AppendUint(b, m.Rewriter), m.Costs), m.Memory)
}

// firstMeaning is that of incarnations that were begun before it was recorded.
func (h *Host) firstMeaning() Meaning {
	return Meaning{Rewriter: 1, Memory: uint64(h.options.Limits.MemoryBytes)}
}

// meaningOf returns the meaning under which a vat's span was run.
func (h *Host) meaningOf(vat swing.VatID, s transcript.Span) (m Meaning) {
	key := meaningKey(vat, s.Incarnation)
	b, ok := h.kv.Get(key)
	if !ok {
		return h.firstMeaning()
	}
	m, err := decodeMeaning(b)
	if err != nil {
		panic(fmt.Sprintf("host: row %s: %v", key, err))
	}
	return m
}

func decodeMeaning(b []byte) (Meaning, error) {
	r := swing.NewReader(b)
	r.Fields(4)
	if v := r.Uint(); v != meaningVersion {
		r.Fail(fmt.Errorf("version %d", v))
	}
	m := Meaning{Rewriter: r.Uint(), Costs: r.Uint(), Memory: r.Uint()}
	return m, r.Done()
}

// noteMeaning records the meaning of an incarnation, at its first delivery.
func (h *Host) noteMeaning(vat swing.VatID, position uint64) {
	if s := vatkeeper.New(vat, h.kv).Span(); position == s.Start {
		h.kv.Set(meaningKey(vat, s.Incarnation), encodeMeaning(h.engine.Meaning()))
	}
}

// stranger returns a vat if its incarnation has been run under another meaning.
func (h *Host) stranger(vat swing.VatID) (s Stranger, is bool) {
	vk := vatkeeper.New(vat, h.kv)
	o, ok := vk.Options()
	if vat.Validate() != nil || !ok {
		return s, false
	}
	span := vk.Span()
	if span.End == span.Start {
		return s, false
	}
	s = Stranger{Vat: vat, Name: o.Name, Recorded: h.meaningOf(vat, span)}
	return s, s.Recorded != h.engine.Meaning()
}

// strangers returns the live vats that are such.
func (h *Host) strangers() (all []Stranger) {
	for id := range kernel.AllVats(h.kv) {
		if !vatkeeper.New(id, h.kv).Alive() {
			continue
		}
		if s, is := h.stranger(id); is {
			all = append(all, s)
		}
	}
	return all
}

// meansTheSame returns a *MeaningError if a vat is a stranger.
func (h *Host) meansTheSame(vat swing.VatID) error {
	if s, is := h.stranger(vat); is {
		return &MeaningError{[]Stranger{s}, h.engine.Meaning()}
	}
	return nil
}

// Strangers returns the live vats that were run under another meaning than this
// program's. There are none unless the Host was opened with Options.AnyMeaning.
func (h *Host) Strangers() ([]Stranger, error) {
	return read(h, func() ([]Stranger, error) { return h.strangers(), nil })
}

// Adopted is a vat whose history came out as recorded under this program's meaning.
type Adopted struct {
	Stranger
	Deliveries uint64 // run again
}

// AdoptOptions say how vats are adopted.
type AdoptOptions struct {
	// Dry changes nothing: it only says what would come of it.
	Dry bool
	// Progress is told now and then how far a vat is; nil is nobody.
	Progress func(vat swing.VatID, done, total uint64)
}

// Adopt makes strangers vats of this program: it runs the whole history of each, from the
// birth of its incarnation, and compares every syscall and outcome; what fuel was used
// only if the costs are the same. If nothing differs anywhere, the meaning of this program
// is recorded for all of them, and their snapshots, which are of the other one, are
// dropped: the vats come back from their transcripts. If anything does, or a history is
// not kept from its birth on, nothing has changed, and the error names the vat: a
// *[transcript.DivergenceError] says where. What is left for such a vat is an upgrade.
//
// Adopting is not in the activityhash. Nodes that are to go on alike must adopt at the
// same point: what deliveries cost and what programs can do may differ from there on.
func (h *Host) Adopt(ctx context.Context, o AdoptOptions) ([]Adopted, error) {
	return read(h, func() (all []Adopted, err error) {
		if err := h.settle(ctx); err != nil {
			return nil, err
		}
		for _, s := range h.strangers() {
			done, err := h.tryAdopt(ctx, s, o)
			if err != nil {
				return nil, fmt.Errorf("adopt: vat %s %s cannot be; nothing was changed, and "+
					"only an upgrade is left for it: %w", s.Vat, s.Name, damaged(err))
			}
			all = append(all, Adopted{s, done})
		}
		if o.Dry {
			return all, nil
		}
		for _, a := range all {
			span := vatkeeper.New(a.Vat, h.kv).Span()
			h.kv.Set(meaningKey(a.Vat, span.Incarnation), encodeMeaning(h.engine.Meaning()))
			h.forgetSnapshots(a.Vat)
		}
		return all, h.commit(ctx)
	})
}

// tryAdopt runs a vat's history again, and returns how many deliveries it has.
func (h *Host) tryAdopt(ctx context.Context, s Stranger, o AdoptOptions) (uint64, error) {
	if err := h.whole(s.Vat); err != nil {
		return 0, err
	}
	r, err := h.newReplay(ctx, s.Vat, ReplayOptions{})
	if err != nil {
		return 0, err
	}
	r.marks = nil // of programs of the other meaning
	r.costsDiffer = s.Recorded.Costs != h.engine.Meaning().Costs
	err = r.run(ctx, ReplayOptions{Progress: func(done, total uint64) {
		if o.Progress != nil {
			o.Progress(s.Vat, done, total)
		}
	}})
	return r.done.Deliveries, errors.Join(err, r.close(ctx))
}
