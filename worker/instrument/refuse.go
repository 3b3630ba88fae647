package instrument

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrRefused is what every refusal of a module is, by errors.Is.
var ErrRefused = errors.New("module refused")

// RefusedError says why a module was refused: what, where, and what would be
// right. It is the same on every machine for the same bytes and limits.
type RefusedError struct {
	// Malformed says that the bytes are no valid module. Otherwise they may be
	// one, but not one that is admitted.
	Malformed bool
	// Offset is the byte of the original module at which the fault was found.
	Offset int
	// Where names the part: a section, or one thing in it by index and name.
	Where string
	// What says what was found there, and what would be right.
	What string
}

// Error returns the refusal in one line.
func (e *RefusedError) Error() string {
	kind := "not admitted"
	if e.Malformed {
		kind = "malformed"
	}
	return fmt.Sprintf("module %s: %s at offset %d: %s", kind, e.Where, e.Offset, e.What)
}

// Is reports whether target is [ErrRefused].
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// quoteBytes bounds how much foreign text a refusal repeats.
const quoteBytes = 64

// quote returns foreign text for a refusal: quoted, and cut if long.
func quote[T ~string | ~[]byte](text T) string {
	if len(text) > quoteBytes {
		return strconv.Quote(string(text[:quoteBytes])) + "…"
	}
	return strconv.Quote(string(text))
}
