package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// wild makes random scenarios that run: vats that keep state, pass messages on,
// write pages, look at clocks, break rules and die, sent what they understand and
// what they do not.
type wild struct {
	rng    *rand.Rand
	groups []string
	b      strings.Builder
}

// program is what a wild scenario knows of a program: its start, and messages that
// mean something to it, with arguments.
type wildProgram struct {
	name, start string
	messages    []string
}

var wildPrograms = []wildProgram{
	{"counter", "[]", []string{"incr, args: [{between: [0, 9]}]", "read"}},
	{"pingpong", "[]", []string{
		"peer, args: [REF]", "ping, args: [{between: [0, 4]}]", "volley, args: [{pick: [1, 3, 9]}]", "read",
	}},
	{"glutton", "[131072, 16, 5, 2, 1024, 2, 30]", []string{"touch", "touch", "read"}},
	{"puppet", "[]", []string{
		"do, args: [[log, 1, $n], [fill, 60000, 500, $n]]", "do, args: [{pick: [[log, 1, x], [grow, 1], [trap]]}]",
		"do, args: [{pick: [[log, 2, a], [log, 2, b], [trap], [fail, enough]]}]", "report",
	}},
	{"sampler", "[]", []string{"sample", "read"}},
	{"purse", "[]", []string{"audit", "facet", "withdraw, args: [5]", "open, args: [tin, REF, 100]"}},
	{"trader", "[1]", []string{"tick, args: [buy, 3, 4]"}}, // fails at its start
}

// ref names one vat, and any names some of a group.
func (w *wild) ref() string {
	return fmt.Sprintf("{ref: %s.$i%+d}", w.groups[w.rng.IntN(len(w.groups))], w.rng.IntN(9)-4)
}

func (w *wild) message(p wildProgram) string {
	m := p.messages[w.rng.IntN(len(p.messages))]
	switch w.rng.IntN(12) {
	case 0:
		m = "bogus, args: [{each: " + w.groups[w.rng.IntN(len(w.groups))] + ", then: [$i]}, {hex: ff}]"
	case 1:
		m = "read, args: [{cycle: [1, REF]}, [REF]]"
	}
	for strings.Contains(m, "REF") {
		m = strings.Replace(m, "REF", w.ref(), 1)
	}
	return m
}

func (w *wild) scenario(seed uint64) string {
	fmt.Fprintf(&w.b, "about: wild\nseed: wild-%d\nvats:\n", seed)
	var of []wildProgram
	for g := range 2 + w.rng.IntN(4) {
		p := wildPrograms[w.rng.IntN(len(wildPrograms))]
		name := fmt.Sprintf("g%d", g)
		fmt.Fprintf(&w.b, "  - {name: %s, program: %s, count: %d, args: %s}\n",
			name, p.name, 1+w.rng.IntN(5), p.start)
		w.groups, of = append(w.groups, name), append(of, p)
	}
	w.b.WriteString("setup:\n")
	for g, name := range w.groups {
		fmt.Fprintf(&w.b, "  - {to: %s, method: %s}\n", name, strings.ReplaceAll(w.message(of[g]), "$n", "$i"))
	}
	w.b.WriteString("workload:\n")
	for range 2 + w.rng.IntN(4) {
		g := w.rng.IntN(len(w.groups))
		if p := slices.IndexFunc(of, func(p wildProgram) bool { return p.name == "puppet" }); p > 0 {
			g = p
		}
		pattern := patterns[w.rng.IntN(len(patterns))]
		if pattern == pairs {
			pattern = random
		}
		fmt.Fprintf(&w.b, "  - {to: %s, method: %s, pattern: %s, burst: %d}\n",
			w.groups[g], w.message(of[g]), pattern, 1+w.rng.IntN(5))
	}
	fmt.Fprintf(&w.b, "length: {deliveries: %d, messages: %d}\n", 60+w.rng.IntN(200), 30+w.rng.IntN(100))
	if w.rng.IntN(2) == 0 {
		fmt.Fprintf(&w.b, "audit: {ask: [{to: g0, method: read, answers: [x]}]}\n")
	}
	return w.b.String()
}

// privately draws options that are private.
func privately(rng *rand.Rand) host.Options {
	o := host.Options{
		MaxVats: 1 + rng.IntN(12), BlockCranks: 1 + rng.IntN(90), PauseOnEvict: rng.IntN(2) == 0,
		KeepSnapshots: 1 + rng.IntN(3), Interpreter: rng.IntN(2) == 0, Inline: rng.IntN(2) == 0,
	}
	if rng.IntN(2) == 0 {
		o.Memory = "copied"
	}
	o.Snapshots.Initial, o.Snapshots.Interval = 1+rng.IntN(5), 1+rng.IntN(20)
	if rng.IntN(4) == 0 {
		o.Snapshots.Initial = SnapshotNever
	}
	return o
}

