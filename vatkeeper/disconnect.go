package vatkeeper

import (
	"strings"

	"vatwarehouse/swing"
)

// Disconnect takes from the c-list what does not outlive an incarnation: promises, which
// the caller has rejected, and exports that are not durable, of which the objects become
// orphans. The root stays.
func (k Keeper) Disconnect(promises []swing.KRef) (changes []RefChange) {
	for _, ref := range promises {
		if e, ok := k.ByKRef(ref); ok {
			changes = append(changes, k.remove(e))
		}
	}
	for key, ok := k.following(".r.o+", ""); ok; key, ok = k.following(".r.o+", key) {
		vref := swing.VRef(strings.TrimPrefix(key, ".r."))
		if vref == swing.RootVRef || strings.HasPrefix(string(vref), "o+d") {
			continue
		}
		e, _ := k.ByVRef(vref)
		c := k.remove(e)
		c.Orphan = true
		changes = append(changes, c)
	}
	return changes
}
