package snapstore

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"vatwarehouse/swing"
)

const (
	// fanOut is how many children a node has.
	fanOut     = 1 << fanOutBits
	fanOutBits = 3
	// treeDepth is how many levels of nodes stand over the pages. It is fixed,
	// so that a heap that grows keeps its nodes.
	treeDepth = 7
	// treeBytesMax is the most that a WASM memory has. A tree could hold twice
	// as much.
	treeBytesMax = 4 << 30

	nodeMaskBytes = 1
	nodeBytesMax  = nodeMaskBytes + fanOut*swing.HashBytes
)

// node is the names of eight subtrees, or of eight pages.
type node [fanOut]swing.Hash

// appendNode appends the one encoding of a node, of which the children past the
// end of the slice are zero; and nothing for a node whose children all are.
func appendNode(b []byte, children []swing.Hash) []byte {
	start := len(b)
	b = append(b, 0)
	var mask byte
	for i := range children {
		if !children[i].IsZero() {
			mask |= 1 << i
			b = append(b, children[i][:]...)
		}
	}
	if mask == 0 {
		return b[:start]
	}
	b[start] = mask
	return b
}

var errNode = errors.New("not a node's encoding")

// decodeNode reads what appendNode appends.
func decodeNode(b []byte) (n node, err error) {
	if len(b) < nodeMaskBytes {
		return n, fmt.Errorf("%w: %d bytes", errNode, len(b))
	}
	mask := b[0]
	b = b[nodeMaskBytes:]
	if mask == 0 || len(b) != bits.OnesCount8(mask)*swing.HashBytes {
		return n, fmt.Errorf("%w: %d bytes of children, mask %02x", errNode, len(b), mask)
	}
	for i := range n {
		if mask&(1<<i) == 0 {
			continue
		}
		n[i] = swing.Hash(b[:swing.HashBytes])
		if b = b[swing.HashBytes:]; n[i].IsZero() {
			return node{}, fmt.Errorf("%w: child %d is present and zero", errNode, i)
		}
	}
	return n, nil
}

// tree is the names of a heap's pages, and of the nodes over them. Level 0 is
// the pages, level treeDepth the root; what lies past the end of a level is zero.
type tree struct {
	levels  [treeDepth + 1][]swing.Hash
	present int // pages that are not all zero
}

// pages returns how many pages the tree is over.
func (t *tree) pages() int { return len(t.levels[0]) }

// grow makes the tree one over at least this many pages.
func (t *tree) grow(pages int) {
	for l := range t.levels {
		if more := pages - len(t.levels[l]); more > 0 {
			t.levels[l] = append(t.levels[l], make([]swing.Hash, more)...)
		}
		pages = (pages + fanOut - 1) / fanOut
	}
}

func (t *tree) clone() (c tree) {
	for l := range t.levels {
		c.levels[l] = slices.Clone(t.levels[l])
	}
	c.present = t.present
	return c
}

func (t *tree) root() swing.Hash {
	if len(t.levels[treeDepth]) == 0 {
		return swing.Hash{}
	}
	return t.levels[treeDepth][0]
}

// setPage names one page, and returns what present is to grow by: several
// goroutines may name pages, one of them adds up.
func (t *tree) setPage(i uint32, hash swing.Hash) (more int) {
	if !t.levels[0][i].IsZero() {
		more--
	}
	if !hash.IsZero() {
		more++
	}
	t.levels[0][i] = hash
	return more
}

// children returns the names under a node; there may be fewer than fanOut.
func (t *tree) children(level int, i uint32) []swing.Hash {
	under := t.levels[level-1]
	start := int(i) * fanOut
	return under[start:min(start+fanOut, len(under))]
}

// parents appends to up the parents of ascending positions of one level. The two
// may share their start.
func parents(up, list []uint32) []uint32 {
	for _, i := range list {
		if p := i / fanOut; len(up) == 0 || up[len(up)-1] != p {
			up = append(up, p)
		}
	}
	return up
}

// pageSet is a set of pages: a bit each.
type pageSet struct {
	words []uint64
	count int
}

// grow makes room for pages below the given one.
func (p *pageSet) grow(pages int) {
	if more := (pages+63)/64 - len(p.words); more > 0 {
		p.words = append(p.words, make([]uint64, more)...)
	}
}

func (p *pageSet) add(i uint32) {
	if w, bit := &p.words[i/64], uint64(1)<<(i%64); *w&bit == 0 {
		*w |= bit
		p.count++
	}
}

// addAll adds the pages of another set, for which there must be room.
func (p *pageSet) addAll(other *pageSet) {
	for _, i := range other.appendTo(nil) {
		p.add(i)
	}
}

func (p *pageSet) has(i uint32) bool { return p.words[i/64]&(1<<(i%64)) != 0 }

// appendTo appends the pages in ascending order.
func (p *pageSet) appendTo(list []uint32) []uint32 {
	left := p.count
	for at := 0; left > 0; at++ {
		for w := p.words[at]; w != 0; w &= w - 1 {
			list = append(list, uint32(at*64+bits.TrailingZeros64(w)))
			left--
		}
	}
	return list
}

func (p *pageSet) clear() {
	clear(p.words)
	p.count = 0
}
