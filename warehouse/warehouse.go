package warehouse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/worker"
)

// Image is what a vat's memory is mapped from. Release says that no worker is
// on it any more.
type Image interface {
	worker.Image
	Release()
}

// Life is all it takes to page a vat in.
type Life struct {
	// Heap is the vat's heap at Position, and Image its memory.
	Heap     swing.Heap
	Image    Image
	Position uint64
	// Start is where the incarnation began, and Snapshot how far its latest
	// durable snapshot reaches: Start if there is none.
	Start, Snapshot uint64
	// Entries are those from Position to the end of the transcript.
	Entries iter.Seq2[transcript.Entry, error]
}

// Source finds what the warehouse asks for. The host is one, over the stores.
type Source interface {
	// Program names a vat's code and its random stream.
	Program(vat swing.VatID) (code, seed swing.Hash, err error)
	// Code returns the module of that name.
	Code(code swing.Hash) ([]byte, error)
	// Life finds a vat of the program.
	Life(ctx context.Context, vat swing.VatID, p Program) (Life, error)
	// Pause brings a vat's image up to date with its worker and returns the
	// image, or another, which then holds the memory exactly.
	Pause(vat swing.VatID, position uint64, img Image, c worker.Capture) (Image, error)
}

// LogFunc is handed what a vat logs, outside replay. It must not keep text.
type LogFunc func(vat swing.VatID, level worker.Level, text []byte)

// Options are all private: they change no outcome.
type Options struct {
	// MaxPagedIn bounds the vats that have a worker. Default 50.
	MaxPagedIn int
	// MaxBytes bounds the memory of paged-in vats together, by their linear
	// memories' sizes. The vat being run is never refused. 0 is no bound.
	MaxBytes uint64
	// MaxPrograms bounds the compiled programs kept. Default 64. Programs of
	// paged-in vats are always kept.
	MaxPrograms int
	// Snapshots says when one is due.
	Snapshots Policy
	// Evict says which vat is evicted; "" means EvictLRU.
	Evict Eviction
	// Upcoming yields the vats that are delivered to next, in their order, as far as that is
	// known, for EvictQueue; nil is that nothing is.
	Upcoming func() iter.Seq[swing.VatID]
	// PauseOnEvict saves every evicted worker to its image, so that it pages in
	// without replay while this process lives.
	PauseOnEvict bool
	// Prefetch has what a vat had written, when it was evicted, made ready at once before
	// its replay writes it again. To find it takes what finding written pages takes. Of
	// workers in a process of their own nothing is prefetched.
	Prefetch bool
	// Ahead is how many vats at most are paged in ahead of their turn, beside MaxPagedIn:
	// see [Warehouse.Ahead]. The engine must start and run several workers at once. Default 0.
	Ahead int
	// Yields says of which vats the programs let Go's garbage collector have its turn
	// while a delivery runs: see worker.Engine.CompileYielding. It is asked whenever a vat
	// is paged in, and must say the same as long as it stays; nil is none.
	Yields func(swing.VatID) bool
	// Log gets the vats' log lines; nil drops them.
	Log LogFunc
	// Lost is told, once, that a process with all workers is gone; nil is nobody.
	Lost func(*LostError)
	// Meter measures what tasks take; nil measures nothing.
	Meter Meter
}

// The defaults of [Options].
const (
	DefaultMaxPagedIn  = 50
	DefaultMaxPrograms = 64
)

// Stats are totals since New, and what is in memory now.
type Stats struct {
	PagedIn     int    // vats that have a worker
	PagedBytes  uint64 // their linear memories
	Programs    int    // compiled programs kept
	Deliveries  uint64 // live ones
	PageIns     uint64
	Ahead       uint64 // of these, begun ahead of their turn
	Evictions   uint64
	Discards    uint64
	Pauses      uint64 // images brought up to date
	Replayed    uint64 // deliveries replayed by page-ins
	PagesPaused uint64 // pages written by Pauses
	Prefetched  uint64 // pages made ready before replays
	Lost        uint64 // worker processes that died
}

// vat is one paged-in vat.
type vat struct {
	id       swing.VatID
	worker   Worker
	program  *program
	image    Image
	at       uint64 // position of the next delivery
	saved    uint64 // position that image holds
	start    uint64 // where the incarnation began
	snapshot uint64 // how far its latest snapshot reaches, if it is past start
	bytes    uint64 // its memory, as counted in Stats
	unsaved  work   // from the image to where it is
	account  *account
	// paused says that a snapshot of its image, or what that will be, is to be taken.
	paused bool
}

// Warehouse is a kernel.Vats. It has one owner: no two of its methods may run
// at the same time.
type Warehouse struct {
	engine    Engine
	source    Source
	options   Options
	vats      *simplelru.LRU[swing.VatID, *vat]
	programs  *simplelru.LRU[programKey, *program]
	evictor   evictor
	pins      map[swing.VatID]bool
	accounts  *simplelru.LRU[swing.VatID, *account] // nil: they are not needed
	counter   byteCount                             // of the delivery under way
	due       []dueVat                              // in the order they fell due
	allowance allowance                             // of ByCost
	habit     habit                                 // of all vats
	firsts    first
	lost      *LostError // the latest
	alarm     alarm
	signalled atomic.Bool
	stats     Stats
	futures   futures
	spending  spending

	footprints     *simplelru.LRU[swing.VatID, footprint]
	footprintPages int // in all of them
}

