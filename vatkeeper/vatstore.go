package vatkeeper

import "vatwarehouse/transcript"

// vatstore is a vat's own keys, behind a prefix no key of the vat's can escape.
type vatstore struct {
	kv     KV
	prefix string
}

// Vatstore returns the vat's own store.
func (k Keeper) Vatstore() transcript.Vatstore { return vatstore{k.kv, k.key(".v.")} }

func (s vatstore) Get(key []byte) ([]byte, bool) { return s.kv.Get(s.prefix + string(key)) }

func (s vatstore) Set(key, value []byte) { s.kv.Set(s.prefix+string(key), value) }

func (s vatstore) Delete(key []byte) { s.kv.Delete(s.prefix + string(key)) }

func (s vatstore) Next(after []byte) ([]byte, bool) {
	end := s.prefix[:len(s.prefix)-1] + "/" // "/" follows "."
	key, ok := s.kv.Next(s.prefix+string(after), end)
	if !ok {
		return nil, false
	}
	return []byte(key[len(s.prefix):]), true
}
