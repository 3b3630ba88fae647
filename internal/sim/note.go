package sim

import (
	"errors"
	"fmt"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// The notes that a run keeps in its directory: see the package documentation.
const (
	noteScenario = "sim.scenario"
	noteRoots    = "sim.roots"
	noteSteps    = "sim.steps"
	noteAsked    = "sim.asked"
	noteAnswers  = "sim.answers"
)

// noteVersion is the first field of every note.
const noteVersion = 1

// ErrNote is returned for a note that this version cannot read.
var ErrNote = errors.New("not a note this version can read")

// open begins to decode a note of so many fields, its version included.
func open(b []byte, fields int) *swing.Reader {
	r := swing.NewReader(b)
	r.Fields(fields)
	if v := r.Uint(); r.Err() == nil && v != noteVersion {
		r.Fail(fmt.Errorf("version %d, want %d", v, noteVersion))
	}
	return r
}

func newNote(fields int) []byte {
	return swing.AppendUint(swing.AppendArray(nil, fields), noteVersion)
}

// read returns what a note holds, and whether there is one.
func read[T any](
	h *host.Host, name string, decode func([]byte) (T, error),
) (v T, ok bool, err error) {
	b, ok, err := h.Note(name)
	if err != nil || !ok {
		return v, false, err
	}
	if v, err = decode(b); err != nil {
		return v, false, fmt.Errorf("%w: %s: %w", ErrNote, name, err)
	}
	return v, true, nil
}

// made is the note of what a directory was made by.
type made struct {
	name, seed string
	identity   swing.Hash
	text       []byte
}

func (m made) encode() []byte {
	b := swing.AppendText(swing.AppendText(newNote(5), m.name), m.seed)
	return swing.AppendBytes(swing.AppendHash(b, m.identity), m.text)
}

func decodeMade(b []byte) (made, error) {
	r := open(b, 5)
	m := made{name: r.Text(), seed: r.Text(), identity: r.Hash(), text: r.Bytes()}
	return m, r.Done()
}

// encodeRefs encodes the roots of vats, or the promises of answers.
func encodeRefs(refs []swing.KRef) []byte {
	b := swing.AppendArray(newNote(2), len(refs))
	for _, ref := range refs {
		b = swing.AppendText(b, ref)
	}
	return b
}

func decodeRefs(b []byte) (refs []swing.KRef, err error) {
	r := open(b, 2)
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		ref := swing.KRef(r.Text())
		if err := ref.Validate(); err != nil {
			r.Fail(err)
		}
		refs = append(refs, ref)
	}
	return refs, r.Done()
}

func encodeSteps(steps uint64) []byte { return swing.AppendUint(newNote(2), steps) }

func decodeSteps(b []byte) (uint64, error) {
	r := open(b, 2)
	steps := r.Uint()
	return steps, r.Done()
}

// answer is what one vat answered in an audit.
type answer struct {
	problem string // why it is no answer, or ""
	body    []byte // as kept
	values  []any  // of its list: uint64, string, bool, []byte, nil or []any
}

// answered is the note of an audit.
type answered struct {
	deliveries uint64
	answers    []answer // in the order in which the vats are asked
}

// answerBytesMax bounds the body of an answer. A longer one is no answer.
const answerBytesMax = 300

func (a answered) encode() []byte {
	b := swing.AppendArray(swing.AppendUint(newNote(3), a.deliveries), 2*len(a.answers))
	for _, one := range a.answers {
		b = swing.AppendBytes(swing.AppendText(b, one.problem), one.body)
	}
	return b
}

func decodeAnswered(b []byte) (a answered, err error) {
	r := open(b, 3)
	a.deliveries = r.Uint()
	fields := r.Array()
	if fields%2 != 0 {
		r.Fail(fmt.Errorf("%d fields of answers, want an even number", fields))
	}
	for ; fields > 0 && r.Err() == nil; fields -= 2 {
		one := answer{problem: r.Text(), body: r.Bytes()}
		noted := one.problem
		if one.parse(); one.problem != noted && r.Err() == nil {
			r.Fail(fmt.Errorf("an answer that is none: %s", one.problem))
		}
		a.answers = append(a.answers, one)
	}
	return a, r.Done()
}

// parse takes an answer's body apart, or says why it is no list of values.
func (a *answer) parse() {
	if a.problem != "" {
		return
	}
	if len(a.body) > answerBytesMax {
		a.problem = fmt.Sprintf("answered %d bytes, at most %d are kept",
			len(a.body), answerBytesMax)
		a.body = nil
		return
	}
	v, err := decodeBody(a.body)
	list, ok := v.([]any)
	if err != nil || !ok {
		a.problem = "answered what is not a list of values"
		return
	}
	a.values = list
}
