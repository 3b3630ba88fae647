package host

import (
	"iter"
	"maps"
	"slices"

	"vatwarehouse/vatkeeper"
)

// ahead is a state with changes over it that were not made yet. It is only read.
type ahead struct {
	now     vatkeeper.KV
	changes map[string][]byte // nil is gone
	keys    []string          // of the changes, sorted
}

func newAhead(now vatkeeper.KV, changes map[string][]byte) *ahead {
	return &ahead{now, changes, slices.Sorted(maps.Keys(changes))}
}

func (a *ahead) Get(key string) ([]byte, bool) {
	if value, changed := a.changes[key]; changed {
		return value, value != nil
	}
	return a.now.Get(key)
}

func (a *ahead) Set(string, []byte) { panic("host: a state ahead is written") }
func (a *ahead) Delete(string)      { panic("host: a state ahead is written") }

func (a *ahead) Next(after, end string) (string, bool) {
	key, ok := a.now.Next(after, end)
	for ok {
		if value, changed := a.changes[key]; !changed || value != nil {
			break
		}
		key, ok = a.now.Next(key, end)
	}
	at, found := slices.BinarySearch(a.keys, after)
	if found {
		at++
	}
	for ; at < len(a.keys) && (end == "" || a.keys[at] < end); at++ {
		if ok && a.keys[at] >= key {
			break
		}
		if a.changes[a.keys[at]] != nil {
			return a.keys[at], true
		}
	}
	return key, ok
}

// all yields all rows, in order.
func (a *ahead) all() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for key, ok := a.Next("", ""); ok; key, ok = a.Next(key, "") {
			if value, _ := a.Get(key); !yield(key, value) {
				return
			}
		}
	}
}
