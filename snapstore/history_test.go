package snapstore

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"vatwarehouse/vfs"
)

// TestStoreEqualsTwin: any history of births, deliveries, commits, collections,
// restarts and crashes leaves exactly what the twin holds: whole memories by ID.
func TestStoreEqualsTwin(t *testing.T) {
	t.Parallel()
	seeds, steps := uint64(150), 120
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			mem := vfs.NewMem()
			w, err := newTwin(seed, smallOptions(mem))
			repeat(t, seed, err)
			for range steps {
				if w.IntN(25) == 0 {
					mem, err = w.restart(mem)
				} else {
					err = w.step()
				}
				repeat(t, seed, err)
			}
			repeat(t, seed, w.check())
			repeat(t, seed, verify(w.s))
		})
	}
}

// restart closes or crashes the store and opens it again.
func (w *twin) restart(mem *vfs.Mem) (*vfs.Mem, error) {
	kept := maps.Clone(w.safe)
	if w.IntN(2) == 0 {
		if err := w.s.Close(); err != nil {
			return nil, err
		}
		for id := range w.known {
			kept[id] = true
		}
	}
	mem = mem.Crash(w.Uint64(), []int{0, 50, 100}[w.IntN(3)])
	if err := w.reopen(mem, kept); err != nil {
		return nil, err
	}
	return mem, w.check()
}

// TestStoreEqualsTwinOnDisk: the same, on a directory of the machine, closing
// instead of crashing. Now and then the store is left as a killed process would.
func TestStoreEqualsTwinOnDisk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			dir, err := vfs.Open(t.TempDir())
			repeat(t, seed, err)
			w, err := newTwin(1000+seed, smallOptions(dir))
			repeat(t, seed, err)
			for range 100 {
				if w.IntN(25) == 0 {
					kept := w.safe
					if w.IntN(2) == 0 {
						err = w.sync()
						must(t, w.s.Close())
					}
					err = errors.Join(err, w.reopen(dir, kept), w.check())
				} else {
					err = w.step()
				}
				repeat(t, seed, err)
			}
			repeat(t, seed, w.check())
			repeat(t, seed, verify(w.s))
			must(t, w.s.Close())
			must(t, dir.Close())
		})
	}
}
