package sim

import (
	"bytes"
	"encoding/json"
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

// decodeValue takes the next value off a body. Taking it whole first bounds the
// depth before a list is entered.
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

// errorPrefix is what the kernel begins the body of an error of its own with.
const errorPrefix = "#"

// Show shows a body for people: the text of an error that the kernel made; the
// values, if it is canonical; or else its bytes, quoted. The text of an error is the
// vat's own words, as they are: not to be sent to a terminal unseen.
func Show(body []byte) string {
	var made struct {
		Error string `json:"#error"`
	}
	if text, ok := bytes.CutPrefix(body, []byte(errorPrefix)); ok {
		if err := json.Unmarshal(text, &made); err == nil && made.Error != "" {
			return made.Error
		}
	}
	v, err := decodeBody(body)
	switch {
	case len(body) == 0:
		return ""
	case err != nil:
		return strconv.Quote(string(body))
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
