package portable

import (
	"bytes"
	"cmp"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// recordVersion is the first field of encoded facts.
const recordVersion = 1

// Facts say of which state a stream is.
type Facts struct {
	Mode         Mode
	Schema       uint64 // of the kernel's rows
	Activityhash swing.Hash
	Block        uint64 // change sets [0, Block) made the state
	Cranks       uint64
	Deliveries   uint64
	// BaseBlock and BaseActivityhash are of the state that a feed goes on from.
	BaseBlock        uint64
	BaseActivityhash swing.Hash
}

func (f Facts) encode() []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 9), recordVersion)
	b = swing.AppendUint(swing.AppendText(b, f.Mode), f.Schema)
	b = swing.AppendUint(swing.AppendHash(b, f.Activityhash), f.Block)
	b = swing.AppendUint(swing.AppendUint(b, f.Cranks), f.Deliveries)
	return swing.AppendHash(swing.AppendUint(b, f.BaseBlock), f.BaseActivityhash)
}

func decodeFacts(what What, b []byte) (f Facts, err error) {
	r := swing.NewReader(b)
	r.Fields(9)
	if v := r.Uint(); r.Err() == nil && v != recordVersion {
		r.Fail(fmt.Errorf("%w: facts of version %d", ErrVersion, v))
	}
	f.Mode, f.Schema = Mode(r.Text()), r.Uint()
	f.Activityhash, f.Block = r.Hash(), r.Uint()
	f.Cranks, f.Deliveries = r.Uint(), r.Uint()
	f.BaseBlock, f.BaseActivityhash = r.Uint(), r.Hash()
	if r.Err() == nil && !f.Mode.known() {
		r.Fail(fmt.Errorf("mode %q", f.Mode))
	}
	based := f.BaseBlock != 0 || !f.BaseActivityhash.IsZero()
	if r.Err() == nil && (based != (what == Feed) || f.BaseBlock > f.Block) {
		r.Fail(fmt.Errorf("%v at block %d from block %d", what, f.Block, f.BaseBlock))
	}
	return f, r.Done()
}

// Mode says how much of the history goes along.
type Mode string

// The modes. What each has, every later one has too, but for Replay, which has no
// snapshot.
const (
	// Operational has what it takes to go on: of each live vat the newest good
	// snapshot and the transcript since.
	Operational Mode = "operational"
	// Replay has every live vat's transcript since its program was born.
	Replay Mode = "replay"
	// Archival has every vat's whole transcript, dead ones and earlier incarnations
	// included, and the newest snapshots.
	Archival Mode = "archival"
	// Debug has everything that is kept, whole or not.
	Debug Mode = "debug"
)

// modes are all modes, in the order in which help lists them.
var modes = []Mode{Operational, Replay, Archival, Debug}

// Modes returns all modes.
func Modes() []Mode { return append([]Mode(nil), modes...) }

func (m Mode) known() bool {
	for _, k := range modes {
		if m == k {
			return true
		}
	}
	return false
}

// Span is the transcript entries of one incarnation of a vat that a stream has.
type Span struct {
	Vat         swing.VatID
	Incarnation uint64
	Start, End  uint64
	Base, Hash  swing.Hash // of the chain up to Start and End
}

func (s Span) encode() []byte {
	b := swing.AppendUint(swing.AppendText(swing.AppendArray(nil, 6), s.Vat), s.Incarnation)
	b = swing.AppendUint(swing.AppendUint(b, s.Start), s.End)
	return swing.AppendHash(swing.AppendHash(b, s.Base), s.Hash)
}

func decodeSpan(b []byte) (s Span, err error) {
	r := swing.NewReader(b)
	r.Fields(6)
	s = Span{Vat: vatID(r), Incarnation: r.Uint(), Start: r.Uint(), End: r.Uint(),
		Base: r.Hash(), Hash: r.Hash()}
	if r.Err() == nil && (s.Start > s.End || s.Start == s.End && s.Base != s.Hash) {
		r.Fail(fmt.Errorf("a span from %d to %d", s.Start, s.End))
	}
	return s, r.Done()
}

func vatID(r *swing.Reader) swing.VatID {
	id := swing.VatID(r.Text())
	if err := id.Validate(); err != nil {
		r.Fail(err)
	}
	return id
}

// from returns the chain at the span's start.
func (s Span) from() transcript.Span {
	return transcript.Span{
		Incarnation: s.Incarnation, Start: s.Start, End: s.Start, Hash: s.Base,
	}
}

