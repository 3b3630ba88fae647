package kvstore

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

// life is a store's life beside a log that never fails: what must come back
// after whatever happens to the table.
type life struct {
	rng     *rand.Rand
	log     [][]byte
	history []map[string]string // by position
	acked   uint64              // the highest TablePosition heard of
}

func newLife(seed uint64) *life {
	return &life{rng: rand.New(rand.NewPCG(seed, 4)), history: []map[string]string{{}}}
}

// open opens the store and brings it up to the log's end.
func (l *life) open(o Options) (*Store, error) {
	s, err := Open(o)
	if err != nil {
		return nil, err
	}
	if s.Position() < l.acked || s.Position() > uint64(len(l.log)) {
		return s, fmt.Errorf("%w: opened at position %d, acknowledged %d, log of %d",
			errLost, s.Position(), l.acked, len(l.log))
	}
	if why := sameState(s, l.history[s.Position()]); why != "" {
		return s, fmt.Errorf("%w: position %d: %s", errLost, s.Position(), why)
	}
	for p := s.Position(); p < uint64(len(l.log)); p++ {
		if err := s.Redo(p, l.log[p]); err != nil {
			return s, err
		}
	}
	if why := sameState(s, l.history[len(l.log)]); why != "" {
		return s, fmt.Errorf("%w: after redo: %s", errLost, why)
	}
	return s, nil
}

// errLost marks a broken promise, as against a failure that was asked for.
var errLost = errors.New("promise broken")

// live runs blocks, each with its log record first, and a checkpoint after
// every second.
func (l *life) live(s *Store, blocks int) error {
	state := maps.Clone(l.history[len(l.log)])
	for range blocks {
		for range 1 + l.rng.IntN(12) {
			key := fmt.Sprintf("k%d", l.rng.IntN(25))
			if l.rng.IntN(3) == 0 {
				s.Delete(key)
				delete(state, key)
				continue
			}
			value := strings.Repeat(string(rune('a'+l.rng.IntN(26))), l.rng.IntN(80))
			s.Set(key, []byte(value))
			state[key] = value
		}
		changes := sealInto(s, state)
		if err := s.Err(); err != nil {
			return err
		}
		l.log, l.history = append(l.log, changes), append(l.history, maps.Clone(state))
		s.Commit()
		if s.Position()%2 == 0 {
			if err := s.Checkpoint(); err != nil {
				return err
			}
			l.acked = s.TablePosition()
		}
	}
	return nil
}

// run is a whole life: open, live, close.
func (l *life) run(o Options, blocks int) error {
	s, err := l.open(o)
	if err == nil {
		err = l.live(s, blocks)
	}
	if s != nil {
		err = errors.Join(err, s.Close())
	}
	return err
}

func inline(fs vfs.FS) Options { return Options{FS: fs, Inline: true} }

// crashSweep ends a life at every operation on files, draws what a crash leaves,
// and goes on with that; wrap may take something away from the files. It returns
// how many crashes it drew and the first broken promise.
func crashSweep(wrap func(vfs.FS) vfs.FS, blocks int, nested bool) (points int, err error) {
	for k := 1; ; k++ {
		for draw, keep := range []int{0, 50, 50, 50, 100} {
			mem, l := vfs.NewMem(), newLife(1)
			f := vfs.NewFaulty(wrap(mem))
			f.Arm(vfs.Fault{At: k, Crash: true})
			if err := l.run(inline(f), blocks); errors.Is(err, errLost) {
				return points, err
			}
			if f.Fired() == "" {
				return points, nil
			}
			points++
			left := mem.Crash(uint64(k*10+draw), keep)
			if nested {
				n, err := crashAgain(l, left, uint64(k*10+draw))
				if points += n; err != nil {
					return points, fmt.Errorf("%s, draw %d: %w", f.Fired(), draw, err)
				}
			}
			if err := l.run(inline(left), 3); err != nil {
				return points, fmt.Errorf("%s, draw %d: %w", f.Fired(), draw, err)
			}
		}
	}
}

