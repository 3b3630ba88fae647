package host

import (
	"errors"
	"fmt"
	"strings"

	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// ErrPruned is returned for transcript entries that are not kept any more, or never
// came with what was imported.
var ErrPruned = errors.New("not kept any more")

// keptPrefix begins the rows that say from where on a vat's transcript is kept, and
// what the hash of its chain is there.
const keptPrefix = "local.kept."

// keptVersion is the first field of such a row.
const keptVersion = 1

func encodeKept(s transcript.Span) []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 4), keptVersion)
	b = swing.AppendUint(swing.AppendUint(b, s.Incarnation), s.End)
	return swing.AppendHash(b, s.Hash)
}

// firstKept returns where a vat's transcript is kept from, all incarnations together: its
// incarnation, position, and the hash of its chain there.
func (h *Host) firstKept(vat swing.VatID) (s transcript.Span) {
	key := keptPrefix + string(vat)
	b, ok := h.kv.Get(key)
	if !ok {
		return s
	}
	r := swing.NewReader(b)
	r.Fields(4)
	if v := r.Uint(); v != keptVersion {
		r.Fail(fmt.Errorf("version %d", v))
	}
	s.Incarnation, s.End, s.Hash = r.Uint(), r.Uint(), r.Hash()
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("host: row %s: %v", key, err))
	}
	return s
}

// gone returns the part of a span of a vat's whose entries are gone: it ends where the
// first entry that is kept begins, with the chain's hash there.
func (h *Host) gone(vat swing.VatID, s transcript.Span) transcript.Span {
	first := h.firstKept(vat)
	switch {
	case first.Incarnation > s.Incarnation:
		return s
	case first.Incarnation == s.Incarnation && first.End > s.Start:
		first.Start = s.Start
		return first
	}
	return transcript.Span{Incarnation: s.Incarnation, Start: s.Start, End: s.Start}
}

// kept returns the part of a vat's current span whose entries are gone.
func (h *Host) kept(vat swing.VatID) transcript.Span {
	return h.gone(vat, vatkeeper.New(vat, h.kv).Span())
}

// whole returns ErrPruned unless a vat's transcript is kept from its birth on.
func (h *Host) whole(vat swing.VatID) error {
	if k := h.kept(vat); k.End > k.Start {
		return fmt.Errorf("entries %d to %d of vat %s are %w", k.Start, k.End, vat, ErrPruned)
	}
	return nil
}

// logKey says which block of the log the table's position is, where they are not the
// same: in a directory that was imported.
const logKey = "local.log"

// origin is a position, and the block of the log that has the change sets before it:
// where an imported directory begins, or what was applied last ends.
type origin struct{ position, block uint64 }

func (o origin) encode() []byte {
	return swing.AppendUint(swing.AppendUint(swing.AppendArray(nil, 2), o.position), o.block)
}

// origin returns the last such position that the table knows: 0, 0 in a directory
// that was neither imported nor follows another.
func (h *Host) origin() (o origin) {
	b, ok := h.kv.Get(logKey)
	if !ok {
		return o
	}
	r := swing.NewReader(b)
	r.Fields(2)
	o = origin{r.Uint(), r.Uint()}
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("host: row %s: %v", logKey, err))
	}
	return o
}

// blockOf returns the block of the log that a table of the position proves durable.
// The row is in the first change set of its block, so a table that has it proves the
// whole block, wherever in it the table ends.
func (o origin) blockOf(position uint64) uint64 {
	return o.block + position - min(position, o.position)
}

// travels reports whether a key goes along with an export as it is: all that are
// not this node's own, and of those the embedder's notes, the meanings of incarnations
// and the count of outputs.
func travels(key string) bool {
	return !strings.HasPrefix(key, kvstore.PrivatePrefix) ||
		strings.HasPrefix(key, notePrefix) || strings.HasPrefix(key, meaningPrefix) ||
		key == outputsKey
}
