package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// played is a small scenario with everything in it: start parameters, setup, two
// kinds of traffic with promises and without, vats that hold references, an audit.
const played = `about: a bit of everything
seed: played
devices: [timer]
meters:
  - {name: allowance, remaining: 10_000_000, threshold: 100}
time: {step: 1_000}
vats:
  - {name: player, program: pingpong, count: 6}
  - {name: counter, program: counter, count: 3}
  - {name: glutton, program: glutton, args: [65536, 64, 3, 1, 512, 1, 20]}
  - name: locker
    program: locker
    args: [{ref: timer}]
    options: [quarantine]
    meter: allowance
setup:
  - {to: player, method: peer, args: [{ref: player.$i+1}]}
workload:
  - {to: player, method: peer, args: [{ref: $peer}], pattern: pairs, burst: 1}
  - {to: player, method: ping, args: [{between: [1, 5]}], pattern: zipf, burst: 3}
  - {to: [counter, glutton], method: incr, args: [1], pattern: random, burst: 4}
  - {to: glutton, method: touch, burst: 2}
  - {to: locker, method: keep, args: [{ref: counter.$n}, {between: [500, 4_000]}], burst: 1}
length: {deliveries: 400}
audit:
  ask:
    - {to: player, method: read, answers: [pings, volleys]}
    - {to: counter, method: read, answers: [count]}
    - {to: glutton, method: read, answers: [touches]}
`

