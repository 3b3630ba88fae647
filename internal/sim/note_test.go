package sim

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// note is one kind of note: an example, and its decoder, which encodes again.
type note struct {
	name    string
	example []byte
	recode  func([]byte) ([]byte, error)
}

func notes() []note {
	answers := answered{deliveries: 1 << 40, answers: []answer{
		{body: []byte{0x82, 0x01, 0x61, 'a'}}, {problem: "no answer"}, {body: []byte{0x80}},
	}}
	for i := range answers.answers {
		answers.answers[i].parse()
	}
	return []note{
		{noteScenario, made{"exchange", "s", swing.Sum("x"), []byte("about: a\n")}.encode(),
			func(b []byte) ([]byte, error) { m, err := decodeMade(b); return m.encode(), err }},
		{noteRoots, encodeRefs([]swing.KRef{"ko20", "ko21", "kp40"}),
			func(b []byte) ([]byte, error) { r, err := decodeRefs(b); return encodeRefs(r), err }},
		{noteSteps, encodeSteps(300),
			func(b []byte) ([]byte, error) { n, err := decodeSteps(b); return encodeSteps(n), err }},
		{noteAnswers, answers.encode(),
			func(b []byte) ([]byte, error) { a, err := decodeAnswered(b); return a.encode(), err }},
	}
}

// strict reports how a decoder treats bytes: refused, taken as they are, or (which
// is wrong) taken as something that is written otherwise.
func strict(n note, b []byte) (taken, wrong bool) {
	again, err := n.recode(bytes.Clone(b))
	return err == nil, err == nil && !bytes.Equal(again, b)
}

// TestNotesRoundTrip: every note decodes to what encodes to the same bytes.
func TestNotesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range notes() {
		if taken, wrong := strict(n, n.example); !taken || wrong {
			t.Errorf("%s: taken %v, to other bytes %v", n.name, taken, wrong)
		}
	}
}

// TestNotesTruncated: a note cut at any length is refused.
func TestNotesTruncated(t *testing.T) {
	t.Parallel()
	for _, n := range notes() {
		for i := range n.example {
			if taken, _ := strict(n, n.example[:i]); taken {
				t.Errorf("%s cut to %d of %d bytes is taken", n.name, i, len(n.example))
			}
		}
		if taken, _ := strict(n, append(bytes.Clone(n.example), 0)); taken {
			t.Errorf("%s with a byte more is taken", n.name)
		}
	}
}

// TestNotesFlipped: a note with any one bit flipped is refused, or is another
// note written in full: nothing is read as what it is not.
func TestNotesFlipped(t *testing.T) {
	t.Parallel()
	for _, n := range notes() {
		for bit := range 8 * len(n.example) {
			b := bytes.Clone(n.example)
			b[bit/8] ^= 1 << (bit % 8)
			if _, wrong := strict(n, b); wrong {
				t.Errorf("%s with bit %d flipped: %x is written otherwise", n.name, bit, b)
			}
		}
	}
}

// TestNoteOfANewerVersion: it is refused, and the version is named.
func TestNoteOfANewerVersion(t *testing.T) {
	t.Parallel()
	for _, n := range notes() {
		b := bytes.Clone(n.example)
		b[1] = noteVersion + 1
		if _, err := n.recode(b); err == nil || !strings.Contains(err.Error(), "version 2, want 1") {
			t.Errorf("%s: %v", n.name, err)
		}
	}
}

// FuzzNotes: no bytes make a decoder panic, or read what would be written
// otherwise.
func FuzzNotes(f *testing.F) {
	for i, n := range notes() {
		f.Add(i, n.example)
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		all := notes()
		n := all[uint(i)%uint(len(all))]
		if _, wrong := strict(n, b); wrong {
			t.Fatalf("%s: %x is written otherwise", n.name, b)
		}
	})
}

// TestBodies: what people and audits see of a body, and that what is no canonical
// value is shown as bytes.
func TestBodies(t *testing.T) {
	t.Parallel()
	list := swing.AppendArray(nil, 6)
	list = swing.AppendBytes(swing.AppendText(swing.AppendUint(list, 300), "é\""), []byte{1, 255})
	list = swing.AppendNull(swing.AppendBool(list, true))
	list = swing.AppendUint(swing.AppendArray(list, 1), 2)
	deep := bytes.Repeat([]byte{0x81}, depthMax+2)
	for _, c := range []struct {
		body []byte
		want string
	}{
		{list, `[300, "é\"", 0x01ff, true, null, [2]]`},
		{[]byte{0x80}, "[]"},
		{[]byte{7}, "7"},
		{nil, ""},
		{[]byte("#{}"), `"#{}"`},
		{[]byte(`#{"#error":"it is\nso","name":"Error"}`), "it is\nso"},
		{[]byte(`#{"#error":5}`), `"#{\"#error\":5}"`},
		{[]byte("\x1b[2J"), `"\x1b[2J"`},
		{append(list, 0), fmt.Sprintf("%q", append(list, 0))},
		{append(deep, 1), fmt.Sprintf("%q", append(deep, 1))},
	} {
		if got := Show(c.body); got != c.want {
			t.Errorf("%x is shown as %s, want %s", c.body, got, c.want)
		}
	}
	v, err := decodeBody(list)
	want := []any{uint64(300), "é\"", []byte{1, 255}, true, nil, []any{uint64(2)}}
	if err != nil || !reflect.DeepEqual(v, any(want)) {
		t.Errorf("got %v, %v, want %v", v, err, want)
	}
}

// FuzzBody: no bytes make the decoder of bodies panic or go deep, and what it
// takes is shown.
func FuzzBody(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x61, 'a'})
	f.Add(bytes.Repeat([]byte{0x81}, 100))
	f.Add([]byte{0x9b, 0, 0, 0, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := decodeBody(b); err == nil && len(b) == 0 {
			t.Fatalf("nothing is %v", v)
		}
		if Show(b) == "" && len(b) > 0 {
			t.Fatalf("%x is shown as nothing", b)
		}
	})
}
