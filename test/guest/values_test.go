package guest_test

import (
	"fmt"
	"strconv"
	"strings"

	"vatwarehouse/swing"
)

// list encodes values as EXAMPLES.md says: numbers, texts, byte strings, truth
// values, references, and lists of them.
func list[R swing.Ref](values ...any) swing.CapData[R] {
	c := swing.CapData[R]{Body: swing.AppendArray(nil, len(values))}
	for _, v := range values {
		add(&c, v)
	}
	return c
}

func add[R swing.Ref](c *swing.CapData[R], v any) {
	switch v := v.(type) {
	case int:
		c.Body = swing.AppendUint(c.Body, uint64(v))
	case uint64:
		c.Body = swing.AppendUint(c.Body, v)
	case string:
		c.Body = swing.AppendText(c.Body, v)
	case []byte:
		c.Body = swing.AppendBytes(c.Body, v)
	case bool:
		c.Body = swing.AppendBool(c.Body, v)
	case R:
		c.Body, c.Slots = swing.AppendNull(c.Body), append(c.Slots, v)
	case []any:
		c.Body = swing.AppendArray(c.Body, len(v))
		for _, item := range v {
			add(c, item)
		}
	default:
		panic(fmt.Sprintf("no value: %T", v))
	}
}

// show is data for people: "[1 \"two\" ko3]", or "=ko3" of a reference itself.
func show[R swing.Ref](c swing.CapData[R]) string {
	if ref, ok := c.Reference(); ok {
		return "=" + string(ref)
	}
	r, slots := swing.NewReader(c.Body), c.Slots
	text, err := showValue(r, &slots)
	if err == nil {
		err = r.Done()
	}
	if err != nil || len(slots) > 0 {
		return fmt.Sprintf("%q %v", c.Body, c.Slots)
	}
	return text
}

func showValue[R swing.Ref](r *swing.Reader, slots *[]R) (string, error) {
	raw := *r
	if r.Null() {
		if len(*slots) == 0 {
			return "", fmt.Errorf("no slot left")
		}
		ref := (*slots)[0]
		*slots = (*slots)[1:]
		return string(ref), nil
	}
	first := raw.Raw()
	if len(first) == 0 {
		return "", fmt.Errorf("the end")
	}
	switch first[0] & 0xe0 {
	case 0x00:
		return strconv.FormatUint(r.Uint(), 10), r.Err()
	case 0x40:
		return fmt.Sprintf("0x%x", r.Bytes()), r.Err()
	case 0x60:
		return strconv.Quote(r.Text()), r.Err()
	case 0x80:
		var parts []string
		for n := r.Array(); n > 0; n-- {
			part, err := showValue(r, slots)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return "[" + strings.Join(parts, " ") + "]", r.Err()
	}
	return strconv.FormatBool(r.Bool()), r.Err()
}

// numbers takes the numbers of a list that may begin with a text.
func numbers(c swing.CapData[swing.KRef]) (text string, ns []uint64) {
	r := swing.NewReader(c.Body)
	n := r.Array()
	if n > 0 && c.Body[1]&0xe0 == 0x60 {
		text = r.Text()
		n--
	}
	for ; n > 0; n-- {
		ns = append(ns, r.Uint())
	}
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("%s: %v", show(c), err))
	}
	return text, ns
}
