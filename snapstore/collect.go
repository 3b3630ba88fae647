package snapstore

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"vatwarehouse/swing"
)

// CollectStats says what a Collect did.
type CollectStats struct {
	Roots        int   // heaps and images whose pages were kept
	LiveObjects  int   // objects kept
	LiveBytes    int64 // their records
	MovedObjects int   // of these, written anew so that their packs could go
	PacksRemoved int
	BytesRemoved int64 // length of the packs removed
	// Faults are objects reachable from what is live that are damaged or not
	// stored. At most 1000 are listed. What they alone name is not kept; a pack
	// is kept, this time, if an object to be moved from it cannot be read.
	Faults []Fault
}

// Collect removes what is garbage. It keeps all that is reachable from
//
//   - the heaps named, of which those not stored are faults;
//   - the images in use;
//   - every heap committed, and every object stored or met again by a commit,
//     since the Collect before this one began.
//
// So the host names the heaps that its records name. A heap that was committed
// and is not yet named by a record is safe from the next Collect, not from the
// one after it: no commit may wait that long for its record, or the host names
// it too. Unused images of heaps that are not named are dropped.
//
// Packs that are at least half garbage are rewritten: what is live is stored in
// the active pack and synced before the old one is removed, so that a crash
// loses nothing. The active pack is left alone. Commits and Image calls go on
// meanwhile, and wait only while packs are removed.
func (s *Store) Collect(live []swing.Hash) (CollectStats, error) {
	s.collecting.Lock()
	defer s.collecting.Unlock()
	c := &collection{s: s, live: live, c: borrow()}
	defer giveBack(c.c)
	err := c.run()
	c.stats.Faults = c.faults
	if err != nil {
		return c.stats, fmt.Errorf("collect snapshots: %w", err)
	}
	s.mu.Lock()
	s.left = s.packBytes()
	s.mu.Unlock()
	return c.stats, nil
}

// CollectDue reports whether a Collect is likely to be worth its work: half of the packs'
// bytes, or more, may be garbage, since the Collect before did not find them live, and the
// packs are longer by a quarter than what it left. So what is stored pays for looking at
// all that is, though a Collect leaves much garbage where it is: in the active pack, and in
// packs that are mostly live.
func (s *Store) CollectDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.packBytes()
	return size > 0 && 2*(size-s.live) >= size && 4*(size-s.left) >= s.left
}

// collection is the work of one Collect.
type collection struct {
	s      *Store
	live   []swing.Hash
	c      *scratch
	packs  map[uint32]bool // to be removed
	stats  CollectStats
	faults faultList
}

// run marks and moves twice. The first time commits go on, and may make live
// what was garbage; the second time, when nothing goes on, little is left to do.
func (c *collection) run() error {
	s := c.s
	if err := s.Sync(); err != nil {
		return err
	}
	c.begin()
	if err := c.mark(); err != nil {
		return err
	}
	c.choose()
	if len(c.packs) == 0 {
		return nil
	}
	if err := c.move(); err != nil {
		return err
	}
	s.world.Lock()
	defer s.world.Unlock()
	if err := c.mark(); err != nil {
		return err
	}
	if err := c.move(); err != nil {
		return err
	}
	return c.remove()
}

// begin ages what was stored since the last Collect, and drops unused images.
func (c *collection) begin() {
	s := c.s
	named := make(map[swing.Hash]bool, len(c.live))
	for _, id := range c.live {
		named[id] = true
	}
	s.mu.Lock()
	s.index.each(func(e *entry) {
		aged := flags(0)
		if e.flags&flagNew != 0 {
			aged = flagAged
		}
		e.flags = aged
	})
	gone := s.images.dropUnused(func(img *Image) bool { return !named[img.id] })
	s.mu.Unlock()
	s.removeImages(gone)
}

// choose names the sealed packs that are at least half garbage.
func (c *collection) choose() {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	live := map[uint32]int64{}
	s.index.each(func(e *entry) {
		if e.flags&flagsLive != 0 {
			live[e.pack] += int64(e.size)
			c.stats.LiveObjects++
			c.stats.LiveBytes += int64(e.size)
		}
	})
	s.live = c.stats.LiveBytes
	c.packs = map[uint32]bool{}
	for n, p := range s.packs {
		if p.sealed && 2*live[n] < p.size {
			c.packs[n] = true
		}
	}
}

// move stores what is live in the chosen packs anew, and syncs it.
func (c *collection) move() error {
	for _, e := range c.toMove() {
		if err := c.moveObject(&e); err != nil {
			return err
		}
	}
	return c.s.Sync()
}

// toMove returns what is live in the chosen packs, in the order it lies there.
func (c *collection) toMove() (list []entry) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.each(func(e *entry) {
		if c.packs[e.pack] && e.flags&flagsLive != 0 {
			list = append(list, *e)
		}
	})
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.pack, b.pack), cmp.Compare(a.offset, b.offset))
	})
	return list
}

func (c *collection) moveObject(e *entry) error {
	s := c.s
	_, r, err := s.read(e.class, e.hash, c.c)
	if err != nil {
		delete(c.packs, e.pack)
		return c.note(e.hash, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.stats.MovedObjects++
	return s.storeAgain(r)
}

// remove removes the chosen packs; the world is held alone, so that nobody
// reads them, and nothing in them is live. The index file goes first: one
// without a pack is removed by Open, a pack without one would be scanned.
func (c *collection) remove() error {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = s.index.without(c.packs)
	for _, n := range slices.Sorted(maps.Keys(c.packs)) {
		p := s.packs[n]
		delete(s.packs, n)
		err := errors.Join(p.file.Close(), s.o.FS.Remove(s.indexFile(p)))
		if err == nil {
			err = s.o.FS.Remove(s.packFile(p))
		}
		if err != nil {
			return s.fail(fmt.Errorf("remove %s: %w", p.name(), err))
		}
		c.stats.PacksRemoved++
		c.stats.BytesRemoved += p.size
	}
	if err := s.o.FS.SyncDir(s.in(packsDir)); err != nil {
		return s.fail(err)
	}
	return nil
}