// pieces runs a scenario on a disk in many pieces, each with options of its own,
// ended by a cancel, a crash of the disk, or a failed operation, and returns the
// trace of the end.
func pieces(t *testing.T, s *Scenario, rng *rand.Rand) (got trace, stops int) {
	t.Helper()
	disk := vfs.NewMem()
	for stops = 0; stops < 12; stops++ {
		fs := vfs.NewFaulty(disk)
		o := privately(rng)
		o.FS, o.Inline, o.Seed = fs, true, s.Seed
		ctx, cancel := context.WithCancel(t.Context())
		switch at := 1 + rng.IntN(120); rng.IntN(3) {
		case 0:
			blocks := 1 + rng.IntN(4)
			o.Observer.Block = func(host.Block) {
				if blocks--; blocks == 0 {
					cancel()
				}
			}
		case 1:
			fs.Arm(vfs.Fault{At: at, Crash: true})
		case 2:
			fs.Arm(vfs.Fault{At: at, Err: errors.New("no space"), Sticky: rng.IntN(2) == 0, Short: rng.IntN(2) == 0})
		}
		h, err := host.Open(t.Context(), "", &o)
		if err == nil {
			_, err = Run(ctx, h, s, RunOptions{})
			err = errors.Join(err, h.Close(t.Context()))
		}
		cancel()
		disk = disk.Crash(rng.Uint64(), rng.IntN(101))
		if err == nil {
			break
		}
	}
	return resumed(t, disk, s), stops
}

// TestRandomScenarios: random scenarios are run straight, with random private
// options, and in pieces that end by cancels, crashes and failed operations: the
// traces are the same. The seed of a failure repeats it alone.
func TestRandomScenarios(t *testing.T) {
	t.Parallel()
	rounds := uint64(14)
	if testing.Short() {
		rounds = 3
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 77))
			text := (&wild{rng: rng}).scenario(seed)
			s := parsed(t, text)
			want := straight(t, s, host.Options{}, RunOptions{})
			if got := straight(t, s, privately(rng), RunOptions{}); got != want {
				t.Errorf("seed %d, options:\ngot  %+v\nwant %+v\n%s", seed, got, want, text)
			}
			got, stops := pieces(t, s, rng)
			if got != want {
				t.Errorf("seed %d, %d stops:\ngot  %+v\nwant %+v\n%s", seed, stops, got, want, text)
			}
		})
	}
}

// TestWildScenariosAreWild: over some seeds, vats die, messages are refused and
// references are passed: or the test above shows little.
func TestWildScenariosAreWild(t *testing.T) {
	t.Parallel()
	died, alive, references, outcomes := 0, 0, 0, map[string]int{}
	for seed := range uint64(14) {
		s := parsed(t, (&wild{rng: rand.New(rand.NewPCG(seed, 77))}).scenario(seed))
		o := host.Options{Interpreter: true}
		o.Observer.Crank = func(c host.Crank) {
			if c.Outcome.Status != 0 {
				outcomes[c.Outcome.Status.String()]++
			}
		}
		h := opened(t, s, o)
		if _, err := Run(t.Context(), h, s, RunOptions{}); err != nil {
			t.Fatal(err)
		}
		vats, err := h.Vats()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range vats {
			references += v.References
			if v.Alive {
				alive++
			} else {
				died++
			}
		}
	}
	if died < 5 || alive < 30 || references < 100 || outcomes["ok"] < 500 || outcomes["trapped"] == 0 || outcomes["failed"] == 0 {
		t.Errorf("%d died, %d alive, %d references, outcomes %v", died, alive, references, outcomes)
	}
}

// TestFailedOperationsContinue: an operation of the disk fails, once or from then
// on; the run says so, nothing panics, and on a disk that works again it goes on to
// the trace of one that had no trouble.
func TestFailedOperationsContinue(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	stride := 17
	if testing.Short() {
		stride = 71
	}
	noSpace := errors.New("no space left")
	for k := 1; ; k += stride {
		disk := vfs.NewMem()
		fs := vfs.NewFaulty(disk)
		fs.Arm(vfs.Fault{At: k, Err: noSpace, Sticky: k%2 == 0, Short: k%3 == 0})
		o := host.Options{
			FS: fs, Inline: true, BlockCranks: 25, MaxVats: 4, Seed: s.Seed, Interpreter: true,
			Devices: devices.All(),
		}
		h, err := host.Open(t.Context(), "", &o)
		if err == nil {
			_, err = Run(t.Context(), h, s, RunOptions{})
			if closing := h.Close(t.Context()); err == nil {
				err = closing
			}
		}
		if fired := fs.Fired(); (fired != "") != (err != nil) || err != nil && !errors.Is(err, noSpace) {
			t.Fatalf("operation %d (%s): %v", k, fired, err)
		}
		if got := resumed(t, disk, s); got != want {
			t.Fatalf("operation %d:\ngot  %+v\nwant %+v", k, got, want)
		}
		if fs.Fired() == "" {
			break
		}
	}
}

// BenchmarkRun runs the exchange in memory: what a scenario costs from end to end.
func BenchmarkRun(b *testing.B) {
	s, err := Builtin("exchange")
	if err != nil {
		b.Fatal(err)
	}
	deliveries := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		h, err := host.Open(b.Context(), "", &host.Options{Seed: s.Seed, MaxVats: 20})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Run(b.Context(), h, s, RunOptions{Deliveries: 2000}); err != nil {
			b.Fatal(err)
		}
		st, err := h.Stats()
		if err != nil {
			b.Fatal(err)
		}
		deliveries += st.Kernel.Deliveries
		if err := h.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(deliveries)/b.Elapsed().Seconds(), "deliveries/s")
}
