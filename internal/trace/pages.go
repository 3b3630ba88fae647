package trace

import (
	"maps"
	"math/bits"
	"slices"
)

// pageSet is a set of page numbers. Use newPageSet.
type pageSet struct {
	words map[uint32]uint64 // of each 64 pages in line, which are in it
	count uint64
}

func newPageSet() pageSet { return pageSet{words: map[uint32]uint64{}} }

const pagesPerWord = 64

// add adds pages, and returns how many were not in it.
func (s *pageSet) add(pages []uint32) (added uint64) {
	for _, page := range pages {
		word, bit := page/pagesPerWord, uint64(1)<<(page%pagesPerWord)
		if s.words[word]&bit == 0 {
			s.words[word] |= bit
			added++
		}
	}
	s.count += added
	return added
}

// clear takes all out of it.
func (s *pageSet) clear() {
	clear(s.words)
	s.count = 0
}

// list returns them in order.
func (s *pageSet) list() []uint32 {
	pages := make([]uint32, 0, s.count)
	for _, at := range slices.Sorted(maps.Keys(s.words)) {
		for word := s.words[at]; word != 0; word &= word - 1 {
			pages = append(pages, at*pagesPerWord+uint32(bits.TrailingZeros64(word)))
		}
	}
	return pages
}
