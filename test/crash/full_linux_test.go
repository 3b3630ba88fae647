package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
	"vatwarehouse/worker"
)

// Sizes of disks, in KiB.
const (
	// A run needs between these, for its files alone.
	fullMin  = 30
	fullMost = 180
	// aside is what the log sets aside for later, if it is let.
	aside = 4 << 10
	// roomy is what a disk has once there is space again.
	roomy = 64 << 10
)

// mountTmpfs mounts a file system of so many KiB, or changes its size.
func mountTmpfs(dir string, kib int, flags uintptr) error {
	err := syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%dk", kib))
	if err != nil {
		return fmt.Errorf("mount %d KiB on %s: %w", kib, dir, err)
	}
	return nil
}

// TestDiskReallyFull: a run on a disk that is too small for it fails, says that there is
// no space, and goes on to its end once there is; the table is the real one.
func TestDiskReallyFull(t *testing.T) {
	run := faults.Begin(t, "F5")
	dir := t.TempDir()
	if err := mountTmpfs(dir, roomy, 0); err != nil {
		run.Skip(err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	under := 0 // way, when the disk was full
	for seed := run.Seed; run.Left() > 0; seed++ {
		state := filepath.Join(dir, "state")
		full, blocks, err := fillUp(state, dir, seed)
		if err = errors.Join(err, os.RemoveAll(state)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if full {
			run.Add(1)
		}
		if full && blocks > 0 {
			under++
		}
	}
	if under < run.Due/3 {
		t.Errorf("%d of %d disks were full when something had been made durable", under, run.Due)
	}
	t.Logf("%d were full when something had been made durable", under)
}

// fillUp plays the play of a seed on a disk of a size drawn by it, and goes on with more
// space. It reports whether the disk was full, and after how many blocks.
func fillUp(state, disk string, seed uint64) (full bool, blocks int, err error) {
	p, err := trial.NewPlay(seed)
	if err != nil {
		return false, 0, err
	}
	// To touch a page that was never written takes space of a tmpfs, where it is mapped,
	// and there is no error in that, but the end of the process.
	p.Options.Memory = worker.MemoryCopied
	rng := rand.New(rand.NewPCG(seed, 5))
	kib := fullMin + rng.IntN(fullMost-fullMin)
	var files vfs.FS // that set little aside; nil is the directory itself
	if rng.IntN(2) == 0 {
		kib += aside
	} else {
		dir, err := vfs.Open(state)
		if err != nil {
			return false, 0, err
		}
		defer dir.Close()
		files, state = dir, ""
	}
	if err := mountTmpfs(disk, kib, syscall.MS_REMOUNT); err != nil {
		return false, 0, err
	}
	before, err := p.Attempt(files, state)
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		return false, 0, fmt.Errorf("on %d KiB the run ended with %w", kib, err)
	}
	full = err != nil || errors.Is(before.Faults, syscall.ENOSPC)
	if err := mountTmpfs(disk, roomy, syscall.MS_REMOUNT); err != nil {
		return full, 0, err
	}
	if err := p.Judge(before, false, files, state); err != nil {
		return full, 0, fmt.Errorf("full at %d KiB: %w", kib, err)
	}
	return full, len(before.Blocks), nil
}
