package guest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/worker"
)

type (
	kref = swing.KRef
	vref = swing.VRef
	kcap = swing.CapData[swing.KRef]
)

// style is one way to run a scenario. None may change what a vat does.
type style struct {
	language    string // "c" or "go", of the programs there are in both
	interpreter bool
	restart     bool // every worker is captured and started anew after every delivery
	// forget is how many written pages a restart loses: a planted fault.
	forget int
}

func (s style) String() string {
	name := s.language
	if s.interpreter {
		name += " interpreted"
	}
	if s.restart {
		name += " restarted"
	}
	return name
}

// image is a file that a worker's memory is mapped from.
type image struct {
	*os.File
	size int64
}

func (i *image) Size() int64         { return i.size }
func (i *image) Fd() (uintptr, bool) { return i.File.Fd(), true }

// resident is a vat's program at work.
type resident struct {
	name    string // of its program
	program *worker.Program
	seed    swing.Hash
	worker  *worker.Worker
	image   *image
	written int // pages written since the last restart, as the last one found
}

// world is a kernel with live workers. Its state is recounted now and then, and in
// the end.
type world struct {
	t     testing.TB
	style style
	b     *buffer
	k     *kernel.Kernel
	vats  map[swing.VatID]*resident
	// What came of it.
	items   map[swing.VatID][][]byte
	settled map[kref]kernel.Output
	logs    []string
	ended   []kernel.Ended
	rests   int // how often the queues were empty
}

func newWorld(t testing.TB, s style) *world { return newWorldWith(t, s, swing.DefaultLimits()) }

func newWorldWith(t testing.TB, s style, limits swing.Limits) *world {
	w := &world{
		t: t, style: s, b: newBuffer(), vats: map[swing.VatID]*resident{},
		items: map[swing.VatID][][]byte{}, settled: map[kref]kernel.Output{},
	}
	if err := kernel.Init(w.b, kernel.Options{Seed: "guest", Limits: limits}); err != nil {
		t.Fatal(err)
	}
	w.k = kernel.New(w.b, w, nil)
	t.Cleanup(func() {
		w.check()
		for id := range w.vats {
			w.Discard(id)
		}
	})
	return w
}

func (w *world) fatal(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v: %v", w.style, err)
	}
}

func (w *world) setTime(t uint64) {
	w.t.Helper()
	_, err := w.k.SetTime(w.b, t)
	w.fatal(err)
}

// vat makes a vat and returns its id and root. Its start is queued, not run.
func (w *world) vat(name string, params ...any) (swing.VatID, kref) {
	w.t.Helper()
	spec := kernel.VatSpec{}
	if len(params) > 0 {
		spec.Params = list[kref](params...)
	}
	id, root, err := w.k.CreateVat(w.b, spec)
	w.fatal(err)
	w.vats[id] = w.newResident(program(w.t, w.style, name), swing.Sum("seed", []byte(id)))
	w.vats[id].name = name
	return id, root
}

func (w *world) root(name string, params ...any) kref {
	w.t.Helper()
	_, root := w.vat(name, params...)
	return root
}

// rootOf makes a vat of a program of the test's own.
func (w *world) rootOf(code []byte) kref {
	w.t.Helper()
	p := stands[w.style.interpreter].program(w.t, w.t.Name(), code)
	id, root, err := w.k.CreateVat(w.b, kernel.VatSpec{})
	w.fatal(err)
	w.vats[id] = w.newResident(p, swing.Sum("seed", []byte(id)))
	return root
}

func (w *world) newResident(p *worker.Program, seed swing.Hash) *resident {
	w.t.Helper()
	heap, segments := p.Genesis()
	f, err := os.Create(filepath.Join(w.t.TempDir(), "image"))
	w.fatal(err)
	r := &resident{program: p, seed: seed, image: &image{f, int64(heap.Size)}}
	w.fatal(f.Truncate(r.image.size))
	for _, s := range segments {
		_, err := f.WriteAt(s.Bytes, int64(s.Offset))
		w.fatal(err)
	}
	r.worker, err = p.Start(context.Background(), heap, r.image, seed)
	w.fatal(err)
	return r
}

// Deliver implements kernel.Vats.
func (w *world) Deliver(
	ctx context.Context, id swing.VatID, _ uint64, b []byte, fuel uint64, sys swing.Syscaller,
) (swing.Outcome, error) {
	r := w.vats[id]
	log := func(level worker.Level, text []byte) {
		w.logs = append(w.logs, fmt.Sprintf("%s %d %s", id, level, text))
	}
	out, err := r.worker.Deliver(ctx, b, fuel, sys, log)
	if err == nil && out.OK() && w.style.restart {
		err = w.restart(ctx, r)
	}
	return out, err
}

