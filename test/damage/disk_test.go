package damage_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"vatwarehouse/test/faults"
	"vatwarehouse/vfs"
)

// withoutSpare cuts what bbolt has set aside for later off its file. It is
// megabytes, which to copy and compare would take most of a trial's time.
func withoutSpare(b []byte) []byte {
	const (
		pageBytes = 4096
		pagesUsed = 56 // in a meta page: how many pages are in use
	)
	used := max(binary.NativeEndian.Uint64(b[pagesUsed:]),
		binary.NativeEndian.Uint64(b[pageBytes+pagesUsed:]))
	return b[:min(used*pageBytes, uint64(len(b)))]
}

// scratch is a directory that is gone when it is closed.
type scratch struct {
	*vfs.Dir
	path string
}

func (s scratch) Close() error { return errors.Join(s.Dir.Close(), os.RemoveAll(s.path)) }

// TestNoDamageOnDiskIsSilent: the same on a real disk, where the table is bbolt's,
// for what is done to that file.
func TestNoDamageOnDiskIsSilent(t *testing.T) {
	root := t.TempDir()
	files, err := vfs.Open(filepath.Join(root, "made"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	var copies atomic.Int64
	g := makeGolden(t, files, func() func() (vfs.FS, error) {
		then, err := treeOf(files)
		if err != nil {
			t.Fatal(err)
		}
		then["table"] = withoutSpare(then["table"])
		return func() (vfs.FS, error) {
			dir := filepath.Join(root, fmt.Sprint(copies.Add(1)))
			copied, err := vfs.Open(dir)
			if err != nil {
				return nil, err
			}
			return scratch{copied, dir}, then.write(copied, tree{})
		}
	})
	rng := rand.New(rand.NewPCG(faults.Seed(), 9))
	v := g.closed
	v.name = "disk"
	list := slices.DeleteFunc(g.planned(v, rng), func(d damage) bool { return d.file != "table" })
	list = some(list, rng)
	table := v
	table.all = tree{"table": v.all["table"]}
	for range faults.Scaled(200) {
		list = append(list, g.drawn(table, rng))
	}
	g.attack(t, v, list, g.judge)
}
