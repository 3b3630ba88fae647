package vfs_test

import (
	"errors"
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

// TestMap: the memory shows what is written after, and a file in memory has none.
func TestMap(t *testing.T) {
	t.Parallel()
	file := create(t, openDir(t, t.TempDir()), "a", "hello")
	b, err := vfs.Map(file, 5)
	must(t, err)
	put(t, file, 1, "u")
	if string(b) != "hullo" {
		t.Errorf("the memory is %q", b)
	}
	must(t, vfs.Unmap(b))
	_, err = vfs.Map(create(t, vfs.NewMem(), "a", "hello"), 5)
	mustBe(t, err, errors.ErrUnsupported)
}
