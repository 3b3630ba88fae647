package swing

import (
	"fmt"
	"strconv"
	"strings"
)

// VatID names a vat: "v1", "v2", …. Ids are never reused.
type VatID string

// KRef is a kernel-side reference: "ko20" is an object, "kp40" a promise.
// The empty KRef means none.
type KRef string

// VRef is a vat-side reference. "o+0" and "p+1" were allocated by the vat,
// "o-50" and "p-60" by the kernel; "o+v3/7:1" is a virtual and "o+d3/7:1" a
// durable object (kind 3, instance 7, facet 1). The empty VRef means none.
type VRef string

// RootVRef is the object every vat exports from birth.
const RootVRef VRef = "o+0"

// Ref is either side's reference. It keeps capability data built on one side
// from being read on the other without passing a c-list.
type Ref interface {
	~string
	Validate() error
}

// RefKind says what a reference denotes.
type RefKind byte

// The kinds of reference.
const (
	Object  RefKind = 'o'
	Promise RefKind = 'p'
)

// refDigitsMax bounds the digits of a number in a reference, so that every
// accepted number fits a uint64.
const refDigitsMax = 18

// VatIDOf returns the id of the n-th vat; n counts from 1.
func VatIDOf(n uint64) VatID { return VatID(numbered("v", n)) }

// KRefOf returns the kref of the given kind and number.
func KRefOf(kind RefKind, n uint64) KRef {
	if kind == Promise {
		return KRef(numbered("kp", n))
	}
	return KRef(numbered("ko", n))
}

// ImportVRef returns the vref the kernel allocates for its n-th import into a vat.
func ImportVRef(kind RefKind, n uint64) VRef {
	if kind == Promise {
		return VRef(numbered("p-", n))
	}
	return VRef(numbered("o-", n))
}

// numbered appends n in decimal to prefix with one allocation.
func numbered(prefix string, n uint64) string {
	var buf [24]byte
	return string(strconv.AppendUint(append(buf[:0], prefix...), n, 10))
}

// Validate reports whether id is written exactly as VatIDOf writes it.
func (id VatID) Validate() error {
	rest, ok := strings.CutPrefix(string(id), "v")
	if !ok || !positive(rest) {
		return fmt.Errorf("%w: %q is no vat id (want v1, v2, …)", ErrEncoding, clip(string(id)))
	}
	return nil
}

// Number returns n of the id VatIDOf(n); id must be valid.
func (id VatID) Number() uint64 { return number(string(id[1:])) }

// Validate reports whether k is written exactly as KRefOf writes it.
func (k KRef) Validate() error {
	if len(k) > 2 && k[0] == 'k' && (k[1] == 'o' || k[1] == 'p') && positive(string(k[2:])) {
		return nil
	}
	return fmt.Errorf("%w: %q is no kref (want ko20, kp40, …)", ErrEncoding, clip(string(k)))
}

// Kind returns what k denotes; k must be valid.
func (k KRef) Kind() RefKind { return RefKind(k[1]) }

// Number returns n of the kref KRefOf(kind, n); k must be valid.
func (k KRef) Number() uint64 { return number(string(k[2:])) }

// Validate reports whether v follows the grammar of [VRef]: no leading zeros,
// no signs but the one, bounded digits.
func (v VRef) Validate() error {
	if validVRef(string(v)) {
		return nil
	}
	return fmt.Errorf("%w: %q is no vref (want o+0, o-50, p+1, p-60, o+d3/7, …)",
		ErrEncoding, clip(string(v)))
}

// Kind returns what v denotes; v must be valid.
func (v VRef) Kind() RefKind { return RefKind(v[0]) }

// Number returns n of the vref ImportVRef(kind, n); v must be a valid import.
func (v VRef) Number() uint64 { return number(string(v[2:])) }

// Exported reports whether the vat allocated v; v must be valid.
func (v VRef) Exported() bool { return v[1] == '+' }

func validVRef(s string) bool {
	if len(s) < 3 || (s[0] != 'o' && s[0] != 'p') {
		return false
	}
	rest := s[2:]
	switch {
	case s[1] == '-':
		return positive(rest)
	case s[1] != '+':
		return false
	case s[0] == 'o' && (rest[0] == 'v' || rest[0] == 'd'):
		return validInstance(rest[1:])
	}
	return decimal(rest)
}

// validInstance checks KIND/INSTANCE[:FACET].
func validInstance(s string) bool {
	kind, rest, ok := strings.Cut(s, "/")
	if !ok || !decimal(kind) {
		return false
	}
	instance, facet, faceted := strings.Cut(rest, ":")
	return decimal(instance) && (!faceted || decimal(facet))
}

func positive(s string) bool { return decimal(s) && s != "0" }

func decimal(s string) bool {
	if len(s) == 0 || len(s) > refDigitsMax || (s[0] == '0' && len(s) > 1) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// number reads digits already validated.
func number(digits string) (n uint64) {
	for i := 0; i < len(digits); i++ {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n
}

// clip shortens foreign text for an error message.
func clip(s string) string {
	const clipBytes = 40
	if len(s) <= clipBytes {
		return s
	}
	return s[:clipBytes] + "…"
}
