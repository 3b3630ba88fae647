package vatkeeper

import (
	"fmt"
	"iter"
	"strings"

	"vatwarehouse/swing"
)

// Entry is one row of a c-list.
type Entry struct {
	KRef      swing.KRef
	VRef      swing.VRef
	Reachable bool
}

func (k Keeper) krefKey(ref swing.KRef) string { return string(k.id) + ".c." + string(ref) }
func (k Keeper) vrefKey(ref swing.VRef) string { return string(k.id) + ".r." + string(ref) }

// ByKRef returns the c-list's entry for a kref.
func (k Keeper) ByKRef(ref swing.KRef) (e Entry, ok bool) {
	b, ok := k.kv.Get(k.krefKey(ref))
	if !ok {
		return Entry{}, false
	}
	r := swing.NewReader(b)
	r.Fields(2)
	e = Entry{ref, swing.VRef(r.Text()), r.Bool()}
	RowDone(r, k.krefKey(ref))
	return e, true
}

// ByVRef returns the c-list's entry for a vref.
func (k Keeper) ByVRef(ref swing.VRef) (e Entry, ok bool) {
	b, ok := k.kv.Get(k.vrefKey(ref))
	if !ok {
		return Entry{}, false
	}
	e, ok = k.ByKRef(swing.KRef(b))
	if !ok || e.VRef != ref {
		panic(&RowError{k.vrefKey(ref), fmt.Errorf("no bijection: %q -> %q", b, e.VRef)})
	}
	return e, true
}

// Entries yields the c-list in the order of its krefs' spelling.
func (k Keeper) Entries() iter.Seq[Entry] { return k.entries("") }

// Promises yields the c-list's promises.
func (k Keeper) Promises() iter.Seq[Entry] { return k.entries("kp") }

func (k Keeper) entries(start string) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		prefix := k.key(".c.")
		end := prefix[:len(prefix)-1] + "/" // "/" follows "."
		if start != "" {
			end = prefix + start + ":" // ":" follows the digits
		}
		for key, ok := k.kv.Next(prefix+start, end); ok; key, ok = k.kv.Next(key, end) {
			e, _ := k.ByKRef(swing.KRef(strings.TrimPrefix(key, prefix)))
			if !yield(e) {
				return
			}
		}
	}
}

func (k Keeper) put(e Entry) {
	b := make([]byte, 0, len(e.VRef)+4)
	b = swing.AppendText(swing.AppendArray(b, 2), e.VRef)
	k.kv.Set(k.krefKey(e.KRef), swing.AppendBool(b, e.Reachable))
	k.kv.Set(k.vrefKey(e.VRef), []byte(e.KRef))
}

// remove deletes an entry and returns what that means for the counts.
func (k Keeper) remove(e Entry) RefChange {
	k.kv.Delete(k.krefKey(e.KRef))
	k.kv.Delete(k.vrefKey(e.VRef))
	return held(e, -1)
}

// held returns the counts an entry holds, times sign.
func held(e Entry, sign int) RefChange {
	c := RefChange{Ref: e.KRef}
	if e.KRef.Kind() == swing.Object {
		if e.VRef.Exported() {
			return c
		}
		c.Imports = sign
	}
	c.Recognizable = sign
	if e.Reachable {
		c.Reachable = sign
	}
	return c
}

// Held returns the counts that the entry holds on its kref.
func (e Entry) Held() RefChange { return held(e, 1) }

// AddRoot gives the vat its root object's entry: the kernel allocates the kref
// when the vat is made, before the vat has run.
func (k Keeper) AddRoot(ref swing.KRef) {
	k.put(Entry{KRef: ref, VRef: swing.RootVRef, Reachable: true})
}
