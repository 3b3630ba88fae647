package model

import (
	"slices"
	"sort"
	"strings"

	"vatwarehouse/swing"
)

// buffer is a kernel.Buffer in memory: rows, their keys in order, and a journal.
type buffer struct {
	rows    map[string][]byte
	keys    []string
	journal []change

	spared int // keys of c-lists that were to be deleted, if a fault is planted
	plant  bool
}

// change is how a row was before.
type change struct {
	key   string
	value []byte
	had   bool
}

func newBuffer() *buffer { return &buffer{rows: map[string][]byte{}} }

// Get implements kernel.Buffer.
func (b *buffer) Get(key string) ([]byte, bool) {
	v, ok := b.rows[key]
	return v, ok
}

// Set implements kernel.Buffer.
func (b *buffer) Set(key string, value []byte) {
	b.note(key)
	b.put(key, slices.Clone(value))
}

// Delete implements kernel.Buffer.
func (b *buffer) Delete(key string) {
	if b.plant && strings.Contains(key, ".c.kp") {
		if b.spared++; b.spared%5 == 0 {
			return
		}
	}
	if _, had := b.rows[key]; had {
		b.note(key)
		b.remove(key)
	}
}

func (b *buffer) note(key string) {
	v, had := b.rows[key]
	b.journal = append(b.journal, change{key, v, had})
}

func (b *buffer) put(key string, value []byte) {
	if _, had := b.rows[key]; !had {
		b.keys = slices.Insert(b.keys, sort.SearchStrings(b.keys, key), key)
	}
	b.rows[key] = value
}

func (b *buffer) remove(key string) {
	at := sort.SearchStrings(b.keys, key)
	b.keys = slices.Delete(b.keys, at, at+1)
	delete(b.rows, key)
}

// Next implements kernel.Buffer.
func (b *buffer) Next(after, end string) (string, bool) {
	at, found := slices.BinarySearch(b.keys, after)
	if found {
		at++
	}
	if at == len(b.keys) || end != "" && b.keys[at] >= end {
		return "", false
	}
	return b.keys[at], true
}

// Savepoint implements kernel.Buffer.
func (b *buffer) Savepoint() int { return len(b.journal) }

// Rollback implements kernel.Buffer.
func (b *buffer) Rollback(savepoint int) {
	for i := len(b.journal) - 1; i >= savepoint; i-- {
		c := b.journal[i]
		_, has := b.rows[c.key]
		switch {
		case c.had:
			b.put(c.key, c.value)
		case has:
			b.remove(c.key)
		}
	}
	b.journal = b.journal[:savepoint]
}

// Seal implements kernel.Buffer. Nobody here compares the hash.
func (b *buffer) Seal() swing.Hash {
	b.journal = b.journal[:0]
	return swing.Hash{}
}
