package instrument

import (
	"fmt"
	"unicode/utf8"
)

// span is a stretch [at, end) of the module. The zero span stands for none: a
// module's first eight bytes are its magic number and version.
type span struct{ at, end int }

func (s span) bytes() int { return s.end - s.at }

// place names what a reader is in: a kind of thing, and its index unless it is
// the section as a whole.
type place struct {
	kind  string
	index int
}

// whole is the index of a place that is not one of several.
const whole = -1

func (p place) String() string {
	if p.index == whole {
		return p.kind
	}
	return fmt.Sprintf("%s %d", p.kind, p.index)
}

// reader takes values off a stretch of the module. The first fault sticks: the
// reader then stands at its end, every later call returns zero, and err holds
// the refusal.
type reader struct {
	b   []byte // the whole module, so that positions are offsets in it
	at  int
	end int
	in  place
	err *RefusedError
}

// read returns a reader of s, or of nothing if s is none.
func (m *module) read(s span, in place) *reader {
	return &reader{b: m.code, at: s.at, end: s.end, in: in}
}

func (r *reader) left() int { return r.end - r.at }

// malformed records that the bytes at the offset are no valid module.
func (r *reader) malformed(at int, format string, args ...any) {
	r.fail(&RefusedError{Malformed: true, Offset: at, What: fmt.Sprintf(format, args...)})
}

// refuse records that what lies at the offset is not admitted.
func (r *reader) refuse(at int, format string, args ...any) {
	r.fail(&RefusedError{Offset: at, What: fmt.Sprintf(format, args...)})
}

func (r *reader) fail(err *RefusedError) {
	if r.err == nil {
		err.Where = r.in.String()
		r.err = err
	}
	r.at = r.end
}

// done records a fault if bytes are left over, and returns the first fault.
func (r *reader) done() *RefusedError {
	if r.err == nil && r.at != r.end {
		r.malformed(r.at, "%d bytes left over", r.left())
	}
	return r.err
}

func (r *reader) u8() byte {
	if r.at >= r.end {
		r.malformed(r.at, "cut short, want a byte")
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// take returns the next n bytes, which alias the module.
func (r *reader) take(n int) []byte {
	if n < 0 || n > r.left() {
		r.malformed(r.at, "cut short, want %d bytes and have %d", n, r.left())
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

// u32 takes an unsigned LEB128 of 32 bits.
func (r *reader) u32() uint32 {
	if r.at < r.end && r.b[r.at] < 0x80 {
		r.at++
		return uint32(r.b[r.at-1])
	}
	return r.u32Long()
}

func (r *reader) u32Long() (v uint32) {
	at := r.at
	last := r.leb(at, 5, 32)
	for i := at; i < r.at && r.err == nil; i++ {
		v |= uint32(r.b[i]&0x7f) << (7 * (i - at))
	}
	if r.err == nil && r.at-at == 5 && last > 0x0f {
		r.malformed(at, "unsigned integer exceeds 32 bits")
		return 0
	}
	return v
}

// s32 takes a signed LEB128 of 32 bits.
func (r *reader) s32() (v int32) {
	at := r.at
	last := r.leb(at, 5, 32)
	for i := at; i < r.at && r.err == nil; i++ {
		v |= int32(r.b[i]&0x7f) << (7 * (i - at))
	}
	switch n := r.at - at; {
	case r.err != nil:
		return 0
	case n == 5 && last&0x78 != 0 && last&0x78 != 0x78:
		r.malformed(at, "signed integer exceeds 32 bits")
		return 0
	case n < 5 && last&0x40 != 0:
		v |= -1 << (7 * n)
	}
	return v
}

// s64 takes a signed LEB128 of 64 bits.
func (r *reader) s64() (v int64) {
	at := r.at
	last := r.leb(at, 10, 64)
	for i := at; i < r.at && r.err == nil; i++ {
		v |= int64(r.b[i]&0x7f) << (7 * (i - at))
	}
	switch n := r.at - at; {
	case r.err != nil:
		return 0
	case n == 10 && last != 0 && last != 0x7f:
		r.malformed(at, "signed integer exceeds 64 bits")
		return 0
	case n < 10 && last&0x40 != 0:
		v |= -1 << (7 * n)
	}
	return v
}

// leb moves past a LEB128 of at most most bytes and returns its last byte.
func (r *reader) leb(at, most, bits int) byte {
	for i := at; i < r.end; i++ {
		if i-at == most {
			r.malformed(at, "integer of %d bits in more than %d bytes", bits, most)
			return 0
		}
		if r.b[i] < 0x80 {
			r.at = i + 1
			return r.b[i]
		}
	}
	r.malformed(at, "cut short in an integer")
	return 0
}

// name takes a length and that many bytes of UTF-8.
func (r *reader) name(what string, limit int) []byte {
	at := r.at
	n := r.u32()
	if r.err == nil && int64(n) <= int64(r.left()) && int64(n) > int64(limit) {
		r.refuse(at, "%s of %d bytes, limit %d", what, n, limit)
		return nil
	}
	b := r.take(int(n))
	if r.err == nil && !utf8.Valid(b) {
		r.malformed(at, "%s %s is no UTF-8", what, quote(b))
		return nil
	}
	return b
}

// count takes the length of a vector of things that take at least each bytes.
// It never returns more than the bytes left can hold, so that a caller may
// allocate by it, nor more than the limit.
func (r *reader) count(what string, each, limit int) int {
	at := r.at
	n := r.u32()
	switch {
	case r.err != nil:
		return 0
	case int64(n)*int64(each) > int64(r.left()):
		r.malformed(at, "%d %s in %d bytes", n, what, r.left())
		return 0
	case int64(n) > int64(limit):
		r.refuse(at, "%d %s, limit %d", n, what, limit)
		return 0
	}
	return int(n)
}

// index takes an index into a space of n things.
func (r *reader) index(what string, n int) int {
	at := r.at
	i := r.u32()
	if int64(i) >= int64(n) && r.err == nil {
		r.missing(at, what, i, n)
		return 0
	}
	return int(i)
}

func (r *reader) missing(at int, what string, i uint32, n int) {
	r.malformed(at, "there is no %s %d among %d", what, i, n)
}
