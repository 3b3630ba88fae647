package snapstore

import (
	"encoding/binary"

	"vatwarehouse/swing"
)

// class is what an object is. It is part of an object's name: the digests of
// pages have no domain of their own, so that a guest could make a page whose
// digest is that of a heap.
type class byte

const (
	classPage class = 1
	classNode class = 2
	classHeap class = 3
)

// String returns the class, for messages.
func (c class) String() string {
	switch c {
	case classPage:
		return "page"
	case classNode:
		return "node"
	case classHeap:
		return "heap"
	}
	return "object of no class"
}

// place is where a record lies.
type place struct {
	pack   uint32 // its number, from 1; 0 is nowhere
	offset uint32
	size   uint16 // of the whole record, in bytes
}

// entry is one object of the index: entryBytes bytes.
type entry struct {
	hash swing.Hash
	place
	class class
	flags flags
}

// flags say why an object is not garbage.
type flags byte

const (
	// flagNew: stored, or found stored, since the last Collect began.
	flagNew flags = 1 << iota
	// flagAged: the same, in the time before.
	flagAged
	// flagMarked: reachable, says the Collect that is running.
	flagMarked
	// flagSeen: read and found good by the Verify that is running.
	flagSeen

	flagsLive = flagNew | flagAged | flagMarked
)

// index finds an object's place by its name: an open hash table of entry
// numbers over entries in chunks. A Go map of the same would take 90 bytes an
// object where this takes about 65. Hashes are digests, so that their first
// bytes serve as the table's hash, and the next four as a tag: looking for what
// is not stored, which is most of what a commit does, reads no entry.
type index struct {
	slots     []slot
	chunks    [][]entry
	count     int    // entries
	condemned int    // of these, nowhere
	forgotten uint64 // how often an entry became so
	warmed    slot   // means nothing: see warm
}

const (
	chunkEntries = 4096
	slotsMin     = 1024
	entryBytes   = 48
	slotBytes    = 8
)

// slot is one place of the table: a tag of the object's digest, and the number of
// its entry + 1. 0 is free.
type slot uint64

func makeSlot(hash *swing.Hash, number int) slot {
	return slot(binary.LittleEndian.Uint32(hash[8:]))<<32 | slot(number+1)
}

func (s slot) number() int { return int(uint32(s)) - 1 }

// tagged reports whether the slot may be the object's.
func (s slot) tagged(hash *swing.Hash) bool {
	return uint32(s>>32) == binary.LittleEndian.Uint32(hash[8:])
}

// bytes returns the memory that the index takes.
func (x *index) bytes() int64 {
	return int64(len(x.chunks))*chunkEntries*entryBytes + int64(len(x.slots))*slotBytes
}

func (x *index) at(n int) *entry { return &x.chunks[n/chunkEntries][n%chunkEntries] }

// home returns the slot at which the search for an object starts.
func (x *index) home(hash *swing.Hash) int {
	return int(binary.LittleEndian.Uint64(hash[:])) & (len(x.slots) - 1)
}

// slot returns the slot that holds the object, or the free one it belongs in.
func (x *index) slot(cl class, hash *swing.Hash) int {
	mask := len(x.slots) - 1
	i := x.home(hash)
	for ; x.slots[i] != 0; i = (i + 1) & mask {
		if !x.slots[i].tagged(hash) {
			continue
		}
		if e := x.at(x.slots[i].number()); e.hash == *hash && e.class == cl {
			break
		}
	}
	return i
}

// warm reads the slots where the objects will be looked for, so that the processor
// waits for memory once and not for each: a tenth of a large commit's time.
func (x *index) warm(objects []object) {
	if len(x.slots) == 0 {
		return
	}
	for i := range objects {
		x.warmed |= x.slots[x.home(&objects[i].hash)]
	}
}

// stored returns the entry of a slot, or nil if there is none or it is nowhere.
func (x *index) stored(i int) *entry {
	if x.slots[i] == 0 {
		return nil
	}
	if e := x.at(x.slots[i].number()); e.pack != 0 {
		return e
	}
	return nil
}

// find returns the object's entry, or nil if it is not stored. The entry is
// valid until the index is rebuilt.
func (x *index) find(cl class, hash *swing.Hash) *entry {
	if len(x.slots) == 0 {
		return nil
	}
	return x.stored(x.slot(cl, hash))
}

// reserve makes room for one more entry.
func (x *index) reserve() {
	if x.count*4 >= len(x.slots)*3 {
		x.grow()
	}
}

// set puts the object at a place, whether it had one or not.
func (x *index) set(cl class, hash *swing.Hash, at place, f flags) {
	x.reserve()
	x.fill(x.slot(cl, hash), cl, hash, at, f)
}

// fill is set for the slot that slot has returned.
func (x *index) fill(i int, cl class, hash *swing.Hash, at place, f flags) {
	if x.slots[i] != 0 {
		e := x.at(x.slots[i].number())
		if e.pack == 0 {
			x.condemned--
		}
		e.place, e.flags = at, e.flags|f
		return
	}
	if x.count%chunkEntries == 0 {
		x.chunks = append(x.chunks, make([]entry, chunkEntries))
	}
	*x.at(x.count) = entry{hash: *hash, place: at, class: cl, flags: f}
	x.slots[i] = makeSlot(hash, x.count)
	x.count++
}

// condemn takes an entry's place away, if it is still the one given: its bytes
// were found damaged, and must be stored anew when they are next met.
func (x *index) condemn(cl class, hash *swing.Hash, at place) {
	if e := x.find(cl, hash); e != nil && e.place == at {
		e.place = place{}
		x.condemned++
		x.forgotten++
	}
}

func (x *index) grow() {
	x.slots = make([]slot, max(slotsMin, 2*len(x.slots)))
	for n := range x.count {
		e := x.at(n)
		x.slots[x.slot(e.class, &e.hash)] = makeSlot(&e.hash, n)
	}
}

// each calls f for every entry that has a place.
func (x *index) each(f func(e *entry)) {
	for n := range x.count {
		if e := x.at(n); e.pack != 0 {
			f(e)
		}
	}
}

// without returns the index less the entries in the packs named.
func (x *index) without(packs map[uint32]bool) index {
	rest := index{forgotten: x.forgotten}
	x.each(func(e *entry) {
		if !packs[e.pack] {
			rest.set(e.class, &e.hash, e.place, e.flags)
		}
	})
	return rest
}
