package snapstore

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// history runs a twin's steps, which its seed decides, until one fails.
type history struct {
	seed  uint64
	steps int
	wrap  func(vfs.FS) vfs.FS // what the store sees of the files; nil is all
}

func (h history) run(fs vfs.FS) (*twin, error) {
	if h.wrap != nil {
		fs = h.wrap(fs)
	}
	w, err := newTwin(h.seed, smallOptions(fs))
	if err == nil {
		err = w.genesis()
	}
	for i := 0; err == nil && i < h.steps; i++ {
		err = w.step()
	}
	return w, err
}

// survivors opens what a crash left and checks that all that was promised is
// there, and that the store works.
func survivors(w *twin, after *vfs.Mem) error {
	known, safe := maps.Clone(w.known), maps.Clone(w.safe)
	defer func() { w.known, w.safe = known, safe }()
	if err := w.reopen(after, w.safe); err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	if err := w.check(); err != nil {
		return err
	}
	if err := verify(w.s); err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	for _, step := range []func() error{w.genesis, w.pause, w.commit, w.sync, w.check} {
		if err := step(); err != nil {
			return fmt.Errorf("going on: %w", err)
		}
	}
	return w.s.Close()
}

// crashPoint runs the history until it crashes at the k-th operation, and
// reports whether it came that far.
func (h history) crashPoint(k int) (crashed bool, err error) {
	mem := vfs.NewMem()
	f := vfs.NewFaulty(mem)
	f.Arm(vfs.Fault{At: k, Crash: true})
	w, err := h.run(f)
	if err == nil && f.Fired() == "" {
		return false, nil
	}
	if err != nil && !errors.Is(err, vfs.ErrCrashed) {
		return true, err
	}
	for i, keep := range []int{0, 50, 100} {
		if err := survivors(w, mem.Crash(h.seed+uint64(1000*k+i), keep)); err != nil {
			return true, fmt.Errorf("%s, then %d %% of what was unsynced kept: %w", f.Fired(), keep, err)
		}
	}
	return true, nil
}

// crashEverywhere crashes the history after each operation.
func (h history) crashEverywhere() (points int, err error) {
	for k := 1; ; k++ {
		crashed, err := h.crashPoint(k)
		if err != nil || !crashed {
			return points, err
		}
		points += 3
	}
}

// crashSeeds is how many histories are crashed everywhere; each has 300 to 900
// states. All of the first 40 have been run.
const crashSeeds = 3

// TestCrashAfterEveryOperation: whatever operation on a file a crash follows,
// and whatever part of the unsynced data it leaves, the store opens, and every
// snapshot and program that a successful Sync or PutCode covered is as it was.
func TestCrashAfterEveryOperation(t *testing.T) {
	t.Parallel()
	seeds := uint64(crashSeeds)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			points, err := history{seed: seed, steps: 60}.crashEverywhere()
			repeat(t, seed, err)
			if points < 300 {
				t.Fatalf("%d points: the history is too short", points)
			}
			t.Logf("%d crash states", points)
		})
	}
}

// TestCrashDuringRecovery: a crash while the store is opened after a crash, at
// every operation of the opening, loses nothing either.
func TestCrashDuringRecovery(t *testing.T) {
	t.Parallel()
	states := uint64(15)
	if testing.Short() {
		states = 5
	}
	for seed := range states {
		h := history{seed: 100 + seed, steps: 60}
		mem := vfs.NewMem()
		f := vfs.NewFaulty(mem)
		f.Arm(vfs.Fault{At: 40 + 11*int(seed), Crash: true})
		w, _ := h.run(f)
		first := mem.Crash(seed, 50)
		for k := 1; ; k++ {
			again := first.Crash(0, 100)
			f := vfs.NewFaulty(again)
			f.Arm(vfs.Fault{At: k, Crash: true})
			s, err := Open(smallOptions(f))
			if err == nil && f.Fired() == "" {
				must(t, s.Close())
				break
			}
			if !errors.Is(err, vfs.ErrCrashed) {
				repeat(t, seed, fmt.Errorf("open with %s: %w", f.Fired(), err))
			}
			err = survivors(w, again.Crash(seed, 50))
			if err != nil {
				err = fmt.Errorf("%s: %w", f.Fired(), err)
			}
			repeat(t, seed, err)
		}
	}
}

