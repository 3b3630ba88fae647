package kvstore

import (
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// state is what an entry knows of its key.
type state uint8

const (
	unknown state = iota // nothing: the layers below know
	absent
	present
)

// place says where an entry stands in its overlay's order.
type place uint8

const (
	unplaced place = iota
	inFresh
	inTree
)

// entry is one key in an overlay. A known state is the truth of the whole
// store, whether the key was written here or only remembered from below.
type entry struct {
	key   string
	value []byte
	state state
	// was is the state before the block; unknown if nobody has looked.
	was state
	// touched says that the entry is in Store.touched.
	touched bool
	// dirty says that change sets since the table's position alter the key.
	dirty bool
	place place
	// writes counts this block's writes that were not rolled back.
	writes int32
	// counted is what the entry adds to its overlay's bytes.
	counted int
}

// entryBytes is what an entry costs beside its key and value: itself, its slot
// in the map, its place in the order.
const entryBytes = 160

// overlay is the changes since the table, and the reads worth remembering.
type overlay struct {
	entries map[string]*entry
	// tree and fresh hold, by key and in order of arrival, the entries that Next
	// may have to see. They reach the tree only when Next asks: most of a queue's
	// keys come and go within a block, and never do.
	tree  btree.Map[string, *entry]
	fresh []*entry
	// settled is how many of fresh have outlived a block.
	settled int

	dirtyKeys  int
	dirtyBytes int
	cleanBytes int
}

func newOverlay() *overlay { return &overlay{entries: make(map[string]*entry)} }

// add makes the entry of a key that has none.
func (o *overlay) add(key string) *entry {
	e := &entry{key: key}
	o.entries[key] = e
	return e
}

// remember adds a clean entry: what a layer below said of the key.
func (o *overlay) remember(e *entry, value []byte, st state) {
	e.value, e.state = value, st
	if !e.touched { // otherwise settle counts it
		o.count(e)
	}
}

// order makes sure that next will see e.
func (o *overlay) order(e *entry) {
	if e.place == unplaced {
		e.place = inFresh
		o.fresh = append(o.fresh, e)
	}
}

// next returns the entry of the least known key after the given one, or nil.
func (o *overlay) next(after string) (found *entry) {
	for _, e := range o.fresh {
		if e.place == inFresh {
			e.place = inTree
			o.tree.Set(e.key, e)
		}
	}
	clear(o.fresh)
	o.fresh, o.settled = o.fresh[:0], 0
	o.tree.Ascend(after, func(key string, e *entry) bool {
		if e.state == unknown || key == after {
			return true
		}
		found = e
		return false
	})
	return found
}

// settle takes an entry out of the block that is over: its writes are part of
// a change set now. An absent key that was absent before leaves no trace.
func (o *overlay) settle(e *entry) {
	o.uncount(e)
	if e.writes > 0 && (e.was != absent || e.state != absent) && !e.dirty {
		e.dirty = true
		o.dirtyKeys++
	}
	e.touched, e.writes = false, 0
	if !e.dirty && e.state != present {
		o.drop(e)
		return
	}
	o.count(e)
}

// compact takes out of fresh what was dropped in the block that is over, so
// that fresh never holds more than the overlay and one block.
func (o *overlay) compact() {
	kept := slices.DeleteFunc(o.fresh[o.settled:], func(e *entry) bool {
		return e.place != inFresh
	})
	o.fresh = o.fresh[:o.settled+len(kept)]
	o.settled = len(o.fresh)
}

// forget drops every clean entry. No entry may be touched.
func (o *overlay) forget() {
	for _, e := range o.entries {
		if !e.dirty {
			o.uncount(e)
			o.drop(e)
		}
	}
	o.settled = 0
	o.compact()
}

func (o *overlay) drop(e *entry) {
	delete(o.entries, e.key)
	if e.place == inTree {
		o.tree.Delete(e.key)
	}
	e.place, e.value = unplaced, nil
}

func (o *overlay) count(e *entry) {
	e.counted = entryBytes + len(e.key) + len(e.value)
	*o.bytesOf(e) += e.counted
}

func (o *overlay) uncount(e *entry) {
	*o.bytesOf(e) -= e.counted
	e.counted = 0
}

func (o *overlay) bytesOf(e *entry) *int {
	if e.dirty {
		return &o.dirtyBytes
	}
	return &o.cleanBytes
}

// frozen is an overlay that changes no more: a checkpoint writes it to the
// table, and until the next one it stays as a cache of what the table holds.
type frozen struct {
	entries  map[string]*entry
	position uint64
	// written says that the table holds it all, and every read sees it there.
	written bool
	// sorted returns the dirty entries by key. Whoever of the checkpoint and Next
	// asks first sorts them; the other waits.
	sorted func() []*entry
}

func (o *overlay) freeze(position uint64) *frozen {
	entries, n := o.entries, o.dirtyKeys
	sorted := sync.OnceValue(func() []*entry {
		dirty := make([]*entry, 0, n)
		for _, e := range entries {
			if e.dirty {
				dirty = append(dirty, e)
			}
		}
		slices.SortFunc(dirty, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
		return dirty
	})
	return &frozen{entries: entries, position: position, sorted: sorted}
}

// next returns the dirty entry of the least key after the given one, or nil.
func (f *frozen) next(after string) *entry {
	sorted := f.sorted()
	i, found := slices.BinarySearchFunc(sorted, after, func(e *entry, key string) int {
		return strings.Compare(e.key, key)
	})
	if found {
		i++
	}
	if i == len(sorted) {
		return nil
	}
	return sorted[i]
}