// crashAgain crashes the recovery at every operation, and recovers from that.
func crashAgain(before *life, left *vfs.Mem, seed uint64) (points int, err error) {
	for k := 1; ; k++ {
		mem, l := left.Crash(0, 100), *before
		l.rng = rand.New(rand.NewPCG(seed, 5))
		f := vfs.NewFaulty(mem)
		f.Arm(vfs.Fault{At: k, Crash: true})
		if err := l.run(inline(f), 3); errors.Is(err, errLost) {
			return points, err
		}
		if f.Fired() == "" {
			return points, nil
		}
		points++
		if err := l.run(inline(mem.Crash(seed+uint64(k), 50)), 1); err != nil {
			return points, fmt.Errorf("then %s: %w", f.Fired(), err)
		}
	}
}

// TestCrashAnywhereLosesNothing: after a crash at any operation on files, with
// none, some or all of what was unsynced kept, and after a second crash during
// recovery, the table is at a position no older than the last acknowledged one,
// exactly as it was then, and the log brings the rest.
func TestCrashAnywhereLosesNothing(t *testing.T) {
	t.Parallel()
	honest := func(fs vfs.FS) vfs.FS { return fs }
	points, err := crashSweep(honest, min(scaled(100), 600)+8, false)
	if err != nil {
		t.Fatal(err)
	}
	nested, err := crashSweep(honest, 8, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d crashes, and %d with a second one", points, nested)
}

// lazyFS is a planted fault: it leaves out syncs.
type lazyFS struct {
	vfs.FS
	file, dir bool
}

type lazyFile struct{ vfs.File }

func (lazyFile) Sync() error { return nil }

func (l lazyFS) Create(name string) (vfs.File, error) {
	f, err := l.FS.Create(name)
	if err == nil && l.file {
		f = lazyFile{f}
	}
	return f, err
}

func (l lazyFS) SyncDir(dir string) error {
	if l.dir {
		return nil
	}
	return l.FS.SyncDir(dir)
}

// TestCrashHarnessSeesMissingSyncs: without the sync before the rename, or that
// of the directory after it, the sweep finds a broken promise.
func TestCrashHarnessSeesMissingSyncs(t *testing.T) {
	t.Parallel()
	for _, plant := range []lazyFS{{file: true}, {dir: true}} {
		_, err := crashSweep(func(fs vfs.FS) vfs.FS { plant.FS = fs; return plant }, 8, false)
		if err == nil {
			t.Errorf("%+v: no crash shows it", plant)
		}
	}
}

// errDisk is the failure that is asked for.
var errDisk = errors.New("disk says no")

// TestFailureAtAnyOperation: the k-th operation on files fails, for every k,
// once or from then on, a write by half or not at all. The store says so, with
// ErrBroken if it was open already; goes on answering rightly; and comes back
// whole when the disk does.
func TestFailureAtAnyOperation(t *testing.T) {
	t.Parallel()
	points := 0
	for _, fault := range []vfs.Fault{
		{}, {Sticky: true}, {Short: true}, {Reads: true}, {Reads: true, Sticky: true},
	} {
		fault.Err = errDisk
		for k := 1; ; k++ {
			mem, l := vfs.NewMem(), newLife(2)
			if err := l.run(inline(mem), 3); err != nil {
				t.Fatal(err)
			}
			f := vfs.NewFaulty(mem)
			fault.At = k
			f.Arm(fault)
			failOnce(t, l, f, fault)
			if f.Fired() == "" {
				break
			}
			points++
			if err := l.run(inline(mem), 3); err != nil {
				t.Fatalf("%+v: reopened: %v", fault, err)
			}
		}
	}
	t.Logf("%d points", points)
}

func failOnce(t *testing.T, l *life, f *vfs.Faulty, fault vfs.Fault) {
	t.Helper()
	s, err := l.open(inline(f))
	if err != nil {
		if !errors.Is(err, errDisk) {
			t.Fatalf("%+v: open: %v", fault, err)
		}
		return
	}
	if err := l.live(s, 6); err != nil {
		if !errors.Is(err, errDisk) || !errors.Is(err, ErrBroken) || s.Err() != err {
			t.Fatalf("%+v: %v, and Err says %v", fault, err, s.Err())
		}
		if again := s.Checkpoint(); again != err || s.Wait() != err {
			t.Fatalf("%+v: a second checkpoint says %v", fault, again)
		}
		s.err = nil // only so that sameState compares
		if why := sameState(s, l.history[len(l.log)]); why != "" {
			t.Fatalf("%+v: %s", fault, why)
		}
	}
	s.Close()
}

// TestBoltCreationFailsCleanly: the k-th operation on files fails or is the last
// before a crash while a bbolt table is made. The next Open makes it.
func TestBoltCreationFailsCleanly(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{false, true} {
		for k := 1; ; k++ {
			fs := onDisk(t)
			f := vfs.NewFaulty(fs)
			f.Arm(vfs.Fault{At: k, Err: errDisk, Crash: crash})
			s, err := Open(Options{FS: f})
			if f.Fired() == "" {
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
				break
			}
			if !errors.Is(err, errDisk) && !errors.Is(err, vfs.ErrCrashed) {
				t.Fatalf("%s: %v", f.Fired(), err)
			}
			if err := newLife(3).run(inline(fs), 4); err != nil {
				t.Fatalf("%s, then: %v", f.Fired(), err)
			}
			if names, err := fs.List(vfs.Root); err != nil || len(names) != 1 {
				t.Fatalf("%s, then: files %q, %v", f.Fired(), names, err)
			}
		}
	}
}

// spyFS notes the operations that give a file its name.
type spyFS struct {
	vfs.FS
	did *[]string
}

func (s spyFS) Rename(from, to string) error {
	*s.did = append(*s.did, "rename "+from+" to "+to)
	return s.FS.Rename(from, to)
}

func (s spyFS) SyncDir(dir string) error {
	*s.did = append(*s.did, "sync "+dir)
	return s.FS.SyncDir(dir)
}

// TestNewTableIsNamedWhenWhole: a new bbolt table gets its name by a rename that
// is made durable, and nothing else touches names when it is opened again.
func TestNewTableIsNamedWhenWhole(t *testing.T) {
	t.Parallel()
	var did []string
	fs := spyFS{onDisk(t), &did}
	for range 2 {
		closed(t, open(t, Options{FS: fs}))
	}
	if got := strings.Join(did, ", "); got != "rename table.new to table, sync ." {
		t.Errorf("got %q", got)
	}
}

// TestCopyDuringCheckpoint copies a bbolt table again and again while one
// background checkpoint after another writes it, at most one during each copy:
// what a kill at that moment would leave. Each copy opens at the position before
// or after, exactly as it was, and the log brings the rest.
func TestCopyDuringCheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fs, err := vfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := newLife(6)
	s, err := l.open(Options{FS: fs, MapBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	copies, before := 0, 0
	for range scaled(40) + 5 {
		state := maps.Clone(l.history[len(l.log)])
		for range 2000 {
			key := fmt.Sprintf("k%d", l.rng.IntN(5000))
			value := strings.Repeat("x", l.rng.IntN(100))
			s.Set(key, []byte(value))
			state[key] = value
		}
		changes := sealInto(s, state)
		l.log, l.history = append(l.log, changes), append(l.history, state)
		s.Commit()
		if err := s.Checkpoint(); err != nil { // ends the one before
			t.Fatal(err)
		}
		for running := true; running; {
			running = s.TablePosition() < s.Position() && s.Err() == nil
			if copies++; openCopy(t, l, dir) {
				before++
			}
		}
		l.acked = s.TablePosition()
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d copies, %d of them from before the commit", copies, before)
}

// sealInto seals the crank, notes the activityhash in the state, and returns the
// block's change set.
func sealInto(s *Store, state map[string]string) []byte {
	s.Seal()
	h := s.Activityhash()
	state[ActivityKey] = string(h[:])
	changes, _ := s.Changes(nil)
	return changes
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// openCopy copies the table of a directory, opens the copy, lives on with it, and
// reports whether it was at the older position.
func openCopy(t *testing.T, before *life, from string) bool {
	t.Helper()
	dir := t.TempDir()
	copyFile(t, filepath.Join(from, "table"), filepath.Join(dir, "table"))
	fs, err := vfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	l := *before
	l.log, l.history = l.log[:len(l.log):len(l.log)], l.history[:len(l.history):len(l.history)]
	l.rng = rand.New(rand.NewPCG(1, 1))
	o := Options{FS: fs, Inline: true, NoSync: true, MapBytes: 1}
	s, err := l.open(o)
	if err != nil {
		t.Fatalf("copy in %s: %v", dir, err)
	}
	old := s.TablePosition() < uint64(len(l.log))
	if err := errors.Join(l.live(s, 2), s.Close()); err != nil {
		t.Fatalf("copy in %s: %v", dir, err)
	}
	if err := l.run(o, 0); err != nil {
		t.Fatalf("copy in %s, opened again: %v", dir, err)
	}
	return old
}
