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
func Show(body []byte) string { return ShowData(swing.CapData[swing.KRef]{Body: body}) }

// ShowData is Show for a body with its references, which stand where the body has a
// null for them. Those that no null stands for follow.
func ShowData(data swing.CapData[swing.KRef]) string {
	if ref, ok := data.Reference(); ok {
		return string(ref)
	}
	v, err := decodeBody(data.Body)
	if len(data.Body) == 0 || err != nil {
		return showRefs(showBytes(data.Body), data.Slots)
	}
	slots := data.Slots
	text := showValue(v, &slots)
	return showRefs(text, slots)
}

// showRefs adds references to what is shown.
func showRefs(text string, refs []swing.KRef) string {
	for i, ref := range refs {
		if i > 0 || text != "" {
			text += " "
		}
		text += string(ref)
	}
	return text
}

// showBytes shows a body that is no value.
func showBytes(body []byte) string {
	var made struct {
		Error string `json:"#error"`
	}
	if text, ok := bytes.CutPrefix(body, []byte(errorPrefix)); ok {
		if err := json.Unmarshal(text, &made); err == nil && made.Error != "" {
			return made.Error
		}
	}
	if len(body) == 0 {
		return ""
	}
	return strconv.Quote(string(body))
}

// showValue shows a value, and takes a reference for each null in it.
func showValue(v any, slots *[]swing.KRef) string {
	switch v := v.(type) {
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, showValue(item, slots))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("0x%x", v)
	case nil:
		if len(*slots) == 0 {
			return "null"
		}
		ref := (*slots)[0]
		*slots = (*slots)[1:]
		return string(ref)
	}
	return fmt.Sprint(v)
}
