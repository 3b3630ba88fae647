package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"vatwarehouse/swing"
)

// What is in the compilation cache is machine code that will be run, and the
// engine checks only part of it. So a list of what each file must be is kept
// beside them, and a file that is not as listed is thrown away before the engine
// sees it: it is made again when it is needed.
//
// The list, a text, is written when the engine is closed:
//
//	HASH NAME      one line a file, NAME relative to the directory, sorted
//
// It is no defence against whoever can write the directory, or has made it: see
// Options.CacheDir. Links are refused, and what others than the owner can write.

// errNotPrivate is what is wrong with a cache that others may have written.
var errNotPrivate = errors.New("not a plain file or directory that only its owner can write")

// othersWrite are the bits of a mode that let others than the owner write.
const othersWrite fs.FileMode = 0o022

// cacheList is the name of the list in the cache's directory.
const cacheList = "list"

// cleanCache makes the cache's directory, or throws away what in it is not as
// listed.
func cleanCache(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	found, err := hashCache(dir) // refuses what is not private, the list too
	if err != nil {
		return err
	}
	listed := map[string]string{}
	text, err := os.ReadFile(filepath.Join(dir, cacheList))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if hash, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok {
			listed[name] = hash
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if listed[name] != found[name] {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// listCache writes down what is in the cache.
func listCache(dir string) error {
	found, err := hashCache(dir)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&text, "%s %s\n", found[name], name)
	}
	temporary := filepath.Join(dir, cacheList+".new")
	if err := os.WriteFile(temporary, []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(dir, cacheList))
}

// hashCache returns the hash of every file in the cache, but for the list.
func hashCache(dir string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		plain := err == nil && (d.IsDir() || info.Mode().IsRegular())
		if err == nil && (!plain || runtime.GOOS != "windows" && info.Mode()&othersWrite != 0) {
			err = fmt.Errorf("%w: %s is %v", errNotPrivate, path, info.Mode())
		}
		if err != nil || d.IsDir() || path == filepath.Join(dir, cacheList) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		found[name] = swing.Sum("vatwarehouse compiled", b).String()
		return err
	})
	return found, err
}
