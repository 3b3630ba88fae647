package vat

import "unicode/utf8"

// The values of the boundary: canonical CBOR, of which these kinds are used.
const (
	kindUint  = 0 << 5
	kindBytes = 2 << 5
	kindText  = 3 << 5
	kindArray = 4 << 5

	byteFalse = 0xf4
	byteTrue  = 0xf5
	byteNull  = 0xf6
)

// appendHead appends a value's head: its kind and argument, in the fewest bytes.
func appendHead(b []byte, kind byte, v uint64) []byte {
	size := 0 // bytes of the argument that do not fit the first
	switch {
	case v < 24:
		return append(b, kind|byte(v))
	case v < 1<<8:
		size = 1
	case v < 1<<16:
		size = 2
	case v < 1<<32:
		size = 4
	default:
		size = 8
	}
	b = append(b, kind|[9]byte{1: 24, 2: 25, 4: 26, 8: 27}[size])
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(v>>shift))
	}
	return b
}

func appendArray(b []byte, n int) []byte   { return appendHead(b, kindArray, uint64(n)) }
func appendUint(b []byte, v uint64) []byte { return appendHead(b, kindUint, v) }

func appendBytes(b, v []byte) []byte {
	return append(appendHead(b, kindBytes, uint64(len(v))), v...)
}

func appendText[S ~string](b []byte, s S) []byte {
	return append(appendHead(b, kindText, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, byteTrue)
	}
	return append(b, byteFalse)
}

// reader takes canonical values off bytes. Once bad it stays bad, and gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) spoil() { r.bad, r.rest = true, nil }

// head takes a value's head of the given kind. A longer head than need be is not
// canonical, so it is bad.
func (r *reader) head(kind byte) uint64 {
	if len(r.rest) == 0 || r.rest[0]&0xe0 != kind {
		r.spoil()
		return 0
	}
	low := r.rest[0] & 0x1f
	r.rest = r.rest[1:]
	if low < 24 {
		return uint64(low)
	}
	if low > 27 || len(r.rest) < 1<<(low-24) {
		r.spoil()
		return 0
	}
	var v uint64
	for range 1 << (low - 24) {
		v, r.rest = v<<8|uint64(r.rest[0]), r.rest[1:]
	}
	if v < [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[low-24] {
		r.spoil()
		return 0
	}
	return v
}

func (r *reader) string(kind byte) []byte {
	n := r.head(kind)
	if n > uint64(len(r.rest)) {
		r.spoil()
		return nil
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) text() string {
	s := r.string(kindText)
	if !utf8.Valid(s) {
		r.spoil()
		return ""
	}
	return string(s)
}

// count takes the head of an array and returns how many items follow, each of
// which takes at least one byte.
func (r *reader) count() int {
	n := r.head(kindArray)
	if n > uint64(len(r.rest)) {
		r.spoil()
		return 0
	}
	return int(n)
}

func (r *reader) fields(n int) {
	if r.count() != n {
		r.spoil()
	}
}

// next takes one byte if it is next.
func (r *reader) next(b byte) bool {
	if len(r.rest) == 0 || r.rest[0] != b {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *reader) bool() bool {
	if r.next(byteTrue) {
		return true
	}
	if !r.next(byteFalse) {
		r.spoil()
	}
	return false
}

func (r *reader) ref() Ref {
	ref := Ref(r.text())
	if !ref.valid() {
		r.spoil()
		return ""
	}
	return ref
}

func (r *reader) optionalRef() Ref {
	if r.next(byteNull) {
		return ""
	}
	return r.ref()
}

func (r *reader) data() *Data {
	d := &Data{values: reader{rest: r.string(kindBytes)}}
	for n := r.count(); n > 0 && !r.bad; n-- {
		d.slots = append(d.slots, r.ref())
	}
	return d
}

// done reports whether everything was well formed, and nothing is left.
func (r *reader) done() bool { return !r.bad && len(r.rest) == 0 }
