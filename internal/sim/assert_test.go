package sim

import (
	"reflect"
	"testing"

	"vatwarehouse/host"
)

const asserting = `about: a
seed: s
vats:
  - {name: c, program: counter, count: 2}
  - {name: box, program: sampler}
  - {name: mute, program: puppet}
workload:
  - {to: c, method: incr, args: [2], messages: 6}
audit:
  ask: [{to: c, method: read, answers: [count]}]
  assert:
    - {ask: c.1, method: incr, args: [1], equals: [7]}
    - {about: rows, ask: box, method: put, args: [{hex: 6b}, {hex: 00ff}], equals: []}
    - {ask: box, method: get, args: [{hex: 6b}], equals: [{hex: 00ff}]}
    - {ask: box, method: sum, args: [1, 2], equals: [4]}
    - {ask: box, method: echo, args: [1, a, {hex: ''}, true, {ref: c.0}], equals: [1, a, {hex: ''}, true]}
    - {ask: mute, method: silence, equals: []}
    - {ask: c.0, method: incr, args: [text], equals: [want incr(n)]}
`

// TestAssertions: what a vat must answer is held against the answer, in the order of the
// file, after what else is asked; one that is another, or is none, does not hold.
func TestAssertions(t *testing.T) {
	t.Parallel()
	s, err := Parse("x.yaml", []byte(asserting))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), "", &host.Options{Seed: s.Seed})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	done, err := Run(t.Context(), h, s, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if done.Audit.OK() || done.Audit.Asked[0].Sums[0].Sum != 12 {
		t.Errorf("%+v", done.Audit)
	}
	want := []Asserted{
		{"c.1 answers incr", "c.1", "incr [1]", true, "[7]", "[7]"},
		{"rows", "box", "put [0x6b, 0x00ff]", true, "[]", "[]"},
		{"box answers get", "box", "get [0x6b]", true, "[0x00ff]", "[0x00ff]"},
		{"box answers sum", "box", "sum [1, 2]", false, "[4]", "[3]"},
		{"box answers echo", "box", `echo [1, "a", 0x, true, null]`, false, `[1, "a", 0x, true]`,
			`[1, "a", 0x, true, null]`},
		{"mute answers silence", "mute", "silence", false, "[]", "no answer"},
		{"c.0 answers incr", "c.0", `incr ["text"]`, false, `["want incr(n)"]`, `rejected: ["want incr(n)"]`},
	}
	if !reflect.DeepEqual(done.Audit.Asserts, want) {
		t.Errorf("got  %+v\nwant %+v", done.Audit.Asserts, want)
	}
}
