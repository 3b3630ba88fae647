package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// buffer is the dumbest Buffer: a map, copied whole at every savepoint.
type buffer struct {
	rows   map[string]string
	saved  []map[string]string
	sorted []string // the keys, or nil when rows gained or lost one
}

func newBuffer() *buffer { return &buffer{rows: map[string]string{}} }

func (b *buffer) Get(key string) ([]byte, bool) {
	v, ok := b.rows[key]
	return []byte(v), ok
}
func (b *buffer) Set(key string, value []byte) {
	if _, ok := b.rows[key]; !ok {
		b.sorted = nil
	}
	b.rows[key] = string(value)
}

func (b *buffer) Delete(key string) {
	delete(b.rows, key)
	b.sorted = nil
}

func (b *buffer) keys() []string {
	if len(b.sorted) != len(b.rows) {
		b.sorted = slices.Sorted(maps.Keys(b.rows))
	}
	return b.sorted
}

func (b *buffer) Next(after, end string) (string, bool) {
	keys := b.keys()
	i := sort.SearchStrings(keys, after+"\x00")
	if i == len(keys) || (end != "" && keys[i] >= end) {
		return "", false
	}
	return keys[i], true
}

func (b *buffer) Savepoint() int {
	b.saved = append(b.saved, maps.Clone(b.rows))
	return len(b.saved) - 1
}

func (b *buffer) Rollback(savepoint int) {
	b.rows, b.sorted = maps.Clone(b.saved[savepoint]), nil
}

func (b *buffer) Seal() swing.Hash {
	b.saved = nil
	h := swing.NewHasher("test")
	for _, key := range b.keys() {
		h.AddString(key)
		h.AddString(b.rows[key])
	}
	return h.Sum()
}

type (
	delivery = swing.Delivery[swing.VRef]
	syscall  = swing.Syscall[swing.VRef]
	message  = swing.Message[swing.VRef]
	capData  = swing.CapData[swing.VRef]
	kcap     = swing.CapData[swing.KRef]
	kmessage = swing.Message[swing.KRef]
	outcome  = swing.Outcome
)

// program is a scripted vat: it is handed each delivery and makes syscalls.
type program func(d delivery, call func(syscall) []byte) outcome

// stopped is what a call panics with when the Syscaller ends the delivery.
type stopped struct{}

var done = outcome{Status: swing.StatusOK}

// world is a kernel over a dumb buffer with scripted vats, checked whole after
// every crank.
type world struct {
	t         *testing.T
	b         *buffer
	k         *kernel.Kernel
	programs  map[swing.VatID]program
	log       []string // every delivery that took effect: "v1 message o+0.hi …"
	items     map[swing.VatID][][]byte
	outputs   []kernel.Output
	discarded []swing.VatID
	broken    error // what the next Deliver fails with
	// checkEvery is how many cranks pass between recounts; 0 is one.
	checkEvery uint64
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, b: newBuffer(),
		programs: map[swing.VatID]program{}, items: map[swing.VatID][][]byte{},
	}
	initKernel(t, w.b, kernel.Options{Seed: "test", Limits: swing.DefaultLimits()})
	w.k = kernel.New(w.b, w, nil)
	return w
}

func (w *world) Discard(id swing.VatID) { w.discarded = append(w.discarded, id) }

func (w *world) Deliver(
	_ context.Context, id swing.VatID, position uint64, b []byte, fuel uint64, sys swing.Syscaller,
) (out outcome, err error) {
	if w.broken != nil {
		return outcome{}, w.broken
	}
	if want := uint64(len(w.items[id])); position != want {
		w.t.Fatalf("%s: delivery at position %d, want %d", id, position, want)
	}
	d, err := swing.DecodeDelivery[swing.VRef](b)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if r := recover(); r == (stopped{}) {
			out = outcome{Status: swing.StatusIllegal}
		} else if r != nil {
			panic(r)
		}
	}()
	call := func(s syscall) []byte {
		answer, ok := sys.Syscall(s.Op, swing.AppendRequest(nil, s))
		if !ok {
			panic(stopped{})
		}
		return answer
	}
	return w.programs[id](d, call), nil
}

