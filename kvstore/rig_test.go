package kvstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

// rig drives a store and its twin through the same random life.
type rig struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	o      Options
	s      *Store
	twin   *twin
	saves  []int
	fs     vfs.FS
	held   map[string][]byte // slices that Get returned, by what they held
	atMost int               // keys in the pool
}

// newRig opens a store with options that the seed draws.
func newRig(t *testing.T, seed uint64, fs vfs.FS) *rig {
	t.Helper()
	r := &rig{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), fs: fs, twin: newTwin()}
	r.held = map[string][]byte{}
	r.atMost = 20 + r.rng.IntN(400)
	r.o = r.options()
	r.open()
	t.Cleanup(func() {
		if err := r.s.Close(); err != nil {
			t.Errorf("seed %d: close: %v", seed, err)
		}
	})
	return r
}

func (r *rig) options() Options {
	return Options{
		FS:              r.fs,
		CacheBytes:      []int{-1, 2000, 0}[r.rng.IntN(3)],
		CheckpointBytes: 1 + r.rng.IntN(100_000),
		MapBytes:        1, // so that bbolt maps the file anew while it is read
		Inline:          r.rng.IntN(3) == 0,
		NoSync:          r.rng.IntN(4) > 0,
	}
}

func (r *rig) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s (go test -run '%s' -seed %d; options %+v)",
		fmt.Sprintf(format, args...), r.t.Name(), r.seed, r.o)
}

// open opens the store and feeds it the log's tail.
func (r *rig) open() {
	r.t.Helper()
	s, err := Open(r.o)
	if err != nil {
		r.fatalf("open: %v", err)
	}
	r.s = s
	if s.Position() != s.TablePosition() {
		r.fatalf("opened at position %d with a table at %d", s.Position(), s.TablePosition())
	}
	for p := s.Position(); p < uint64(len(r.twin.log)); p++ {
		if err := s.Redo(p, r.twin.log[p]); err != nil {
			r.fatalf("redo %d: %v", p, err)
		}
	}
}

// key draws a key: short ones that are prefixes of each other, private ones,
// ones with every sort of byte.
func (r *rig) key() string {
	n := r.rng.IntN(r.atMost)
	switch n % 7 {
	case 0:
		return fmt.Sprintf("local.%d", n)
	case 1:
		return strings.Repeat("a", 1+n%50)
	case 2:
		return string([]byte{0, byte(n)})
	case 3:
		return string([]byte{0xff, 0xff, byte(n)})
	}
	return fmt.Sprintf("v%d.c.ko%d", n%5, n)
}

func (r *rig) value() string {
	n := r.rng.IntN(100)
	switch r.rng.IntN(40) {
	case 0:
		n = 0
	case 1:
		n = r.rng.IntN(9000) // more than a page
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.rng.Uint32())
	}
	return string(b)
}

func (r *rig) write() {
	w := twinWrite{key: r.key(), gone: r.rng.IntN(3) == 0}
	if !w.gone {
		w.value = r.value()
		if old, ok := r.twin.now[w.key]; ok && r.rng.IntN(10) == 0 {
			w.value = old
		}
	}
	r.apply(w)
}

func (r *rig) apply(w twinWrite) {
	r.twin.write(w)
	if w.gone {
		r.s.Delete(w.key)
		return
	}
	value := []byte(w.value)
	r.s.Set(w.key, value)
	for i := range value { // it is ours again
		value[i]++
	}
}

func (r *rig) get() {
	key := r.key()
	got, ok := r.s.Get(key)
	want, has := r.twin.now[key]
	if ok != has || string(got) != want {
		r.fatalf("get %q: %.60q, %v, want %.60q, %v (%v)", key, got, ok, want, has, r.s.Err())
	}
	if ok {
		r.held[want] = got
	}
}

func (r *rig) next() {
	after, end := r.key(), ""
	if r.rng.IntN(4) == 0 {
		after = ""
	}
	if r.rng.IntN(2) == 0 {
		end = r.key()
	}
	got, ok := r.s.Next(after, end)
	want, has := r.twin.next(after, end)
	if !has {
		want = ""
	}
	if ok != has || got != want {
		r.fatalf("next %q, %q: %q, %v, want %q, %v", after, end, got, ok, want, has)
	}
}

func (r *rig) savepoint() {
	r.twin.save()
	r.saves = append(r.saves, r.s.Savepoint())
}

func (r *rig) rollback() {
	if len(r.saves) == 0 {
		return
	}
	i := r.rng.IntN(len(r.saves))
	r.twin.rollback(i)
	r.s.Rollback(r.saves[i])
	r.saves = r.saves[:i]
}

func (r *rig) seal() {
	r.saves = nil
	if got, want := r.s.Seal(), r.twin.seal(); got != want {
		r.fatalf("crankhash %v, want %v", got, want)
	}
	if got := r.s.Activityhash(); got != r.twin.activity {
		r.fatalf("activityhash %v, want %v", got, r.twin.activity)
	}
}

// commit ends the block, with private writes after the last crank at times.
func (r *rig) commit() {
	r.seal()
	if r.rng.IntN(3) == 0 {
		r.apply(twinWrite{key: "local.cursor", value: r.value()})
	}
	prefix := []byte("log")
	got, n := r.s.Changes(prefix)
	want, wantN := r.twin.changes()
	if string(got) != "log"+string(want) || n != wantN {
		r.fatalf("position %d: change set of %d keys\n%x, want %d\n%x",
			r.s.Position(), n, got[3:], wantN, want)
	}
	r.twin.commit()
	r.s.Commit()
	if why := tidy(r.s.over); why != "" {
		r.fatalf("position %d: %s", r.s.Position(), why)
	}
	if got, want := r.s.Position(), uint64(len(r.twin.log)); got != want {
		r.fatalf("position %d, want %d", got, want)
	}
	due := r.s.Stats().ChangedBytes >= r.o.CheckpointBytes
	if due != r.s.CheckpointDue() {
		r.fatalf("checkpoint due %v, with %+v", !due, r.s.Stats())
	}
	if due || r.rng.IntN(8) == 0 {
		r.checkpoint()
	}
}

