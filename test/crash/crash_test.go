// Package crash stops whole runs after every file operation, fails every file
// operation, fills the disk, and looks at what is left: always the state after some
// whole block, no older than the last one that was acknowledged, from which the run
// goes on to the very end it would have had.
package crash

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"

	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
)

// plays runs a function for each play from the run's seed on, until enough is tried
// or something fails. Of each play it names the trials with the numbers below n.
func plays(
	t *testing.T, run *faults.Run, n func(p *trial.Play) int,
	try func(p *trial.Play, i int) error,
) {
	t.Helper()
	for seed := run.Seed; run.Left() > 0 && !t.Failed(); seed++ {
		p, err := trial.NewPlay(seed)
		if err != nil {
			t.Fatal(err)
		}
		all, due := n(p), run.Left()
		// A play that is tried in part is tried in all its parts.
		order := rand.New(rand.NewPCG(seed, 1)).Perm(all)
		err = trial.Each(min(all, due), func(i int) error {
			if run.Left() == 0 {
				return nil
			}
			return try(p, order[i])
		})
		if err != nil {
			t.Errorf("play %d: %v", seed, err)
		}
	}
}

// crashed runs a play until its k-th file operation and returns what it was told,
// and the files.
func crashed(p *trial.Play, k int) (before trial.History, mem *vfs.Mem, at string, err error) {
	mem = vfs.NewMem()
	files := vfs.NewFaulty(mem)
	files.Arm(vfs.Fault{At: k, Crash: true})
	before, err = p.Attempt(files, "")
	if !errors.Is(err, vfs.ErrCrashed) {
		return before, mem, "", fmt.Errorf("operation %d: the run ended with %w", k, err)
	}
	return before, mem, files.Fired(), nil
}

// keeps are how much of what was not synced a crash leaves, in percent.
var keeps = []int{0, 50, 100}

// TestCrashAfterEveryOperation: plays are stopped after their k-th file operation,
// for every k, and of what was not synced nothing, some or everything is left.
func TestCrashAfterEveryOperation(t *testing.T) {
	run := faults.Begin(t, "F1")
	var reached sync.Map
	plays(t, run, func(p *trial.Play) int { return p.Operations }, func(p *trial.Play, i int) error {
		before, mem, at, err := crashed(p, i+1)
		if err != nil {
			return err
		}
		reached.Store(kindOf(at), true)
		for _, keep := range keeps {
			run.Add(1)
			if err := p.Judge(before, true, mem.Crash(run.Seed+uint64(i), keep), ""); err != nil {
				return fmt.Errorf("crash after %s, %d %% of unsynced data kept: %w", at, keep, err)
			}
		}
		return nil
	})
	for _, kind := range operations {
		if _, ok := reached.Load(kind); !ok && run.Due > 600 {
			t.Errorf("never reached: %s", kind)
		}
	}
}

// operations are the kinds of file operations that a few plays make.
var operations = []string{
	"create .new", "create .tmp", "create .image", "create .pack", "create .segment", "mkdir ",
	"preallocate .segment", "remove .new", "remove .image", "remove .segment", "rename .new",
	"rename .tmp", "sync ", "sync .new", "sync .tmp", "sync .pack", "sync .segment",
	"truncate .image", "truncate .segment", "write .new", "write .tmp", "write .image",
	"write .pack", "write .segment",
}

// kindOf returns what an operation does, and to what kind of file.
func kindOf(fired string) string {
	words := strings.Fields(fired) // "operation 7, write log/00000001.segment"
	return words[2] + " " + path.Ext(words[3])
}

// TestCrashInRecovery: after a crash, opening crashes too, or fails, after each of
// its own operations.
func TestCrashInRecovery(t *testing.T) {
	run := faults.Begin(t, "F8")
	plays(t, run, func(p *trial.Play) int { return p.Operations }, func(p *trial.Play, i int) error {
		before, mem, at, err := crashed(p, i+1)
		if err != nil {
			return err
		}
		left := mem.Crash(run.Seed+uint64(i), 50)
		for k := 1; run.Left() > 0; k++ {
			fault := vfs.Fault{At: k, Crash: true}
			if (i+k)%4 == 0 {
				fault = vfs.Fault{At: k, Err: syscall.EIO, Sticky: k%8 == 0}
			}
			inner := left.Crash(0, 100)
			files := vfs.NewFaulty(inner)
			files.Arm(fault)
			opened, err := p.Attempt(files, "")
			if len(opened.Blocks) > 0 || err == nil {
				return nil // past recovery
			}
			run.Add(1)
			if err := p.Judge(before, true, inner.Crash(uint64(k), 50), ""); err != nil {
				return fmt.Errorf("crash after %s, then in recovery %+v (%s): %w",
					at, fault, files.Fired(), err)
			}
		}
		return nil
	})
}

// diskErrors are the errors a disk has.
var diskErrors = []vfs.Fault{
	{Err: syscall.EIO}, {Err: syscall.ENOSPC, Sticky: true},
	{Err: syscall.ENOSPC, Short: true}, {Err: io.ErrShortWrite, Short: true, Sticky: true},
}

// TestEveryOperationFails: the k-th file operation fails, for every k, once or
// from then on, with each error a disk has. Nothing panics, nothing is retried,
// and the directory goes on once the disk is well.
func TestEveryOperationFails(t *testing.T) {
	run := faults.Begin(t, "F4")
	all := func(p *trial.Play) int { return p.Operations * len(diskErrors) }
	plays(t, run, all, func(p *trial.Play, i int) error {
		fault := diskErrors[i%len(diskErrors)]
		fault.At = i/len(diskErrors) + 1
		mem := vfs.NewMem()
		files := vfs.NewFaulty(mem)
		files.Arm(fault)
		before, err := p.Attempt(files, "")
		if err == nil && !errors.Is(before.Faults, fault.Err) && !passable(files.Fired()) {
			return fmt.Errorf("%+v (%s): nobody noticed", fault, files.Fired())
		}
		if err != nil && !errors.Is(err, fault.Err) {
			return fmt.Errorf("%+v (%s): the run ended with %w", fault, files.Fired(), err)
		}
		run.Add(1)
		if err := p.Judge(before, false, mem.Crash(0, 100), ""); err != nil {
			return fmt.Errorf("%+v (%s): %w", fault, files.Fired(), err)
		}
		return nil
	})
}

// passable reports whether a run may do without an operation: the image of a vat
// is a cache, and removing a file that is of no more use can wait.
func passable(operation string) bool {
	return strings.HasPrefix(operation, "remove ") || strings.Contains(operation, "/images/")
}

// TestMain lets garbage pile up: runs are small, and collecting it often costs more
// than they do.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}