// vat makes a vat and returns its root. Its start is queued, not run.
func (w *world) vat(p program, params ...swing.KRef) (swing.VatID, swing.KRef) {
	w.t.Helper()
	id, root, err := w.k.CreateVat(w.b, kernel.VatSpec{Params: kcap{Slots: params}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.programs[id] = p
	return id, root
}

func (w *world) send(target swing.KRef, method string, slots ...swing.KRef) swing.KRef {
	w.t.Helper()
	m := kmessage{Method: method, Args: kcap{Slots: slots}}
	result, err := w.k.Send(w.b, target, m, true)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) crank() kernel.Report {
	w.t.Helper()
	r, err := w.k.Crank(context.Background(), w.b)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Kind == kernel.Delivery {
		w.items[r.Vat] = append(w.items[r.Vat], r.Item)
		e, err := transcript.Decode(r.Item)
		if err != nil || e.Position != r.Position {
			w.t.Fatalf("item at %d: %v, %v", r.Position, e, err)
		}
		w.log = append(w.log, fmt.Sprintf("%s %s", r.Vat, transcript.DescribeDelivery(e.Delivery)))
		if !e.Outcome.OK() {
			w.log = append(w.log, fmt.Sprintf("%s died: %v", r.Vat, e.Outcome))
		}
	}
	w.outputs = append(w.outputs, r.Outputs...)
	if w.checkEvery == 0 || r.Crank%w.checkEvery == 0 {
		w.check()
	}
	return r
}

func (w *world) check() {
	w.t.Helper()
	for _, f := range kernel.Check(w.b) {
		w.t.Fatalf("recount: %v", f)
	}
}

// run cranks until the queues are empty.
func (w *world) run() {
	w.t.Helper()
	for w.crank().Kind != kernel.Idle {
	}
}

// expect compares what has been delivered since the last time, starts left out.
func (w *world) expect(want ...string) {
	w.t.Helper()
	var got []string
	for _, line := range w.log {
		if _, start, _ := cutStart(line); !start {
			got = append(got, line)
		}
	}
	w.log = nil
	if !slices.Equal(got, want) {
		w.t.Fatalf("delivered\n%s\nwant\n%s", lines(got), lines(want))
	}
}

func cutStart(line string) (string, bool, error) {
	var id, kind string
	_, err := fmt.Sscan(line, &id, &kind)
	return id, kind == "startVat", err
}

func lines(ss []string) (out string) {
	for _, s := range ss {
		out += "  " + s + "\n"
	}
	return out
}

// promiseIs checks how a promise the embedder holds is settled.
func (w *world) promiseIs(ref swing.KRef, state kernel.PromiseState, body string) {
	w.t.Helper()
	p, ok := kernel.LookupPromise(w.b, ref)
	if !ok || p.State != state || string(p.Data.Body) != body {
		w.t.Fatalf("%s is %v with %q (known %v), want %v with %q",
			ref, p.State, p.Data.Body, ok, state, body)
	}
}

func (w *world) clist(id swing.VatID) (refs []string) {
	for e := range vatkeeper.New(id, w.b).Entries() {
		refs = append(refs, string(e.KRef)+"="+string(e.VRef))
	}
	return refs
}

const vatTerminated = `#{"#error":"vat terminated","name":"Error"}`

// Programs that tests compose.

func idle(delivery, func(syscall) []byte) outcome { return done }

func onMessage(f program) program {
	return func(d delivery, call func(syscall) []byte) outcome {
		if d.Kind != swing.DeliverMessage {
			return done
		}
		return f(d, call)
	}
}

func answer(call func(syscall) []byte, promise swing.VRef, data capData) {
	call(syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
		{Promise: promise, Data: data},
	}})
}

func text(s string) capData { return capData{Body: []byte(s)} }

func send(target swing.VRef, method string, result swing.VRef, slots ...swing.VRef) syscall {
	m := message{Method: method, Result: result, Args: capData{Slots: slots}}
	return syscall{Op: swing.OpSend, Target: target, Message: m}
}

func subscribe(promise swing.VRef) syscall {
	return syscall{Op: swing.OpSubscribe, Target: promise}
}

var errWorld = errors.New("no memory")

func initKernel(t *testing.T, b kernel.Buffer, o kernel.Options) {
	t.Helper()
	if err := kernel.Init(b, o); err != nil {
		t.Fatal(err)
	}
}
