package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/spf13/cobra"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// twins is what the verb prints.
type twins struct {
	Scenario     string    `json:"scenario"`
	Seed         string    `json:"seed"`
	First        twinSide  `json:"first"`
	Second       twinSide  `json:"second"`
	Alike        bool      `json:"alike"`
	Cranks       uint64    `json:"cranks"` // made by both, and alike
	Deliveries   uint64    `json:"deliveries"`
	Vats         int       `json:"vats"` // whose memories are alike at the end
	Pages        int       `json:"pages"`
	Activityhash string    `json:"activityhash"`
	Difference   *twinDiff `json:"difference"`
}

// twinSide says how one of the kernels is set.
type twinSide struct {
	Engine  string `json:"engine"`
	Memory  string `json:"memory"`
	MaxVats int    `json:"max_vats"` // 0 is no bound
	// Snapshots is after how many deliveries a heap is saved, and Interval after how
	// many more; both 0 is never.
	Snapshots int `json:"snapshot_initial"`
	Interval  int `json:"snapshot_interval"`
}

// twinDiff is where the kernels first differ.
type twinDiff struct {
	Crank    uint64 `json:"crank"`
	Vat      string `json:"vat"`
	Position uint64 `json:"position"`
	Where    string `json:"where"`
	First    string `json:"first"`
	Second   string `json:"second"`
	Page     *int   `json:"memory_page"` // null: no page differs, or there is none to compare
	Pages    int    `json:"memory_pages"`
}

func (a *app) twinVerb() *cobra.Command {
	var o sim.TwinOptions
	var seed string
	o.First, o.Second = sim.Apart()
	c := &cobra.Command{
		Use:   "twin SCENARIO",
		Short: "Run a scenario in two kernels at once, and name where they first differ",
		Long: `twin runs a scenario in two kernels side by side, which must do the same: the first
compiles programs and maps memories from images, which it saves often, for few vats at a
time; the second interprets programs, keeps all vats in memory, and saves nothing.

After every crank it compares them: which vat, which position, what was delivered, every
syscall and its answer, the outcome, the rows that changed. At the end it compares the
memories of all vats, page by page. The first difference is named, and the exit code is
then 1. If only memories differ, both are run again until the crank is known.

Nothing is kept: the first kernel's directory is a temporary one (TMPDIR).`,
		Example: `  swingsim twin exchange --deliveries 2000
  swingsim twin locker --json`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&seed, "seed", "", "a `TEXT` in place of the scenario's seed: other draws")
	f.Uint64Var(&o.Deliveries, "deliveries", 0,
		"end after `N` deliveries, in place of the scenario's length")
	f.IntVar(&o.First.MaxVats, "max-vats", o.First.MaxVats,
		"at most `N` vats in memory, in the first kernel")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if a.dir != "" {
			return usagef("--dir %s: twin keeps nothing", a.dir)
		}
		if o.First.MaxVats < 1 {
			return usagef("--max-vats %d: want a number from 1", o.First.MaxVats)
		}
		s, err := a.scenario(args[0])
		if err != nil {
			return err
		}
		if seed != "" {
			s = s.WithSeed(seed)
		}
		return a.twin(ctx, s, o)
	})
}

// twin runs both kernels and prints what was found.
func (a *app) twin(ctx context.Context, s *sim.Scenario, o sim.TwinOptions) (err error) {
	if err := s.Admit(ctx); err != nil {
		return err
	}
	if o.Dir, err = os.MkdirTemp("", "swingsim-twin-"); err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	logger, stop, err := a.startLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for _, side := range []*host.Options{&o.First, &o.Second} {
		side.Logger, side.Devices = logger, devices.All()
	}
	if a.plant != nil {
		a.plant(&o)
	}
	bar := a.newProgress(orLength(o.Deliveries, s.Length.Deliveries), "deliveries")
	o.Progress = func(deliveries uint64) { bar.to(int64(deliveries)) }
	o.Again = func(first, last uint64) {
		bar.say(fmt.Sprintf("looking among cranks %d to %d", first+1, last))
	}
	found, err := sim.Twin(ctx, s, o)
	bar.end()
	if err != nil && found.Difference == nil {
		return err
	}
	t := twins{Scenario: s.Name, Seed: s.Seed, First: sideOf(&o.First), Second: sideOf(&o.Second)}
	t.fill(found)
	return errors.Join(err, a.printTwins(&t))
}

