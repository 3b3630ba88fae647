package swing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// ErrEncoding marks bytes that are not the one canonical encoding of a value.
var ErrEncoding = errors.New("not canonical")

const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	majorMask  = 7 << 5

	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNull  = 0xf6
)

// AppendUint appends an unsigned integer.
func AppendUint(b []byte, v uint64) []byte { return appendHead(b, majorUint, v) }

// AppendArray appends the head of an array of n items, which the caller appends next.
func AppendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

// AppendBytes appends a byte string.
func AppendBytes(b, v []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(v))), v...)
}

// AppendText appends a text string, which must be valid UTF-8.
func AppendText[S ~string](b []byte, s S) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

// AppendBool appends false or true.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, cborTrue)
	}
	return append(b, cborFalse)
}

// AppendNull appends null.
func AppendNull(b []byte) []byte { return append(b, cborNull) }

// AppendHash appends a hash as a byte string of 32 bytes.
func AppendHash(b []byte, h Hash) []byte { return AppendBytes(b, h[:]) }

// shortestFor is the least argument that a head with 1, 2, 4 or 8 further bytes may carry.
var shortestFor = [4]uint64{24, math.MaxUint8 + 1, math.MaxUint16 + 1, math.MaxUint32 + 1}

func appendHead(b []byte, major byte, v uint64) []byte {
	switch {
	case v < 24:
		return append(b, major|byte(v))
	case v <= math.MaxUint8:
		return append(b, major|24, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(v))
	case v <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), v)
}

// Reader takes canonical values off a byte string, strictly. The first fault
// sticks: later calls return zero values, and Done returns it. Byte strings
// alias the input.
type Reader struct {
	b   []byte
	at  int
	err error
}

// NewReader returns a Reader over b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Done returns the first fault, or a fault if bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && r.at != len(r.b) {
		r.failf("%d bytes left over", len(r.b)-r.at)
	}
	return r.err
}

// Err returns the first fault so far.
func (r *Reader) Err() error { return r.err }

// Fail records a fault found by the caller, unless there is one already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("offset %d: %w", r.at, err)
	}
}

func (r *Reader) failf(format string, args ...any) {
	r.Fail(fmt.Errorf("%w: "+format, append([]any{ErrEncoding}, args...)...))
}

// Uint takes an unsigned integer.
func (r *Reader) Uint() uint64 { return r.head(majorUint, "an unsigned integer") }

// Array takes the head of an array and returns its length, which is at most
// the number of bytes left: every item takes at least one.
func (r *Reader) Array() int {
	n := r.head(majorArray, "an array")
	if n > uint64(len(r.b)-r.at) {
		r.failf("an array of %d items in %d bytes", n, len(r.b)-r.at)
		return 0
	}
	return int(n)
}

// Fields takes the head of an array that must have n items.
func (r *Reader) Fields(n int) {
	if got := r.Array(); r.err == nil && got != n {
		r.failf("an array of %d items where %d are due", got, n)
	}
}

// Bytes takes a byte string. It aliases the input.
func (r *Reader) Bytes() []byte { return r.take(r.head(majorBytes, "a byte string")) }

// Text takes a text string.
func (r *Reader) Text() string {
	t := r.take(r.head(majorText, "a text string"))
	if !utf8.Valid(t) {
		r.failf("a text string that is not UTF-8")
		return ""
	}
	return string(t)
}

// Bool takes false or true.
func (r *Reader) Bool() bool {
	switch r.peek() {
	case cborFalse:
		r.at++
	case cborTrue:
		r.at++
		return true
	default:
		r.failf("want false or true")
	}
	return false
}

// Null takes a null if one is next, and reports whether it did.
func (r *Reader) Null() bool {
	if r.peek() != cborNull {
		return false
	}
	r.at++
	return true
}

// Hash takes a byte string of 32 bytes.
func (r *Reader) Hash() (h Hash) {
	if b := r.Bytes(); r.err == nil && copy(h[:], b) != len(b) || len(b) != HashBytes {
		r.failf("a hash of %d bytes", len(b))
	}
	return h
}

// Raw takes the next whole value, whatever it is, and returns its bytes, which
// alias the input. It checks heads and lengths but not the rules of one item.
func (r *Reader) Raw() []byte {
	start := r.at
	for items := uint64(1); items > 0 && r.err == nil; items-- {
		items += r.skipItem()
	}
	return r.b[start:r.at]
}

// skipItem passes one item and returns how many items it contains.
func (r *Reader) skipItem() uint64 {
	switch major := r.peek() & majorMask; major {
	case majorUint:
		r.Uint()
	case majorBytes, majorText:
		r.take(r.head(major, "a string"))
	case majorArray:
		return uint64(r.Array())
	default:
		if !r.Null() {
			r.Bool()
		}
	}
	return 0
}

// peek returns the next byte, or a byte no value starts with at the end.
func (r *Reader) peek() byte {
	if r.err != nil || r.at >= len(r.b) {
		return 0xff
	}
	return r.b[r.at]
}

func (r *Reader) take(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.b)-r.at) {
		r.failf("a string of %d bytes, with %d left", n, len(r.b)-r.at)
		return nil
	}
	v := r.b[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return v
}

// head takes an item's head of the wanted major type and returns its argument,
// refusing every head that is longer than it need be.
func (r *Reader) head(major byte, want string) uint64 {
	if r.err != nil {
		return 0
	}
	if r.at >= len(r.b) {
		r.failf("the end where %s is due", want)
		return 0
	}
	first := r.b[r.at]
	if first&majorMask != major {
		r.failf("byte 0x%02x where %s is due", first, want)
		return 0
	}
	info := first &^ majorMask
	if info < 24 {
		r.at++
		return uint64(info)
	}
	if info > 27 {
		r.failf("byte 0x%02x: indefinite or reserved length", first)
		return 0
	}
	size := 1 << (info - 24)
	if len(r.b)-r.at <= size {
		r.failf("a cut head")
		return 0
	}
	var v uint64
	for _, c := range r.b[r.at+1 : r.at+1+size] {
		v = v<<8 | uint64(c)
	}
	if v < shortestFor[info-24] {
		r.failf("a head of %d bytes where fewer do", 1+size)
		return 0
	}
	r.at += 1 + size
	return v
}

// valueDepthMax bounds arrays within arrays in Value.
const valueDepthMax = 16

// Value takes the next value, whatever it is: a uint64, []byte, string, bool, nil,
// or []any of these. It is for showing foreign bytes to people.
func (r *Reader) Value() any { return r.value(valueDepthMax) }

func (r *Reader) value(depth int) any {
	switch first := r.peek(); {
	case first == cborNull:
		r.at++
		return nil
	case first == cborFalse || first == cborTrue:
		return r.Bool()
	case first&majorMask == majorBytes:
		return r.Bytes()
	case first&majorMask == majorText:
		return r.Text()
	case first&majorMask == majorArray && depth > 0:
		list := []any{}
		for n := r.Array(); n > 0 && r.err == nil; n-- {
			list = append(list, r.value(depth-1))
		}
		return list
	}
	return r.Uint()
}
