package vatkeeper

import (
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// KV is the crank buffer as a keeper sees it: ordered keys and values. Its
// failures are sticky and surface when the block commits, so reads here cannot
// fail. Values handed out must not be changed; values handed in are copied.
type KV interface {
	Get(key string) (value []byte, ok bool)
	Set(key string, value []byte)
	Delete(key string)
	// Next returns the least key greater than after and, unless end is "", less than end.
	Next(after, end string) (key string, ok bool)
}

// RefChange is what a translation means for the kernel's tables.
type RefChange struct {
	Ref swing.KRef
	// New says that the vat has just allocated Ref: an object it owns, or a
	// promise it decides. Orphan says that it owns the object no more.
	New, Orphan bool
	// Imports is 1 where the vat came to have the object as an import, -1 where it
	// has it no more.
	Imports int
	// Reachable and Recognizable are added to the reference's counts. A promise
	// has one count, the first.
	Reachable, Recognizable int
}

// Options is what a vat was made with, or has been given since.
type Options struct {
	Name string
	// Code is the hash of the program's code, as installed.
	Code swing.Hash
	// Seed names the vat's random stream.
	Seed swing.Hash
	// Pipelining says that it is sent the messages for promises it decides.
	Pipelining bool
	// Critical says that the kernel stops when the vat fails.
	Critical bool
	// Quarantine says that the vat is held when it fails, instead of ended.
	Quarantine bool
}

// End is how a vat's life ended.
type End struct {
	// Failure says that the vat did not ask for it, or asked for it as a failure.
	Failure bool
	Info    swing.CapData[swing.KRef]
}

// Allocation is where the kernel's tables give out their next krefs. Out
// advances it.
type Allocation struct{ NextObject, NextPromise uint64 }

func (a *Allocation) take(kind swing.RefKind) swing.KRef {
	next := &a.NextObject
	if kind == swing.Promise {
		next = &a.NextPromise
	}
	*next++
	return swing.KRefOf(kind, *next-1)
}

// The first numbers of imports, as in SwingSet: high enough that a person does
// not take an import for an export.
const (
	firstObjectImport  = 50
	firstPromiseImport = 60
)

// optionsVersion is the first field of encoded options.
const optionsVersion = 1

// Keeper is a view of one vat's keys. It is made anew wherever it is needed.
type Keeper struct {
	id swing.VatID
	kv KV
}

// New returns the keeper of a vat, which need not exist yet.
func New(id swing.VatID, kv KV) Keeper { return Keeper{id, kv} }

// Create writes the keys of a new vat.
func (k Keeper) Create(o Options) {
	k.SetOptions(o)
	k.setCounters(firstObjectImport, firstPromiseImport)
	k.SetSpan(transcript.Span{})
}

// SetOptions replaces the vat's options.
func (k Keeper) SetOptions(o Options) {
	b := swing.AppendText(swing.AppendUint(swing.AppendArray(nil, 7), optionsVersion), o.Name)
	b = swing.AppendHash(swing.AppendHash(b, o.Code), o.Seed)
	b = swing.AppendBool(swing.AppendBool(b, o.Pipelining), o.Critical)
	k.kv.Set(k.key(".o"), swing.AppendBool(b, o.Quarantine))
}

// Reincarnate gives the vat another program and a new span, and keeps a record of the
// old one.
func (k Keeper) Reincarnate(code swing.Hash) {
	o, _ := k.Options()
	o.Code = code
	k.SetOptions(o)
	s := k.Span()
	k.SetPastSpan(s)
	k.SetSpan(transcript.Span{Incarnation: s.Incarnation + 1, Start: s.End, End: s.End})
}

// Options returns the vat's options, and whether there is such a vat.
func (k Keeper) Options() (o Options, ok bool) {
	b, ok := k.kv.Get(k.key(".o"))
	if !ok {
		return Options{}, false
	}
	r := swing.NewReader(b)
	r.Fields(7)
	if v := r.Uint(); v != optionsVersion {
		r.Fail(fmt.Errorf("options version %d", v))
	}
	o = Options{r.Text(), r.Hash(), r.Hash(), r.Bool(), r.Bool(), r.Bool()}
	k.done(r, ".o")
	return o, true
}

// pipelines reports whether the vat is sent the messages for promises it decides.
func (k Keeper) pipelines() bool {
	o, _ := k.Options()
	return o.Pipelining
}

// Span returns the vat's current span.
func (k Keeper) Span() transcript.Span { return k.span(".s") }

// Spans returns the spans of all the vat's incarnations, in order: the current one is
// the last.
func (k Keeper) Spans() (all []transcript.Span) {
	prefix := k.key(".p.")
	end := k.key(".p/") // "/" follows "."
	for key, ok := k.kv.Next(prefix, end); ok; key, ok = k.kv.Next(key, end) {
		all = append(all, k.span(key[len(k.id):]))
	}
	return append(all, k.Span())
}

func (k Keeper) span(suffix string) (s transcript.Span) {
	r := k.read(suffix)
	r.Fields(4)
	s = transcript.Span{Incarnation: r.Uint(), Start: r.Uint(), End: r.Uint(), Hash: r.Hash()}
	k.done(r, suffix)
	return s
}

// SetSpan replaces the vat's current span.
func (k Keeper) SetSpan(s transcript.Span) { k.setSpan(".s", s) }

// SetPastSpan records the span of an incarnation that is over.
func (k Keeper) SetPastSpan(s transcript.Span) {
	k.setSpan(fmt.Sprintf(".p.%016x", s.Incarnation), s)
}

func (k Keeper) setSpan(suffix string, s transcript.Span) {
	b := make([]byte, 0, spanBytesHint)
	b = swing.AppendUint(swing.AppendUint(swing.AppendArray(b, 4), s.Incarnation), s.Start)
	k.kv.Set(k.key(suffix), swing.AppendHash(swing.AppendUint(b, s.End), s.Hash))
}

// spanBytesHint is what an encoded span takes at most.
const spanBytesHint = 1 + 3*9 + 2 + swing.HashBytes

// End returns how the vat's life ended, and whether it did.
func (k Keeper) End() (e End, ended bool) {
	b, ended := k.kv.Get(k.key(".x"))
	if !ended {
		return End{}, false
	}
	r := swing.NewReader(b)
	r.Fields(3)
	e = End{r.Bool(), swing.ReadCapData[swing.KRef](r)}
	k.done(r, ".x")
	return e, true
}

// SetEnd records that the vat is dead.
func (k Keeper) SetEnd(e End) {
	b := swing.AppendBool(swing.AppendArray(nil, 3), e.Failure)
	k.kv.Set(k.key(".x"), swing.AppendCapData(b, e.Info))
}

// Params returns what the vat's current incarnation was started with.
func (k Keeper) Params() (p swing.CapData[swing.KRef]) {
	if b, ok := k.kv.Get(k.key(".a")); ok {
		r := swing.NewReader(b)
		r.Fields(2)
		p = swing.ReadCapData[swing.KRef](r)
		k.done(r, ".a")
	}
	return p
}

// SetParams records what the vat was started with. Its references are the caller's to
// count. Empty parameters have no row.
func (k Keeper) SetParams(p swing.CapData[swing.KRef]) {
	if len(p.Body) == 0 && len(p.Slots) == 0 {
		k.kv.Delete(k.key(".a"))
		return
	}
	k.kv.Set(k.key(".a"), swing.AppendCapData(swing.AppendArray(nil, 2), p))
}

// Alive reports whether there is such a vat and it has not ended.
func (k Keeper) Alive() bool {
	if _, ended := k.kv.Get(k.key(".x")); ended {
		return false
	}
	_, ok := k.kv.Get(k.key(".o"))
	return ok
}

func (k Keeper) counters() (object, promise uint64) {
	r := k.read(".i")
	r.Fields(2)
	object, promise = r.Uint(), r.Uint()
	k.done(r, ".i")
	return object, promise
}

func (k Keeper) setCounters(object, promise uint64) {
	b := swing.AppendUint(swing.AppendArray(nil, 2), object)
	k.kv.Set(k.key(".i"), swing.AppendUint(b, promise))
}

// takeImport allocates the vref of a new import.
func (k Keeper) takeImport(kind swing.RefKind) swing.VRef {
	object, promise := k.counters()
	if kind == swing.Promise {
		k.setCounters(object, promise+1)
		return swing.ImportVRef(kind, promise)
	}
	k.setCounters(object+1, promise)
	return swing.ImportVRef(kind, object)
}

func (k Keeper) key(suffix string) string { return string(k.id) + suffix }

// read returns a reader of a row that must exist. A row that does not is our
// fault or a damaged store's: the reader fails, and done says so.
func (k Keeper) read(suffix string) *swing.Reader {
	b, ok := k.kv.Get(k.key(suffix))
	r := swing.NewReader(b)
	if !ok {
		r.Fail(fmt.Errorf("no such row"))
	}
	return r
}

// done panics unless the row was read whole.
func (k Keeper) done(r *swing.Reader, suffix string) { RowDone(r, k.key(suffix)) }

// ID returns the vat's id.
func (k Keeper) ID() swing.VatID { return k.id }
