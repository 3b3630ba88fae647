package kvstore

import (
	"fmt"
	"iter"
	"strings"

	"vatwarehouse/swing"
)

// write is one record of the crank's journal: enough to undo it, and to hash it.
type write struct {
	e        *entry
	old      []byte
	oldState state
	value    []byte
	state    state
}

const (
	// journalWritesMax bounds the writes of one crank.
	journalWritesMax = 1 << 24
	// journalKeep is the journal's capacity, in writes, that is kept for the
	// next crank.
	journalKeep = 1 << 14
)

// Get returns the value of a key. The value must not be changed; it stays valid
// and never changes, whatever happens to the key.
func (s *Store) Get(key string) (value []byte, ok bool) {
	if e := s.over.entries[key]; e != nil && e.state != unknown {
		return e.value, e.state == present
	}
	value, st := s.below(key)
	return value, st == present
}

// below looks a key up beneath the overlay, and remembers the answer.
func (s *Store) below(key string) ([]byte, state) {
	value, st := s.search(key)
	if st == unknown {
		return nil, unknown
	}
	e := s.over.entries[key]
	if e == nil {
		if s.over.cleanBytes >= s.o.CacheBytes {
			return value, st
		}
		e = s.over.add(key)
	}
	s.over.remember(e, value, st)
	return value, st
}

// search looks a key up beneath the overlay. The state is unknown only after a
// failure, which sticks.
func (s *Store) search(key string) ([]byte, state) {
	if s.frozen != nil {
		if e := s.frozen.entries[key]; e != nil {
			return e.value, e.state
		}
	}
	s.stats.TableReads++
	value, ok, err := s.table.get(key)
	switch {
	case err != nil:
		s.fail(fmt.Errorf("read key %q: %w", key, err))
		return nil, unknown
	case ok:
		return value, present
	}
	return nil, absent
}

// Set gives a key a value. The value is copied: what a vat wrote is often a small
// part of a large buffer, which the store would otherwise keep alive. The key is
// kept as it is.
func (s *Store) Set(key string, value []byte) {
	checkPair(key, value)
	own := make([]byte, len(value))
	copy(own, value)
	s.put(key, own, present)
}

// Delete takes a key away; that there is none is no fault, and is hashed like
// every other write.
func (s *Store) Delete(key string) {
	checkPair(key, nil)
	s.put(key, nil, absent)
}

func checkPair(key string, value []byte) {
	if len(key) == 0 || len(key) > KeyBytesMax || key == ActivityKey {
		panic(fmt.Sprintf("kvstore: write of key %.40q of %d bytes (1 to %d, and %q is Seal's)",
			key, len(key), KeyBytesMax, ActivityKey))
	}
	if len(value) > ValueBytesMax {
		panic(fmt.Sprintf("kvstore: write of %d bytes to key %.40q, limit %d",
			len(value), key, ValueBytesMax))
	}
}

// put writes a key and journals it.
func (s *Store) put(key string, value []byte, st state) {
	if len(s.journal) == journalWritesMax {
		panic(fmt.Sprintf("kvstore: more than %d writes in one crank", journalWritesMax))
	}
	if s.past != nil {
		s.past.note(key)
	}
	e := s.touch(key)
	s.journal = append(s.journal, write{e, e.value, e.state, value, st})
	e.value, e.state = value, st
	e.writes++
}

// touch returns the entry of a key that this block is about to write.
func (s *Store) touch(key string) *entry {
	e := s.over.entries[key]
	if e == nil {
		e = s.over.add(key)
	}
	if !e.touched {
		e.touched, e.was = true, e.state
		s.touched = append(s.touched, e)
	}
	s.over.order(e)
	s.offered = false
	return e
}

