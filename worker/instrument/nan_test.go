package instrument

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// isNaN reports whether bits are a NaN of 32 or 64 bits.
func isNaN(v uint64, bits int) bool {
	if bits == 32 {
		return math.IsNaN(float64(math.Float32frombits(uint32(v))))
	}
	return math.IsNaN(math.Float64frombits(v))
}

// isCanonical reports whether bits are the canonical NaN, but for the sign: there are
// instructions on vectors that change the sign alone.
func isCanonical(v uint64, bits int) bool {
	if bits == 32 {
		return v&^(1<<31) == 0x7fc00000
	}
	return v&^(1<<63) == 0x7ff8000000000000
}

// isPositive reports whether bits are the canonical NaN.
func isPositive(v uint64, bits int) bool { return isCanonical(v, bits) && v>>(bits-1) == 0 }

// sameBytes returns the first difference between the memory of a module and that
// of its normal form that is none of a NaN's bits, or "". What differs is canonical.
func sameBytes(original, normal []byte) string {
	if len(original) != len(normal) {
		return fmt.Sprintf("%d bytes, want %d", len(normal), len(original))
	}
	for i := 0; i < len(normal); i++ {
		if original[i] == normal[i] {
			continue
		}
		end := nanAround(original, normal, i)
		if end < 0 {
			return fmt.Sprintf("at %#x is %#x, want %#x", i, normal[i], original[i])
		}
		i = end - 1
	}
	return ""
}

// nanAround returns the end of a float around byte at that is a NaN in both, canonical in b, or -1.
func nanAround(a, b []byte, at int) int {
	for _, size := range []int{4, 8} {
		for i := max(0, at-size+1); i <= at && i+size <= len(a); i++ {
			if isNaN(load(a[i:], size), 8*size) && isCanonical(load(b[i:], size), 8*size) {
				return i + size
			}
		}
	}
	return -1
}

func load(b []byte, size int) uint64 {
	if size == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// sameWords returns the first difference between words that is none of a NaN's
// bits, or "".
func sameWords(original, normal []uint64) string {
	if len(original) != len(normal) {
		return fmt.Sprintf("%x, want %x", normal, original)
	}
	var a, b []byte
	for i := range original {
		a = binary.LittleEndian.AppendUint64(a, original[i])
		b = binary.LittleEndian.AppendUint64(b, normal[i])
	}
	if sameBytes(a, b) != "" {
		return fmt.Sprintf("%x, want %x", normal, original)
	}
	return ""
}

// asTheyCome is a normal form that takes every NaN for a number.
func asTheyCome(code []byte) []byte {
	const always, lanes = "\x41\x01\x01\x01\x01", "\x41\x7f\xfd\x11\x01\x01"
	code = bytes.Clone(code)
	for i := 4; i < len(code); i++ {
		for as, pushed := range map[floating]string{
			scalar32: always, scalar64: always, lanes32: lanes, lanes64: lanes,
		} {
			if bytes.HasPrefix(code[i:], []byte(choose[as])) && code[i-4] == opLocalGet {
				copy(code[i-4:], pushed)
			}
		}
	}
	return code
}