// programKey is what a compiled program is kept under.
type programKey struct {
	code   swing.Hash
	yields bool
}

// unbounded is the size given to simplelru, which must not evict by itself:
// evicting can fail, and has exceptions.
const unbounded = 1 << 30

// New returns an empty warehouse. The engine stays the caller's.
func New(e Engine, s Source, o Options) (*Warehouse, error) {
	if o.MaxPagedIn == 0 {
		o.MaxPagedIn = DefaultMaxPagedIn
	}
	if o.MaxPrograms == 0 {
		o.MaxPrograms = DefaultMaxPrograms
	}
	if o.Evict == "" {
		o.Evict = EvictLRU
	}
	o.Snapshots = o.Snapshots.WithDefaults()
	if o.MaxPagedIn < 1 || o.MaxPrograms < 1 {
		return nil, fmt.Errorf("make warehouse: %d vats and %d programs, want at least 1 each",
			o.MaxPagedIn, o.MaxPrograms)
	}
	w := &Warehouse{
		engine: e, source: s, options: o, pins: map[swing.VatID]bool{}, habit: unseen,
		futures: futures{byVat: map[swing.VatID]*future{}},
	}
	if err := errors.Join(o.Snapshots.validate(), w.makeLists()); err != nil {
		return nil, fmt.Errorf("make warehouse: %w", err)
	}
	return w, nil
}

// makeLists makes what the vats, their accounts and the programs are kept in.
func (w *Warehouse) makeLists() (err error) {
	if w.evictor, err = w.newEvictor(); err != nil {
		return err
	}
	if w.vats, err = simplelru.NewLRU[swing.VatID, *vat](unbounded, nil); err != nil {
		return err
	}
	if w.options.Snapshots.Rule != ByCount || w.options.Evict == EvictCost {
		w.accounts, err = simplelru.NewLRU(accountsMax, func(_ swing.VatID, a *account) {
			w.allowance.lent -= a.shadow.lent
		})
		if err != nil {
			return err
		}
	}
	w.footprints, err = simplelru.NewLRU[swing.VatID, footprint](unbounded, nil)
	if err != nil {
		return err
	}
	w.programs, err = simplelru.NewLRU[programKey, *program](unbounded, nil)
	return err
}

// Deliver pages the vat in if need be and runs its next delivery, which will be
// the entry at position, with so much fuel. It implements kernel.Vats.
func (w *Warehouse) Deliver(
	ctx context.Context, id swing.VatID, position uint64, delivery []byte, fuel uint64,
	sys swing.Syscaller,
) (swing.Outcome, error) {
	v, err := w.pageIn(ctx, id)
	if err != nil {
		w.lose(err)
		return swing.Outcome{}, fmt.Errorf("page in vat %s: %w", id, err)
	}
	if v.at != position {
		panic(fmt.Sprintf("warehouse: vat %s is at position %d, to be delivered %d",
			id, v.at, position))
	}
	var log worker.LogFunc
	if w.options.Log != nil {
		log = func(level worker.Level, text []byte) { w.options.Log(id, level, text) }
	}
	if s := w.options.Snapshots; s.Rule == ByBytes || s.Also.BeforeDeviceCall {
		w.counter = byteCount{Syscaller: sys}
		sys = &w.counter
	}
	out, err := v.worker.Deliver(ctx, delivery, fuel, sys, log)
	if w.lose(err) {
		return swing.Outcome{}, fmt.Errorf("run vat %s: %w", id, err)
	}
	if err != nil {
		return swing.Outcome{}, errors.Join(fmt.Errorf("run vat %s: %w", id, err), w.drop(ctx, v))
	}
	w.stats.Deliveries++
	if out.OK() {
		v.at++
		done := work{1, out.Fuel, uint64(len(delivery)) + w.counter.bytes}
		v.unsaved = v.unsaved.plus(done)
		v.account.total = v.account.total.plus(done)
		v.account.shadow.add(done)
		w.grown(v)
		_, err := w.noteDue(v, delivered)
		if err == nil {
			err = w.see(v, delivery)
		}
		if err != nil {
			return swing.Outcome{}, errors.Join(err, w.drop(ctx, v))
		}
	}
	return out, nil
}

// grown counts a vat's memory anew.
func (w *Warehouse) grown(v *vat) {
	size := v.worker.Size()
	w.stats.PagedBytes += size - v.bytes
	v.bytes, v.account.room = size, size/swing.PageBytes
}

// Want pages a vat in, if need be, and has a snapshot of it fall due, whatever the policy
// says, unless it has done nothing since its latest.
func (w *Warehouse) Want(ctx context.Context, id swing.VatID) error {
	v, err := w.pageIn(ctx, id)
	if err != nil {
		w.lose(err)
		return fmt.Errorf("page in vat %s: %w", id, err)
	}
	if v.at > v.snapshot {
		w.owe(v)
	}
	return nil
}

