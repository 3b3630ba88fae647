package guest_test

import (
	"maps"
	"slices"
	"sort"

	"vatwarehouse/swing"
)

// buffer is a kernel.Buffer in a map, with a list of what to undo.
type buffer struct {
	rows   map[string][]byte
	undo   []undone
	sorted []string // all keys, or nil when rows gained or lost one
}

// undone is a row as it was before a change.
type undone struct {
	key   string
	value []byte
	was   bool
}

func newBuffer() *buffer { return &buffer{rows: map[string][]byte{}} }

func (b *buffer) Get(key string) ([]byte, bool) {
	v, ok := b.rows[key]
	return v, ok
}

func (b *buffer) note(key string) (existed bool) {
	v, ok := b.rows[key]
	b.undo = append(b.undo, undone{key, v, ok})
	return ok
}

func (b *buffer) Set(key string, value []byte) {
	if !b.note(key) {
		b.sorted = nil
	}
	b.rows[key] = slices.Clone(value)
}

func (b *buffer) Delete(key string) {
	if b.note(key) {
		b.sorted = nil
	}
	delete(b.rows, key)
}

func (b *buffer) Next(after, end string) (string, bool) {
	if b.sorted == nil {
		b.sorted = slices.Sorted(maps.Keys(b.rows))
	}
	i := sort.SearchStrings(b.sorted, after+"\x00")
	if i == len(b.sorted) || (end != "" && b.sorted[i] >= end) {
		return "", false
	}
	return b.sorted[i], true
}

func (b *buffer) Savepoint() int { return len(b.undo) }

func (b *buffer) Rollback(savepoint int) {
	for i := len(b.undo) - 1; i >= savepoint; i-- {
		u := b.undo[i]
		delete(b.rows, u.key)
		if u.was {
			b.rows[u.key] = u.value
		}
	}
	b.undo, b.sorted = b.undo[:savepoint], nil
}

// Seal returns a digest of what changed: enough to tell two histories apart.
func (b *buffer) Seal() swing.Hash {
	h := swing.NewHasher("test")
	for _, u := range b.undo {
		h.AddString(u.key)
		h.Add(b.rows[u.key])
	}
	b.undo = b.undo[:0]
	return h.Sum()
}
