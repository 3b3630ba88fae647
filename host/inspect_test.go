package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// tree lists everything in a directory: names, modes, times and bytes.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var b []byte
		if !d.IsDir() {
			if b, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		all = append(all, fmt.Sprint(name, info.Mode(), info.ModTime().UnixNano(), swing.Sum("file", b)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// memTree lists everything in a file system in memory.
func memTree(t *testing.T, files vfs.FS, dir string) (all []string) {
	t.Helper()
	names, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		name = path.Join(dir, name)
		f, err := files.Open(name)
		if errors.Is(err, vfs.ErrNotPlain) {
			all = append(all, memTree(t, files, name)...)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		size, err := f.Size()
		b := make([]byte, size)
		if size > 0 && err == nil {
			_, err = f.ReadAt(b, 0)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(name, size, swing.Sum("file", b)))
	}
	return all
}

// onDir opens a host in a directory of the machine.
func onDir(t *testing.T, dir string, o host.Options) *host.Host {
	t.Helper()
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// work makes vats, sends to them, and lets go of the answers.
func work(t *testing.T, h *host.Host, round int) {
	t.Helper()
	_, root := vat(t, h, "sampler", fmt.Sprint("new", round))
	for i := range uint64(30) {
		for _, name := range []string{"one", "two"} {
			v, err := h.Vat(name)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, h, v.Root, "incr", i)
		}
		if err := h.Release(ctx, send(t, h, root, "sum", 1, i)); err != nil {
			t.Fatal(err)
		}
		if i == 15 {
			if err := h.Evict(ctx, "v1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(t, h)
}

// TestScratchChangesNothing: whatever is done in a scratch host, of the directory not
// a byte, name, mode or time changes; and what is done is what would be done in the
// directory itself: the same activityhash.
func TestScratchChangesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "st")
	small := host.Options{SegmentBytes: 32 << 10, CheckpointBytes: 4 << 10, BlockCranks: 7, MaxVats: 1}
	h := onDir(t, dir, small)
	vat(t, h, "counter", "one")
	vat(t, h, "counter", "two")
	work(t, h, 0)
	before := activityhash(t, h)
	closeHost(t, h)
	was := tree(t, dir)
	hashes := map[swing.Hash]bool{}
	for range 2 {
		o := small
		o.Scratch = true
		h := onDir(t, dir, o)
		if got := activityhash(t, h); got != before {
			t.Fatalf("it begins at %s, not %s", got, before)
		}
		work(t, h, 1)
		if err := h.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		check(t, h)
		if _, err := h.Replay(ctx, "v1", host.ReplayOptions{}); err != nil {
			t.Fatal(err)
		}
		hashes[activityhash(t, h)] = true
		closeHost(t, h)
		if now := tree(t, dir); !slices.Equal(now, was) {
			t.Fatalf("the directory was\n%s\nand is\n%s", strings.Join(was, "\n"), strings.Join(now, "\n"))
		}
	}
	h = onDir(t, dir, small)
	work(t, h, 1)
	if hashes[activityhash(t, h)] = true; len(hashes) != 1 {
		t.Errorf("%d activityhashes", len(hashes))
	}
}

// TestScratchAfterACrash: a directory that a crash left is mended in memory only.
func TestScratchAfterACrash(t *testing.T) {
	t.Parallel()
	files := vfs.NewMem()
	h := open(t, files, host.Options{Inline: true, BlockCranks: 3})
	vat(t, h, "counter", "one")
	vat(t, h, "counter", "two")
	work(t, h, 0)
	for seed := range uint64(10) {
		left := files.Crash(seed, 50)
		was := memTree(t, left, vfs.Root)
		scratch := open(t, left, host.Options{Scratch: true, Inline: true})
		work(t, scratch, 1)
		check(t, scratch)
		_, err := host.Open(ctx, "", &host.Options{FS: left})
		if !errors.Is(err, host.ErrInUse) {
			t.Fatalf("opened twice: %v", err)
		}
		closeHost(t, scratch)
		if now := memTree(t, left, vfs.Root); !slices.Equal(now, was) {
			t.Fatalf("seed %d: it was\n%s\nand is\n%s", seed, strings.Join(was, "\n"), strings.Join(now, "\n"))
		}
	}
}

// TestScratchOfNothing: a directory that is not there, empty, foreign or in use is
// refused, and nothing is made in it.
func TestScratchOfNothing(t *testing.T) {
	t.Parallel()
	scratch := &host.Options{Scratch: true}
	empty := t.TempDir()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(t.TempDir(), "used")
	onDir(t, used, host.Options{})
	for dir, want := range map[string]error{
		filepath.Join(empty, "none"): host.ErrNotFound, empty: host.ErrNotFound,
		foreign: host.ErrFormat, used: host.ErrInUse,
	} {
		if _, err := host.Open(ctx, dir, scratch); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", dir, err, want)
		}
	}
	for dir, want := range map[string]int{empty: 1, foreign: 2} {
		if got := tree(t, dir); len(got) != want {
			t.Errorf("there is %v", got)
		}
	}
	if _, err := host.Open(ctx, "", &host.Options{Scratch: true, FS: vfs.NewMem()}); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("over nothing: %v", err)
	}
}

// TestDifference: nothing before a Watch; then exactly what an input and its
// deliveries changed, and not what came and went.
func TestDifference(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), host.Options{BlockCranks: 1})
	_, sampler := vat(t, h, "sampler", "s")
	run(t, h)
	if d, err := h.Difference(); err != nil || fmt.Sprint(d) != "{0 0 [] [] [] [] [] []}" {
		t.Errorf("unwatched: %+v, %v", d, err)
	}
	if err := h.Watch(); err != nil {
		t.Fatal(err)
	}
	key := swing.AppendBytes(swing.AppendBytes(swing.AppendArray(nil, 2), []byte("k")), []byte("v"))
	result, err := h.Send(ctx, sampler, host.Message{Method: "put", Body: key})
	if err != nil {
		t.Fatal(err)
	}
	run(t, h)
	d, err := h.Difference()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Vats) != 1 || d.Deliveries != 1 || d.Cranks != 2 || !slices.Equal(d.PromisesMade, []swing.KRef{result}) {
		t.Fatalf("%+v", d)
	}
	v := d.Vats[0]
	if v.Name != "s" || v.Deliveries != 1 || len(v.Store) != 1 || string(v.Store[0].Key) != "k" ||
		string(v.Store[0].After) != "v" || v.Store[0].Was || !v.Store[0].Is || len(v.Added)+len(v.Removed) > 0 {
		t.Errorf("%+v", v)
	}
	if err := h.Release(ctx, result); err != nil {
		t.Fatal(err)
	}
	if d, _ = h.Difference(); len(d.PromisesMade) != 0 || len(d.PromisesGone) != 0 {
		t.Errorf("a promise that came and went: %+v", d)
	}
}

