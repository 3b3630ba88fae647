package vatkeeper

import (
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// vatstore is a vat's own keys, behind a prefix no key of the vat's can escape.
type vatstore struct {
	k      Keeper
	prefix string
	most   uint64
}

// Vatstore returns the vat's own store, which takes at most so many bytes of keys and
// values. It counts them as they change.
func (k Keeper) Vatstore(most int) transcript.Vatstore {
	return vatstore{k, k.key(".v."), uint64(most)}
}

func (s vatstore) Get(key []byte) ([]byte, bool) { return s.k.kv.Get(s.prefix + string(key)) }

// Set refuses what makes the store larger than it may be, unless that makes it smaller
// than it was.
func (s vatstore) Set(key, value []byte) bool {
	used := s.k.StoreBytes()
	after := used - s.size(key) + uint64(len(key)+len(value))
	if after > s.most && after > used {
		return false
	}
	s.k.kv.Set(s.prefix+string(key), value)
	s.k.setStoreBytes(used, after)
	return true
}

func (s vatstore) Delete(key []byte) {
	used := s.k.StoreBytes()
	after := used - s.size(key)
	s.k.kv.Delete(s.prefix + string(key))
	s.k.setStoreBytes(used, after)
}

// size returns the bytes of a key that is there, and its value.
func (s vatstore) size(key []byte) uint64 {
	value, ok := s.Get(key)
	if !ok {
		return 0
	}
	return uint64(len(key) + len(value))
}

func (s vatstore) Next(after []byte) ([]byte, bool) {
	end := s.prefix[:len(s.prefix)-1] + "/" // "/" follows "."
	key, ok := s.k.kv.Next(s.prefix+string(after), end)
	if !ok {
		return nil, false
	}
	return []byte(key[len(s.prefix):]), true
}

// StoreBytes returns how many bytes of keys and values are in the vatstore. Of a vat that
// has ended it is what there was.
func (k Keeper) StoreBytes() (n uint64) {
	const suffix = ".u"
	if b, ok := k.kv.Get(k.key(suffix)); ok {
		r := swing.NewReader(b)
		n = r.Uint()
		k.done(r, suffix)
	}
	return n
}

func (k Keeper) setStoreBytes(from, to uint64) {
	switch {
	case from == to:
	case to == 0:
		k.kv.Delete(k.key(".u"))
	default:
		k.kv.Set(k.key(".u"), swing.AppendUint(nil, to))
	}
}

// RecountStore adds up the bytes in the vatstore.
func (k Keeper) RecountStore() (n uint64) {
	s := vatstore{k: k, prefix: k.key(".v.")}
	for key, ok := s.Next(nil); ok; key, ok = s.Next(key) {
		n += s.size(key)
	}
	return n
}

// MigrateStore counts what is in the vatstore of a vat of which it was not counted.
func (k Keeper) MigrateStore() { k.setStoreBytes(0, k.RecountStore()) }
