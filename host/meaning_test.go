package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/transcript"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// later are options of a program with a later rewriter.
func later(o host.Options) host.Options {
	m := host.PresentMeaning(o.Limits)
	m.Rewriter++
	return host.WithMeaning(o, m)
}

// lived makes a directory with a counter that has a snapshot, and one without deliveries.
func lived(t *testing.T) *vfs.Mem {
	t.Helper()
	files := vfs.NewMem()
	h := open(t, files, host.Options{Inline: true, Snapshots: warehouse.Policy{Initial: 2, Interval: 2}})
	_, root := vat(t, h, "counter", "c")
	for range 5 {
		ask(t, h, root, "incr", 1)
	}
	closeHost(t, h)
	return files
}

func rootOf(t *testing.T, h *host.Host, name string) swing.KRef {
	t.Helper()
	v, err := h.Vat(name)
	if err != nil {
		t.Fatal(err)
	}
	return v.Root
}

// refusedFor opens a directory and wants it to be refused for the meaning of one vat.
func refusedFor(t *testing.T, files vfs.FS, o host.Options, vat swing.VatID) {
	t.Helper()
	o.FS = files
	_, err := host.Open(ctx, "", &o)
	var m *host.MeaningError
	if !errors.As(err, &m) || len(m.Strangers) != 1 || m.Strangers[0].Vat != vat ||
		m.Strangers[0].Recorded == m.Present {
		t.Fatalf("opened, or refused with %v", err)
	}
	for _, says := range []string{
		"vat " + string(vat), m.Present.String(), m.Strangers[0].Recorded.String(),
		"swingsim adopt", "swingsim upgrade",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

// TestOtherMeaningIsRefused: a program with another rewriter does not open the directory,
// and, where it is told to, runs nothing of it, until the history was adopted: that says
// what it would do, does it, leaves the hash, and all goes on as in a twin that never met
// the other program. Then the first program is the one that is refused.
func TestOtherMeaningIsRefused(t *testing.T) {
	t.Parallel()
	files, twinFiles := lived(t), lived(t)
	refusedFor(t, files, later(host.Options{}), "v1")
	h := open(t, files, later(host.Options{AnyMeaning: true}))
	before := activityhash(t, h)
	if _, err := h.Replay(ctx, "v1", host.ReplayOptions{}); !errors.As(err, new(*host.MeaningError)) {
		t.Errorf("replayed: %v", err)
	}
	dry, err := h.Adopt(ctx, host.AdoptOptions{Dry: true})
	if err != nil || len(dry) != 1 || dry[0].Vat != "v1" || dry[0].Deliveries != 6 {
		t.Errorf("a dry run: %+v, %v", dry, err)
	}
	if s, err := h.Strangers(); len(s) != 1 || err != nil {
		t.Errorf("after a dry run: %v, %v", s, err)
	}
	if v, err := h.Vat("c"); len(v.Snapshots) == 0 || err != nil {
		t.Errorf("snapshots: %v, %v", v.Snapshots, err)
	}
	if done, err := h.Adopt(ctx, host.AdoptOptions{}); len(done) != 1 || err != nil {
		t.Errorf("adopted: %+v, %v", done, err)
	}
	if v, err := h.Vat("c"); len(v.Snapshots) != 0 || err != nil {
		t.Errorf("snapshots of the other program: %v, %v", v.Snapshots, err)
	}
	if got := activityhash(t, h); got != before {
		t.Errorf("adopting made %v of activityhash %v", got, before)
	}
	closeHost(t, h)

	h, twin := open(t, files, later(host.Options{})), open(t, twinFiles, host.Options{})
	for range 3 {
		a := ask(t, h, rootOf(t, h, "c"), "incr", 2)
		if b := ask(t, twin, rootOf(t, twin, "c"), "incr", 2); a != b {
			t.Errorf("counted %d, the twin %d", a, b)
		}
	}
	check(t, h)
	if a, b := activityhash(t, h), activityhash(t, twin); a != b {
		t.Errorf("activityhash %v, the twin's %v", a, b)
	}
	if _, err := h.Replay(ctx, "v1", host.ReplayOptions{}); err != nil {
		t.Error(err)
	}
	closeHost(t, h)
	refusedFor(t, files, host.Options{}, "v1")
}

// TestStrangerIsNotRun: a Run that comes to a vat of another meaning stops there, with
// its event still queued.
func TestStrangerIsNotRun(t *testing.T) {
	t.Parallel()
	h := open(t, lived(t), later(host.Options{AnyMeaning: true}))
	answer := send(t, h, rootOf(t, h, "c"), "incr", 1)
	for range 2 {
		_, err := h.Run(ctx, host.Policy{})
		var failed *host.VatError
		if !errors.As(err, &failed) || failed.Vat != "v1" || !errors.As(err, new(*host.MeaningError)) {
			t.Errorf("ran: %v", err)
		}
	}
	if _, err := h.Adopt(ctx, host.AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if p, err := h.Promise(answer); p.State != kernel.Fulfilled || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestDivergedIsNotAdopted: where a history comes out otherwise, the vat and the place are
// named, and no vat has been adopted. The program is another one, as a rewriter with a
// fault would make it.
func TestDivergedIsNotAdopted(t *testing.T) {
	t.Parallel()
	files := lived(t)
	h := open(t, files, host.Options{})
	other, root := vat(t, h, "puppet", "p")
	set := swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte("k")}
	if err := h.SendOnly(ctx, root, host.Message{Method: "do", Body: calls(set)}); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	host.SwapProgram(t.Context(), h, other, program(t, "counter"))
	closeHost(t, h)
	costs := host.PresentMeaning(swing.Limits{})
	costs.Costs++ // what was used is not compared: the syscall gives it away
	dear := open(t, files, host.WithMeaning(host.Options{AnyMeaning: true}, costs))
	diverges(t, dear, other, 1)
	closeHost(t, dear)
	h = open(t, files, later(host.Options{AnyMeaning: true}))
	before := activityhash(t, h)
	diverges(t, h, other, 0) // by what was used
	if s, err := h.Strangers(); len(s) != 2 || err != nil || activityhash(t, h) != before {
		t.Errorf("after that there are %v, %v", s, err)
	}
	if v, err := h.Vat("c"); len(v.Snapshots) == 0 || err != nil {
		t.Errorf("snapshots: %v, %v", v.Snapshots, err)
	}
}

// diverges wants adopting to fail at a vat's position.
func diverges(t *testing.T, h *host.Host, vat swing.VatID, position uint64) {
	t.Helper()
	_, err := h.Adopt(ctx, host.AdoptOptions{})
	var d *transcript.DivergenceError
	if !errors.As(err, &d) || d.Vat != vat || d.Position != position ||
		!strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("adopted: %v", err)
	}
}

// TestPrunedIsNotAdopted: without the history from birth only an upgrade is left, and
// that works: held meanwhile, the vat has a new incarnation, which is this program's.
func TestPrunedIsNotAdopted(t *testing.T) {
	t.Parallel()
	files := lived(t)
	h := open(t, files, host.Options{})
	if done, err := h.Prune(ctx, host.PrunePolicy{}); err != nil || done.Entries == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	closeHost(t, h)
	h = open(t, files, later(host.Options{AnyMeaning: true}))
	_, err := h.Adopt(ctx, host.AdoptOptions{})
	if !errors.Is(err, host.ErrPruned) || !strings.Contains(err.Error(), "only an upgrade is left") {
		t.Errorf("adopted: %v", err)
	}
	v, err := h.Vat("c")
	if err != nil {
		t.Fatal(err)
	}
	answer := send(t, h, v.Root, "incr", 1)
	if err := h.Hold(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Upgrade(ctx, v.ID, host.Upgrade{Code: v.Code, KeepParams: true}); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if err := h.Unhold(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if p, err := h.Promise(answer); p.State != kernel.Fulfilled || err != nil {
		t.Errorf("the message that waited: %+v, %v", p, err)
	}
	closeHost(t, h)
	h = open(t, files, later(host.Options{}))
	if s, err := h.Strangers(); len(s) != 0 || err != nil {
		t.Errorf("after the upgrade: %v, %v", s, err)
	}
}

// TestMeaningTravels: an import knows what the directory did, a history of one vat too.
func TestMeaningTravels(t *testing.T) {
	t.Parallel()
	h := open(t, lived(t), host.Options{})
	x, _ := export(t, h, host.Archival)
	one := new(strings.Builder)
	if _, err := h.ExportVat(ctx, "v1", one); err != nil {
		t.Fatal(err)
	}
	files := vfs.NewMem()
	o := later(host.Options{FS: files})
	if _, err := host.Import(ctx, strings.NewReader(string(x)), "", &host.ImportOptions{Host: o}); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, files, later(host.Options{}), "v1")
	closeHost(t, open(t, files, host.Options{}))
	for i, want := range []bool{false, true} {
		o := []host.Options{{}, later(host.Options{})}[i]
		_, err := host.VerifyVat(ctx, strings.NewReader(one.String()), &host.ImportOptions{Host: o})
		if got := errors.As(err, new(*host.MeaningError)); got != want || !want && err != nil {
			t.Errorf("verified %d: %v", i, err)
		}
	}
}

// TestGoldenIsAdopted: directories and exports of the first versions, to which the
// rewriter of this or a later one is another, are refused, adopted, and go on to what is
// recorded.
func TestGoldenIsAdopted(t *testing.T) {
	t.Parallel()
	for schema := uint64(1); schema <= kernel.SchemaVersion; schema++ {
		dir := filepath.Join(t.TempDir(), "state")
		trial.Unpack(t, golden(schema, goldenDir), dir)
		want, err := os.ReadFile(golden(schema, goldenHash))
		if err != nil {
			t.Fatal(err)
		}
		o := later(host.Options{Existing: true})
		if _, err := host.Open(ctx, dir, &o); !errors.As(err, new(*host.MeaningError)) {
			t.Fatalf("schema %d: opened, or refused with %v", schema, err)
		}
		h := openAdopting(t, dir, o, true)
		if got := goOn(t, h); got != string(want) {
			t.Errorf("schema %d goes on\n%s\nnot\n%s", schema, got, want)
		}
		closeHost(t, h)
		closeHost(t, openAdopting(t, dir, o, false))
	}
}

// openAdopting opens a directory, which is refused for the meaning of its vats if they are
// strangers, and then adopts them.
func openAdopting(t *testing.T, dir string, o host.Options, strangers bool) *host.Host {
	t.Helper()
	h, err := host.Open(ctx, dir, &o)
	if refused := errors.As(err, new(*host.MeaningError)); refused != strangers {
		t.Fatalf("opening says %v", err)
	}
	if strangers {
		any := o
		any.AnyMeaning = true
		if h, err = host.Open(ctx, dir, &any); err == nil {
			_, err = h.Adopt(ctx, host.AdoptOptions{})
		}
		if err == nil {
			closeHost(t, h)
			h, err = host.Open(ctx, dir, &o)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}
