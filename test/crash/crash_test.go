// Package crash stops whole runs after every file operation, fails every file
// operation, and looks at what is left: always the state after some whole block,
// no older than the last one that was acknowledged, from which the run goes on to
// the very end it would have had.
package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// short is a scenario of a few blocks: long enough for snapshots, checkpoints of
// the table, new segments of the log, archives and evictions.
const short = `about: short
seed: short
vats:
  - {name: player, program: pingpong, count: 3}
  - {name: counter, program: counter}
  - {name: glutton, program: glutton, args: [65536, 256, 2, 1, 0, 1, 20]}
setup:
  - {to: player, method: peer, args: [{ref: player.$i+1}]}
workload:
  - {to: player, method: ping, args: [2], pattern: random, burst: 1}
  - {to: [counter, glutton], method: touch, pattern: random, burst: 1}
length: {deliveries: 60}
audit:
  ask:
    - {to: counter, method: read, answers: [count]}
`

// options make every kind of file operation happen in a short run, in the same
// order every time.
func options(files vfs.FS) host.Options {
	return host.Options{
		FS: files, Inline: true, Interpreter: true, MaxVats: 2, BlockCranks: 25,
		Snapshots:    warehouse.Policy{Initial: 2, Interval: 8},
		SegmentBytes: 6 << 10, CheckpointBytes: 6 << 10,
	}
}

// history is what a run told its observer.
type history struct {
	blocks  []swing.Hash  // the activityhash after each block made durable
	cranks  uint64        // in them
	outputs []host.Output // released
	faults  error         // told, and dealt with
}

// attempt runs the scenario until it ends or something fails. It returns the
// blocks that were acknowledged.
func attempt(files vfs.FS, s *sim.Scenario) (h history, err error) {
	ctx := context.Background()
	o := options(files)
	o.Seed = s.Seed
	o.Observer.Block = func(b host.Block) {
		h.blocks = append(h.blocks, b.Activityhash)
		h.cranks += b.Cranks
	}
	o.Observer.Output = func(o host.Output) { h.outputs = append(h.outputs, o) }
	o.Observer.Fault = func(err error) { h.faults = errors.Join(h.faults, err) }
	opened, err := host.Open(ctx, "", &o)
	if err != nil {
		return h, err
	}
	_, err = sim.Run(ctx, opened, s, sim.RunOptions{})
	return h, errors.Join(err, opened.Close(ctx))
}

// play is one script, and how it goes when nothing fails.
type play struct {
	scenario   *sim.Scenario
	whole      history
	want       trial.Trace
	operations int
}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{scenario: trial.Parse(t, short)}
	files := vfs.NewFaulty(vfs.NewMem())
	var err error
	if p.whole, err = attempt(files, p.scenario); err != nil {
		t.Fatal(err)
	}
	p.operations = files.Operations()
	if p.want, err = trial.Run(context.Background(), "", options(files), p.scenario); err != nil {
		t.Fatal(err)
	}
	return p
}

// judge looks at what a failed attempt has left: the state must not be before the
// last block that was acknowledged, and the run must go on to the same end. After a
// crash it must be that after a block of the whole run; an error ends a block
// early.
func (p *play) judge(before history, crashed bool, files vfs.FS) error {
	ctx := context.Background()
	o := options(files)
	o.Seed = p.scenario.Seed
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	stats, err := h.Stats()
	if err == nil {
		err = p.placed(before, crashed, stats)
	}
	if err == nil {
		_, err = h.Check(ctx, func(f host.Fault) { err = errors.Join(err, errors.New(f.String())) })
	}
	if err = errors.Join(err, h.Close(ctx)); err != nil {
		return err
	}
	got, err := trial.Run(ctx, "", o, p.scenario)
	if err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	if d := p.want.Diff(got); d != "" {
		return fmt.Errorf("went on to another end: %s", d)
	}
	return nil
}

// placed finds a state's place in the whole run. Blocks that change nothing that
// is hashed leave the activityhash as it was.
func (p *play) placed(before history, crashed bool, s host.Stats) error {
	acknowledged := len(before.blocks)
	if crashed && acknowledged > 0 {
		after := 0
		for i, hash := range p.whole.blocks {
			if hash == s.Activityhash {
				after = i + 1
			}
		}
		if after < acknowledged {
			return fmt.Errorf("activityhash %v is after block %d, %d were acknowledged",
				s.Activityhash, after, acknowledged)
		}
	}
	if s.Kernel.Cranks < before.cranks {
		return fmt.Errorf("%d cranks, %d were acknowledged", s.Kernel.Cranks, before.cranks)
	}
	for i, o := range before.outputs {
		if i >= len(p.whole.outputs) || fmt.Sprint(o) != fmt.Sprint(p.whole.outputs[i]) {
			return fmt.Errorf("output %d was released as %v", i, o)
		}
	}
	return nil
}

