package kvstore

import (
	"fmt"
	"slices"
	"strings"
)

// Changes appends the block's change set to dst: for each key that the block
// wrote, what it holds now. A key that was absent before the block and is absent
// again is left out. It also returns how many keys there are; if there are none
// the block is over, and needs no Commit. Ask Err before the bytes go anywhere:
// after a failed read they are worth nothing.
func (s *Store) Changes(dst []byte) ([]byte, int) {
	s.checkSealed("Changes")
	slices.SortFunc(s.touched, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	s.changed = s.changed[:0]
	for _, e := range s.touched {
		if e.writes > 0 && (e.state == present || s.before(e) != absent) {
			s.changed = append(s.changed, e)
		}
	}
	dst = appendChangesHead(dst, len(s.changed))
	for _, e := range s.changed {
		dst = appendChange(dst, e.key, e.value, e.state == present)
	}
	n := len(s.changed)
	clear(s.changed)
	if n == 0 {
		s.endBlock()
	}
	s.offered = true
	return dst, n
}

// before returns an entry's state before the block.
func (s *Store) before(e *entry) state {
	if e.was == unknown {
		_, e.was = s.search(e.key)
	}
	return e.was
}

// checkSealed panics if hashed writes wait for Seal. Private ones may: the host
// writes them between cranks.
func (s *Store) checkSealed(what string) {
	for i := range s.journal {
		if w := &s.journal[i]; !private(w.e.key) {
			panic(fmt.Sprintf("kvstore: %s with %d writes since Seal, key %.40q among them",
				what, len(s.journal), w.e.key))
		}
	}
}

// Commit ends the block: the log holds what Changes last returned, durably, at
// Position, which moves on by one.
func (s *Store) Commit() {
	if !s.offered {
		panic(fmt.Sprintf("kvstore: commit at position %d without Changes since the last write",
			s.position))
	}
	s.settle()
	s.table.release()
	s.poll()
}

// settle makes the block's writes part of the past.
func (s *Store) settle() {
	s.endBlock()
	s.offered = false
	s.position++
}

// endBlock forgets what was before the block.
func (s *Store) endBlock() {
	s.forgetJournal()
	for _, e := range s.touched {
		s.over.settle(e)
	}
	clear(s.touched)
	s.touched = s.touched[:0]
	s.over.compact()
	if s.over.cleanBytes > max(s.o.CacheBytes, 0) {
		s.over.forget()
	}
}

// Redo applies a change set from the log while a store is being opened: the one
// at Position, which moves on by one. A change set that is refused changes
// nothing. The bytes are not kept.
func (s *Store) Redo(position uint64, changes []byte) error {
	if len(s.touched) > 0 {
		panic(fmt.Sprintf("kvstore: redo at position %d into a block of %d keys",
			position, len(s.touched)))
	}
	if s.err != nil {
		return s.err
	}
	if position != s.position {
		return fmt.Errorf("redo change set %d: %w: want %d", position, ErrPosition, s.position)
	}
	list, err := decodeChanges(changes)
	if err != nil {
		return fmt.Errorf("redo change set %d: %w", position, err)
	}
	for _, c := range list {
		e := s.touch(c.key)
		e.value, e.state = slices.Clone(c.value), present
		if c.value == nil {
			e.value, e.state = nil, absent
		}
		e.writes++
	}
	s.settle()
	s.poll()
	return nil
}
