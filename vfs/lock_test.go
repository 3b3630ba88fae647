package vfs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

// childDir names the environment variable that makes this test binary a child
// process which tries for the lock in that directory.
const childDir = "VFS_TEST_LOCK_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	d, err := vfs.Open(dir)
	if err == nil {
		_, err = d.Lock("lock")
	}
	switch {
	case errors.Is(err, vfs.ErrInUse):
		fmt.Println("in use")
	case err != nil:
		fmt.Println("failed:", err)
	default:
		fmt.Println("locked") // and the process ends without giving it up
	}
}

// TestLockAcrossProcesses: another process cannot have it meanwhile, can have it
// afterwards, and one that dies with it does not keep it.
func TestLockAcrossProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := func() string {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.CombinedOutput()
		must(t, err)
		return strings.TrimSpace(string(out))
	}
	d := openDir(t, dir)
	l, err := d.Lock("lock")
	must(t, err)
	if got := child(); got != "in use" {
		t.Errorf("while it is locked: %s", got)
	}
	must(t, l.Close())
	for range 2 {
		if got := child(); got != "locked" {
			t.Errorf("after it was given up: %s", got)
		}
	}
	l, err = d.Lock("lock")
	must(t, err)
	must(t, l.Close())
}
