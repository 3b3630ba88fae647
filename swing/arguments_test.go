package swing_test

import (
	"fmt"
	"slices"
	"testing"

	"vatwarehouse/swing"
)

type kargs = swing.Arguments[swing.KRef]

// someArguments are [7, "text", h'beef', true, null].
func someArguments() swing.CapData[swing.KRef] {
	b := swing.AppendUint(swing.AppendArray(nil, 5), 7)
	b = swing.AppendBytes(swing.AppendText(b, "text"), []byte{0xbe, 0xef})
	b = swing.AppendNull(swing.AppendBool(b, true))
	return swing.CapData[swing.KRef]{Body: b, Slots: []swing.KRef{"ko20"}}
}

// take takes what someArguments are, and shows it.
func take(a *kargs) string {
	return fmt.Sprintf("%d %q %x %v %s", a.Uint(), a.Text(), a.Bytes(), a.Bool(), a.Ref())
}

// TestArgumentsAreTaken: values of every kind come out in their order, and what is left
// can be passed on.
func TestArgumentsAreTaken(t *testing.T) {
	t.Parallel()
	a := swing.ReadArguments(someArguments())
	if n := a.Left(); n != 5 {
		t.Errorf("%d left", n)
	}
	if got := take(a); got != `7 "text" beef true ko20` || a.Done("it") != nil {
		t.Errorf("%s, %v", got, a.Done("it"))
	}
	a = swing.ReadArguments(someArguments())
	a.Uint()
	n, values, slots := a.Rest()
	if err := a.Done("it"); err != nil {
		t.Errorf("after Rest: %v", err)
	}
	if !slices.Equal(values, someArguments().Body[2:]) || n != 4 || len(slots) != 1 {
		t.Errorf("rest %d %x %v", n, values, slots)
	}
	a = swing.ReadArguments(swing.CapData[swing.KRef]{Body: []byte{0x82, 1}})
	if a.Rest(); a.Done("it") == nil {
		t.Error("a list that is cut has a rest")
	}
	if a := swing.ReadArguments(swing.CapData[swing.KRef]{}); a.Left() != 0 || a.Done("") != nil {
		t.Error("no body is not the empty list")
	}
}

// TestArgumentsAreRefused: what is too little, too much or of another kind is; missing
// ones at the end, and slots left over, only if they matter.
func TestArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	good := someArguments()
	with := func(body []byte, slots ...swing.KRef) swing.CapData[swing.KRef] {
		return swing.CapData[swing.KRef]{Body: body, Slots: slots}
	}
	for _, c := range []struct {
		name          string
		data          swing.CapData[swing.KRef]
		strict, short bool // whether it is taken
	}{
		{"all", good, true, true},
		{"nothing", with(nil), false, true},
		{"the empty list", with([]byte{0x80}), false, true},
		{"the last missing", with(append([]byte{0x84}, good.Body[1:len(good.Body)-1]...)), false, true},
		{"a slot too many", with(good.Body, "ko20", "ko21"), false, true},
		{"no slot for the null", with(good.Body), false, false},
		{"one more", with(append(append([]byte{0x86}, good.Body[1:]...), 1), "ko20"), false, false},
		{"bytes behind", with(append(slices.Clone(good.Body), 1), "ko20"), false, false},
		{"cut", with(good.Body[:len(good.Body)-1], "ko20"), false, false},
		{"no list", with([]byte{7}, "ko20"), false, false},
		{"a text for the number", with(append([]byte{0x85, 0x61, 'x'}, good.Body[2:]...), "ko20"), false, false},
		{"a long head", with(append([]byte{0x85, 0x18, 7}, good.Body[2:]...), "ko20"), false, false},
	} {
		for strict, taken := range map[bool]bool{true: c.strict, false: c.short} {
			a := swing.ReadArguments(c.data)
			take(a)
			err := a.DoneShort("five values")
			if strict {
				err = a.Done("five values")
			}
			if (err == nil) != taken || (err != nil && err.Error() != "want five values") {
				t.Errorf("%s, strict %v: %v", c.name, strict, err)
			}
		}
	}
}

// TestAnyArguments: whatever the bytes, reading ends, and what Done lets pass is, put
// together again, the same.
func TestAnyArguments(t *testing.T) {
	t.Parallel()
	good := someArguments()
	passed := 0
	for at := range good.Body {
		for b := range 256 {
			body := slices.Clone(good.Body)
			body[at] = byte(b)
			a := swing.ReadArguments(swing.CapData[swing.KRef]{Body: body, Slots: good.Slots})
			n, s, bytes, flag, ref := a.Uint(), a.Text(), a.Bytes(), a.Bool(), a.Ref()
			if a.Done("") != nil {
				continue
			}
			passed++
			again := swing.AppendText(swing.AppendUint(swing.AppendArray(nil, 5), n), s)
			again = swing.AppendNull(swing.AppendBool(swing.AppendBytes(again, bytes), flag))
			if !slices.Equal(again, body) || ref != "ko20" {
				t.Fatalf("%x was read as %x, %s", body, again, ref)
			}
		}
	}
	if passed < 256 {
		t.Errorf("only %d passed", passed)
	}
}
