package instrument

import (
	"fmt"
	"strings"
)

// ValType is a value type, by its byte in the binary format.
type ValType byte

// The value types that are admitted.
const (
	I32     ValType = 0x7f
	I64     ValType = 0x7e
	F32     ValType = 0x7d
	F64     ValType = 0x7c
	V128    ValType = 0x7b
	FuncRef ValType = 0x70
)

// String returns the type as the text format writes it.
func (t ValType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	}
	return fmt.Sprintf("type(%#x)", byte(t))
}

// signatureText writes a function type as (i32, i64) -> (i32).
func signatureText(params, results []ValType) string {
	list := func(types []ValType) string {
		words := make([]string, len(types))
		for i, t := range types {
			words[i] = t.String()
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	return list(params) + " -> " + list(results)
}

// Bytes that stand where a value type may, for things that are not admitted.
const (
	typeExternRef   = 0x6f
	typeExnRef      = 0x69
	typeNoExn       = 0x74
	typeRefNull     = 0x63
	typeRef         = 0x64
	typeGCFirst     = 0x6a // arrayref, structref, i31ref, eqref, anyref
	typeGCLast      = 0x6e
	typeNullFirst   = 0x71 // nullref, nullexternref, nullfuncref
	typeNullLast    = 0x73
	typeEmpty       = 0x40 // a block type only
	typeFunc        = 0x60 // a form of type, not of value
	typeStruct      = 0x5f
	typeArray       = 0x5e
	typeSubFirst    = 0x4e // rec, sub final, sub
	typeSubLast     = 0x50
	limitsBounded   = 0x01
	limitsShared    = 0x02
	limitsWide      = 0x04
	limitsPageSized = 0x08
)

const (
	whyExtern = "a host's reference cannot be in a snapshot"
	whyGC     = "garbage-collected types are not admitted"
	whyTyped  = "typed function references are not admitted"
	whyCatch  = "exceptions are not admitted; build without them"
)

// admitted reports whether b is an admitted value type.
func admitted(b byte) bool { return b >= byte(V128) && b <= byte(I32) || b == byte(FuncRef) }

// valType takes a value type.
func (r *reader) valType() ValType {
	b := r.u8()
	if r.err == nil && !admitted(b) {
		r.badType(r.at-1, b)
	}
	return ValType(b)
}

func (r *reader) badType(at int, b byte) {
	switch {
	case b == typeExternRef:
		r.refuse(at, "externref: %s", whyExtern)
	case b == typeExnRef || b == typeNoExn:
		r.refuse(at, "value type %#x: %s", b, whyCatch)
	case b == typeRef || b == typeRefNull:
		r.refuse(at, "value type %#x: %s", b, whyTyped)
	case b >= typeGCFirst && b <= typeGCLast || b >= typeNullFirst && b <= typeNullLast:
		r.refuse(at, "value type %#x: %s", b, whyGC)
	default:
		r.malformed(at, "there is no value type %#x", b)
	}
}

// refType takes the type of a table or of an element segment.
func (r *reader) refType() {
	b := r.u8()
	switch {
	case r.err != nil || b == byte(FuncRef):
	case admitted(b):
		r.malformed(r.at-1, "%v is no reference type", ValType(b))
	default:
		r.badType(r.at-1, b)
	}
}

// sizeLimits takes the size of a table or memory: least, and most if bounded.
func (r *reader) sizeLimits(what string) (least, most uint32, bounded bool) {
	at := r.at
	switch flags := r.u8(); {
	case flags&^(limitsBounded|limitsShared|limitsWide|limitsPageSized) != 0:
		r.malformed(at, "%s limits have flags %#x", what, flags)
	case flags&limitsShared != 0:
		r.refuse(at, "a shared %s: threads are not admitted", what)
	case flags&limitsWide != 0:
		r.refuse(at, "a %s of 64-bit addresses; build for wasm32", what)
	case flags&limitsPageSized != 0:
		r.refuse(at, "a %s with its own page size", what)
	default:
		bounded = flags&limitsBounded != 0
	}
	least = r.u32()
	if bounded {
		if most = r.u32(); most < least && r.err == nil {
			r.malformed(at, "a %s of at least %d and at most %d", what, least, most)
		}
	}
	return least, most, bounded
}