// each runs a function for every index, on all processors, until one fails.
func each(n int, f func(i int) error) (err error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	var once sync.Once
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				if failed := f(i); failed != nil {
					once.Do(func() { err = failed })
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	return err
}

// TestCrashAfterEveryOperation: the run is stopped after its k-th file operation,
// for every k, and of what was not synced nothing, some or everything is left.
func TestCrashAfterEveryOperation(t *testing.T) {
	p := newPlay(t)
	t.Logf("%d operations, %d blocks", p.operations, len(p.whole.blocks))
	step := 1
	if testing.Short() {
		step = 9
	}
	err := each(p.operations/step, func(i int) error {
		k := i*step + 1
		mem := vfs.NewMem()
		files := vfs.NewFaulty(mem)
		files.Arm(vfs.Fault{At: k, Crash: true})
		before, err := attempt(files, p.scenario)
		if !errors.Is(err, vfs.ErrCrashed) {
			return fmt.Errorf("operation %d: the run ended with %w", k, err)
		}
		for _, keep := range []int{0, 50, 100} {
			if err := p.judge(before, true, mem.Crash(uint64(k), keep)); err != nil {
				return fmt.Errorf("crash after operation %d (%s), %d %% of unsynced data kept: %w",
					k, files.Fired(), keep, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCrashInRecovery: after a crash, opening crashes too, after each of its own
// operations.
func TestCrashInRecovery(t *testing.T) {
	p := newPlay(t)
	rng := rand.New(rand.NewPCG(3, 3))
	points := make([]int, 12)
	for i := range points {
		points[i] = 1 + rng.IntN(p.operations)
	}
	nested := atomic.Int64{}
	err := each(len(points), func(i int) error {
		mem := vfs.NewMem()
		files := vfs.NewFaulty(mem)
		files.Arm(vfs.Fault{At: points[i], Crash: true})
		before, err := attempt(files, p.scenario)
		if !errors.Is(err, vfs.ErrCrashed) {
			return err
		}
		left := mem.Crash(uint64(i), 50)
		for k := 1; ; k++ {
			again := vfs.NewFaulty(left.Crash(0, 100))
			mem := again
			again.Arm(vfs.Fault{At: k, Crash: true})
			opened, err := attempt(mem, p.scenario)
			if len(opened.blocks) > 0 || err == nil {
				return nil // past recovery
			}
			nested.Add(1)
			inner := left.Crash(0, 100)
			second := vfs.NewFaulty(inner)
			second.Arm(vfs.Fault{At: k, Crash: true})
			if _, err := attempt(second, p.scenario); !errors.Is(err, vfs.ErrCrashed) {
				return err
			}
			if err := p.judge(before, true, inner.Crash(uint64(k), 50)); err != nil {
				return fmt.Errorf("crash after operation %d, and in recovery after %d: %w",
					points[i], k, err)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	if nested.Load() < 50 {
		t.Errorf("only %d crashes in recovery", nested.Load())
	}
}

// TestEveryOperationFails: the k-th file operation fails, for every k, once or
// from then on, with each error a disk has. Nothing panics, nothing is retried,
// and the directory goes on once the disk is well.
func TestEveryOperationFails(t *testing.T) {
	p := newPlay(t)
	step := 1
	if testing.Short() {
		step = 9
	}
	faults := []vfs.Fault{
		{Err: syscall.EIO}, {Err: syscall.ENOSPC, Sticky: true},
		{Err: syscall.ENOSPC, Short: true}, {Err: io.ErrShortWrite, Short: true, Sticky: true},
	}
	err := each(p.operations/step*len(faults), func(i int) error {
		fault := faults[i%len(faults)]
		fault.At = i/len(faults)*step + 1
		mem := vfs.NewMem()
		files := vfs.NewFaulty(mem)
		files.Arm(fault)
		before, err := attempt(files, p.scenario)
		if err == nil && !errors.Is(before.faults, fault.Err) && !passable(files.Fired()) {
			return fmt.Errorf("%+v (%s): nobody noticed", fault, files.Fired())
		}
		if err != nil && !errors.Is(err, fault.Err) {
			return fmt.Errorf("%+v (%s): the run ended with %w", fault, files.Fired(), err)
		}
		if err := p.judge(before, false, mem.Crash(0, 100)); err != nil {
			return fmt.Errorf("%+v (%s): %w", fault, files.Fired(), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// passable reports whether a run may do without an operation: the image of a vat
// is a cache, and removing a file that is of no more use can wait.
func passable(operation string) bool {
	return strings.HasPrefix(operation, "remove ") || strings.Contains(operation, "/images/")
}

// skipper leaves out some operations: a planted fault.
type skipper struct {
	vfs.FS
	sync, syncDir bool
}

func (s skipper) Create(name string) (vfs.File, error) {
	f, err := s.FS.Create(name)
	return syncless{f, s.sync}, err
}

func (s skipper) Open(name string) (vfs.File, error) {
	f, err := s.FS.Open(name)
	return syncless{f, s.sync}, err
}

func (s skipper) SyncDir(dir string) error {
	if s.syncDir {
		return nil
	}
	return s.FS.SyncDir(dir)
}

type syncless struct {
	vfs.File
	skip bool
}

func (s syncless) Sync() error {
	if s.skip {
		return nil
	}
	return s.File.Sync()
}

// TestHarnessCatchesMissingSyncs: with every Sync left out, or every SyncDir, some
// crash is seen to lose what was acknowledged.
func TestHarnessCatchesMissingSyncs(t *testing.T) {
	p := newPlay(t)
	for name, planted := range map[string]skipper{
		"Sync": {sync: true}, "SyncDir": {syncDir: true},
	} {
		err := each(p.operations, func(i int) error {
			mem := vfs.NewMem()
			files := vfs.NewFaulty(mem)
			files.Arm(vfs.Fault{At: i + 1, Crash: true})
			planted := planted
			planted.FS = files
			before, err := attempt(planted, p.scenario)
			if !errors.Is(err, vfs.ErrCrashed) {
				return nil
			}
			return p.judge(before, true, mem.Crash(uint64(i), 0))
		})
		if err == nil {
			t.Errorf("nobody missed %s", name)
		} else {
			t.Logf("without %s: %v", name, err)
		}
	}
}