func parsed(t testing.TB, text string) *Scenario {
	t.Helper()
	s, err := Parse("played.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a host that is closed at the end of the test.
func opened(t testing.TB, s *Scenario, o host.Options) *host.Host {
	t.Helper()
	o.Seed, o.Devices = s.Seed, devices.All()
	h, err := host.Open(t.Context(), "", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

// trace is all that must not differ between two runs of a scenario.
type trace struct {
	hash       swing.Hash
	deliveries uint64
	vats       string // ids, states, and hashes of transcripts
	audit      string
}

func traced(t testing.TB, h *host.Host) trace {
	t.Helper()
	st, err := h.Stats()
	if err != nil {
		t.Fatal(err)
	}
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range vats {
		fmt.Fprintln(&b, v.ID, v.Name, v.Alive, v.Span.End, v.Span.Hash.Short())
	}
	status, err := ReadStatus(h)
	if err != nil {
		t.Fatal(err)
	}
	return trace{st.Activityhash, st.Kernel.Deliveries, b.String(), fmt.Sprintf("%+v", status.Audit)}
}

// straight runs the scenario once, from beginning to end.
func straight(t testing.TB, s *Scenario, o host.Options, r RunOptions) trace {
	t.Helper()
	h := opened(t, s, o)
	if _, err := Run(t.Context(), h, s, r); err != nil {
		t.Fatal(err)
	}
	return traced(t, h)
}

// TestRunEndsWhereItShould: exactly at the length in deliveries, but for the
// audit; with everything sent that was to be sent; and with nothing left to do.
func TestRunEndsWhereItShould(t *testing.T) {
	t.Parallel()
	bare := played[:strings.Index(played, "audit:")]
	if got := straight(t, parsed(t, bare), host.Options{}, RunOptions{}).deliveries; got != 400 {
		t.Errorf("%d deliveries, want 400", got)
	}
	if got := straight(t, parsed(t, bare), host.Options{}, RunOptions{Deliveries: 37}).deliveries; got != 37 {
		t.Errorf("%d deliveries, want 37", got)
	}
	s := parsed(t, strings.Replace(bare, "deliveries: 400", "messages: 36", 1))
	h := opened(t, s, host.Options{})
	r, err := Run(t.Context(), h, s, RunOptions{})
	if err != nil || r.Messages != 36 || !r.Created || r.Nothing || r.Steps != 5 || r.SetupSteps != 1 {
		t.Errorf("%+v, %v: want 36 messages in 5 steps, 1 of setup", r, err)
	}
	st, err := h.Stats()
	if err != nil || st.Kernel.Runnable+st.Kernel.Accepted != 0 {
		t.Errorf("%d events queued, %v", st.Kernel.Runnable+st.Kernel.Accepted, err)
	}
	again, err := Run(t.Context(), h, s, RunOptions{})
	if err != nil || !again.Nothing || again.Created {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	after, _ := h.Activityhash()
	if after != st.Activityhash {
		t.Error("running what had ended changed the activityhash")
	}
}

// TestPrivateOptionsChangeNothing: the trace of a run is the same for every
// option that is private.
func TestPrivateOptionsChangeNothing(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	snapshots := func(initial, interval int) (o host.Options) {
		o.Snapshots.Initial, o.Snapshots.Interval = initial, interval
		return o
	}
	for name, o := range map[string]host.Options{
		"block 1": {BlockCranks: 1}, "block 7": {BlockCranks: 7}, "block 1000": {BlockCranks: 1000},
		"one vat": {MaxVats: 1}, "7 vats": {MaxVats: 7}, "all vats": {MaxVats: 100},
		"interpreter": {Interpreter: true}, "inline": {Inline: true, BlockCranks: 3},
		"pause on evict": {PauseOnEvict: true, MaxVats: 2},
		"no snapshots":   snapshots(SnapshotNever, 0), "many snapshots": snapshots(1, 1),
		"compared": {Detector: "compare", Memory: "copied", MaxVats: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := straight(t, s, o, RunOptions{}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	if straight(t, s.WithSeed("another"), host.Options{}, RunOptions{}).hash == want.hash {
		t.Error("another seed, and the same activityhash: the comparison sees nothing")
	}
}

// interrupted runs the scenario on a file system and cancels it after so many
// blocks. It reports whether that was before its end.
func interrupted(t *testing.T, fs vfs.FS, s *Scenario, blocks int) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := host.Options{
		FS: fs, Inline: true, BlockCranks: 25, MaxVats: 4, Seed: s.Seed, Interpreter: true,
		Devices: devices.All(),
	}
	o.Observer.Block = func(host.Block) {
		if blocks--; blocks == 0 {
			cancel()
		}
	}
	h, err := host.Open(t.Context(), "", &o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(ctx, h, s, RunOptions{})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	stopped := err != nil
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return stopped
}

// resumed opens a file system and runs the scenario to its end there.
func resumed(t *testing.T, fs vfs.FS, s *Scenario) trace {
	t.Helper()
	h := opened(t, s, host.Options{FS: fs, Inline: true, Interpreter: true})
	if _, err := Run(t.Context(), h, s, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	return traced(t, h)
}

// TestInterruptedRunsContinue: a run that is cancelled after the k-th block, for
// every k, and then goes on in another process, leaves the trace of one that was
// never stopped; so does one that is stopped after every third block.
func TestInterruptedRunsContinue(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	stops := 0
	for k := 1; ; k++ {
		fs := vfs.NewMem()
		stopped := interrupted(t, fs, s, k)
		if got := resumed(t, fs, s); got != want {
			t.Fatalf("stopped after %d blocks:\ngot  %+v\nwant %+v", k, got, want)
		}
		if !stopped {
			break
		}
		stops++
	}
	if stops < 20 {
		t.Errorf("stopped at %d places only", stops)
	}
	fs, pieces := vfs.NewMem(), 0
	for interrupted(t, fs, s, 3) {
		pieces++
	}
	if got := resumed(t, fs, s); got != want || pieces < 5 {
		t.Errorf("in %d pieces:\ngot  %+v\nwant %+v", pieces, got, want)
	}
}

// crashed runs the scenario on a disk that dies at its k-th change, and returns
// what the disk is found to be afterwards, and whether it died.
func crashed(t *testing.T, s *Scenario, disk *vfs.Mem, k int, seed uint64) (*vfs.Mem, bool) {
	t.Helper()
	fs := vfs.NewFaulty(disk)
	fs.Arm(vfs.Fault{At: k, Crash: true})
	o := host.Options{
		FS: fs, Inline: true, BlockCranks: 25, MaxVats: 4, Seed: s.Seed, Interpreter: true,
		Devices: devices.All(),
	}
	h, err := host.Open(t.Context(), "", &o)
	if err == nil {
		_, err = Run(t.Context(), h, s, RunOptions{})
		err = errors.Join(err, h.Close(t.Context()))
	}
	died := fs.Fired() != ""
	if died != (err != nil) {
		t.Fatalf("crash %d: the disk died: %v; the run: %v", k, died, err)
	}
	return disk.Crash(seed, int(seed%3)*50), died
}

// TestKilledRunsContinue: the disk dies at the k-th operation that changes it, for
// k from the first to the last with a stride, unsynced data is kept, lost or torn,
// and the run that is started again leaves the trace of one that was never killed.
func TestKilledRunsContinue(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	stride := 3
	if testing.Short() {
		stride = 41
	}
	points := 0
	for k := 1; ; k += stride {
		disk, died := crashed(t, s, vfs.NewMem(), k, uint64(k))
		if got := resumed(t, disk, s); got != want {
			t.Fatalf("killed at change %d (of seed %d):\ngot  %+v\nwant %+v", k, k, got, want)
		}
		if !died {
			break
		}
		points++
	}
	t.Logf("%d points", points)
	// Killed again and again, each time a little later than the last.
	disk, kills := vfs.NewMem(), 0
	for k := 40; ; k += 5 {
		var died bool
		if disk, died = crashed(t, s, disk, k, uint64(k)); !died {
			break
		}
		kills++
	}
	if got := resumed(t, disk, s); got != want {
		t.Errorf("killed %d times:\ngot  %+v\nwant %+v", kills, got, want)
	}
}

// TestHarnessSeesALostNote: what the two tests above rely on is seen to fail. A
// run is stopped, its note of the steps sent is set back, or on, by one, and the
// run that goes on must be told from one that was never stopped.
func TestHarnessSeesALostNote(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	for _, by := range []int{-1, 1} {
		fs := vfs.NewMem()
		if !interrupted(t, fs, s, 12) {
			t.Fatal("it was over already")
		}
		o := host.Options{FS: fs, Inline: true, Seed: s.Seed, Devices: devices.All()}
		h, err := host.Open(t.Context(), "", &o)
		if err != nil {
			t.Fatal(err)
		}
		steps, ok, err := read(h, noteSteps, decodeSteps)
		if err != nil || !ok || steps < 3 {
			t.Fatalf("%d steps, %v, %v", steps, ok, err)
		}
		err = errors.Join(
			h.SetNote(t.Context(), noteSteps, encodeSteps(uint64(int(steps)+by))), h.Close(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got := resumed(t, fs, s); got.hash == want.hash || got.vats == want.vats {
			t.Errorf("steps off by %d are not seen", by)
		}
	}
}

// TestLongerRunsExtend: a scenario that ends at 100, then 150, then 250 deliveries
// is the one that ends at 250 at once: its length is no part of what happens.
func TestLongerRunsExtend(t *testing.T) {
	t.Parallel()
	s := parsed(t, played[:strings.Index(played, "audit:")])
	want := straight(t, s, host.Options{}, RunOptions{Deliveries: 250})
	h := opened(t, s, host.Options{})
	for _, n := range []uint64{100, 150, 250} {
		if _, err := Run(t.Context(), h, s, RunOptions{Deliveries: n}); err != nil {
			t.Fatal(err)
		}
	}
	if got := traced(t, h); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// With an audit it is asked at each end, and its answers are of that end.
	s = parsed(t, played)
	h = opened(t, s, host.Options{})
	last := uint64(0)
	for _, n := range []uint64{100, 200} {
		r, err := Run(t.Context(), h, s, RunOptions{Deliveries: n})
		if err != nil || r.Audit == nil || r.Audit.Deliveries < n || r.Audit.Deliveries <= last {
			t.Fatalf("at %d: %+v, %v", n, r.Audit, err)
		}
		last = r.Audit.Deliveries
	}
}

// TestOtherScenariosAreRefused: a directory that another scenario made, or
// another seed, or no scenario, is left as it is.
func TestOtherScenariosAreRefused(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	h := opened(t, s, host.Options{})
	if _, err := Run(t.Context(), h, s, RunOptions{Deliveries: 50}); err != nil {
		t.Fatal(err)
	}
	before, _ := h.Activityhash()
	for want, other := range map[string]*Scenario{
		"by played.yaml with seed \"played\"": parsed(t, strings.Replace(played, "burst: 4", "burst: 5", 1)),
		"not played.yaml with seed \"other\"": s.WithSeed("other"),
	} {
		_, err := Run(t.Context(), h, other, RunOptions{})
		if !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if after, _ := h.Activityhash(); after != before {
		t.Error("a refused scenario changed something")
	}
	if r, err := Run(t.Context(), h, s, RunOptions{Deliveries: 100}); err != nil || r.Nothing {
		t.Errorf("the right one: %+v, %v", r, err)
	}
	bare := opened(t, s, host.Options{})
	code, err := bare.Install(t.Context(), s.programs[0].code)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := bare.CreateVat(t.Context(), host.VatSpec{Code: code}); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), bare, s, RunOptions{})
	if !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), "it has 1 vats, and no scenario is noted") {
		t.Errorf("without a scenario: %v", err)
	}
	if _, err := Run(t.Context(), opened(t, s.WithSeed("x"), host.Options{}), s, RunOptions{}); !errors.Is(err, ErrOther) {
		t.Errorf("a host of another seed: %v", err)
	}
}

// TestSmallLimitsAreRefused: limits below what the scenario sends are refused
// before anything is sent, not in the middle of a burst.
func TestSmallLimitsAreRefused(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	for i := range 3 {
		l := swing.DefaultLimits()
		switch i {
		case 0:
			l.BodyBytes = 5
		case 1:
			l.Slots = 0
		case 2:
			l.MethodBytes = 3
		}
		h := opened(t, s, host.Options{Limits: l})
		_, err := Run(t.Context(), h, s, RunOptions{})
		if err == nil || !strings.Contains(err.Error(), "the limits are") {
			t.Errorf("limits %d: %v", i, err)
		}
		if st, _ := h.Stats(); st.Kernel.Vats != 0 {
			t.Errorf("limits %d: %d vats were made", i, st.Kernel.Vats)
		}
	}
}

// TestHoldAndUnhold: what goes to a held vat waits, everything else goes on, and
// the audit says who did not answer; let go, it catches up.
func TestHoldAndUnhold(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	h := opened(t, s, host.Options{})
	r, err := Run(t.Context(), h, s, RunOptions{Hold: []string{"counter.1", "v7"}, Deliveries: 100})
	if err != nil || r.Audit.OK() || !strings.Contains(r.Audit.Asked[1].Problem, "counter.0: no answer") {
		t.Fatalf("%+v, %v", r.Audit, err)
	}
	v, err := h.Vat("counter.1")
	if err != nil || !v.Held || v.Waiting == 0 || v.Span.End != 0 {
		t.Errorf("%+v, %v: want it held, and never run", v, err)
	}
	r, err = Run(t.Context(), h, s, RunOptions{
		Hold: []string{"counter.0"}, Unhold: []string{"counter.1", "counter.0", "ring"}, Deliveries: 200,
	})
	if !errors.Is(err, host.ErrNotFound) {
		t.Errorf("a vat that is not there: %v", err)
	}
	r, err = Run(t.Context(), h, s, RunOptions{Unhold: []string{"counter.1", "counter.0"}, Deliveries: 200})
	if err != nil || !r.Audit.OK() {
		t.Errorf("%+v, %v", r.Audit, err)
	}
}

// TestRestlessVatsEnd: an audit of vats that never come to rest ends with an
// error, after a bounded number of deliveries; a length in deliveries ends the run
// all the same.
func TestRestlessVatsEnd(t *testing.T) {
	t.Parallel()
	text := "about: a\nseed: s\nvats:\n  - {name: a, program: pingpong, count: 2}\n" +
		"setup:\n  - {to: a, method: peer, args: [{ref: a.$i+1}]}\n" +
		"workload:\n  - {to: a.0, method: volley, args: [1_000_000_000_000], messages: 1}\n" +
		"length: {deliveries: 50}\n"
	if got := straight(t, parsed(t, text), host.Options{}, RunOptions{}); got.deliveries != 50 {
		t.Errorf("%d deliveries, want 50", got.deliveries)
	}
	s := parsed(t, text+"audit: {ask: [{to: a, method: read, answers: [x]}]}\n")
	h := opened(t, s, host.Options{})
	r := &run{h: h, s: s, until: 50, drain: 200}
	_, err := r.run(t.Context(), RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "did not come to rest in 200 deliveries") {
		t.Errorf("got %v", err)
	}
}

// TestStoredScenarioContinues: all that is needed to go on is in the directory,
// even for a scenario that brought a program, whose file is gone.
func TestStoredScenarioContinues(t *testing.T) {
	t.Parallel()
	text := strings.Replace(played, "vats:\n", "programs: {mine: gone.wasm}\nvats:\n  - {name: own, program: mine}\n", 1)
	counter := parsed(t, played).programs[1].code
	s, err := parse("played.yaml", []byte(text), func(string) ([]byte, error) { return counter, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = s.WithSeed("mine")
	want := straight(t, s, host.Options{}, RunOptions{})
	h := opened(t, s, host.Options{})
	if _, err := Stored(h); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := ReadStatus(h); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("status of an empty directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Run(ctx, h, s, RunOptions{})
	if !errors.Is(err, context.Canceled) || r.Scenario != "played.yaml" {
		t.Errorf("cancelled before it began: %+v, %v", r, err)
	}
	stored, err := Stored(h)
	if err != nil || stored.Identity() != s.Identity() || stored.Seed != "mine" {
		t.Fatalf("%v, %v", stored, err)
	}
	if _, err := Run(t.Context(), h, stored, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := traced(t, h); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestDamagedNotesAreSaid: a note that does not decode, or does not fit the
// scenario, is an error that names it; nothing is sent.
func TestDamagedNotesAreSaid(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	for _, c := range []struct {
		name string
		bad  func(deliveries uint64) []byte
	}{
		{noteScenario, func(uint64) []byte { return []byte{0x80} }},
		{noteScenario, func(uint64) []byte {
			return made{"x", "played", s.Identity(), []byte("about: x")}.encode()
		}},
		{noteRoots, func(uint64) []byte { return encodeRefs([]swing.KRef{"ko20"}) }},
		{noteRoots, func(uint64) []byte { return nil }},
		{noteSteps, func(uint64) []byte { return []byte{0x82, 9, 0} }},
		{noteAsked, func(uint64) []byte { return []byte{1} }},
		{noteAnswers, func(uint64) []byte { return []byte{0x83, 1} }},
		{noteAnswers, func(deliveries uint64) []byte {
			return answered{deliveries, []answer{{problem: "x"}}}.encode()
		}},
	} {
		h := opened(t, s, host.Options{})
		r, err := Run(t.Context(), h, s, RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before, _ := h.Activityhash()
		if err := h.SetNote(t.Context(), c.name, c.bad(r.Audit.Deliveries)); err != nil {
			t.Fatal(err)
		}
		_, err = Run(t.Context(), h, s, RunOptions{})
		if !errors.Is(err, ErrNote) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v", c.name, err)
		}
		if after, _ := h.Activityhash(); after != before {
			t.Errorf("%s: something was sent", c.name)
		}
	}
}

// upTo returns so many deliveries, or, of a scenario that ends by itself, fewer.
func upTo(s *Scenario, deliveries uint64) uint64 {
	if s.Length == (Length{}) {
		return 50
	}
	return deliveries
}

// TestBuiltinsRun: every built-in scenario runs, shortened, with vats paged in and
// out, and what it says of itself holds.
func TestBuiltinsRun(t *testing.T) {
	t.Parallel()
	for _, name := range BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			h := opened(t, s, host.Options{MaxVats: 30})
			r, err := Run(t.Context(), h, s, RunOptions{Deliveries: 1200})
			if err != nil || r.Audit == nil || !r.Audit.OK() || r.Audit.Deliveries < upTo(s, 1000) {
				t.Fatalf("%+v, %v", r.Audit, err)
			}
			vats, err := h.Vats()
			for _, v := range vats {
				if !v.Alive || err != nil {
					t.Errorf("vat %s: %s, %v", v.Name, v.End.Info.Body, err)
				}
			}
		})
	}
}
