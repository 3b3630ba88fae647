package transcript

import (
	"fmt"
	"iter"

	"vatwarehouse/swing"
)

// Span is a run of entries [Start, End) of one incarnation, replayable from
// the birth of its program, and the hash of their chain.
type Span struct {
	Incarnation uint64
	Start, End  uint64
	Hash        swing.Hash
}

// Extend returns the span with one more item.
func (s Span) Extend(item []byte) Span {
	s.End++
	s.Hash = chain(s.Hash, item)
	return s
}

func chain(h swing.Hash, item []byte) swing.Hash {
	return swing.Sum("vatwarehouse transcript", h[:], item)
}

// ChainError says where a stored history stops being the one that was recorded.
type ChainError struct {
	Start, End uint64 // the span
	Position   uint64 // of the first item that is missing, or End if all are there
	Want, Got  swing.Hash
}

// Error names the span and what is wrong with it.
func (e *ChainError) Error() string {
	if e.Position < e.End {
		return fmt.Sprintf("transcript [%d, %d) ends before position %d",
			e.Start, e.End, e.Position)
	}
	return fmt.Sprintf("transcript [%d, %d) has hash %s, recorded as %s: an item was altered",
		e.Start, e.End, e.Got.Short(), e.Want.Short())
}

// Verified yields the items of the part of s that follows an earlier part of it,
// base, decoded and in order. It ends with an error where an item can't be
// read, is out of place, or where the chain does not end at s.Hash.
func (s Span) Verified(base Span, items iter.Seq2[[]byte, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		at := base
		for item, err := range items {
			if err != nil {
				yield(Entry{}, fmt.Errorf("read position %d: %w", at.End, err))
				return
			}
			e, err := Decode(item)
			if err == nil && e.Position != at.End {
				err = fmt.Errorf("position %d stands where %d is due", e.Position, at.End)
			}
			if err == nil { // what is run again must be a delivery
				_, err = swing.DeliveryTime(e.Delivery)
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("read position %d: %w", at.End, err))
				return
			}
			at = at.Extend(item)
			if !yield(e, nil) {
				return
			}
		}
		if at.End != s.End || at.Hash != s.Hash {
			yield(Entry{}, &ChainError{s.Start, s.End, at.End, s.Hash, at.Hash})
		}
	}
}
