package sim

import (
	"reflect"
	"strings"
	"testing"
)

const audited = `about: a
seed: s
vats:
  - {name: a, program: counter, count: 4}
  - {name: b, program: counter, count: 2}
  - {name: c, program: counter}
workload:
  - {to: a, method: incr, messages: 7}
audit:
  ask:
    - {to: a, method: read, answers: [x, y]}
    - {to: b, method: read, answers: [x]}
    - {to: c, method: read, answers: [x]}
  check:
`

// answersOf makes answers of values: one list for each vat; a string is a
// problem.
func answersOf(t *testing.T, checks string, values ...any) answers {
	t.Helper()
	s, err := Parse("x.yaml", []byte(audited+checks))
	if err != nil {
		t.Fatal(err)
	}
	a := answers{s: s, messages: 7, byVat: map[int]answer{}}
	for vat, v := range values {
		if problem, ok := v.(string); ok {
			a.byVat[vat] = answer{problem: problem}
			continue
		}
		a.byVat[vat] = answer{values: v.([]any)}
	}
	return a
}

// numbers is an answer.
func numbers(ns ...uint64) []any {
	out := []any{}
	for _, n := range ns {
		out = append(out, n)
	}
	return out
}

// TestChecks: equations hold or not, as worked out by hand, with every form of
// selector and every way in which an answer is none.
func TestChecks(t *testing.T) {
	t.Parallel()
	good := []any{numbers(1, 10), numbers(2, 20), numbers(3, 30), numbers(4, 40), numbers(4), numbers(6), numbers(7)}
	for _, c := range []struct {
		name, check string
		values      []any
		broken      int
		first       string
	}{
		{"all of a group", "equal: [a.x, b.x, 10]", good, 0, ""},
		{"one", "equal: [a.1.y, 20]", good, 0, ""},
		{"messages", "equal: [c.x, $messages]", good, 0, ""},
		{"sums", "equal: [a.x + b.x + 80, a.y]", good, 0, ""},
		{"every second", "each: b, equal: [a.$i%2.x, b.$i.x]", good, 0, ""},
		{"the next", "each: a, equal: [a.$i+1.x, a.$i.x + 1]", good, 1,
			"for $i = 3: a.$i+1.x is 1, a.$i.x + 1 is 5"},
		{"not equal", "equal: [a.x, 11, 12]", good, 1, "a.x is 10, 11 is 11, 12 is 12"},
		{"the last differs", "equal: [a.x, 10, 12]", good, 1, "a.x is 10, 10 is 10, 12 is 12"},
		{"no answer", "equal: [a.x, 10]", []any{numbers(1, 10), "no answer", numbers(3, 30), numbers(4, 40)}, 1,
			"a.1 answered no number as x"},
		{"too short", "equal: [a.y, 10]", []any{numbers(1, 10), numbers(1), numbers(3, 30), numbers(4, 40)}, 1,
			"a.1 answered no number as y"},
		{"no number", "equal: [a.0.x, 10]", []any{[]any{"ten"}}, 1, "a.0 answered no number as x"},
		{"overflow of answers", "equal: [a.x, 1]", []any{numbers(1 << 63), numbers(1<<63 + 1), numbers(0), numbers(0)}, 1,
			"up to a.1, x is more than 64 bits hold"},
		{"overflow of a sum", "equal: [a.0.x + 18446744073709551615, 0]", []any{numbers(1)}, 1,
			"a.0.x + 18446744073709551615 is more than 64 bits hold"},
	} {
		a := answersOf(t, "    - {about: "+c.name+", "+c.check+"}\n", c.values...)
		got := a.report(99).Checks[0]
		if got.Broken != c.broken || got.First != c.first || got.About != c.name {
			t.Errorf("%s: broken %d, %q, want %d, %q", c.name, got.Broken, got.First, c.broken, c.first)
		}
	}
}

// TestReport: sums, problems and counts of a report, worked out by hand; and
// whether all is well.
func TestReport(t *testing.T) {
	t.Parallel()
	check := "    - {about: it, each: b, equal: [b.$i.x, 5]}\n"
	good := []any{numbers(1, 10), numbers(2, 20), numbers(3, 30), numbers(4, 40), numbers(5), numbers(5), []any{"x"}}
	got := answersOf(t, check, good...).report(99)
	want := &Audit{
		Deliveries: 99,
		Asked: []Asked{
			{"a", 4, 4, "", []Sum{{"x", 10}, {"y", 100}}},
			{"b", 2, 2, "", []Sum{{"x", 10}}},
			{"c", 1, 1, "", []Sum{}},
		},
		Checks:  []Check{{"it", 2, 0, ""}},
		Asserts: []Asserted{},
	}
	if !reflect.DeepEqual(got, want) || !got.OK() {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	good[4] = numbers(6)
	if got := answersOf(t, check, good...).report(99); got.OK() || got.Checks[0].Broken != 1 {
		t.Errorf("a broken check passes: %+v", got)
	}
	good[4], good[1] = numbers(5), "no answer"
	got = answersOf(t, check, good...).report(99)
	if got.OK() || got.Asked[0].Answered != 3 || got.Asked[0].Problem != "a.1: no answer" {
		t.Errorf("a vat that did not answer passes: %+v", got.Asked[0])
	}
	good[1] = numbers(1<<64-1, 0)
	if got := answersOf(t, check, good...).report(99); len(got.Asked[0].Sums) != 1 {
		t.Errorf("a sum of more than 64 bits is shown: %+v", got.Asked[0])
	}
}

// TestAnswerIsBounded: what is too long to be kept, or no list, is no answer.
func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		string(make([]byte, answerBytesMax+1)): "answered 301 bytes, at most 300 are kept",
		"\x05":                                 "answered what is not a list of values",
		"":                                     "answered what is not a list of values",
		"\x81":                                 "answered what is not a list of values",
	} {
		a := answer{body: []byte(body)}
		if a.parse(); a.problem != want {
			t.Errorf("%d bytes: %q, want %q", len(body), a.problem, want)
		}
	}
	worst := answered{}
	for range auditVatsMax {
		worst.answers = append(worst.answers, answer{
			problem: strings.Repeat("x", problemBytesMax), body: make([]byte, answerBytesMax),
		})
	}
	if n, most := len(worst.encode()), 1<<20; n > most {
		t.Errorf("the largest note has %d bytes, the host takes %d", n, most)
	}
}
