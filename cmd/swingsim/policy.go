package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/trace"
)

// policyFlags are the flags of policy.
type policyFlags struct {
	costs, measure string
	runs           int
	vats           int
	memory, stored uint64
	suffix         uint64
	check          bool
}

func (a *app) policyVerb() *cobra.Command {
	var p policyFlags
	c := &cobra.Command{
		Use:   "policy TRACE",
		Short: "Say from a trace what other policies would have cost",
		Long: `policy reads a trace that run --trace recorded, one that comes with the program
(` + strings.Join(trace.BuiltinNames(), ", ") + `), or the slog of a SwingSet kernel,
gzipped or not, and says what other policies would have cost on it:

  page-ins for each number of vats in memory and each way of eviction (lru, 2q, arc, cost,
  queue), and the fewest there can be (Belady's rule, which knows the future), births
  included;

  for each rule of snapshots (run --help) and each number of vats in memory: snapshots
  now, page-ins and replay later, the replay of a restart at the end, and what is kept;

  for each number of vats the cheapest of them within --memory, --stored and --suffix, and
  the cheapest of all. With --json there are all of them.

Work is priced by what it took on the machine of docs/benchmarks.md. With --measure FILE the
scenario of a trace that comes with the program is run first, under policies that have much
done, and work is priced by what it takes here; --costs FILE prices it so again, or the work
of another trace.

--check runs the scenario under the default, the policy chosen and others, and prints what
was said beside what ran. Times are said by what work takes meanwhile, under the policies of
--measure. It fails if a count is further off than a fifth; times are only marked: what else
a machine does is in them.

docs/traces.md says how work is counted, and how well that is known to hold.`,
		Example: `  swingsim policy exchange
  swingsim policy glutton --json
  swingsim policy exchange --measure costs.json --runs 1
  swingsim policy exchange --vats 10 --suffix 5000 --check --runs 1`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&p.measure, "measure", "",
		"measure what work costs by running the scenario, and keep it in `FILE`")
	f.StringVar(&p.costs, "costs", "", "price work as a `FILE` of --measure says")
	f.IntVar(&p.vats, "vats", 0, "consider at most `N` vats in memory (default: as many as help)")
	f.Uint64Var(&p.memory, "memory", 0,
		"choose a policy with at most `N` bytes of vats' memories in memory")
	f.Uint64Var(&p.stored, "stored", 0,
		"choose a policy of which snapshots keep at most `N` bytes of pages, before compression")
	f.Uint64Var(&p.suffix, "suffix", 0,
		"choose a policy that leaves at most `N` deliveries to replay after a restart")
	f.BoolVar(&p.check, "check", false,
		"run the scenario under the default, the policy chosen and others, and compare")
	f.IntVar(&p.runs, "runs", 3, "run `N` times, and take the least that each kind of work took")
	return a.verb(c, func(ctx context.Context, args []string) error {
		return a.policy(ctx, args[0], &p)
	})
}

func (a *app) policy(ctx context.Context, name string, p *policyFlags) error {
	switch {
	case p.vats < 0:
		return usagef("--vats %d: want a number from 1", p.vats)
	case p.runs < 1:
		return usagef("--runs %d: want a number from 1", p.runs)
	case p.costs != "" && p.measure != "":
		return usagef("--costs and --measure: want one of them")
	}
	t, err := readTrace(name)
	if err != nil {
		return err
	}
	if t.Deliveries() == 0 {
		return fmt.Errorf("trace %s has no deliveries", name)
	}
	bar := a.newProgress(0, "policies")
	w, err := a.weighed(ctx, name, t, p, bar.say)
	bar.end()
	switch {
	case err != nil:
		return err
	case a.json:
		err = a.printJSON(w)
	default:
		a.printWeighed(w)
		a.printChecks(w)
	}
	return errors.Join(err, w.verdict())
}

// weighed measures what is to be measured, and says what is to be said.
func (a *app) weighed(
	ctx context.Context, name string, t *trace.Trace, p *policyFlags, say func(string),
) (w *weighed, err error) {
	var runs *trials
	if p.check || p.measure != "" {
		if runs, err = newTrials(name, t, p.runs, say); err != nil {
			return nil, err
		}
	}
	costs, err := readCosts(p.costs)
	if err == nil && p.measure != "" {
		if costs, _, err = runs.measure(ctx, costs); err == nil {
			err = writeCosts(p.measure, costs)
		}
	}
	if err != nil {
		return nil, err
	}
	w = weigh(t, costs, p, say)
	if p.check {
		err = w.check(ctx, runs)
	}
	return w, err
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
