package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// made is a directory of the latest schema in which a counter has counted to 5.
func made(t *testing.T) (files *vfs.Mem, root swing.KRef) {
	t.Helper()
	files = vfs.NewMem()
	h := open(t, files, host.Options{Inline: true})
	_, root = vat(t, h, "counter", "c")
	for range 5 {
		ask(t, h, root, "incr", 1)
	}
	closeHost(t, h)
	return files, root
}

// next is the schema after the latest.
const next = kernel.SchemaVersion + 1

// ways are a made-up migration: the block time moves, which every vat can see.
var ways = map[uint64]func(b kernel.Buffer) error{kernel.SchemaVersion: func(b kernel.Buffer) error {
	b.Set("time", swing.AppendUint(nil, 1<<61))
	return nil
}}

// TestMigration: a directory of an older schema is brought to this one when it is
// opened, in one block and the same way every time, after a crash too; what was in
// it goes on.
func TestMigration(t *testing.T) {
	t.Parallel()
	files, root := made(t)
	old := open(t, files, host.Options{})
	before := activityhash(t, old)
	closeHost(t, old)
	var hashes []swing.Hash
	for _, crashed := range []bool{true, false} {
		left := files.Crash(0, 100)
		o := host.WithSchema(host.Options{Inline: true}, next, ways)
		o.FS = left
		h, err := host.Open(ctx, "", &o)
		if err != nil {
			t.Fatal(err)
		}
		if crashed { // nothing was committed: it is of the older schema still
			closeHost(t, open(t, left.Crash(0, 0), host.Options{Existing: true}))
		}
		hashes = append(hashes, activityhash(t, h))
		stats, err := h.Stats()
		if err != nil || stats.Kernel.Time != 1<<61 {
			t.Errorf("block time %d, %v", stats.Kernel.Time, err)
		}
		if got := ask(t, h, root, "incr", 1); got != 6 {
			t.Errorf("counted %d", got)
		}
		check(t, h)
		closeHost(t, h)
		o.FS = left // a second time there is nothing to do
		h = h2(t, o)
		hash := activityhash(t, h)
		closeHost(t, h)
		if hash == hashes[0] {
			t.Error("the activityhash has not moved on")
		}
		_, err = host.Open(ctx, "", &host.Options{FS: left})
		if !errors.Is(err, host.ErrFormat) || !strings.Contains(err.Error(), fmt.Sprintf(
			"of schema %d, this program knows %d; use the program that made it", next, kernel.SchemaVersion)) {
			t.Errorf("opened by an older program: %v", err)
		}
	}
	if hashes[0] != hashes[1] || hashes[0] == before {
		t.Errorf("migrated to %v, from %v", hashes, before)
	}
}

func h2(t *testing.T, o host.Options) *host.Host {
	t.Helper()
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// TestSchemaOfExports: an export of an older schema is migrated where it is opened,
// one of a newer is refused before anything is made usable, and so is what there is
// no way from; a migration that fails changes nothing.
func TestSchemaOfExports(t *testing.T) {
	t.Parallel()
	files, root := made(t)
	first, _ := export(t, open(t, files, host.Options{}), host.Replay)
	o := host.WithSchema(host.Options{Inline: true}, next, ways)
	o.FS = vfs.NewMem()
	importInto(t, first, o.FS, o)
	h := h2(t, o)
	if got := ask(t, h, root, "incr", 1); got != 6 {
		t.Errorf("counted %d", got)
	}
	second, _ := export(t, h, host.Replay)
	_, err := host.Import(ctx, bytes.NewReader(second), "", nil)
	if !errors.Is(err, host.ErrFormat) || !strings.Contains(err.Error(), fmt.Sprint("rows of the export are of schema ", next)) {
		t.Errorf("a newer export: %v", err)
	}
	far := host.WithSchema(host.Options{}, next+1, ways)
	far.FS = files.Crash(0, 100)
	_, err = host.Open(ctx, "", &far)
	if !errors.Is(err, host.ErrFormat) || !strings.Contains(err.Error(), fmt.Sprintf("no way from %d to %d", next, next+1)) {
		t.Errorf("no way: %v", err)
	}
	bad := host.WithSchema(host.Options{}, next, map[uint64]func(kernel.Buffer) error{
		kernel.SchemaVersion: func(kernel.Buffer) error { return errDisk },
	})
	left := files.Crash(0, 100)
	bad.FS = left
	if _, err := host.Open(ctx, "", &bad); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), fmt.Sprint("migrate from schema ", kernel.SchemaVersion)) {
		t.Errorf("a migration that fails: %v", err)
	}
	check(t, open(t, left, host.Options{}))
	if err := host.CheckSchema(0); !errors.Is(err, host.ErrFormat) || !strings.Contains(err.Error(), "of schema 0") {
		t.Errorf("rows of before there was a schema: %v", err)
	}
}
