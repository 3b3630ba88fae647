package guest_test

import "slices"

// imported is a function that a program imports.
type imported struct {
	module, name string
	params       []string // "i32" or "i64"
	result       bool     // an i32
	what         string   // what the README says it does
}

// The instructions that assembled programs use.
const (
	opCall     = 0x10
	opLocalGet = 0x20
	opI32Const = 0x41
	opI64Const = 0x42
	opI32Ne    = 0x47
)

// constant returns the code that leaves an i32 constant.
func constant(v int32) []byte { return append([]byte{opI32Const}, sleb(int64(v))...) }

// call returns the code that calls the n-th import, with constants for its arguments
// or, where there are fewer, zeros.
func call(n int, f imported, args ...int32) (code []byte) {
	for i, p := range f.params {
		var v int32
		if i < len(args) {
			v = args[i]
		}
		op := map[string]byte{"i32": opI32Const, "i64": opI64Const}[p]
		code = append(append(code, op), sleb(int64(v))...)
	}
	return append(append(code, opCall), uleb(n)...)
}

// assemble returns a program of one page of memory that imports fs and whose
// vat_deliver is code, which leaves an i32.
func assemble(fs []imported, code []byte) []byte {
	name := func(s string) []byte { return append(uleb(len(s)), s...) }
	section := func(id byte, body []byte) []byte {
		return append(append([]byte{id}, uleb(len(body))...), body...)
	}
	types, imports := uleb(len(fs)+1), uleb(len(fs))
	for i, f := range fs {
		types = append(append(types, 0x60), uleb(len(f.params))...)
		for _, p := range f.params {
			types = append(types, map[string]byte{"i32": 0x7f, "i64": 0x7e}[p])
		}
		types = append(types, map[bool][]byte{true: {1, 0x7f}, false: {0}}[f.result]...)
		imports = slices.Concat(imports, name(f.module), name(f.name), []byte{0}, uleb(i))
	}
	types = append(types, 0x60, 1, 0x7f, 1, 0x7f)
	exports := slices.Concat([]byte{2}, name("memory"), []byte{2, 0},
		name("vat_deliver"), []byte{0}, uleb(len(fs)))
	function := slices.Concat([]byte{0}, code, []byte{0x0b})
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types), section(2, imports), section(3, append([]byte{1}, uleb(len(fs))...)),
		section(5, []byte{1, 0, 1}), section(7, exports),
		section(10, slices.Concat([]byte{1}, uleb(len(function)), function)))
}

func uleb(n int) (b []byte) {
	for ; n > 0x7f; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func sleb(v int64) (b []byte) {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && low&0x40 == 0) || (v == -1 && low&0x40 != 0) {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
