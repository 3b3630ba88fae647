package transcript_test

import (
	"bytes"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// TestCompareNamesTheFirstDifference: of every part of an entry that is changed, alone or
// with those after it, and of what is said of both sides.
func TestCompareNamesTheFirstDifference(t *testing.T) {
	t.Parallel()
	set := func(value string) transcript.Exchange {
		return transcript.Exchange{Op: swing.OpVatstoreSet, Request: swing.AppendRequest(nil,
			swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: []byte(value)})}
	}
	get := func(value string) transcript.Exchange {
		return transcript.Exchange{Op: swing.OpVatstoreGet, Request: swing.AppendRequest(nil,
			swing.Syscall[swing.VRef]{Op: swing.OpVatstoreGet, Key: []byte("k")}),
			Answer: swing.AppendAnswer(nil, []byte(value), true)}
	}
	long := string(bytes.Repeat([]byte("x"), 1000))
	trapped := swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
	was := transcript.Entry{
		Position: 7, Delivery: []byte{1}, Exchanges: []transcript.Exchange{set("a"), get("b"), set(long + "1")},
		Outcome: swing.Outcome{Status: swing.StatusOK},
	}
	with := func(outcome swing.Outcome, list ...transcript.Exchange) transcript.Entry {
		e := was
		e.Exchanges, e.Outcome = list, outcome
		return e
	}
	other := was
	other.Delivery = []byte{2}
	for name, try := range map[string]struct {
		is      transcript.Entry
		syscall int
	}{
		"delivery":   {other, transcript.AtDelivery},
		"request":    {with(trapped, set("b"), get("c"), set(long+"1")), 0},
		"operation":  {with(was.Outcome, get("a"), get("b"), set(long+"1")), 0},
		"answer":     {with(was.Outcome, set("a"), get("c"), set(long+"1")), 1},
		"cut text":   {with(was.Outcome, set("a"), get("b"), set(long+"2")), 2},
		"one fewer":  {with(trapped, set("a"), get("b")), 2},
		"one more":   {with(was.Outcome, set("a"), get("b"), set(long+"1"), get("d")), 3},
		"outcome":    {with(trapped, was.Exchanges...), transcript.AtOutcome},
		"the answer": {with(trapped, set("a"), get(""), set(long+"1")), 1},
	} {
		d := transcript.Compare(was, try.is)
		if d == nil || d.Syscall != try.syscall || d.Position != 7 || d.Want == d.Got || d.Want == "" || d.Got == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := transcript.Compare(was, with(was.Outcome, was.Exchanges...)); d != nil {
		t.Errorf("the same differ: %v", d)
	}
}