// TestQueriesOfReferences: what is listed and what is not there, with bounds.
func TestQueriesOfReferences(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), host.Options{})
	_, one := vat(t, h, "counter", "one")
	id, _ := vat(t, h, "counter", "two", one)
	run(t, h)
	var answers []swing.KRef
	for i := range uint64(5) {
		answers = append(answers, send(t, h, one, "incr", i))
		if i == 2 {
			run(t, h)
		}
	}
	list, more, err := h.Promises("", 2)
	if err != nil || len(list) != 2 || more != 3 || list[0].Ref != answers[0] || list[1].Ref != answers[1] {
		t.Errorf("%+v, %d more, %v", list, more, err)
	}
	list, more, err = h.Promises("unresolved", 9)
	if err != nil || len(list) != 2 || more != 0 || list[0].Ref != answers[3] {
		t.Errorf("%+v, %d more, %v", list, more, err)
	}
	if _, _, err = h.Promises("odd", 9); !errors.Is(err, host.ErrRefused) {
		t.Errorf("an odd state: %v", err)
	}
	o, err := h.Object(one, 9)
	if err != nil || o.Owner != "v1" || !o.Alive || len(o.Imports) != 1 || o.Imports[0].Vat != id || o.Pins != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = h.Object(one, 0); err != nil || len(o.Imports) != 0 || !o.Cut {
		t.Errorf("without importers: %+v, %v", o, err)
	}
	if _, err := h.Object("kp40", 9); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("a promise as an object: %v", err)
	}
	objects, more, err := h.Objects(2) // the admin object is the first
	if err != nil || len(objects) != 2 || more != 1 || objects[1].Ref != one {
		t.Errorf("%+v, %d more, %v", objects, more, err)
	}
	entries, more, err := h.CList(id, 1)
	if err != nil || len(entries) != 1 || more != 1 || entries[0].KRef != one || !entries[0].Reachable {
		t.Errorf("%+v, %d more, %v", entries, more, err)
	}
	if _, _, err := h.CList("v9", 1); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("no vat: %v", err)
	}
	queues, err := h.Queues(1)
	if err != nil || len(queues) != 5 || queues[0].Length != 2 || len(queues[0].Events) != 1 || queues[0].Events[0].Method != "incr" {
		t.Errorf("%+v, %v", queues, err)
	}
}
