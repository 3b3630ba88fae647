package vfs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// sectorBytes is what a disk writes whole or not at all.
const sectorBytes = 512

// Crash returns what could be found after a crash of the machine at this moment:
// a new file system, in which everything is synced and nothing is open or
// locked. The receiver stays as it is.
//
// What was synced is there. Each unsynced change is there with the given
// probability in percent: with 0 none is, with 100 all are, and in between the
// seed decides. It also decides, for every file and directory, how changes get
// lost: each for itself, writes whole; each for itself, writes by sector; or in
// order, all that follow a certain one, which itself is torn.
func (m *Mem) Crash(seed uint64, keepPercent int) *Mem {
	if keepPercent < 0 || keepPercent > 100 {
		panic(fmt.Sprintf("vfs: keep %d %% of what is unsynced", keepPercent))
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	d := draw{rand.New(rand.NewPCG(seed, 0)), keepPercent}
	return &Mem{root: d.node(m.root), base: m.base, locks: map[string]bool{}}
}

// draw draws one state after a crash.
type draw struct {
	rng  *rand.Rand
	keep int // percent
}

// loss is how changes get lost.
type loss int

const (
	lossWhole loss = iota
	lossSectors
	lossTail
	losses
)

// kept draws whether one change, or part of one, is kept.
func (d draw) kept() bool { return d.rng.IntN(100) < d.keep }

// plan returns for each of n changes whether it is kept, torn or lost.
func (d draw) plan(n int) func(i int) fate {
	switch {
	case d.keep == 0:
		return func(int) fate { return lost }
	case d.keep == 100:
		return func(int) fate { return kept }
	}
	mode, cut := loss(d.rng.IntN(int(losses))), d.rng.IntN(n+1)
	return func(i int) fate {
		switch {
		case mode == lossSectors, mode == lossTail && i == cut:
			return torn
		case mode == lossTail && i < cut, mode == lossWhole && d.kept():
			return kept
		}
		return lost
	}
}

// fate is what becomes of one change.
type fate int

const (
	lost fate = iota
	torn
	kept
)

// node draws a file, or a directory with all that is left in it.
func (d draw) node(n *memNode) *memNode {
	if n.lower != nil {
		d.plan(0) // as many draws as for the same file in memory
		return n.lower.node()
	}
	if n.names == nil {
		b := d.content(&n.memContent)
		return &memNode{memContent: memContent{now: b, synced: slices.Clone(b)}}
	}
	names := d.names(n.names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		names[name] = d.node(names[name])
	}
	return &memNode{names: &memNames{now: names, synced: maps.Clone(names)}}
}

// content draws what is left of a file.
func (d draw) content(c *memContent) []byte {
	if c.machine != nil {
		return contentOf(c.machine)
	}
	b := slices.Clone(c.synced)
	fateOf := d.plan(len(c.ops))
	for i, op := range c.ops {
		switch fateOf(i) {
		case kept:
			b = op.apply(b)
		case torn:
			b = d.tear(b, op)
		case lost:
		}
	}
	return b
}

// tear applies what is kept of one change. The length that a write brings may
// be kept without its bytes.
func (d draw) tear(b []byte, op writeOp) []byte {
	if op.kind != opWrite {
		if d.kept() {
			b = op.apply(b)
		}
		return b
	}
	end := op.at + int64(len(op.data))
	for at := op.at; at < end; {
		next := min(end, (at/sectorBytes+1)*sectorBytes)
		if d.kept() {
			b = writeOp{opWrite, at, op.data[at-op.at : next-op.at]}.apply(b)
		}
		at = next
	}
	if d.kept() {
		b = grown(b, end)
	}
	return b
}

// names draws the names of a directory. A node never gets two: where the change
// that gave it the first is kept and one in between is lost, the later name wins.
func (d draw) names(dir *memNames) map[string]*memNode {
	names := maps.Clone(dir.synced)
	bound := make(map[*memNode]string, len(names))
	for name, node := range names {
		bound[node] = name
	}
	fateOf := d.plan(len(dir.ops))
	for i, op := range dir.ops {
		if f := fateOf(i); f == lost || f == torn && !d.kept() {
			continue
		}
		op.apply(names)
		if op.node == nil {
			continue
		}
		if old, ok := bound[op.node]; ok && old != op.name && names[old] == op.node {
			delete(names, old)
		}
		bound[op.node] = op.name
	}
	return names
}