// extend takes one more entry into the chain, if it is the one due.
func (s Span) extend(at transcript.Span, item []byte) (transcript.Span, error) {
	e, err := transcript.Decode(item)
	if err == nil && e.Position != at.End {
		err = fmt.Errorf("position %d", e.Position)
	}
	if err != nil {
		return at, corrupt("entry %s@%d: %w", s.Vat, at.End, err)
	}
	return at.Extend(item), nil
}

// follows says whether a span goes on where the one before it, if it is of the same vat,
// ends: with the next incarnation.
func (s Span) follows(before Span) error {
	if s.Vat == before.Vat && (s.Incarnation != before.Incarnation+1 ||
		s.Start != before.End || !s.Base.IsZero()) {
		return corrupt("incarnation %d of %s from %d after %d to %d",
			s.Incarnation, s.Vat, s.Start, before.Incarnation, before.End)
	}
	return nil
}

// ends says whether a chain is the whole span.
func (s Span) ends(at transcript.Span) error {
	if at.End != s.End || at.Hash != s.Hash {
		return corrupt("the transcript of %s [%d, %d) ends at %d with hash %s, not %s",
			s.Vat, s.Start, s.End, at.End, at.Hash.Short(), s.Hash.Short())
	}
	return nil
}

// Outputs are the outputs [Start, End) that a stream has.
type Outputs struct {
	Start, End uint64
	Hash       swing.Hash // of their chain
}

func (o Outputs) encode() []byte {
	b := swing.AppendUint(swing.AppendUint(swing.AppendArray(nil, 3), o.Start), o.End)
	return swing.AppendHash(b, o.Hash)
}

func decodeOutputs(what What, b []byte) (o Outputs, err error) {
	r := swing.NewReader(b)
	r.Fields(3)
	o = Outputs{r.Uint(), r.Uint(), r.Hash()}
	if r.Err() == nil && (o.Start > o.End || what == Vat && o.Start != o.End) {
		r.Fail(fmt.Errorf("outputs from %d to %d in %v", o.Start, o.End, what))
	}
	return o, r.Done()
}

// Extend returns the outputs with one more.
func (o Outputs) Extend(item []byte) Outputs {
	o.End++
	o.Hash = swing.Sum("vatwarehouse outputs", o.Hash[:], item)
	return o
}

// Snapshot is the record of a heap snapshot, as the host keeps it.
type Snapshot struct {
	Vat         swing.VatID
	Position    uint64
	Heap        swing.Hash
	Transcript  swing.Hash
	Engine      string
	Incarnation uint64
	StoredBytes uint64
}

func (s Snapshot) encode() []byte {
	b := swing.AppendUint(swing.AppendText(swing.AppendArray(nil, 7), s.Vat), s.Position)
	b = swing.AppendHash(swing.AppendHash(b, s.Heap), s.Transcript)
	b = swing.AppendUint(swing.AppendText(b, s.Engine), s.Incarnation)
	return swing.AppendUint(b, s.StoredBytes)
}

func decodeSnapshot(b []byte) (s Snapshot, err error) {
	r := swing.NewReader(b)
	r.Fields(7)
	s = Snapshot{Vat: vatID(r), Position: r.Uint(), Heap: r.Hash(), Transcript: r.Hash(),
		Engine: r.Text(), Incarnation: r.Uint(), StoredBytes: r.Uint()}
	return s, r.Done()
}

// Row is one of the kernel's keys, or of the host's that go along.
type Row struct {
	Key   string
	Value []byte
}

func (w Row) encode(b []byte) []byte {
	b = swing.AppendBytes(swing.AppendArray(b, 2), []byte(w.Key))
	return swing.AppendBytes(b, w.Value)
}

func decodeRow(b []byte) (w Row, err error) {
	r := swing.NewReader(b)
	r.Fields(2)
	w = Row{string(r.Bytes()), r.Bytes()}
	if r.Err() == nil && w.Key == "" {
		r.Fail(fmt.Errorf("a row without a key"))
	}
	return w, r.Done()
}

// CompareVats orders vats by number.
func CompareVats(a, b swing.VatID) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func (s Span) compare(o Span) int {
	return cmp.Or(CompareVats(s.Vat, o.Vat), cmp.Compare(s.Incarnation, o.Incarnation))
}

func (s Snapshot) compare(o Snapshot) int {
	return cmp.Or(CompareVats(s.Vat, o.Vat), cmp.Compare(s.Position, o.Position))
}

// CompareHashes orders hashes by their bytes.
func CompareHashes(a, b swing.Hash) int { return bytes.Compare(a[:], b[:]) }
