package kvstore

import (
	"errors"
	"fmt"
)

// Restoring makes a new table out of keys and values that come from elsewhere. The
// table is whole once Finish has returned; what there is before is good for nothing,
// and the caller sees to it that nobody opens it.
type Restoring struct{ s *Store }

// ErrExists is returned by Restore where there is a table.
var ErrExists = errors.New("there is a table already")

// Restore begins a new table that is the one of a position: the change sets
// [0, position) are in it, wherever they are.
func Restore(o Options, position uint64) (*Restoring, error) {
	o.Inline = true
	s, err := Open(o)
	if err != nil {
		return nil, err
	}
	if s.position != 0 || s.stats.Keys != 0 {
		return nil, errors.Join(fmt.Errorf("restore %s: %w", s.o.Name, ErrExists), s.Close())
	}
	s.position = position
	return &Restoring{s}, nil
}

// Set gives a key a value; both are copied. Keys come in any order, each once.
func (r *Restoring) Set(key string, value []byte) error {
	if len(key) == 0 || len(key) > KeyBytesMax || len(value) > ValueBytesMax {
		return fmt.Errorf("restore key %.40q of %d bytes, value of %d: %w",
			key, len(key), len(value), ErrCorrupt)
	}
	e := r.s.touch(key)
	e.value, e.state = append(make([]byte, 0, len(value)), value...), present
	e.writes++
	if len(r.s.touched) < restoreKeys {
		return nil
	}
	r.s.endBlock()
	if !r.s.CheckpointDue() {
		return nil
	}
	return r.s.startCheckpoint()
}

// restoreKeys is how many keys pass between two looks at how much has gathered.
const restoreKeys = 1024

// Finish writes what is left, durably, and closes the table.
func (r *Restoring) Finish() error {
	r.s.endBlock()
	if err := r.s.startCheckpoint(); err != nil {
		return errors.Join(err, r.s.Close())
	}
	return r.s.Close()
}

// Abandon gives the table up as it is.
func (r *Restoring) Abandon() error { return r.s.Close() }

// Change is one key of a change set: its value, or nil where it is gone.
type Change struct {
	Key   string
	Value []byte
}

// DecodeChanges reads a change set, strictly. Values alias it.
func DecodeChanges(b []byte) ([]Change, error) {
	list, err := decodeChanges(b)
	if err != nil {
		return nil, err
	}
	out := make([]Change, len(list))
	for i, c := range list {
		out[i] = Change{c.key, c.value}
	}
	return out, nil
}

// AppendChanges appends the change set of the keys, which ascend.
func AppendChanges(b []byte, list []Change) []byte {
	b = appendChangesHead(b, len(list))
	for _, c := range list {
		b = appendChange(b, c.Key, c.Value, c.Value != nil)
	}
	return b
}