func sideOf(o *host.Options) twinSide {
	s := twinSide{
		Engine: "compiler", Memory: string(o.Memory), MaxVats: o.MaxVats,
		Snapshots: o.Snapshots.Initial, Interval: o.Snapshots.Interval,
	}
	if o.Interpreter {
		s.Engine = "interpreter"
	}
	if s.MaxVats == math.MaxInt {
		s.MaxVats = 0
	}
	if s.Snapshots == sim.SnapshotNever {
		s.Snapshots, s.Interval = 0, 0
	}
	return s
}

func (t *twins) fill(found sim.Twins) {
	t.Cranks, t.Deliveries = found.Cranks, found.Deliveries
	t.Vats, t.Pages = found.Vats, found.Pages
	t.Activityhash = found.Activityhash.String()
	d := found.Difference
	if t.Alike = d == nil; t.Alike {
		return
	}
	t.Difference = &twinDiff{
		Crank: d.Crank, Vat: string(d.Vat), Position: d.Position, Where: d.Where,
		First: d.First, Second: d.Second, Pages: d.Pages,
	}
	if d.Page != sim.PageNone {
		t.Difference.Page = &d.Page
	}
}

// printTwins prints it; a difference is a failure.
func (a *app) printTwins(t *twins) error {
	if a.json {
		if err := a.printJSON(t); err != nil {
			return err
		}
	} else {
		a.showTwins(t)
	}
	if t.Alike {
		return nil
	}
	fmt.Fprintln(a.err, "swingsim: the two kernels differ")
	return errReported
}

// showTwins prints it for people.
func (a *app) showTwins(t *twins) {
	fmt.Fprintf(a.out, "%s, seed %s\n\n", t.Scenario, t.Seed)
	row := func(name string, side func(s *twinSide) string) []string {
		return []string{name, side(&t.First), side(&t.Second)}
	}
	a.grid([]string{"", "first", "second"}, [][]string{
		row("programs", func(s *twinSide) string { return s.Engine }),
		row("memories", func(s *twinSide) string { return s.Memory }),
		row("vats in memory", func(s *twinSide) string {
			if s.MaxVats == 0 {
				return "all"
			}
			return "at most " + grouped(s.MaxVats)
		}),
		row("snapshots", func(s *twinSide) string {
			if s.Snapshots == 0 {
				return "never"
			}
			return fmt.Sprintf("after %d, then every %d", s.Snapshots, s.Interval)
		}),
	})
	f := facts{a.out}
	f.heading("alike")
	f.fact("cranks", "%s", grouped(t.Cranks))
	f.fact("deliveries", "%s", grouped(t.Deliveries))
	f.fact("memories", "%s, %s", count(t.Vats, "vat", "vats"), count(t.Pages, "page", "pages"))
	f.fact("activityhash", "%s", t.Activityhash)
	if t.Alike {
		fmt.Fprintln(a.out, "\nThe two kernels did the same.")
		return
	}
	d := t.Difference
	f.heading("first difference")
	if d.Crank > 0 {
		f.fact("crank", "%s", grouped(d.Crank))
	}
	if d.Vat != "" {
		f.fact("vat", "%s", plain(d.Vat))
		f.fact("position", "%s", grouped(d.Position))
	}
	f.fact("where", "%s", d.Where)
	f.fact("first", "%s", plain(d.First))
	f.fact("second", "%s", plain(d.Second))
	if d.Page != nil {
		f.fact("memory after it", "page %d is the first of %s that differ", *d.Page,
			grouped(d.Pages))
	}
}
