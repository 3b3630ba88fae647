package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files reads a whole directory.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// spread writes a directory; what is zero at the end of a file is left a hole.
func spread(t *testing.T, dir string, all map[string][]byte) {
	t.Helper()
	for name, b := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, string(bytes.TrimRight(b, "\x00")))
		if err := os.Truncate(path, int64(len(b))); err != nil {
			t.Fatal(err)
		}
	}
}

// seen is what a directory says of itself: the activityhash, and all transcripts.
func seen(t *testing.T, dir string) (string, bool) {
	t.Helper()
	code, out, _ := output(t, "status", "--dir", dir, "--json", "--quiet")
	if code != exitOK {
		return "", false
	}
	var st status
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		t.Fatal(err)
	}
	all := st.Activityhash
	for _, vat := range []string{"v1", "v2", "v3", "v4"} {
		code, out, _ := output(t, "transcript", vat, "--dir", dir, "--json", "--quiet")
		if code != exitOK {
			return "", false
		}
		all += out
	}
	return all, true
}

// TestNoDamageIsSilent: a bit is flipped somewhere in the log, the table, the
// snapshots or the programs. Then check names a fault and ends with code 1, or the
// bit was of no use, and the directory says what it said before.
func TestNoDamageIsSilent(t *testing.T) {
	t.Parallel()
	made := directory(t, "ring", "--deliveries", "400", "--snapshots", "count:2/3")
	want, ok := seen(t, made)
	if !ok {
		t.Fatal("the directory cannot be read")
	}
	all := files(t, made)
	flips := 4
	if testing.Short() {
		flips = 1
	}
	rng := rand.New(rand.NewPCG(1, 1))
	found, unused := 0, 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b := all[name]
		used := len(bytes.TrimRight(b, "\x00"))
		if used == 0 {
			continue
		}
		for range flips {
			at := rng.IntN(used)
			b[at] ^= 1 << rng.IntN(8)
			dir := t.TempDir()
			spread(t, dir, all)
			code, out, errs := output(t, "check", "--dir", dir, "--json")
			switch got, ok := seen(t, dir); {
			case code == exitFailure && (strings.Contains(out, `"ok":false`) || strings.Contains(errs, "format")):
				found++
			case code != exitOK:
				t.Errorf("%s byte %d: code %d: %s %s", name, at, code, out, errs)
			case !ok || got != want:
				t.Errorf("%s byte %d: check finds nothing, and the directory says something else", name, at)
			default:
				unused++
			}
			b[at] = files(t, made)[name][at]
		}
	}
	if found < 2*flips {
		t.Errorf("%d of %d flips were found", found, found+unused)
	}
	t.Logf("%d found, %d of no use", found, unused)
}
