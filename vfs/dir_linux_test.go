package vfs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"vatwarehouse/vfs"
)

// TestPipesAreRefused: opening one would wait forever.
func TestPipesAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	_, err := d.Open("pipe")
	mustBe(t, err, vfs.ErrNotPlain)
	_, err = d.Lock("pipe")
	mustBe(t, err, vfs.ErrNotPlain)
}

// TestPreallocateSetsBlocksAside: not only the length.
func TestPreallocateSetsBlocksAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDir(t, dir)
	file := create(t, d, "a", "hello")
	const size = 1 << 20
	must(t, file.Preallocate(size))
	info, err := os.Stat(filepath.Join(dir, "a"))
	must(t, err)
	blocks := info.Sys().(*syscall.Stat_t).Blocks * 512
	if info.Size() != size || blocks < size {
		t.Errorf("%d bytes long, %d set aside", info.Size(), blocks)
	}
}
