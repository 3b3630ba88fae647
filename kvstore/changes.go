package kvstore

import (
	"fmt"

	"vatwarehouse/swing"
)

// changesVersion is the first field of every encoded change set.
const changesVersion = 1

// change is one key of a change set; a nil value takes the key away. The value
// aliases the change set's bytes.
type change struct {
	key   string
	value []byte
}

// changesHint bounds what the decoder sets aside before it has seen the keys.
const changesHint = 1024

// appendChangesHead appends the head of a change set of n keys, which the caller
// appends next, sorted.
func appendChangesHead(b []byte, n int) []byte {
	return swing.AppendUint(swing.AppendArray(b, 1+2*n), changesVersion)
}

func appendChange(b []byte, key string, value []byte, present bool) []byte {
	b = swing.AppendBytes(b, []byte(key))
	if !present {
		return swing.AppendNull(b)
	}
	return swing.AppendBytes(b, value)
}

// decodeChanges reads a whole change set.
func decodeChanges(b []byte) ([]change, error) {
	r := swing.NewReader(b)
	fields := r.Array()
	if v := r.Uint(); r.Err() == nil && v != changesVersion {
		r.Fail(fmt.Errorf("%w: change set version %d, want %d",
			swing.ErrEncoding, v, changesVersion))
	}
	if r.Err() == nil && fields%2 == 0 {
		r.Fail(fmt.Errorf("%w: a key without a value", swing.ErrEncoding))
	}
	list := make([]change, 0, min(fields/2, changesHint))
	last := ""
	for n := fields / 2; n > 0 && r.Err() == nil; n-- {
		c := change{key: string(r.Bytes())}
		if !r.Null() {
			c.value = r.Bytes()
		}
		if why := c.refuse(last); r.Err() == nil && why != "" {
			r.Fail(fmt.Errorf("%w: %s", swing.ErrEncoding, why))
		}
		list, last = append(list, c), c.key
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return list, nil
}

// refuse returns why a change must not follow the key last, or "".
func (c change) refuse(last string) string {
	switch {
	case c.key <= last:
		return fmt.Sprintf("key %.40q after key %.40q", c.key, last)
	case len(c.key) > KeyBytesMax:
		return fmt.Sprintf("a key of %d bytes, limit %d", len(c.key), KeyBytesMax)
	case len(c.value) > ValueBytesMax:
		return fmt.Sprintf("a value of %d bytes, limit %d", len(c.value), ValueBytesMax)
	}
	return ""
}
