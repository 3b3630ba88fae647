package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// TestMessagesAreSentInQuiet: whenever a message of the scenario is routed, all of
// its step's are routed one after the other, with no delivery between them, and
// what vats had to say before is over: the order of cranks is the script's.
func TestMessagesAreSentInQuiet(t *testing.T) {
	t.Parallel()
	text := "about: a\nseed: s\nvats:\n  - {name: a, program: pingpong, count: 3}\n" +
		"setup:\n  - {to: a, method: peer, args: [{ref: a.$i+1}]}\n" +
		"workload:\n  - {to: a, method: volley, args: [4], burst: 5}\nlength: {messages: 25}\n"
	var kinds strings.Builder
	o := host.Options{BlockCranks: 7}
	o.Observer.Crank = func(c host.Crank) { kinds.WriteByte(c.Kind.String()[0]) }
	straight(t, parsed(t, text), o, RunOptions{})
	// Three starts, three peers, then five volleys of five hops: every burst is routed
	// as one, and each later message of a vat's is routed right after its delivery.
	want := strings.Repeat("r", 3) + strings.Repeat("d", 3) + strings.Repeat("r", 3) + strings.Repeat("d", 3)
	for range 5 {
		want += "rrrrr" + strings.Repeat("dr", 5*4) + "ddddd"
	}
	if got := kinds.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// stoppedAudit runs the scenario until its questions are sent, and stops it there:
// by a host whose block that would be is cancelled.
func stoppedAudit(t *testing.T, s *Scenario, fs vfs.FS) {
	t.Helper()
	o := host.Options{
		FS: fs, Inline: true, Interpreter: true, Seed: s.Seed, Devices: devices.All(),
	}
	h, err := host.Open(t.Context(), "", &o)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{h: h, s: s, until: s.Length.Deliveries, drain: drainDeliveriesMax}
	var out Result
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return r.start(ctx, &out) }, r.work, r.settle, r.ask,
	}
	for i, step := range steps {
		if err := step(t.Context()); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedAuditIsFinishedFirst: a run that is stopped while its audit is asked
// ends with the trace of one that was not; and if it goes on to a greater length,
// the answers under way are noted before anything is sent, so that the trace is
// that of one run after the other.
func TestStoppedAuditIsFinishedFirst(t *testing.T) {
	t.Parallel()
	s := parsed(t, played)
	want := straight(t, s, host.Options{}, RunOptions{})
	fs := vfs.NewMem()
	stoppedAudit(t, s, fs)
	if got := resumed(t, fs, s); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	h := opened(t, s, host.Options{})
	for _, n := range []uint64{400, 600} {
		if _, err := Run(t.Context(), h, s, RunOptions{Deliveries: n}); err != nil {
			t.Fatal(err)
		}
	}
	want = traced(t, h)
	fs = vfs.NewMem()
	stoppedAudit(t, s, fs)
	h = opened(t, s, host.Options{FS: fs})
	if _, err := Run(t.Context(), h, s, RunOptions{Deliveries: 600}); err != nil {
		t.Fatal(err)
	}
	if got := traced(t, h); got != want {
		t.Errorf("made longer:\ngot  %+v\nwant %+v", got, want)
	}
}

// TestStatusFollowsTheRun: where a run is stopped, its status says how far it has
// come: never back, in step with what the vats were delivered, and without an audit
// before the end.
func TestStatusFollowsTheRun(t *testing.T) {
	t.Parallel()
	text := "about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 3}\n" +
		"workload:\n  - {to: a, method: incr, args: [1], burst: 7}\n  - {to: a.0, method: read, messages: 9, burst: 2}\n" +
		"length: {messages: 80}\naudit: {ask: [{to: a, method: read, answers: [count]}]}\n"
	s := parsed(t, text)
	fs := vfs.NewMem()
	last, ended := Status{}, false
	for stops := 0; !ended; stops++ {
		ended = !interrupted(t, fs, s, 2)
		h, err := host.Open(t.Context(), "", &host.Options{FS: fs, Existing: true})
		if err != nil {
			t.Fatal(err)
		}
		st, err := ReadStatus(h)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := h.Stats()
		if err != nil {
			t.Fatal(err)
		}
		queued := stats.Kernel.Accepted + stats.Kernel.Runnable
		if made := stats.Kernel.Deliveries + queued; st.Audit == nil && made != 3+st.Messages {
			t.Errorf("stop %d: %d deliveries and %d queued of %d messages", stops, made-queued, queued, st.Messages)
		}
		if st.Steps < last.Steps || st.Messages < last.Messages || (st.Audit != nil) != ended {
			t.Errorf("stop %d: %+v after %+v", stops, st, last)
		}
		if last = st; stops > 50 {
			t.Fatal("it does not end")
		}
		if err := h.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if last.Messages != 80 || last.Audit.Asked[0].Sums[0].Sum != 71 {
		t.Errorf("at the end: %+v", last)
	}
}

// TestScenariosAreShared: one loaded scenario may be run by several goroutines at
// once; it is not written to. (Run with -race.)
func TestScenariosAreShared(t *testing.T) {
	t.Parallel()
	s := parsed(t, strings.Replace(played, "deliveries: 400", "deliveries: 120", 1))
	identity := s.Identity()
	var hosts [3]*host.Host
	var all sync.WaitGroup
	for i := range hosts {
		hosts[i] = opened(t, s, host.Options{Interpreter: true})
		all.Go(func() {
			if _, err := Run(t.Context(), hosts[i], s, RunOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range hosts {
		if traced(t, hosts[i]) != traced(t, hosts[0]) {
			t.Errorf("run %d differs", i)
		}
	}
	if s.WithSeed("x").Identity() == identity || s.Identity() != identity || s.Seed != "played" {
		t.Error("WithSeed changed the scenario itself")
	}
}

// TestOwnPrograms: a program that is no vat is refused by Admit before anything is
// made, with its name and its file, and by Run; one that is good is admitted.
func TestOwnPrograms(t *testing.T) {
	t.Parallel()
	good := parsed(t, played).programs[0].code
	text := "about: a\nseed: s\nprograms: {mine: some/mine.wasm, other: other.wasm}\nvats:\n" +
		"  - {name: a, program: mine}\n  - {name: b, program: other}\n"
	for name, code := range map[string][]byte{
		"empty": {}, "text": []byte("(module)"), "cut": good[:len(good)/2],
		"no export": {0, 'a', 's', 'm', 1, 0, 0, 0},
	} {
		s, err := parse("x.yaml", []byte(text), func(path string) ([]byte, error) {
			if path == "other.wasm" {
				return code, nil
			}
			return good, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Admit(t.Context())
		if !errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), "program other (other.wasm): ") {
			t.Errorf("%s: %v", name, err)
		}
		h := opened(t, s, host.Options{})
		if _, err := Run(t.Context(), h, s, RunOptions{}); !errors.Is(err, host.ErrRefused) {
			t.Errorf("%s: run: %v", name, err)
		}
		if st, _ := h.Stats(); st.Kernel.Vats != 0 {
			t.Errorf("%s: %d vats were made", name, st.Kernel.Vats)
		}
	}
	if err := parsed(t, played).Admit(t.Context()); err != nil {
		t.Errorf("built-in programs: %v", err)
	}
	big, err := parse("x.yaml", []byte(text), func(string) ([]byte, error) { return nil, os.ErrPermission })
	if big != nil || err == nil || !strings.Contains(err.Error(), "x.yaml:3:18: program mine: permission denied") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestBuiltinFilesAreTheScenarios: the text of a built-in scenario, saved as a file
// and loaded, is that scenario.
func TestBuiltinFilesAreTheScenarios(t *testing.T) {
	t.Parallel()
	for _, name := range BuiltinNames() {
		text, ok := BuiltinText(name)
		path := fmt.Sprintf("%s/%s.yaml", t.TempDir(), name)
		if err := os.WriteFile(path, text, 0o600); err != nil || !ok {
			t.Fatal(err)
		}
		file, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		built, err := Builtin(name)
		if err != nil || file.Identity() != built.Identity() || file.Name != path {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := BuiltinText("../builtin"); ok {
		t.Error("a name leads out of the folder")
	}
}
