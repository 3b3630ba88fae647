package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/warehouse"
)

// runFlags are the flags of run. Their zero values leave it to the scenario, and
// then to the host.
type runFlags struct {
	seed         string
	deliveries   uint64
	hold, unhold []string

	maxVats       int
	maxBytes      uint64
	snapshots     string
	evict         string
	keepSnapshots int
	keepBlocks    uint64
	pauseOnEvict  bool
	prefetch      bool
	ahead         int
	preload       bool
	block         int
	engine        string
	isolate       bool
	memory        string
	detector      string
	noSync        bool
	inline        bool
	trace         string
	record        string
	watch         bool
}

func (a *app) runVerb() *cobra.Command {
	var r runFlags
	c := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Run a scenario, or go on with one; without one, list those there are",
		Long: `run runs a scenario: a built-in one by its name, or a file (docs/scenarios.md).

With --dir the state is kept in a directory: a new one is made, and in one that
exists the scenario goes on where it stopped, whether it was interrupted, killed, or
has ended and is given more --deliveries. Without --dir everything is in memory, and
gone at the end. run --dir DIRECTORY alone goes on with what made the directory.

The activityhash at the end is the same however the scenario got there. --seed, and
what is held, are observable: they change it. All other flags are private: they
change speed and size only.

A RULE of --snapshots is one of
  count:INITIAL/INTERVAL   first after INITIAL deliveries, and then every INTERVAL
  fuel:UNITS, bytes:BYTES  when a replay would use so much fuel, or read so many bytes
  cost                     when the replays it should save cost more than it does
  evict, idle              of a vat that is evicted; when nothing is left to deliver
  never
and to it can be added, each with +, what has snapshots fall due beside:
  first-message            of a vat without one that is sent a message
  before-device-call       of a vat that has called a device, before its calls in the next
                           block
  timer:DURATION           of all vats in memory, when so much block time has passed
  signal                   of all vats in memory, when swingsim is sent SIGUSR1
All are taken at the end of the block.

A WAY of --evict is one of
  lru      the least recently used
  2q, arc  the same, but those used again and again stay longer
  cost     what is cheapest to page in again, the more so the longer it was not used
  queue    what the run-queue needs last; of what nothing waits for, the least recently used

--watch shows the totals and the busiest vats while they run, and then what is printed
without it. Ctrl-C ends the run with everything kept; pressed again, it ends it at once, and
nothing but the block being written is lost.`,
		Example: `  swingsim run exchange
  swingsim run exchange --dir state --max-vats 50 --snapshots cost+timer:60s
  swingsim run ./mine.yaml --dir state --deliveries 100000 --json
  swingsim run --dir state`,
		Args: cobra.MaximumNArgs(1),
	}
	r.register(c)
	return a.verb(c, func(ctx context.Context, args []string) error {
		if len(args) == 0 && a.dir == "" {
			return a.listScenarios()
		}
		return a.run(ctx, args, &r)
	})
}

