package streamstore_test

import (
	"testing"

	"vatwarehouse/vfs"
)

// careless is a file system that leaves out what it is told to: a log on it
// behaves as one that had forgotten the call.
type careless struct {
	vfs.FS
	noSync, noSyncDir bool
}

func (f careless) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	return carelessFile{file, f}, err
}

func (f careless) Open(name string) (vfs.File, error) {
	file, err := f.FS.Open(name)
	return carelessFile{file, f}, err
}

func (f careless) SyncDir(dir string) error {
	if f.noSyncDir {
		return nil
	}
	return f.FS.SyncDir(dir)
}

type carelessFile struct {
	vfs.File
	fs careless
}

func (f carelessFile) Sync() error {
	if f.fs.noSync {
		return nil
	}
	return f.File.Sync()
}

// TestHarnessCatchesPlantedFaults: the crash test fails for a log that leaves
// out a sync of a file, or of the directory; and it counts a file system that
// does nothing wrong as good.
func TestHarnessCatchesPlantedFaults(t *testing.T) {
	t.Parallel()
	plant := func(c careless) error {
		plan := crashPlan{steps: 80, draws: 3, wrap: func(f vfs.FS) vfs.FS {
			c.FS = f
			return c
		}}
		for plan.seed = range uint64(4) {
			if _, err := plan.everywhere(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := plant(careless{}); err != nil {
		t.Errorf("nothing planted: %v", err)
	}
	for what, c := range map[string]careless{
		"no Sync":    {noSync: true},
		"no SyncDir": {noSyncDir: true},
	} {
		err := plant(c)
		if err == nil {
			t.Errorf("%s: not caught", what)
		}
		t.Logf("%s: %v", what, err)
	}
}