// TestCrashAfterAKill: a process is killed with nothing synced; the system still
// has what it wrote. The next process finds it, and once that has synced, or
// opened, what it found survives a crash of the machine too.
func TestCrashAfterAKill(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		mem := vfs.NewMem()
		w, err := history{seed: 300 + seed, steps: 40}.run(mem)
		repeat(t, seed, err)
		s, err := Open(smallOptions(mem))
		repeat(t, seed, err)
		found := 0
		for id, c := range w.known {
			w.safe[id] = readable(s, id, c) == nil
			if w.safe[id] {
				found++
			} else {
				delete(w.safe, id)
			}
		}
		if found < len(w.known)/2 {
			t.Logf("seed %d: %d of %d snapshots are found after a kill", seed, found, len(w.known))
		}
		repeat(t, seed, survivors(w, mem.Crash(seed, 0)))
	}
}

// TestOpenMakesDurableWhatItFinds: a killed process left a pack and a program
// that the system has, under names that no directory sync covered. After Open
// they survive a crash that keeps nothing else.
func TestOpenMakesDurableWhatItFinds(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s, err := Open(Options{FS: mem})
	must(t, err)
	c, id := born(t, s, 1)
	must(t, verify(s)) // writes what is buffered, syncs nothing
	code := []byte("code")
	hash := swing.Sum(codeDomain, code)
	must(t, s.writeFile(s.in(codeDir, hash.String()), code))
	_, err = Open(Options{FS: mem})
	must(t, err)
	s, err = Open(Options{FS: mem.Crash(0, 0)})
	must(t, errors.Join(err, readable(s, id, c)))
	got, err := s.Code(hash)
	if err != nil || string(got) != "code" {
		t.Errorf("code %q, %v", got, err)
	}
}

// TestCrashWhileSalvaging: the header of a pack is damaged, so that every record
// in it has to be stored anew. A crash at each operation of that loses nothing.
func TestCrashWhileSalvaging(t *testing.T) {
	t.Parallel()
	sp := newSpecimen(t, 0)
	name := sp.files(t, packsDir, ".pack")[0]
	b := readFile(t, sp.mem, name)
	b[0] ^= 1
	replaceFile(t, sp.mem, name, b)
	for k := 1; ; k++ {
		mem := sp.copy()
		f := vfs.NewFaulty(mem)
		f.Arm(vfs.Fault{At: k, Crash: true})
		o := sp.o
		o.FS = f
		_, err := Open(o)
		fired := f.Fired()
		if err == nil && fired == "" {
			return
		}
		for seed, keep := range []int{0, 50, 50, 100} {
			o.FS = mem.Crash(uint64(seed), keep)
			s, err := Open(o)
			must(t, err)
			for id, c := range sp.heaps {
				if err := readable(s, id, c); err != nil {
					t.Fatalf("%s, %d %% kept: %v", fired, keep, err)
				}
			}
			must(t, verify(s))
		}
	}
}

// persist runs a history whose operations may fail and goes on after failures:
// a vat whose operation failed is given up. It returns what broke a promise.
func (w *twin) persist(steps int) error {
	for range steps {
		err := w.step()
		if err == nil {
			continue
		}
		if !errors.Is(err, errDisk) {
			return err
		}
		for _, v := range w.vats {
			v.img.Release()
		}
		w.vats = nil
	}
	return nil
}

var errDisk = fmt.Errorf("planned: %w", syscall.EIO)

// errorStride and readErrorStride leave out operations, since every k takes a
// minute. With both at 1 the test has been run.
const errorStride, readErrorStride = 2, 9

