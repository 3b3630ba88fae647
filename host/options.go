package host

import (
	"errors"
	"log/slog"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Never is a number of deliveries, references or units of fuel that is not reached.
const Never = kernel.Never

// Options of a Host. The zero value is good; so is nil.
type Options struct {
	// Observable: part of the hashed state, set when the directory is made. On a
	// directory that exists, a zero value takes what it has, and another value
	// is an error.

	// Seed names the random streams of all vats.
	Seed string
	// Limits bound what a delivery may ask for. Default: swing.DefaultLimits.
	Limits swing.Limits
	// Schedule says when vats are asked what they have dropped, when rows of ended vats
	// are removed, and how vats share the run-queue. SetSchedule changes it.
	kernel.Schedule
	// Devices are by name, letters, digits, '-' and '_'. Those that AddDevice has added
	// to a directory must be here whenever it is opened.
	Devices map[string]kernel.Device
	// Order takes the place of the run-queue's own order: see [kernel.Order]. It is recorded
	// nowhere, so only a Host that keeps everything in memory, with neither a directory nor
	// FS, can have one.
	Order kernel.Order

	// Private: they change no activityhash, transcript or output.

	// MaxVats bounds the vats in memory. Default 50.
	MaxVats int
	// MaxBytes bounds the memory of the vats in memory, by the sizes of their
	// linear memories. 0 is no bound.
	MaxBytes uint64
	// MaxPrograms bounds the compiled programs kept. Default 64.
	MaxPrograms int
	// Snapshots says when a vat's heap is saved. Default: after 2 deliveries,
	// then every 200.
	Snapshots warehouse.Policy
	// Evict says which vat goes when another needs its room. Default: the least recently used.
	Evict warehouse.Eviction
	// KeepSnapshots is how many snapshots of a vat are kept, so that a damaged
	// one has an older one behind it. Default 2.
	KeepSnapshots int
	// PauseOnEvict saves an evicted vat's memory to a file of this process, so
	// that it comes back without replay.
	PauseOnEvict bool
	// Prefetch has the pages that an evicted vat had written made ready at once before its
	// replay writes them again, which it does faster then; evicting takes the time that
	// finding them takes. With Isolate it does nothing.
	Prefetch bool
	// Ahead is how many vats at most, beyond MaxVats, are being paged in in the background,
	// or are ready, because the next events of the run-queue are for them. Default 0: none.
	// Grant is asked from the background too then. With Inline or Isolate it does nothing.
	Ahead int
	// Yields says of which vats the programs let Go's garbage collector have its turn after
	// each million units of fuel, and run slower for it: for deliveries that are given much
	// fuel. It is asked whenever a vat is paged in; nil is none.
	Yields func(swing.VatID) bool
	// Preload pages in, at Open, the vats that were paged in at the last Close.
	Preload bool
	// BlockCranks is how many cranks of a Run are made durable together. Default 1000.
	BlockCranks int
	// CacheCompiled keeps the machine code of programs in the directory, so that they need
	// not be compiled again in the next process. Whoever can write it can have this process
	// run whatever he likes: leave it off for a directory that came from elsewhere.
	CacheCompiled bool
	// Interpreter runs programs in the engine's interpreter.
	Interpreter bool
	// Isolate runs the vats in a process of its own, so that a fault in compiled code
	// ends that process and not this one: what it was doing is told to the Observer as a
	// fault, and done again. The process is started with WorkerBinary, or, if that is "",
	// with this program; it must call ServeWorker first in main. Linux only.
	Isolate      bool
	WorkerBinary string
	// Engine, unless nil, runs the vats in place of an engine that Open makes: one for all
	// Hosts of a process, say. Its limits must be the directory's. It stays the caller's, who
	// closes it after the Hosts; of these options CacheCompiled, Interpreter, Isolate,
	// Memory, Detector and Grant say nothing then.
	Engine Engine
	// Memory and Detector say how vats' memories are made and compared.
	Memory   worker.Memory
	Detector worker.Detector
	// NoSync leaves it to the operating system when data reaches the disk: a
	// crash of the machine may lose the latest blocks, never consistency.
	NoSync bool
	// Inline does what is otherwise done in the background (snapshots, table,
	// archive) at the end of the block: the same file operations in the same
	// order every time, for simulations.
	Inline bool
	// Grant, unless nil, is asked before a vat gets memory of so many bytes, at its
	// start and whenever it grows: an error ends the block, is returned as a *VatError,
	// and is seen by no vat. With Isolate nobody is asked.
	Grant func(bytes uint64) error
	// SegmentBytes is where the log begins a new file. Default 16 MiB.
	SegmentBytes int64
	// PackBytes is where the heap snapshots begin a new file. Default 64 MiB.
	PackBytes int64
	// Uncompressed stores the pages of heap snapshots as they are, not compressed.
	Uncompressed bool
	// CheckpointBytes is how many bytes of changed keys are kept in memory before
	// the table catches up. Default 8 MiB.
	CheckpointBytes int

	// KeepBlocks is of how many of the latest blocks the log keeps the change sets,
	// beyond those that opening needs: so far back a Feed can begin.
	KeepBlocks uint64
	// Archival keeps every transcript whole: Prune is refused.
	Archival bool

	// Existing has Open fail with ErrNotFound, and make nothing, unless the
	// directory is there and holds a kernel.
	Existing bool
	// AnyMeaning has Open not refuse a directory with vats that were run under another
	// meaning than this program's. None of them is run: a Run that comes to one stops
	// with a *VatError. They can be looked at, held, ended, upgraded while they are held,
	// or adopted.
	AnyMeaning bool
	// Scratch keeps all that is done in memory, over what the directory holds: no
	// byte of it changes, and Close forgets what was done. The directory must be
	// there, as with Existing, and is locked as ever: nobody else may write it
	// meanwhile. A lock file that is not there is made.
	Scratch bool
	// Expect, if it is not zero, is an activityhash that this directory had after a block:
	// Open fails with an *ExpectError unless it is there, or has been: else an older copy
	// took its place. Only so far back is known as the log keeps change sets: all since the
	// table last caught up, and KeepBlocks.
	Expect swing.Hash
	// FS takes the place of the directory that Open is given.
	FS vfs.FS
	// Clock is what Stats.Spent, and an Observer's Upkeep, are measured by: the time since
	// any moment that stays the same. Snapshots in the background read it at the same time.
	// Default: the machine's clock.
	Clock func() time.Duration
	// Logger gets the slog: blocks and ends of vats at Info, cranks at Debug,
	// what vats log at their own level. Default: none.
	Logger *slog.Logger
	// Observer is told what happens, as it happens.
	Observer Observer

	schema  schemaPlan // of tests
	pretend *Meaning   // likewise
}

// Observer is told what happens. Any of its functions may be nil. They are
// called while the Host works, and must not call it.
type Observer struct {
	// Crank is told of every crank, before it is durable.
	Crank func(Crank)
	// Work is told, in order, of what the warehouse does: see [Work]. It slows deliveries
	// down, since all that each has written is found and saved; it changes no outcome.
	Work func(Work)
	// Upkeep is told, in order, of what takes time beside running vats, once it is done; of
	// snapshots made in the background, at the end of a later block.
	Upkeep func(Upkeep)
	// Block is told of every block once it is durable.
	Block func(Block)
	// Output is told of every output once its block is durable.
	Output func(Output)
	// Fault is told of what is wrong and was dealt with: a damaged snapshot that
	// an older one stands in for, a torn end of the log.
	Fault func(error)
}

// The defaults of [Options].
const (
	DefaultBlockCranks   = 1000
	DefaultKeepSnapshots = 2
)

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.BlockCranks == 0 {
		out.BlockCranks = DefaultBlockCranks
	}
	if out.KeepSnapshots == 0 {
		out.KeepSnapshots = DefaultKeepSnapshots
	}
	if out.MaxVats == 0 {
		out.MaxVats = warehouse.DefaultMaxPagedIn
	}
	if out.MaxPrograms == 0 {
		out.MaxPrograms = warehouse.DefaultMaxPrograms
	}
	out.Snapshots = out.Snapshots.WithDefaults()
	if out.BlockCranks < 1 || out.KeepSnapshots < 1 {
		return out, errors.New("blocks of less than one crank, or less than one snapshot kept")
	}
	if out.Clock == nil {
		opened := time.Now()
		out.Clock = func() time.Duration { return time.Since(opened) }
	}
	if out.Logger == nil {
		out.Logger = slog.New(slog.DiscardHandler)
	}
	return out, nil
}

// ahead returns how many vats are paged in ahead of their turn.
func (o *Options) ahead() int {
	if o.Inline || o.Isolate && o.Engine == nil {
		return 0
	}
	return o.Ahead
}