// register names the flags: first what is observable, then what is private.
func (r *runFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&r.seed, "seed", "",
		"a `TEXT` in place of the scenario's seed: other draws, another activityhash")
	f.Uint64Var(&r.deliveries, "deliveries", 0,
		"end after `N` deliveries in all, in place of the scenario's length")
	f.StringArrayVar(&r.hold, "hold", nil,
		"keep back what goes to a `VAT` that cannot be run (repeatable)")
	f.StringArrayVar(&r.unhold, "unhold", nil, "let a `VAT` that is held back go on (repeatable)")

	f.IntVar(&r.maxVats, "max-vats", 0,
		"at most `N` vats in memory (default: the scenario's, or 50)")
	f.Uint64Var(&r.maxBytes, "max-bytes", 0,
		"at most `N` bytes of vats' memories in memory (default: no bound)")
	f.StringVar(&r.snapshots, "snapshots", "",
		"save a vat's heap by `RULE` (default: the scenario's, or count:2/200)")
	f.StringVar(&r.evict, "evict", "lru",
		"choose the vat to evict by `WAY`: lru, 2q, arc, cost or queue")
	f.IntVar(&r.keepSnapshots, "keep-snapshots", 0, "keep `N` snapshots of a vat (default 2)")
	f.Uint64Var(&r.keepBlocks, "keep-blocks", 0,
		"keep the changes of the last `N` blocks, for export --since")
	f.BoolVar(&r.pauseOnEvict, "pause-on-evict", false,
		"save a vat's memory when it is evicted, so that it comes back without replay")
	f.BoolVar(&r.prefetch, "prefetch", false,
		"make what an evicted vat had written ready at once before its replay")
	f.IntVar(&r.ahead, "ahead", 0,
		"page in up to `N` vats in the background that are next in the run-queue")
	f.BoolVar(&r.preload, "preload", false,
		"page in at once the vats that were in memory at the last end")
	f.IntVar(&r.block, "block", 0, "make `N` cranks durable together (default 1000)")
	f.BoolVar(&r.isolate, "isolate", false, "run the vats in a process of their own (Linux)")
	f.StringVar(&r.engine, "engine", "compiler", "run programs by `WAY`: compiler or interpreter")
	f.StringVar(&r.memory, "memory", "mapped",
		"memories come from their images by `WAY`: mapped or copied")
	f.StringVar(&r.detector, "detector", "scan",
		"written pages are found by `WAY`: scan, pagemap or compare")
	f.BoolVar(&r.noSync, "no-sync", false, "leave it to the system when data reaches the disk")
	f.BoolVar(&r.inline, "inline", false, "do in line what is otherwise done in the background")
	f.StringVar(&r.trace, "trace", "",
		"record what vats did in `FILE`, for swingsim policy; deliveries are slower for it")
	f.BoolVar(&r.watch, "watch", false, "show on the terminal what vats do while they do it")
	f.StringVar(&r.record, "record", "", "write what each block and vat did to `FILE`, for report")
}

// options returns the host's options: the flags', else the scenario's.
func (r *runFlags) options(s *sim.Scenario) (*host.Options, error) {
	o := &host.Options{
		MaxVats: orElse(r.maxVats, s.Options.MaxVats), MaxBytes: r.maxBytes,
		KeepSnapshots: r.keepSnapshots, KeepBlocks: r.keepBlocks,
		PauseOnEvict: r.pauseOnEvict, Prefetch: r.prefetch, Ahead: r.ahead, Preload: r.preload,
		BlockCranks: orElse(r.block, s.Options.Block),
		NoSync:      r.noSync, Inline: r.inline, Isolate: r.isolate,
	}
	o.Snapshots.Initial = s.Options.SnapshotInitial
	o.Snapshots.Interval = s.Options.SnapshotInterval
	if r.snapshots != "" {
		if err := o.Snapshots.UnmarshalText([]byte(r.snapshots)); err != nil {
			return nil, usagef("--%v", err)
		}
	}
	for _, f := range []struct {
		flag  string
		value int
	}{
		{"max-vats", r.maxVats}, {"keep-snapshots", r.keepSnapshots}, {"block", r.block},
	} {
		if f.value < 0 {
			return nil, usagef("--%s %d: want a number from 1", f.flag, f.value)
		}
	}
	engine := ""
	err := errors.Join(
		fill(&engine, "engine", r.engine, "compiler", "interpreter"),
		fill(&o.Evict, "evict", r.evict, warehouse.Evictions...),
		fill(&o.Memory, "memory", r.memory, "mapped", "copied"),
		fill(&o.Detector, "detector", r.detector, "scan", "pagemap", "compare"),
	)
	o.Interpreter = engine == "interpreter"
	return o, err
}

