package vatkeeper

import (
	"strings"

	"vatwarehouse/swing"
)

// Sweep removes up to limit rows of a vat that has ended: exports, of which the
// objects become orphans; imports; promises; the vatstore. An entry of the c-list
// is one row. It begins after a place, "" at first, and returns the place to begin
// after next, or "" when no row is left: rows that are gone are not passed over again,
// which a store may charge for.
func (k Keeper) Sweep(after string, limit int) (changes []RefChange, removed int, next string) {
	// In the order of vrefs exports ("o+") come first, then imports ("o-"), then promises.
	for ; removed < limit && !strings.HasPrefix(after, ".v."); removed++ {
		key, ok := k.following(".r.", after)
		if !ok {
			after = ".v."
			break
		}
		e, _ := k.ByVRef(swing.VRef(strings.TrimPrefix(key, ".r.")))
		c := k.remove(e)
		c.Orphan = e.KRef.Kind() == swing.Object && e.VRef.Exported()
		changes = append(changes, c)
		after = key
	}
	for ; removed < limit; removed++ {
		key, ok := k.following(".v.", after)
		if !ok {
			return changes, removed, ""
		}
		k.kv.Delete(k.key(key))
		after = key
	}
	return changes, removed, after
}

// Forget removes what is of no use of a vat whose rows were swept: its counters, dirt and
// the size of its vatstore. Its options, span and end remain.
func (k Keeper) Forget() {
	k.kv.Delete(k.key(".i"))
	k.kv.Delete(k.key(".d"))
	k.kv.Delete(k.key(".u"))
}

// following returns the key that follows one among those with a prefix, all without
// the vat's id.
func (k Keeper) following(prefix, after string) (string, bool) {
	last := len(prefix) - 1
	end := k.key(prefix[:last] + string(prefix[last]+1))
	key, ok := k.kv.Next(k.key(max(prefix, after)), end)
	return strings.TrimPrefix(key, string(k.id)), ok
}
