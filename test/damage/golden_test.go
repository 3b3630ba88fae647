package damage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

var ctx = context.Background()

// tree is every file of a directory.
type tree map[string][]byte

// treeOf reads a directory whole.
func treeOf(files vfs.FS) (tree, error) {
	all := tree{}
	return all, all.read(files, vfs.Root)
}

func (all tree) read(files vfs.FS, dir string) error {
	names, err := files.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		name = path.Join(dir, name)
		f, err := files.Open(name)
		if errors.Is(err, vfs.ErrNotPlain) {
			err = all.read(files, name)
		} else if err == nil {
			err = errors.Join(all.readFile(f, name), f.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (all tree) readFile(f vfs.File, name string) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	b := make([]byte, size)
	if size > 0 {
		_, err = f.ReadAt(b, 0)
	}
	all[name] = b
	return err
}

// names returns the files, sorted.
func (all tree) names() []string { return slices.Sorted(maps.Keys(all)) }

// changed returns the files that are not the same in another tree, sorted.
func (all tree) changed(other tree) (names []string) {
	for name := range all {
		if b, ok := other[name]; !ok || !bytes.Equal(b, all[name]) {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, ok := all[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// write makes a directory that holds one tree hold another one.
func (all tree) write(files vfs.FS, was tree) error {
	for _, name := range was.changed(all) {
		if _, ok := was[name]; ok {
			if err := files.Remove(name); err != nil {
				return err
			}
		}
		b, ok := all[name]
		if !ok {
			continue
		}
		for at := range len(name) {
			if name[at] == '/' {
				if err := files.Mkdir(name[:at]); err != nil {
					return err
				}
			}
		}
		f, err := files.Create(name)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(b, 0)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// kindOf says what kind of file a name is.
func kindOf(name string) string {
	dir, base := path.Split(name)
	switch {
	case dir == "heaps/code/" || dir == "heaps/images/":
		return strings.TrimSuffix(dir, "/")
	case path.Ext(base) != "":
		return dir + "*" + path.Ext(base)
	}
	return name
}

// options make every kind of file in a short run, the same ones every time.
func options(files vfs.FS) host.Options {
	return host.Options{
		FS: files, Inline: true, Interpreter: true, MaxVats: 4, BlockCranks: 25,
		PauseOnEvict: true, Snapshots: warehouse.Policy{Initial: 2, Interval: 8},
		SegmentBytes: 16 << 10, CheckpointBytes: 24 << 10, PackBytes: 32 << 10,
	}
}

// lengths are where the scenario rests, in deliveries: at each its vats are
// audited, which makes outputs, and the directory is closed. Trials take it from
// the last but one to the last.
var lengths = []uint64{90, 150, 200, 235}

// golden is the directory that is damaged, and how it goes on undisturbed.
type golden struct {
	scenario *sim.Scenario
	ends     []uint64 // deliveries when the rests were over
	older    []tree   // the directory as it was at earlier moments
	closed   variant  // properly
	cut      variant  // not closed: as a crash leaves it, the table behind the log
	noSync   bool

	mu    sync.Mutex
	wants map[string]trace // by the vats held
}

// variant is one form of the golden directory.
type variant struct {
	name string
	// fresh makes another copy of it.
	fresh func() (vfs.FS, error)
	all   tree
	// settled is the log, in order: with its torn or unused tail cut off, and closed.
	settled tree
}

func (v variant) closed() bool { return v.all["log/closed"] != nil }

// newGolden makes the golden directory in memory.
func newGolden(t *testing.T) *golden {
	t.Helper()
	mem := vfs.NewMem()
	return makeGolden(t, mem, func() func() (vfs.FS, error) {
		then := mem.Crash(0, 100)
		return func() (vfs.FS, error) { return then.Crash(0, 100), nil }
	})
}

// makeGolden makes the golden directory. Copy says how the directory, as it is at
// that moment, is copied later.
func makeGolden(t *testing.T, files vfs.FS, copy func() func() (vfs.FS, error)) *golden {
	t.Helper()
	g := &golden{scenario: trial.Parse(t, trial.Mixed), wants: map[string]trace{}}
	_, g.noSync = files.(*vfs.Dir) // no machine stops here, and a disk takes its time
	for i := range len(lengths) - 1 {
		h := g.open(t, files, nil)
		if _, err := sim.Run(ctx, h, g.scenario, sim.RunOptions{Deliveries: lengths[i]}); err != nil {
			t.Fatal(err)
		}
		stats, err := h.Stats()
		if err != nil {
			t.Fatal(err)
		}
		g.ends = append(g.ends, stats.Kernel.Deliveries)
		g.cut = newVariant(t, "cut", copy())
		if err := h.Close(ctx); err != nil {
			t.Fatal(err)
		}
		g.closed = newVariant(t, "closed", copy())
		g.older = append(g.older, g.cut.all, g.closed.all)
	}
	g.older = g.older[:len(g.older)-2]
	g.ends = append(g.ends, 1<<62)
	return g
}

func newVariant(t *testing.T, name string, fresh func() (vfs.FS, error)) variant {
	t.Helper()
	read := func(change func(vfs.FS) error) tree {
		files, err := fresh()
		if err == nil {
			err = change(files)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer release(files)
		all, err := treeOf(files)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	v := variant{name: name, fresh: fresh}
	v.all = read(func(vfs.FS) error { return nil })
	v.settled = read(func(files vfs.FS) error {
		log, _, err := streamstore.Open(streamstore.Options{FS: files})
		if err != nil {
			return err
		}
		return log.Close()
	})
	return v
}

func (g *golden) open(t *testing.T, files vfs.FS, faults *[]error) *host.Host {
	t.Helper()
	h, err := g.tryOpen(files, faults)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tryOpen opens a directory and notes the faults that are told.
func (g *golden) tryOpen(files vfs.FS, faults *[]error) (*host.Host, error) {
	o := options(vfs.Sparing(files))
	o.NoSync = g.noSync
	o.Seed = g.scenario.Seed
	if faults != nil {
		o.Observer.Fault = func(err error) { *faults = append(*faults, err) }
	}
	return trial.Open(ctx, "", &o)
}

// goOn takes an open directory from wherever it is to the scenario's end.
func (g *golden) goOn(h *host.Host, held []string) error {
	stats, err := h.Stats()
	if err != nil {
		return err
	}
	for i, end := range g.ends {
		if stats.Kernel.Deliveries > end {
			continue
		}
		_, err := sim.Run(ctx, h, g.scenario, sim.RunOptions{Deliveries: lengths[i], Hold: held})
		if err != nil {
			return err
		}
	}
	return nil
}

// want returns how the undamaged directory ends with some vats held.
func (g *golden) want(held []string) (trace, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.Join(held, " ")
	if tr, ok := g.wants[key]; ok {
		return tr, nil
	}
	files, err := g.closed.fresh()
	if err != nil {
		return trace{}, err
	}
	defer release(files)
	h, err := g.tryOpen(files, nil)
	if err != nil {
		return trace{}, err
	}
	if err := g.goOn(h, held); err != nil {
		return trace{}, errors.Join(err, h.Close(ctx))
	}
	tr, err := take(h)
	g.wants[key] = tr
	return tr, errors.Join(err, h.Close(ctx))
}

// TestGoldenDirectory: it holds every kind of file, several of those that come in
// numbers, and both its forms go on to the end that a run in one piece has.
func TestGoldenDirectory(t *testing.T) {
	g := newGolden(t)
	for _, v := range []variant{g.closed, g.cut} {
		kinds, sizes := map[string]int{}, map[string]int{}
		for name, b := range v.all {
			kinds[kindOf(name)]++
			sizes[kindOf(name)] += len(bytes.TrimRight(b, "\x00"))
		}
		for kind, least := range map[string]int{
			"format": 1, "lock": 1, "table": 1, "log/manifest": 1, "log/*.segment": 1,
			"log/*.archive": 2, "heaps/code": 8, "heaps/packs/*.pack": 2, "heaps/packs/*.index": 1,
		} {
			if kinds[kind] < least {
				t.Errorf("%s: %d of %s, want at least %d", v.name, kinds[kind], kind, least)
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			t.Logf("%-7s %3d %-20s %7d bytes", v.name, kinds[kind], kind, sizes[kind])
		}
		if got := g.judge(v, v.all, nil); got.err != nil || got.is != unused {
			t.Errorf("%s: undamaged: %s, %v", v.name, got.is, got.err)
		}
	}
	whole := vfs.NewMem()
	h := g.open(t, whole, nil)
	if err := g.goOn(h, nil); err != nil {
		t.Fatal(err)
	}
	got, err := take(h)
	if err != nil {
		t.Fatal(err)
	}
	want, err := g.want(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := got.differs(want); d != "" {
		t.Errorf("in one piece: %s", d)
	}
}

// trace is what must not differ between two runs, line by line. Lines that could
// not be read are "" and have an error each.
type trace struct {
	activityhash swing.Hash
	vats         map[string][]string
	outputs      []string
	unread       []error
}

const outputsMax = 1 << 12

// take reads the trace of what a Host holds, as far as it can be read.
func take(h *host.Host) (tr trace, err error) {
	if tr.activityhash, err = h.Activityhash(); err != nil {
		return tr, err
	}
	vats, err := h.Vats()
	if err != nil {
		return tr, err
	}
	tr.vats = map[string][]string{}
	for _, v := range vats {
		lines := []string{fmt.Sprintln(v.ID, v.Name, v.Code, v.Alive, v.End, v.Held, v.Waiting, v.Span)}
		for at := uint64(0); at < v.Span.End; {
			entries, err := h.Transcript(v.ID, at, v.Span.End)
			for _, e := range entries {
				lines = append(lines, fmt.Sprintf("%x", e.Append(nil)))
			}
			at += uint64(len(entries))
			if err != nil {
				tr.unread = append(tr.unread, err)
				lines = append(lines, "")
				at++
			}
		}
		tr.vats[string(v.ID)] = lines
	}
	for {
		outputs, err := h.Outputs(uint64(len(tr.outputs)), outputsMax)
		for _, o := range outputs {
			tr.outputs = append(tr.outputs, fmt.Sprintf("%+v", o))
		}
		if err == nil {
			return tr, nil
		}
		tr.unread = append(tr.unread, err)
		tr.outputs = append(tr.outputs, "")
		if len(tr.unread) > outputsMax {
			return tr, errors.New("more errors than outputs")
		}
	}
}

// differs says where a trace, as far as it could be read, is not the one wanted.
func (tr trace) differs(want trace) string {
	for _, vat := range slices.Sorted(maps.Keys(want.vats)) {
		if d := linesDiffer(tr.vats[vat], want.vats[vat]); d != "" {
			return "vat " + vat + ": " + d
		}
	}
	if len(tr.vats) != len(want.vats) {
		return fmt.Sprintf("%d vats, want %d", len(tr.vats), len(want.vats))
	}
	if d := linesDiffer(tr.outputs, want.outputs); d != "" {
		return "outputs: " + d
	}
	if tr.activityhash != want.activityhash {
		return fmt.Sprintf("activityhash %v, want %v", tr.activityhash, want.activityhash)
	}
	return ""
}

func linesDiffer(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] && got[i] != "" {
			return fmt.Sprintf("line %d is %s, want %s", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%d lines, want %d", len(got), len(want))
	}
	return ""
}