// Discard implements kernel.Vats.
func (w *world) Discard(id swing.VatID) {
	r := w.vats[id]
	delete(w.vats, id)
	w.fatal(r.worker.Close(context.Background()))
	w.fatal(r.image.Close())
}

// restart captures a worker, writes what it wrote to its image, and starts another.
func (w *world) restart(ctx context.Context, r *resident) error {
	c, err := r.worker.Capture(ctx)
	if err != nil {
		return err
	}
	r.written = len(c.Written)
	for _, p := range c.Written[:max(0, len(c.Written)-w.style.forget)] {
		if _, err := r.image.WriteAt(p.Data, int64(p.Index)*swing.PageBytes); err != nil {
			return err
		}
	}
	if err := r.worker.Close(ctx); err != nil {
		return err
	}
	r.image.size = int64(c.Heap.Size)
	if err := r.image.Truncate(r.image.size); err != nil {
		return err
	}
	r.worker, err = r.program.Start(ctx, c.Heap, r.image, r.seed)
	return err
}

// send queues a message and returns the promise of its answer.
func (w *world) send(target kref, method string, args ...any) kref {
	w.t.Helper()
	return w.sendData(target, method, list[kref](args...))
}

func (w *world) sendData(target kref, method string, args kcap) kref {
	w.t.Helper()
	m := swing.Message[kref]{Method: method, Args: args}
	promise, err := w.k.Send(w.b, target, m, true)
	w.fatal(err)
	return promise
}

// tell sends a message and wants no answer.
func (w *world) tell(target kref, method string, args kcap) {
	w.t.Helper()
	_, err := w.k.Send(w.b, target, swing.Message[kref]{Method: method, Args: args}, false)
	w.fatal(err)
}

// cranksMax bounds one run to quiescence.
const cranksMax = 200_000

// checkEvery is how many quiescences pass between recounts of the kernel's state:
// they would be most of the time.
const checkEvery = 5

// run cranks until the queues are empty.
func (w *world) run() {
	w.t.Helper()
	for range cranksMax {
		if !w.crank() {
			if w.rests++; w.rests%checkEvery == 0 {
				w.check()
			}
			return
		}
	}
	w.t.Fatalf("%v: no rest after %d cranks", w.style, cranksMax)
}

func (w *world) check() {
	w.t.Helper()
	for _, f := range kernel.Check(w.b) {
		w.t.Fatalf("%v: recount: %v", w.style, f)
	}
}

func (w *world) crank() (more bool) {
	w.t.Helper()
	r, err := w.k.Crank(context.Background(), w.b)
	w.fatal(err)
	if r.Kind == kernel.Delivery {
		w.items[r.Vat] = append(w.items[r.Vat], r.Item)
	}
	for _, o := range r.Outputs {
		w.settled[o.Promise] = o
	}
	w.ended = append(w.ended, r.Ended...)
	return r.Kind != kernel.Idle
}

// ask sends a message, runs to quiescence and returns the answer for people:
// "[1 2]", "=ko20", "rejected: [\"why\"]" or "unsettled".
func (w *world) ask(target kref, method string, args ...any) string {
	w.t.Helper()
	promise := w.send(target, method, args...)
	w.run()
	return w.outcome(promise)
}

func (w *world) outcome(promise kref) string {
	o, ok := w.settled[promise]
	switch {
	case !ok:
		return "unsettled"
	case o.Rejected:
		return "rejected: " + show(o.Data)
	}
	return show(o.Data)
}

func (w *world) expect(want string, target kref, method string, args ...any) {
	w.t.Helper()
	if got := w.ask(target, method, args...); got != want {
		w.t.Fatalf("%v: %s%v answered %s, want %s", w.style, method, args, got, want)
	}
}

// reference asks for an object and returns it.
func (w *world) reference(target kref, method string, args ...any) kref {
	w.t.Helper()
	promise := w.send(target, method, args...)
	w.run()
	ref, ok := w.settled[promise].Data.Reference()
	if !ok {
		w.t.Fatalf("%v: %s answered %s, want a reference", w.style, method, w.outcome(promise))
	}
	return ref
}

