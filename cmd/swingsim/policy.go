package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/bench"
	"vatwarehouse/internal/trace"
)

// policyFlags are the flags of policy.
type policyFlags struct {
	costs          string
	vats           int
	memory, stored uint64
	suffix         uint64
}

func (a *app) policyVerb() *cobra.Command {
	var p policyFlags
	c := &cobra.Command{
		Use:   "policy TRACE",
		Short: "Say from a trace what other policies would have cost",
		Long: `policy reads a trace that run --trace recorded, one that comes with the program
(` + strings.Join(trace.BuiltinNames(), ", ") + `), or the slog of a SwingSet kernel,
gzipped or not, and says what other policies would have cost on it:

  page-ins for each number of vats in memory and each way of eviction (lru, 2q, arc, cost),
  and the fewest there can be (Belady's rule, which knows the future), births included;

  for each rule of snapshots (run --help) and each number of vats in memory: snapshots
  now, page-ins and replay later, the replay of a restart at the end, and what is kept;

  for each number of vats the cheapest of them within --memory, --stored and --suffix, and
  the cheapest of all. With --json there are all of them.

Work is priced by --costs FILE, which swingsim bench page-in snapshot replay --json has
measured on this machine; without it, by what it was on the machine of docs/benchmarks.md.
docs/traces.md says how work is counted, and how well that is known to hold.`,
		Example: `  swingsim policy exchange
  swingsim policy zipf --vats 100 --suffix 5000
  swingsim policy glutton --json`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&p.costs, "costs", "", "price work as the `FILE` of swingsim bench --json says")
	f.IntVar(&p.vats, "vats", 0, "consider at most `N` vats in memory (default: as many as help)")
	f.Uint64Var(&p.memory, "memory", 0,
		"choose a policy with at most `N` bytes of vats' memories in memory")
	f.Uint64Var(&p.stored, "stored", 0,
		"choose a policy of which snapshots keep at most `N` bytes of pages, before compression")
	f.Uint64Var(&p.suffix, "suffix", 0,
		"choose a policy that leaves at most `N` deliveries to replay after a restart")
	return a.verb(c, func(_ context.Context, args []string) error {
		return a.policy(args[0], &p)
	})
}

func (a *app) policy(name string, p *policyFlags) error {
	if p.vats < 0 {
		return usagef("--vats %d: want a number from 1", p.vats)
	}
	costs, err := readCosts(p.costs)
	if err != nil {
		return err
	}
	t, err := readTrace(name)
	if err != nil {
		return err
	}
	if t.Deliveries() == 0 {
		return fmt.Errorf("trace %s has no deliveries", name)
	}
	bar := a.newProgress(0, "policies")
	w := weigh(t, costs, p, bar.say)
	bar.end()
	if a.json {
		return a.printJSON(w)
	}
	a.printWeighed(w)
	return nil
}

// readTrace reads a file, a trace or a SwingSet slog, be it gzipped, or finds a trace that
// comes with the program.
func readTrace(name string) (t *trace.Trace, err error) {
	if b, builtin := trace.Builtin(name); builtin {
		return trace.Decode(b)
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; with the program come %s", err,
			strings.Join(trace.BuiltinNames(), ", "))
	}
	if err == nil {
		defer f.Close()
		t, err = decodeTrace(bufio.NewReader(f), name)
	}
	if err != nil {
		return nil, fmt.Errorf("read trace %s: %w", name, err)
	}
	return t, nil
}

func decodeTrace(in *bufio.Reader, name string) (*trace.Trace, error) {
	const gzipped = "\x1f\x8b"
	if first, _ := in.Peek(len(gzipped)); string(first) == gzipped {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReader(z)
	}
	if first, _ := in.Peek(1); string(first) == "{" {
		return trace.ReadSlog(in, filepath.Base(name))
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	return trace.Decode(b)
}

// readCosts takes the usual costs, and in their place what a file of benchmarks measured.
func readCosts(path string) (trace.Costs, error) {
	c := trace.UsualCosts
	if path == "" {
		return c, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return c, fmt.Errorf("read costs: %w", err)
	}
	defer f.Close()
	medians := map[string]float64{}
	for d := json.NewDecoder(f); ; {
		var r bench.Result
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, fmt.Errorf("read costs %s: %w", path, err)
		}
		medians[r.Case+", "+r.Variant] = r.Median
	}
	for _, want := range []string{
		costPageIn, costReplay, costSnapshot, costSnapshotMore,
	} {
		if medians[want] <= 0 {
			return c, fmt.Errorf("read costs %s: it does not have %q: "+
				"swingsim bench page-in snapshot replay --json writes it", path, want)
		}
	}
	one, more := medians[costSnapshot]*1e3, medians[costSnapshotMore]*1e3
	c.PageIn, c.Replay = medians[costPageIn]*1e3, 1e9/medians[costReplay]
	c.SnapshotPage = max(more-one, 0) / (costMorePages - 1)
	c.Snapshot = max(one-c.SnapshotPage, 0)
	return c, nil
}

// The benchmarks that costs are taken from.
const (
	costPageIn       = "page-in, 2 MiB"
	costReplay       = "replay, trivial C vat"
	costSnapshot     = "snapshot, 1 page"
	costSnapshotMore = "snapshot, 16 pages"
	costMorePages    = 16
)
