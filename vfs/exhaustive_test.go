package vfs_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/vfs"
)

// nameDeed is a change of names in one directory, as the file system and as a
// map of names to files would make it. It reports whether it can be done.
type nameDeed struct {
	name string
	fs   func(f vfs.FS) error
	twin func(names map[string]string, next string) bool
}

func nameDeeds() (all []nameDeed) {
	for _, a := range []string{"a", "b"} {
		all = append(all, nameDeed{"create " + a,
			func(f vfs.FS) error {
				file, err := f.Create(a)
				if err == nil {
					err = file.Close()
				}
				return err
			},
			func(names map[string]string, next string) bool {
				_, there := names[a]
				if !there {
					names[a] = next
				}
				return !there
			},
		}, nameDeed{"remove " + a,
			func(f vfs.FS) error { return f.Remove(a) },
			func(names map[string]string, _ string) bool {
				_, there := names[a]
				delete(names, a)
				return there
			},
		}, nameDeed{"rename " + a,
			func(f vfs.FS) error { return f.Rename(a, other(a)) },
			func(names map[string]string, _ string) bool {
				file, there := names[a]
				if there {
					delete(names, a)
					names[other(a)] = file
				}
				return there
			},
		})
	}
	return append(all, nameDeed{"sync",
		func(f vfs.FS) error { return f.SyncDir(vfs.Root) },
		func(map[string]string, string) bool { return true },
	})
}

func other(name string) string { return map[string]string{"a": "b", "b": "a"}[name] }

// look returns the names of a file system and, as each file holds one, its mark.
func look(t *testing.T, f vfs.FS) string {
	t.Helper()
	all, err := f.List(vfs.Root)
	must(t, err)
	for i, name := range all {
		all[i] = name + "=" + content(t, f, name)
	}
	return strings.Join(all, " ")
}

func text(names map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, name+"="+names[name])
	}
	return strings.Join(all, " ")
}

// TestEveryShortRowOfNames: every row of a few changes of names: what is seen is
// what a map says; after a crash with everything kept it is that; with nothing
// kept, what it was at the last sync; with a part kept, a file has one name, and
// with a tail lost, what it was after some change.
func TestEveryShortRowOfNames(t *testing.T) {
	t.Parallel()
	deeds := nameDeeds()
	const length = 5
	total := 1
	for range length {
		total *= len(deeds)
	}
	step := 1
	if testing.Short() {
		step = 11
	}
	for n := 0; n < total; n += step {
		if err := rowOfNames(t, deeds, n, length); err != nil {
			t.Fatal(err)
		}
	}
}

func rowOfNames(t *testing.T, deeds []nameDeed, n, length int) error {
	m, names := vfs.NewMem(), map[string]string{}
	durable, row := "", []string{}
	for i := range length {
		d := deeds[n%len(deeds)]
		n /= len(deeds)
		row = append(row, d.name)
		mark := fmt.Sprint(i)
		can := d.twin(names, mark)
		if err := d.fs(m); (err == nil) != can {
			return fmt.Errorf("%q: %w", row, err)
		}
		if can && strings.HasPrefix(d.name, "create") {
			if err := marked(m, strings.TrimPrefix(d.name, "create "), mark); err != nil {
				return err
			}
		}
		if d.name == "sync" {
			durable = text(names)
		}
	}
	if got, want := look(t, m), text(names); got != want {
		return fmt.Errorf("%q: %q, want %q", row, got, want)
	}
	if got := look(t, m.Crash(0, 0)); got != durable {
		return fmt.Errorf("%q, nothing kept: %q, want %q", row, got, durable)
	}
	if got, want := look(t, m.Crash(0, 100)), text(names); got != want {
		return fmt.Errorf("%q, all kept: %q, want %q", row, got, want)
	}
	for seed := range uint64(3) {
		got := look(t, m.Crash(seed, 50))
		for i := range length {
			if strings.Count(got, fmt.Sprint("=", i)) > 1 {
				return fmt.Errorf("%q, seed %d: two names for one file: %q", row, seed, got)
			}
		}
	}
	return nil
}

// marked writes a durable mark into a file, to tell it by.
func marked(f vfs.FS, name, mark string) error {
	file, err := f.Open(name)
	if err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(mark), 0)
	return errors.Join(err, file.Sync(), file.Close())
}

// TestEverySubsetOfWritesIsDrawn: of three unsynced bytes in one sector each, all
// eight subsets come up, and nothing else.
func TestEverySubsetOfWritesIsDrawn(t *testing.T) {
	t.Parallel()
	blank := strings.Repeat(".", 3*sector)
	m, file := synced(t, blank)
	for i := range 3 {
		put(t, file, int64(i*sector), fmt.Sprint(i))
	}
	var want []string
	for subset := range 8 {
		b := []byte(blank)
		for i := range 3 {
			if subset>>i&1 == 1 {
				b[i*sector] = byte('0' + i)
			}
		}
		want = append(want, string(b))
	}
	wantStates(t, drawn(t, m, "a", 50), want...)
}

// FuzzName: whatever the name, a file made under it is listed under it and lies
// where it says, or nothing was made.
func FuzzName(f *testing.F) {
	for _, name := range append(badNames, "a", "a.b-c", "d/a", "d", strings.Repeat("a", 100)) {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m := vfs.NewMem()
		must(t, m.Mkdir("d"))
		file, err := m.Create(name)
		inRoot, inD := list(t, m, vfs.Root), list(t, m, "d")
		switch {
		case err != nil:
			if inRoot != "d" || inD != "" {
				t.Fatalf("%q: %v, and there is %q, %q", name, err, inRoot, inD)
			}
			return
		case strings.HasPrefix(name, "d/"):
			if inRoot != "d" || inD != name[2:] {
				t.Fatalf("%q: there is %q, %q", name, inRoot, inD)
			}
		default:
			if names, _ := m.List(vfs.Root); !slices.Contains(names, name) || inD != "" {
				t.Fatalf("%q: there is %q, %q", name, inRoot, inD)
			}
		}
		must(t, file.Close())
		for what, err := range everyMethod(m, name) {
			if errors.Is(err, vfs.ErrName) && !strings.HasPrefix(what, "rename") {
				t.Fatalf("%q: created, but %s: %v", name, what, err)
			}
		}
	})
}
