package power

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	diskBytes   = 32 << 20
	sectorBytes = 512
)

// event is what a disk was told: to write, or, without data, to flush.
type event struct {
	at   int64
	data []byte
}

// disk is a file, served by this process, that remembers all it was told, in order.
type disk struct {
	fs.Inode

	mu     sync.Mutex
	now    []byte
	events []event
}

var (
	_ fs.NodeGetattrer = (*disk)(nil)
	_ fs.NodeOpener    = (*disk)(nil)
	_ fs.NodeReader    = (*disk)(nil)
	_ fs.NodeWriter    = (*disk)(nil)
	_ fs.NodeFsyncer   = (*disk)(nil)
)

// Getattr implements fs.NodeGetattrer.
func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = syscall.S_IFREG|0o600, diskBytes
	return 0
}

// Open implements fs.NodeOpener. Nothing is cached: what is written arrives at once.
func (d *disk) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Read implements fs.NodeReader.
func (d *disk) Read(
	_ context.Context, _ fs.FileHandle, dest []byte, at int64,
) (fuse.ReadResult, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fuse.ReadResultData(dest[:copy(dest, d.now[at:])]), 0
}

// Write implements fs.NodeWriter.
func (d *disk) Write(
	_ context.Context, _ fs.FileHandle, data []byte, at int64,
) (uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := copy(d.now[at:], data)
	d.events = append(d.events, event{at, slices.Clone(data[:n])})
	return uint32(n), 0
}

// Fsync implements fs.NodeFsyncer.
func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, event{})
	return 0
}

// told returns how many events there were.
func (d *disk) told() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events)
}

// newDisk returns the content of a disk with an empty file system.
func newDisk(dir string) ([]byte, error) {
	name := filepath.Join(dir, "empty")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(name, diskBytes); err != nil {
		return nil, err
	}
	if err := command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", name); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// mounted runs a function while the file system on a disk is mounted.
func mounted(image, dir string, f func() error) (err error) {
	if err := command("mount", "-t", "ext4", "-o", "loop", image, dir); err != nil {
		return err
	}
	defer func() {
		if failed := command("umount", dir); err == nil {
			err = failed
		}
	}()
	return f()
}

// recorded runs a function in a directory that is on a disk, and returns what the disk
// was told meanwhile.
func recorded(dir string, empty []byte, f func(d *disk, dir string) error) (d *disk, err error) {
	served, under := filepath.Join(dir, "served"), filepath.Join(dir, "under")
	for _, name := range []string{served, under} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			return nil, err
		}
	}
	d = &disk{now: slices.Clone(empty)}
	root := &fs.Inode{}
	server, err := fs.Mount(served, root, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "disk"},
		OnAdd: func(ctx context.Context) {
			root.AddChild("disk", root.NewPersistentInode(ctx, d, fs.StableAttr{}), false)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("serve a disk: %w", err)
	}
	defer func() {
		if failed := server.Unmount(); err == nil {
			err = failed
		}
	}()
	return d, mounted(filepath.Join(served, "disk"), under, func() error { return f(d, under) })
}

// command runs one of the system's programs.
func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}

// cut is a disk at a moment: what was flushed is there, and of what was written since
// then, some sectors are.
type cut struct {
	flushed []byte
	events  []event
	done    int // events that are in flushed
}

// at returns the disk as it is when the power is cut after n events, which are no fewer
// than at the last call.
func (c *cut) at(n int, rng *rand.Rand) []byte {
	for i := n - 1; i >= c.done; i-- {
		if c.events[i].data == nil {
			for _, e := range c.events[c.done:i] {
				copy(c.flushed[e.at:], e.data)
			}
			c.done = i + 1
		}
	}
	left := slices.Clone(c.flushed)
	keep := []int{0, 20, 50, 80, 100}[rng.IntN(5)]
	whole := rng.IntN(2) == 0 // writes, not sectors, are kept or lost
	for _, e := range c.events[c.done:n] {
		kept := rng.IntN(100) < keep
		for off := 0; off < len(e.data); off += sectorBytes {
			if !whole {
				kept = rng.IntN(100) < keep
			}
			if kept {
				copy(left[e.at+int64(off):], e.data[off:min(off+sectorBytes, len(e.data))])
			}
		}
	}
	return left
}
