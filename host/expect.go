package host

import (
	"errors"
	"fmt"

	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
)

// ErrRolledBack is what an [ExpectError] wraps.
var ErrRolledBack = errors.New("the directory is not where it has been")

// ExpectError says that a directory has not the activityhash that Options.Expect names, nor
// had it before, as far as is known: it was replaced by an older copy, or another.
type ExpectError struct {
	Want, Has swing.Hash
	// Blocks is of how many blocks before the directory's state the hashes are known.
	Blocks uint64
}

// Error names both.
func (e *ExpectError) Error() string {
	return fmt.Sprintf("%v: its activityhash is %s, and neither that nor any of the %d blocks "+
		"before is %s; if it was meant to go back, open it without expecting that",
		ErrRolledBack, e.Has, e.Blocks, e.Want)
}

// Unwrap returns ErrRolledBack.
func (e *ExpectError) Unwrap() error { return ErrRolledBack }

// expect holds the directory against Options.Expect.
func (h *Host) expect() error {
	want, has := h.options.Expect, h.kv.Activityhash()
	if want.IsZero() || want == has {
		return nil
	}
	start, end, _ := h.log.Bounds(changesStream)
	for set, err := range h.items(changesStream, start, end) {
		if err != nil {
			return err
		}
		changes, err := kvstore.DecodeChanges(set)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if c.Key == kvstore.ActivityKey && string(c.Value) == string(want[:]) {
				return nil
			}
		}
	}
	return &ExpectError{Want: want, Has: has, Blocks: end - start}
}