func (r *rig) checkpoint() {
	if err := r.s.Checkpoint(); err != nil {
		r.fatalf("checkpoint: %v", err)
	}
	if r.rng.IntN(4) > 0 {
		return
	}
	if err := r.s.Wait(); err != nil {
		r.fatalf("wait: %v", err)
	}
	at := r.s.TablePosition()
	if at != r.s.Position() || r.s.Stats().Keys != uint64(len(r.twin.history[at])) {
		r.fatalf("a checkpoint at position %d left %d, with %d keys, want %d",
			r.s.Position(), at, r.s.Stats().Keys, len(r.twin.history[at]))
	}
}

// reopen closes the store between blocks and opens it, with other options.
func (r *rig) reopen() {
	r.commit()
	if err := r.s.Close(); err != nil {
		r.fatalf("close: %v", err)
	}
	r.o = r.options()
	r.open()
	r.check()
}

// tidy returns what is wrong with an overlay between blocks, or "".
func tidy(o *overlay) string {
	dirtyKeys, dirtyBytes, cleanBytes := 0, 0, 0
	for key, e := range o.entries {
		switch {
		case e.key != key || e.touched || e.writes != 0 || e.state == unknown:
			return fmt.Sprintf("entry %+v under key %q", e, key)
		case e.dirty:
			dirtyKeys++
			dirtyBytes += entryBytes + len(key) + len(e.value)
		default:
			cleanBytes += entryBytes + len(key) + len(e.value)
		}
	}
	if dirtyKeys != o.dirtyKeys || dirtyBytes != o.dirtyBytes || cleanBytes != o.cleanBytes {
		return fmt.Sprintf("%d keys of %d bytes, and %d bytes remembered; counted %d, %d, %d",
			dirtyKeys, dirtyBytes, cleanBytes, o.dirtyKeys, o.dirtyBytes, o.cleanBytes)
	}
	ordered := 0
	for _, e := range o.fresh {
		if ordered++; e.place != inFresh || o.entries[e.key] != e {
			return fmt.Sprintf("a dropped entry waits to be ordered: %+v", e)
		}
	}
	for key, e := range o.tree.Scan {
		if ordered++; e.place != inTree || o.entries[key] != e {
			return fmt.Sprintf("a dropped entry is in the tree: %+v", e)
		}
	}
	for _, e := range o.entries {
		if e.place != unplaced {
			ordered--
		} else if e.dirty {
			return fmt.Sprintf("a changed entry that Next does not see: %+v", e)
		}
	}
	if ordered != 0 {
		return fmt.Sprintf("%d more entries in order than say so", ordered)
	}
	return ""
}

// check compares everything.
func (r *rig) check() {
	r.t.Helper()
	if why := sameState(r.s, r.twin.now); why != "" {
		r.fatalf("position %d: %s", r.s.Position(), why)
	}
	for want, got := range r.held {
		if string(got) != want {
			r.fatalf("a value that Get returned has changed: %.60q, was %.60q", got, want)
		}
	}
	clear(r.held)
}

// step does one random thing.
func (r *rig) step() {
	switch n := r.rng.IntN(1000); {
	case n < 350:
		r.get()
	case n < 700:
		r.write()
	case n < 780:
		r.next()
	case n < 840:
		r.savepoint()
	case n < 880:
		r.rollback()
	case n < 960:
		r.seal()
	case n < 993:
		r.commit()
	case n < 996:
		r.check()
	default:
		r.reopen()
	}
}

func onDisk(t testing.TB) vfs.FS {
	t.Helper()
	dir, err := vfs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// kinds are the two kinds of table.
var kinds = map[string]func(testing.TB) vfs.FS{
	"mem":  func(testing.TB) vfs.FS { return vfs.NewMem() },
	"bolt": onDisk,
}

func eachKind(t *testing.T, f func(t *testing.T, fs func(testing.TB) vfs.FS)) {
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, kinds[name])
		})
	}
}

// TestStoreEqualsTwin: over random lives, every answer of the store is that of
// the twin, through checkpoints in line and in the background, and reopenings
// with the log's tail.
func TestStoreEqualsTwin(t *testing.T) {
	t.Parallel()
	const steps = 4000
	eachKind(t, func(t *testing.T, fs func(testing.TB) vfs.FS) {
		for _, seed := range seeds(24) {
			r := newRig(t, seed, fs(t))
			for range steps {
				r.step()
			}
			r.reopen()
			r.rebuild()
		}
	})
}

// rebuild checks that the change sets alone, from the first on, make the state.
func (r *rig) rebuild() {
	s, err := Open(Options{FS: vfs.NewMem()})
	if err != nil {
		r.fatalf("open: %v", err)
	}
	for p, changes := range r.twin.log {
		if err := s.Redo(uint64(p), changes); err != nil {
			r.fatalf("redo %d: %v", p, err)
		}
	}
	if why := sameState(s, r.twin.now); why != "" {
		r.fatalf("rebuilt from the log: %s", why)
	}
	if got := s.Activityhash(); got != r.twin.activity {
		r.fatalf("rebuilt from the log: activityhash %v, want %v", got, r.twin.activity)
	}
}