// entry returns a vat's n-th transcript entry; -1 is the last.
func (w *world) entry(id swing.VatID, n int) transcript.Entry {
	w.t.Helper()
	items := w.items[id]
	if n < 0 {
		n += len(items)
	}
	e, err := transcript.Decode(items[n])
	w.fatal(err)
	return e
}

// vref returns what a vat calls a reference.
func (w *world) vref(id swing.VatID, ref kref) vref {
	w.t.Helper()
	e, ok := vatkeeper.New(id, w.b).ByKRef(ref)
	if !ok {
		w.t.Fatalf("%v: %s does not know %s", w.style, id, ref)
	}
	return e.VRef
}

// memory returns a live vat's whole memory, and the rest of its heap.
func (w *world) memory(r *resident) ([]byte, swing.Heap) {
	w.t.Helper()
	c, err := r.worker.Capture(context.Background())
	w.fatal(err)
	memory := make([]byte, c.Heap.Size)
	_, err = r.image.ReadAt(memory[:r.image.size], 0)
	w.fatal(err)
	for _, p := range c.Written {
		copy(memory[int(p.Index)*swing.PageBytes:], p.Data)
	}
	return memory, c.Heap
}

// heap returns a digest of all that a live vat keeps.
func (w *world) heap(r *resident) swing.Hash {
	w.t.Helper()
	memory, heap := w.memory(r)
	return swing.Sum("heap", swing.AppendHeap(nil, heap), memory)
}

// replay brings a live vat up again from nothing but its transcript, in either engine:
// it must repeat itself, and end with the heap it has.
func (w *world) replay(id swing.VatID, name string, interpreter bool) {
	w.t.Helper()
	s := w.style
	s.interpreter = interpreter
	old := w.vats[id]
	r := w.newResident(program(w.t, s, name), old.seed)
	defer func() {
		w.fatal(r.worker.Close(context.Background()))
		w.fatal(r.image.Close())
	}()
	for i := range w.items[id] {
		e := w.entry(id, i)
		replayer := transcript.NewReplayer(e)
		budget := e.Budget(swing.DefaultLimits())
		out, err := r.worker.Deliver(context.Background(), e.Delivery, budget, replayer, nil)
		w.fatal(err)
		w.fatal(replayer.Finish(out))
	}
	if w.heap(r) != w.heap(old) {
		w.t.Fatalf("%v: %s (%s) replayed has another heap", w.style, id, name)
	}
}

// history is all that a scenario can be told by.
type history struct {
	items map[swing.VatID][][]byte
	heaps map[swing.VatID]swing.Hash
}

func (w *world) history() history {
	h := history{w.items, map[swing.VatID]swing.Hash{}}
	for id, r := range w.vats {
		h.heaps[id] = w.heap(r)
	}
	return h
}

// differs says where two histories part, or "". Heaps and fuel are compared where both
// are of the same programs.
func (h history) differs(other history, same bool) string {
	if len(h.items) != len(other.items) {
		return fmt.Sprintf("%d vats and %d", len(h.items), len(other.items))
	}
	for _, id := range sortedIDs(h.items) {
		a, b := h.items[id], other.items[id]
		for i := range min(len(a), len(b)) {
			if !slices.Equal(a[i], b[i]) && (same || !slices.Equal(unfuelled(a[i]), unfuelled(b[i]))) {
				return fmt.Sprintf("%s at %d:\n%s\nand\n%s", id, i, showItem(a[i]), showItem(b[i]))
			}
		}
		if len(a) != len(b) {
			return fmt.Sprintf("%s: %d deliveries and %d", id, len(a), len(b))
		}
		if same && h.heaps[id] != other.heaps[id] {
			return fmt.Sprintf("heaps of %s", id)
		}
	}
	return ""
}

func sortedIDs[V any](m map[swing.VatID]V) (ids []swing.VatID) {
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b swing.VatID) int { return int(a.Number()) - int(b.Number()) })
	return ids
}

// unfuelled is an entry's item but for the fuel it used.
func unfuelled(item []byte) []byte {
	e, err := transcript.Decode(item)
	if err != nil {
		return item
	}
	e.Outcome.Fuel = 0
	return e.Append(nil)
}

func showItem(item []byte) string {
	e, err := transcript.Decode(item)
	if err != nil {
		return err.Error()
	}
	text := "  " + transcript.DescribeDelivery(e.Delivery)
	for _, x := range e.Exchanges {
		text += "\n    " + transcript.Describe(x)
	}
	return text + "\n    " + e.Outcome.String()
}
