// Package power cuts the power under a real file system: plays run in a directory on
// ext4, on a loop device, on a disk that this process serves, and that remembers what it
// was told to write, and when to flush. What such a disk may hold after a cut at any
// moment is mounted, and judged as after any crash.
//
// It is a module of its own, so that nothing else depends on FUSE. It needs root.
package power

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
)

// missing says what this machine lacks, or "".
func missing() string {
	if os.Getuid() != 0 {
		return "this is not root"
	}
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		f, err := os.OpenFile(device, os.O_RDWR, 0)
		if err != nil {
			return err.Error()
		}
		f.Close()
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		return err.Error()
	}
	return ""
}

// recording is a play on a disk: what the disk was told, and what the play was
// acknowledged after how many events of that.
type recording struct {
	play  *trial.Play
	disk  *disk
	empty []byte
	acks  []ack
	// The play began after so many events and ended after so many: how the file system
	// survives being mounted is not its concern.
	start, end int
}

type ack struct {
	events int
	block  host.Block
}

// record plays the play of a seed on a disk.
func record(t *testing.T, seed uint64, noSync bool) *recording {
	t.Helper()
	dir := t.TempDir()
	p, err := trial.NewPlay(seed)
	if err != nil {
		t.Fatal(err)
	}
	p.Options.NoSync = noSync
	r := &recording{play: p}
	if r.empty, err = newDisk(dir); err != nil {
		t.Fatal(err)
	}
	r.disk, err = recorded(dir, r.empty, func(d *disk, under string) error {
		r.start = d.told()
		_, err := p.AttemptTold(nil, filepath.Join(under, "state"), func(b host.Block) {
			r.acks = append(r.acks, ack{d.told(), b})
		})
		r.end = d.told()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	flushes := 0
	for _, e := range r.disk.events[r.start:r.end] {
		if e.data == nil {
			flushes++
		}
	}
	t.Logf("play %d: %d blocks, %d events, %d of them flushes", seed, len(r.acks),
		r.end-r.start, flushes)
	return r
}

// before returns what was acknowledged when the disk had been told so much.
func (r *recording) before(events int) (h trial.History) {
	for _, a := range r.acks {
		if a.events <= events {
			h.Blocks = append(h.Blocks, a.block.Activityhash)
			h.Cranks += a.block.Cranks
		}
	}
	return h
}

// try cuts the power n times, and returns the first error.
func (r *recording) try(dir string, rng *rand.Rand, n int) error {
	image, under := filepath.Join(dir, "image"), filepath.Join(dir, "after")
	if err := os.MkdirAll(under, 0o700); err != nil {
		return err
	}
	moments := make([]int, n)
	for i := range moments {
		moments[i] = r.start + rng.IntN(r.end-r.start+1)
	}
	slices.Sort(moments)
	c := cut{flushed: slices.Clone(r.empty), events: r.disk.events}
	for _, at := range moments {
		if err := os.WriteFile(image, c.at(at, rng), 0o600); err != nil {
			return err
		}
		err := mounted(image, under, func() error {
			return r.play.Judge(r.before(at), true, nil, filepath.Join(under, "state"))
		})
		if err != nil {
			return fmt.Errorf("cut after event %d of %d: %w", at, len(r.disk.events), err)
		}
	}
	return nil
}

// cutsPerPlay is how often the power is cut in one play.
const cutsPerPlay = 100

// TestPowerCuts: whenever the power is cut, what is left is the state after some block,
// no older than the last one that was acknowledged.
func TestPowerCuts(t *testing.T) {
	run := faults.Begin(t, "F2")
	if why := missing(); why != "" {
		run.Skip(why)
	}
	for seed := run.Seed; run.Left() > 0; seed++ {
		n := min(cutsPerPlay, run.Left())
		r := record(t, seed, false)
		if err := r.try(t.TempDir(), rand.New(rand.NewPCG(seed, 2)), n); err != nil {
			t.Fatalf("play %d: %v", seed, err)
		}
		run.Add(n)
	}
}

// TestMissingSyncsAreSeen: a play that never syncs loses what was acknowledged.
func TestMissingSyncsAreSeen(t *testing.T) {
	if why := missing(); why != "" {
		t.Skip(why)
	}
	r := record(t, 1, true)
	err := r.try(t.TempDir(), rand.New(rand.NewPCG(1, 2)), cutsPerPlay)
	if err == nil {
		t.Fatal("nobody misses the syncs")
	}
	t.Log(err)
}
