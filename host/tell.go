package host

import (
	"context"
	"iter"
	"log/slog"
	"strings"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Crank is what an Observer is told of one crank.
type Crank struct {
	kernel.Report
	Activityhash swing.Hash
	// Delivering is how long the warehouse took: paging in, if that had to be, and
	// running the vat; 0 if it was not asked.
	Delivering time.Duration
	// PagedIn says that the vat had to be paged in, and Replayed how many deliveries
	// were replayed for that.
	PagedIn  bool
	Replayed uint64
}

// Block is what an Observer is told of one block.
type Block struct {
	Number             uint64
	Cranks, Deliveries uint64
	Outputs            int
	Activityhash       swing.Hash
	// Kernel, Vats and Spent are as in Stats, and so are Snapshots, those that have been
	// taken, and SnapshotBytes.
	Kernel        kernel.Counters
	Vats          warehouse.Stats
	Snapshots     uint64
	SnapshotBytes int64
	Spent         warehouse.Spent
	// PagedIn yields the vats that are in memory, least recently used first. It is good
	// while the Observer is told of the block.
	PagedIn iter.Seq[PagedVat]
}

// PagedVat is a vat that is in memory.
type PagedVat struct {
	ID    swing.VatID
	Name  string
	Bytes uint64 // of its linear memory
}

// pagedIn yields the vats that are in memory.
func (h *Host) pagedIn(yield func(PagedVat) bool) {
	for id, bytes := range h.vats.Sizes() {
		o, _ := vatkeeper.New(id, h.kv).Options()
		if !yield(PagedVat{id, o.Name, bytes}) {
			return
		}
	}
}

// Upkeep is a piece of work that it took to keep a vat, beside running it. Each snapshot
// is one; of other tasks, several may have done one thing.
type Upkeep struct {
	Vat  swing.VatID // "" for programs, and for what is done for several
	Task warehouse.Task
	Took time.Duration
}

// stopwatch is the warehouse with a clock beside it.
type stopwatch struct {
	*warehouse.Warehouse
	now    func() time.Duration
	last   lap // of the latest Deliver
	work   works
	queue  func() uint64 // how many events wait in the run-queue
	spent  warehouse.Spent
	upkeep func(Upkeep) // or nil
}

// Now implements warehouse.Meter.
func (s *stopwatch) Now() time.Duration { return s.now() }

// Spent implements warehouse.Meter.
func (s *stopwatch) Spent(vat swing.VatID, t warehouse.Task, took time.Duration) {
	s.spent.Add(t, took)
	if s.upkeep != nil {
		s.upkeep(Upkeep{vat, t, took})
	}
}

// lap is what the crank's Deliver took.
type lap struct {
	took     time.Duration
	pageIns  uint64
	replayed uint64
}

// Deliver implements kernel.Vats.
func (s *stopwatch) Deliver(
	ctx context.Context, id swing.VatID, position uint64, delivery []byte, fuel uint64,
	sys swing.Syscaller,
) (swing.Outcome, error) {
	waiting := uint64(0)
	if s.work.on {
		waiting = s.queue()
	}
	before, started := s.Stats(), time.Now()
	out, err := s.Warehouse.Deliver(ctx, id, position, delivery, fuel, sys)
	took, after := time.Since(started), s.Stats()
	s.last = lap{took, after.PageIns - before.PageIns, after.Replayed - before.Replayed}
	if err == nil {
		s.work.add(Work{
			Vat: id, Position: position, Took: took, PagedIn: s.last.pageIns > 0, Waiting: waiting,
		})
	}
	return out, err
}

// Discard implements kernel.Vats.
func (s *stopwatch) Discard(id swing.VatID) {
	s.Warehouse.Discard(id)
	s.work.add(Work{Vat: id, Discard: true})
}

// fault tells of something that is wrong and was dealt with.
func (h *Host) fault(err error) {
	h.options.Logger.Warn("fault", "error", err)
	if h.options.Observer.Fault != nil {
		h.options.Observer.Fault(err)
	}
}

// tellCrank writes the slog's record of a crank.
func (h *Host) tellCrank(ctx context.Context, r kernel.Report) {
	last := h.clock.last
	h.clock.last = lap{} // the next crank may deliver nothing
	if h.options.Observer.Crank != nil {
		h.options.Observer.Crank(Crank{
			Report: r, Activityhash: h.kv.Activityhash(),
			Delivering: last.took, PagedIn: last.pageIns > 0, Replayed: last.replayed,
		})
	}
	if h.options.Logger.Enabled(ctx, slog.LevelDebug) {
		attrs := []slog.Attr{
			slog.Uint64("crank", r.Crank), slog.String("kind", r.Kind.String()),
			slog.String("crankhash", r.Crankhash.String()),
			slog.String("activityhash", h.kv.Activityhash().String()),
		}
		if r.Vat != "" {
			attrs = append(attrs, slog.String("vat", string(r.Vat)))
		}
		if r.Kind == kernel.Delivery {
			attrs = append(attrs,
				slog.Uint64("position", r.Position), slog.String("delivery", r.Delivery.String()),
				slog.Int("syscalls", r.Syscalls), slog.String("outcome", r.Outcome.String()),
				slog.Uint64("fuel", r.Outcome.Fuel),
				slog.Float64("seconds", last.took.Seconds()))
		}
		if r.Kind == kernel.Cleanup {
			attrs = append(attrs, slog.Int("rows", r.Swept.Rows), slog.Bool("last", r.Swept.Last))
		}
		h.options.Logger.LogAttrs(ctx, slog.LevelDebug, "crank", attrs...)
	}
	h.tellEnded(ctx, r.Ended)
}

func (h *Host) tellEnded(ctx context.Context, ended []kernel.Ended) {
	for _, e := range ended {
		h.options.Logger.LogAttrs(ctx, slog.LevelInfo, "vat ended",
			slog.String("vat", string(e.Vat)), slog.Bool("failure", e.Failure),
			slog.String("reason", e.Reason))
	}
}

// tellBlock releases what a durable block holds back.
func (h *Host) tellBlock(ctx context.Context, number uint64, b openBlock) {
	h.options.Logger.LogAttrs(ctx, slog.LevelInfo, "block",
		slog.Uint64("block", number), slog.Uint64("cranks", b.cranks),
		slog.Uint64("deliveries", b.deliveries), slog.Int("outputs", len(b.outputs)),
		slog.String("activityhash", h.kv.Activityhash().String()))
	if h.options.Observer.Block != nil {
		h.options.Observer.Block(Block{
			Number: number, Cranks: b.cranks, Deliveries: b.deliveries,
			Outputs: len(b.outputs), Activityhash: h.kv.Activityhash(),
			Kernel: kernel.ReadCounters(h.kv), Vats: h.vats.Stats(),
			Snapshots: h.totals.snapshots, SnapshotBytes: h.totals.snapshotBytes,
			Spent: h.clock.spent, PagedIn: h.pagedIn,
		})
	}
	if h.options.Observer.Output != nil {
		for _, o := range b.outputs {
			h.options.Observer.Output(o)
		}
	}
}

var logLevels = map[worker.Level]slog.Level{
	worker.LevelDebug: slog.LevelDebug, worker.LevelInfo: slog.LevelInfo,
	worker.LevelWarn: slog.LevelWarn, worker.LevelError: slog.LevelError,
}

// logVat passes on what a vat logs.
func (h *Host) logVat(vat swing.VatID, level worker.Level, text []byte) {
	ctx := context.Background()
	if at := logLevels[level]; h.options.Logger.Enabled(ctx, at) {
		line := strings.TrimRight(string(text), "\n")
		h.options.Logger.LogAttrs(ctx, at, "vat says",
			slog.String("vat", string(vat)), slog.String("text", transcript.Text([]byte(line))))
	}
}
