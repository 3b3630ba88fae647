package transcript

import (
	"encoding/hex"
	"strconv"
	"strings"

	"vatwarehouse/swing"
)

// body is a capdata's body as a person reads it: a value, if the bytes are one
// in canonical encoding, each null of which is the next slot, if there are as many
// of one as of the other.
type body struct {
	value any // of swing.Reader.Value, or swing.VRef for a slot
	ok    bool
}

func readBody(c swing.CapData[swing.VRef]) body {
	r := swing.NewReader(c.Body)
	v := r.Value()
	if _, list := v.([]any); r.Done() != nil || !list {
		return body{}
	}
	slots := c.Slots
	v = fillIn(v, &slots)
	return body{v, len(slots) == 0}
}

// fillIn puts the slots in the places of nulls, in order. With fewer slots than
// nulls the rest stay null.
func fillIn(v any, slots *[]swing.VRef) any {
	switch v := v.(type) {
	case nil:
		if len(*slots) == 0 {
			return nil
		}
		ref := (*slots)[0]
		*slots = (*slots)[1:]
		return ref
	case []any:
		for i := range v {
			v[i] = fillIn(v[i], slots)
		}
	}
	return v
}

// text shows a value on one line: lists in brackets, texts quoted.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case uint64:
		return strconv.FormatUint(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return strconv.Quote(v)
	case swing.VRef:
		return string(v)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, text(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "?"
}

// jsonValue is a value as encoding/json writes it best: references as {"ref": …},
// byte strings in hex.
func jsonValue(v any) any {
	switch v := v.(type) {
	case swing.VRef:
		return map[string]any{"ref": v}
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = jsonValue(item)
		}
		return list
	}
	return v
}
