package crash

import (
	"errors"
	"testing"

	"vatwarehouse/test/trial"
	"vatwarehouse/vfs"
)

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
	p, err := trial.NewPlay(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, planted := range map[string]skipper{
		"Sync": {sync: true}, "SyncDir": {syncDir: true},
	} {
		err := trial.Each(p.Operations, func(i int) error {
			mem := vfs.NewMem()
			files := vfs.NewFaulty(mem)
			files.Arm(vfs.Fault{At: i + 1, Crash: true})
			planted := planted
			planted.FS = files
			before, err := p.Attempt(planted, "")
			if !errors.Is(err, vfs.ErrCrashed) {
				return nil
			}
			return p.Judge(before, true, mem.Crash(uint64(i), 0), "")
		})
		if err == nil {
			t.Errorf("nobody missed %s", name)
		} else {
			t.Logf("without %s: %v", name, err)
		}
	}
}
