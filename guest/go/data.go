package vat

import "strconv"

// Ref names an object or a promise as this vat knows it: "o+0", "o-50", "p+1",
// "p-60". One with a plus sign is the vat's own. The empty Ref means none.
type Ref string

// Root is the object that every vat exports from birth.
const Root Ref = "o+0"

// refDigitsMax bounds the digits of a number in a reference.
const refDigitsMax = 18

// IsPromise reports whether ref names a promise, and not an object.
func (ref Ref) IsPromise() bool { return ref != "" && ref[0] == 'p' }

func (ref Ref) valid() bool {
	if len(ref) < 3 || len(ref) > 2+refDigitsMax || (ref[0] != 'o' && ref[0] != 'p') {
		return false
	}
	if (ref[1] != '+' && ref[1] != '-') || (ref[2] == '0' && (len(ref) > 3 || ref[1] == '-')) {
		return false
	}
	for i := 2; i < len(ref); i++ {
		if ref[i] < '0' || ref[i] > '9' {
			return false
		}
	}
	return true
}

func numbered(prefix string, n uint64) Ref { return Ref(prefix + strconv.FormatUint(n, 10)) }

// Data is what came with a message, a start or a settled promise: a list of values,
// and the references they mention. Values are taken one after the other, in their
// order; what is not as asked for is remembered, and told by Taken.
type Data struct {
	values reader
	slots  []Ref
	// Rejected says that the data is why a promise was rejected.
	Rejected bool
}

// Count takes the head of a list and returns how many values follow.
func (d *Data) Count() int { return d.values.count() }

// List takes the head of a list that must have n values.
func (d *Data) List(n int) { d.values.fields(n) }

// Uint takes a number.
func (d *Data) Uint() uint64 { return d.values.head(kindUint) }

// Bool takes false or true.
func (d *Data) Bool() bool { return d.values.bool() }

// Text takes a text.
func (d *Data) Text() string { return d.values.text() }

// Bytes takes a byte string.
func (d *Data) Bytes() []byte { return d.values.string(kindBytes) }

// Ref takes a reference: a null, which stands for the next slot.
func (d *Data) Ref() Ref {
	if !d.values.next(byteNull) || len(d.slots) == 0 {
		d.values.spoil()
		return ""
	}
	ref := d.slots[0]
	d.slots = d.slots[1:]
	return ref
}

// Refs returns the references that are left, without taking them.
func (d *Data) Refs() []Ref { return d.slots }

// Taken reports whether everything was as asked for, and nothing is left.
func (d *Data) Taken() bool { return d.values.done() && len(d.slots) == 0 }

// Empty reports whether there are no values: an empty list, or nothing at all. It
// takes nothing.
func (d *Data) Empty() bool {
	own := *d
	if len(own.values.rest) > 0 {
		own.List(0)
	}
	return own.Taken()
}

// Reference returns the reference that the data is (no body, one slot), or "".
// Only before anything was taken.
func (d *Data) Reference() Ref {
	if d.values.bad || len(d.values.rest) > 0 || len(d.slots) != 1 {
		return ""
	}
	return d.slots[0]
}

// Body is data to send.
type Body struct {
	bytes []byte
	slots []Ref
}

// List returns the data of a list of values: each a uint64, int, string, []byte,
// bool, Ref, or []any, which is a list again. It panics on anything else.
func List(values ...any) Body {
	var b Body
	b.list(values)
	return b
}

// Reference returns the data that is a reference itself: messages sent to a promise
// fulfilled with it reach the object.
func Reference(ref Ref) Body { return Body{slots: []Ref{ref}} }

// Raw returns data in a form of the vat's own.
func Raw(body []byte, slots ...Ref) Body { return Body{body, slots} }

func (b *Body) list(values []any) {
	b.bytes = appendArray(b.bytes, len(values))
	for _, v := range values {
		b.value(v)
	}
}

func (b *Body) value(v any) {
	switch v := v.(type) {
	case uint64:
		b.bytes = appendUint(b.bytes, v)
	case int:
		if v < 0 {
			panic("vat: there are no negative values")
		}
		b.bytes = appendUint(b.bytes, uint64(v))
	case string:
		b.bytes = appendText(b.bytes, v)
	case []byte:
		b.bytes = appendBytes(b.bytes, v)
	case bool:
		b.bytes = appendBool(b.bytes, v)
	case Ref:
		b.bytes = append(b.bytes, byteNull)
		b.slots = append(b.slots, v)
	case []any:
		b.list(v)
	default:
		panic("vat: no value of this type")
	}
}

// append appends body and slots: two values of a request.
func (b Body) append(to []byte) []byte {
	to = appendArray(appendBytes(to, b.bytes), len(b.slots))
	for _, ref := range b.slots {
		to = appendText(to, ref)
	}
	return to
}

// body returns what is left of the data, to pass it on.
func (d *Data) body() Body { return Body{d.values.rest, d.slots} }