// Next returns the least key k with after < k and, unless end is empty, k < end.
// It passes over each key deleted since the table's position, one by one.
func (s *Store) Next(after, end string) (key string, ok bool) {
	inTable := s.tableNext(after)
	for at := after; ; at = key {
		if inTable != "" && inTable <= at {
			inTable = s.tableNext(at)
		}
		key = inTable
		live := key != ""
		if s.frozen != nil && !s.frozen.written {
			if f := s.frozen.next(at); f != nil && (key == "" || f.key <= key) {
				key, live = f.key, f.state == present
			}
		}
		if e := s.over.next(at); e != nil && (key == "" || e.key <= key) {
			key, live = e.key, e.state == present
		}
		if key == "" || end != "" && key >= end {
			return "", false
		}
		if live {
			return key, true
		}
	}
}

// tableNext returns the table's least key after the given one, or "".
func (s *Store) tableNext(after string) string {
	s.stats.TableReads++
	key, err := s.table.next(after)
	if err != nil {
		s.fail(fmt.Errorf("read key after %q: %w", after, err))
	}
	return key
}

// Scan iterates over the keys that begin with prefix, in order, and their
// values. It is for tools and checks: each key costs two searches.
func (s *Store) Scan(prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		key, ok := prefix, prefix != ""
		if !ok {
			key, ok = s.Next("", "")
		}
		for ok && strings.HasPrefix(key, prefix) {
			if value, ok := s.peek(key); ok && !yield(key, value) {
				return
			}
			key, ok = s.Next(key, "")
		}
	}
}

// peek is Get without remembering: a scan must not fill the cache.
func (s *Store) peek(key string) ([]byte, bool) {
	if e := s.over.entries[key]; e != nil && e.state != unknown {
		return e.value, e.state == present
	}
	value, st := s.search(key)
	return value, st == present
}

// Savepoint names this moment of the crank for Rollback.
func (s *Store) Savepoint() int { return len(s.journal) }

// Rollback undoes every write since the savepoint, and ends the savepoints made
// since. A savepoint is valid until Seal.
func (s *Store) Rollback(savepoint int) {
	if savepoint < 0 || savepoint > len(s.journal) {
		panic(fmt.Sprintf("kvstore: rollback to savepoint %d of %d", savepoint, len(s.journal)))
	}
	for i := len(s.journal) - 1; i >= savepoint; i-- {
		w := &s.journal[i]
		w.e.value, w.e.state = w.old, w.oldState
		w.e.writes--
	}
	clear(s.journal[savepoint:])
	s.journal = s.journal[:savepoint]
	s.offered = false
}

// Seal ends the crank: it returns the crankhash of the crank's surviving writes
// and chains it into the activityhash, which it stores. A crank without writes
// has a crankhash too.
func (s *Store) Seal() swing.Hash {
	s.crank.Reset()
	for i := range s.journal {
		w := &s.journal[i]
		switch {
		case private(w.e.key):
		case w.state == present:
			s.crank.AddString(opSet)
			s.crank.AddString(w.e.key)
			s.crank.Add(w.value)
		default:
			s.crank.AddString(opDelete)
			s.crank.AddString(w.e.key)
		}
	}
	crankhash := s.crank.Sum()
	before := s.Activityhash()
	s.chain.Reset()
	s.chain.Add(before[:])
	s.chain.Add(crankhash[:])
	after := s.chain.Sum()
	s.forgetJournal()
	e := s.touch(ActivityKey)
	e.value, e.state = append(make([]byte, 0, len(after)), after[:]...), present
	e.writes++
	return crankhash
}

func (s *Store) forgetJournal() {
	clear(s.journal)
	if cap(s.journal) > journalKeep {
		s.journal = nil
	}
	s.journal = s.journal[:0]
}

// Activityhash returns the chain of all crankhashes so far: the zero Hash
// before the first Seal.
func (s *Store) Activityhash() (h swing.Hash) {
	value, ok := s.Get(ActivityKey)
	if ok && copy(h[:], value) != len(value) || ok && len(value) != len(h) {
		s.fail(fmt.Errorf("read key %q: %d bytes, not %d: %w",
			ActivityKey, len(value), len(h), ErrCorrupt))
	}
	return h
}

// private reports whether a key is of this node alone, and in no hash.
func private(key string) bool { return strings.HasPrefix(key, PrivatePrefix) }