func orElse(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// run runs the scenario that the arguments name, or the directory's.
func (a *app) run(ctx context.Context, args []string, r *runFlags) error {
	s, err := a.chooseScenario(ctx, args, r)
	if err != nil {
		return err
	}
	o, err := r.options(s)
	if err != nil {
		return err
	}
	if err := a.checkWatch(r); err != nil {
		return err
	}
	if err := a.refuseEarly(ctx, s, r); err != nil {
		return err
	}
	return a.play(ctx, o, r, s)
}

// chooseScenario returns the scenario that the arguments name, or the one that
// made the directory.
func (a *app) chooseScenario(
	ctx context.Context, args []string, r *runFlags,
) (s *sim.Scenario, err error) {
	if len(args) == 0 {
		if r.seed != "" {
			return nil, usagef("--seed needs a SCENARIO: " +
				"a directory keeps the seed it was made with")
		}
		err = a.with(ctx, &host.Options{}, func(h *host.Host) error {
			s, err = sim.Stored(h)
			return err
		})
		return s, err
	}
	if s, err = a.scenario(args[0]); err == nil && r.seed != "" {
		s = s.WithSeed(r.seed)
	}
	return s, err
}

// scenario finds a scenario by name, or reads it from a file.
func (a *app) scenario(name string) (*sim.Scenario, error) {
	isPath := strings.ContainsRune(name, filepath.Separator) || strings.Contains(name, ".")
	if !isPath {
		s, err := sim.Builtin(name)
		if _, statErr := os.Stat(name); err != nil && statErr == nil {
			return nil, fmt.Errorf("%w; a file is given as ./%s", err, name)
		}
		return s, err
	}
	return sim.Load(name)
}

// refuseEarly refuses what can be refused before anything is made.
func (a *app) refuseEarly(ctx context.Context, s *sim.Scenario, r *runFlags) error {
	for _, name := range append(append([]string{}, r.hold...), r.unhold...) {
		if !s.HasVat(name) {
			return &noVatError{name, a.dir}
		}
	}
	if a.dir != "" && isDir(a.dir) {
		return nil
	}
	return s.Admit(ctx)
}

// play opens the directory, runs the scenario in it, and prints the summary.
func (a *app) play(ctx context.Context, o *host.Options, r *runFlags, s *sim.Scenario) error {
	var sum summary
	var ran error
	o.Seed = s.Seed
	bar := a.newProgress(orLength(r.deliveries, s.Length.Deliveries), "deliveries")
	if r.watch {
		bar.out = nil
	}
	o.Observer.Block = func(b host.Block) { bar.to(bar.done + int64(b.Deliveries)) }
	traced := func() error { return nil }
	if r.trace != "" {
		var err error
		about := fmt.Sprintf("%s, seed %s", s.Name, s.Seed)
		if traced, err = recordTrace(r.trace, about, &o.Observer); err != nil {
			return err
		}
	}
	record, err := r.startRecord(o, s)
	if err != nil {
		return err
	}
	w := a.startWatch(ctx, r, s, &o.Observer)
	defer w.end()
	err = a.opened(ctx, o, func(h *host.Host) error {
		if o.Snapshots.Also.Signal {
			defer onSignal(h.Signal)()
		}
		before, err := h.Stats()
		if err != nil {
			return err
		}
		bar.done = int64(before.Kernel.Deliveries)
		w.begin(before.Kernel.Deliveries)
		started := time.Now()
		var result sim.Result
		result, ran = sim.Run(ctx, h, s, sim.RunOptions{
			Deliveries: r.deliveries, Hold: r.hold, Unhold: r.unhold,
		})
		elapsed := time.Since(started)
		bar.end()
		w.end()
		if ran != nil && !errors.Is(ran, context.Canceled) {
			return ran
		}
		if err := h.Settle(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		return errors.Join(sum.fill(h, result, elapsed), record.end(h))
	})
	if err = errors.Join(err, traced(), record.close()); err != nil {
		return err
	}
	if sum.DirBytes, err = a.bytesOnDisk(sum.DirBytes); err != nil {
		return err
	}
	return a.ended(&sum, ran)
}

// orLength returns where the bar ends: the flag's length, else the scenario's.
func orLength(deliveries, length uint64) uint64 {
	if deliveries > 0 {
		return deliveries
	}
	return length
}

// ended prints the summary and says how the run ended.
func (a *app) ended(sum *summary, ran error) error {
	sum.Interrupted = ran != nil
	sum.Directory = a.dir
	if a.json {
		if err := a.printJSON(sum); err != nil {
			return err
		}
	} else {
		a.printSummary(sum)
	}
	switch {
	case sum.Interrupted:
		if !a.quiet {
			fmt.Fprintf(a.err, "swingsim: interrupted; everything up to here is kept%s\n",
				a.howToGoOn())
		}
		return errInterrupted
	case sum.Audit != nil && !sum.Audit.OK():
		fmt.Fprintln(a.err, "swingsim: the audit found that something does not hold: see above")
		return errReported
	}
	return nil
}

func (a *app) howToGoOn() string {
	if a.dir == "" {
		return " in memory, which ends here"
	}
	return ": swingsim run --dir " + a.dir + " goes on"
}