// Refresh pages a vat in, if need be, and brings its image up to date with its worker.
func (w *Warehouse) Refresh(ctx context.Context, id swing.VatID) error {
	v, err := w.pageIn(ctx, id)
	if err != nil {
		return fmt.Errorf("page in vat %s: %w", id, err)
	}
	return w.pause(ctx, v)
}

// pause brings a vat's image up to date with its worker.
func (w *Warehouse) pause(ctx context.Context, v *vat) error {
	if v.saved == v.at {
		return nil
	}
	defer w.begin(v.id, TaskPause)()
	c, err := v.worker.Capture(ctx)
	if err != nil {
		return fmt.Errorf("pause vat %s: %w", v.id, err)
	}
	img, err := w.source.Pause(v.id, v.at, v.image, c)
	if err != nil {
		return fmt.Errorf("pause vat %s: %w", v.id, err)
	}
	v.image = img
	if err := v.worker.Rebase(img); err != nil {
		return fmt.Errorf("pause vat %s: %w", v.id, err)
	}
	w.learn(v, c.Written)
	v.saved = v.at
	v.account.behind, v.unsaved = v.account.behind.plus(v.unsaved), work{}
	w.stats.Pauses++
	w.stats.PagesPaused += uint64(len(c.Written))
	return nil
}

// Discard drops a vat whose heap must not be used. It implements kernel.Vats.
func (w *Warehouse) Discard(id swing.VatID) {
	w.forsake(id)
	v, ok := w.vats.Peek(id)
	if !ok {
		if w.accounts != nil {
			w.accounts.Remove(id)
		}
		return
	}
	w.stats.Discards++
	if i := w.dueAt(id); i >= 0 {
		w.allowance.left += w.due[i].spent
		w.due = slices.Delete(w.due, i, i+1)
	}
	if err := w.drop(context.Background(), v); err != nil {
		panic(fmt.Sprintf("warehouse: discard vat %s: %v", id, err))
	}
}

// drop gives a worker up without saving anything.
func (w *Warehouse) drop(ctx context.Context, v *vat) error {
	w.vats.Remove(v.id)
	w.evictor.gone(v.id)
	w.stats.PagedBytes -= v.bytes
	v.program.users--
	err := v.worker.Close(ctx)
	v.image.Release()
	return err
}

// lose gives up all workers and programs if the error is that they are gone, and reports
// whether it is.
func (w *Warehouse) lose(err error) bool {
	var lost *LostError
	if !errors.As(err, &lost) {
		return false
	}
	errs := []error{}
	w.forsakeAll()
	for _, v := range w.vats.Values() {
		errs = append(errs, w.drop(context.Background(), v))
	}
	errs = append(errs, w.closePrograms(context.Background()))
	if err := errors.Join(errs...); err != nil {
		panic(fmt.Sprintf("warehouse: give up what is gone: %v", err))
	}
	if lost != w.lost {
		w.lost = lost
		w.stats.Lost++
		if w.options.Lost != nil {
			w.options.Lost(lost)
		}
	}
	return true
}

// Pin keeps a vat paged in once it is, or lets it go again. Pinned vats count
// against the limits, and may exceed them.
func (w *Warehouse) Pin(id swing.VatID, pinned bool) {
	if pinned {
		w.pins[id] = true
	} else {
		delete(w.pins, id)
	}
}

// Preload pages in vats, in order, as far as the limits allow without evicting.
func (w *Warehouse) Preload(ctx context.Context, ids []swing.VatID) error {
	for _, id := range ids {
		if w.vats.Len() >= w.options.MaxPagedIn || w.full() {
			return nil
		}
		if _, err := w.pageIn(ctx, id); err != nil {
			w.lose(err)
			return fmt.Errorf("page in vat %s: %w", id, err)
		}
	}
	return nil
}

// PagedIn returns the vats that have a worker, least recently used first.
func (w *Warehouse) PagedIn() []swing.VatID { return w.vats.Keys() }

// Sizes yields the vats that have a worker, least recently used first, and the bytes of
// their memories.
func (w *Warehouse) Sizes() iter.Seq2[swing.VatID, uint64] {
	return func(yield func(swing.VatID, uint64) bool) {
		for _, v := range w.vats.Values() {
			if !yield(v.id, v.bytes) {
				return
			}
		}
	}
}

// Stats returns the totals.
func (w *Warehouse) Stats() Stats {
	s := w.stats
	s.PagedIn, s.Programs = w.vats.Len(), w.programs.Len()
	return s
}

// Close gives up all workers and programs, saving nothing.
func (w *Warehouse) Close(ctx context.Context) error {
	var errs []error
	w.forsakeAll()
	w.futures.stop()
	for _, v := range w.vats.Values() {
		errs = append(errs, w.drop(ctx, v))
	}
	errs = append(errs, w.closePrograms(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close warehouse: %w", err)
	}
	return nil
}
