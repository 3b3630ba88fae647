package sim

import (
	"fmt"
	"strconv"
	"strings"

	"vatwarehouse/swing"
)

// depthMax bounds how deep the lists in a body are nested.
const depthMax = 16

// decodeBody reads a canonical value, whatever it is.
func decodeBody(b []byte) (any, error) {
	r := swing.NewReader(b)
	v := decodeValue(r, 0)
	return v, r.Done()
}

// The kinds of canonical values, by the top three bits of their first byte.
const (
	headUint  = 0
	headBytes = 2
	headText  = 3
	headArray = 4
)

func decodeValue(from *swing.Reader, depth int) any {
	raw := from.Raw()
	if from.Err() == nil && (len(raw) == 0 || depth > depthMax) {
		from.Fail(fmt.Errorf("no value, or lists nested deeper than %d", depthMax))
	}
	if from.Err() != nil {
		return nil
	}
	r := swing.NewReader(raw)
	var v any
	switch raw[0] >> 5 {
	case headUint:
		v = r.Uint()
	case headBytes:
		v = r.Bytes()
	case headText:
		v = r.Text()
	case headArray:
		list := []any{}
		for n := r.Array(); n > 0 && r.Err() == nil; n-- {
			list = append(list, decodeValue(r, depth+1))
		}
		v = list
	default:
		if !r.Null() {
			v = r.Bool()
		}
	}
	if err := r.Done(); err != nil {
		from.Fail(err)
	}
	return v
}

// showBody shows a body for people: its values, if it is canonical.
func showBody(b []byte) string {
	v, err := decodeBody(b)
	if err != nil {
		return fmt.Sprintf("%q", b)
	}
	return showValue(v)
}

func showValue(v any) string {
	switch v := v.(type) {
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, showValue(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("0x%x", v)
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}