// TestErrorAtEveryOperation: the k-th operation fails, once or from then on,
// writing nothing or a half, changing or reading. No call panics or lies: what
// returned without an error before or after is readable after a crash that loses
// all that was not synced.
func TestErrorAtEveryOperation(t *testing.T) {
	t.Parallel()
	kinds := []vfs.Fault{
		{Err: errDisk}, {Err: errDisk, Sticky: true}, {Err: errDisk, Short: true},
		{Err: errDisk, Reads: true}, {Err: errDisk, Reads: true, Sticky: true},
	}
	for i, fault := range kinds {
		t.Run(fmt.Sprintf("kind=%d", i), func(t *testing.T) {
			t.Parallel()
			points, stride := 0, errorStride
			if fault.Reads || testing.Short() {
				stride = readErrorStride
			}
			for k := 1; ; k += stride {
				fault.At = k
				fired, err := errorPoint(20+uint64(i), fault)
				repeat(t, uint64(k), err)
				if !fired {
					break
				}
				points++
			}
			t.Logf("%d failures", points)
		})
	}
}

func errorPoint(seed uint64, fault vfs.Fault) (fired bool, err error) {
	mem := vfs.NewMem()
	f := vfs.NewFaulty(mem)
	f.Arm(fault)
	w, err := newTwin(seed, smallOptions(f))
	if err == nil {
		err = w.persist(60)
		_ = w.s.Close() // may fail, must not panic
	} else if errors.Is(err, errDisk) {
		err = nil
	}
	fired = f.Fired() != ""
	if err == nil && fired {
		err = survivors(w, mem.Crash(seed, 0))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Fired(), err)
	}
	return fired, err
}

// TestStoreTakesNothingAfterAFailedWrite: once a pack could not be written or
// synced, commits, syncs, code and collections are refused with that error, and
// reading goes on.
func TestStoreTakesNothingAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	f := vfs.NewFaulty(vfs.NewMem())
	w, err := newTwin(1, smallOptions(f))
	must(t, err)
	must(t, w.genesis())
	must(t, w.sync())
	must(t, w.genesis())
	f.Arm(vfs.Fault{At: f.Operations() + 1, Err: errDisk})
	for i, call := range []func() error{w.sync, w.sync, w.genesis, w.collect, w.putCode} {
		if err := call(); !errors.Is(err, errDisk) {
			t.Errorf("call %d after the failure: %v", i, err)
		}
	}
	if _, err := w.s.Commit(w.vats[0].img); !errors.Is(err, errDisk) {
		t.Errorf("commit after the failure: %v", err)
	}
	for id := range w.safe {
		must(t, readable(w.s, id, w.known[id]))
	}
	if err := w.s.Verify(func(Fault) {}); !errors.Is(err, errDisk) {
		t.Errorf("verify after the failure: %v", err)
	}
	must(t, w.s.Close())
}

// leaky is a file system that leaves out some syncs: a planted fault.
type leaky struct {
	vfs.FS
	suffix string // of files whose Sync does nothing
	dirs   bool   // SyncDir does nothing
}

func (l leaky) SyncDir(dir string) error {
	if l.dirs && strings.HasSuffix(dir, l.suffix) {
		return nil
	}
	return l.FS.SyncDir(dir)
}

func (l leaky) Create(name string) (vfs.File, error) {
	f, err := l.FS.Create(name)
	if err == nil && !l.dirs && strings.HasSuffix(name, l.suffix) {
		return leakyFile{f}, nil
	}
	return f, err
}

type leakyFile struct{ vfs.File }

func (leakyFile) Sync() error { return nil }

// TestCrashHarnessCatchesSkippedSyncs: the harness above is shown stores that
// leave out one kind of sync each, and must object to every one.
func TestCrashHarnessCatchesSkippedSyncs(t *testing.T) {
	t.Parallel()
	for _, l := range []leaky{
		{suffix: ".pack"}, {suffix: ".tmp"},
		{suffix: packsDir, dirs: true}, {suffix: codeDir, dirs: true},
	} {
		caught := error(nil)
		for seed := uint64(0); seed < 20 && caught == nil; seed++ {
			h := history{seed: seed, steps: 60}
			h.wrap = func(fs vfs.FS) vfs.FS { l.FS = fs; return l }
			_, caught = h.crashEverywhere()
		}
		if caught == nil {
			t.Errorf("%q, directories %v: not caught", l.suffix, l.dirs)
			continue
		}
		t.Logf("%q: caught: %v", l.suffix, caught)
	}
}
