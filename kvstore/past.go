package kvstore

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// Past is the store as it was when Watch was called: it keeps the value that
// every key written since had then. It belongs to the store's goroutine.
type Past struct {
	s   *Store
	was map[string]pastValue
}

// pastValue is what a key had.
type pastValue struct {
	value   []byte
	present bool
}

// Watch returns the store as it is now, and keeps it so; an earlier Past learns
// nothing more. It costs a search for each key at its first write, and memory for
// its value. The activityhash, which Seal writes, is not in it. It must not be
// called inside a crank: a rollback would go back beyond it.
func (s *Store) Watch() *Past {
	if len(s.journal) > 0 {
		panic(fmt.Sprintf("kvstore: watch inside a crank of %d writes", len(s.journal)))
	}
	s.past = &Past{s: s, was: map[string]pastValue{}}
	return s.past
}

// note keeps a key's value, which is about to change for the first time.
func (p *Past) note(key string) {
	if _, known := p.was[key]; known {
		return
	}
	value, ok := p.s.Get(key)
	p.was[key] = pastValue{value, ok}
}

// Get returns the value that a key had.
func (p *Past) Get(key string) (value []byte, ok bool) {
	if v, written := p.was[key]; written {
		return v.value, v.present
	}
	return p.s.Get(key)
}

// Changed returns the keys that have another value than they had, or are gone, or
// were not there, in order. A key that was written and is what it was is not one.
func (p *Past) Changed() (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(p.was)) {
		was := p.was[key]
		value, ok := p.s.Get(key)
		if ok != was.present || !bytes.Equal(value, was.value) {
			keys = append(keys, key)
		}
	}
	return keys
}
