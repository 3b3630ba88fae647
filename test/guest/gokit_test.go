package guest_test

import (
	"fmt"
	"strings"
	"testing"
)

// goOnly returns a style for what there is in Go alone; false, with a word in the log,
// where Go programs are not built.
func goOnly(t *testing.T) (style, bool) {
	t.Helper()
	if testing.Short() {
		t.Log("-short: the programs in Go are neither built nor run")
	}
	return style{language: "go"}, !testing.Short()
}

// TestGoRuntimeSurvivesRestarts: goroutines parked on channels and timers, a map's
// order, random numbers, the clock and the collector go on as if nothing had happened
// when the vat is captured and started anew after every delivery; and its heap is the
// same, byte for byte, in the end.
func TestGoRuntimeSurvivesRestarts(t *testing.T) {
	t.Parallel()
	s, ok := goOnly(t)
	if !ok {
		return
	}
	run := func(s style) (history, string) {
		w := newWorld(t, s)
		id, root := w.vat("sampler")
		var answers []string
		for n := range 40 { // 40 MB of garbage: the collector runs several times
			w.setTime(1_700_000_000_000_000_000 + uint64(n)*1_000_000)
			answers = append(answers, w.ask(root, "runtime"))
		}
		h := w.history()
		return h, fmt.Sprint(answers, h.heaps[id])
	}
	whole, answers := run(s)
	if strings.Contains(answers, "rejected") || strings.Contains(answers, "unsettled") {
		t.Fatal(answers)
	}
	s.restart = true
	restarted, again := run(s)
	if d := whole.differs(restarted, true); d != "" {
		t.Fatalf("restarted: %s\n%s\n%s", d, answers, again)
	}
}

// TestGoVatsDrawTheirOwnRandomNumbers: two vats of one program differ in what they
// draw by chance: their streams are their own.
func TestGoVatsDrawTheirOwnRandomNumbers(t *testing.T) {
	t.Parallel()
	s, ok := goOnly(t)
	if !ok {
		return
	}
	w := newWorld(t, s)
	if a, b := w.ask(w.root("sampler"), "runtime"), w.ask(w.root("sampler"), "runtime"); a == b {
		t.Fatalf("both answered %s", a)
	}
}

// TestGoPanicsEndTheVat: a panic in a handler ends the vat with its text.
func TestGoPanicsEndTheVat(t *testing.T) {
	t.Parallel()
	s, ok := goOnly(t)
	if !ok {
		return
	}
	w := newWorld(t, s)
	root := w.root("sampler")
	w.expect("[0]", w.reference(root, "make"), "read")
	w.ask(root, "panic")
	if len(w.ended) != 1 || w.ended[0].Reason != "failed: panic: for no reason" {
		t.Fatalf("ended: %v", w.ended)
	}
}

// TestGoVatsTakeAnyLength: a program in Go has no buffer to be too small.
func TestGoVatsTakeAnyLength(t *testing.T) {
	t.Parallel()
	s, ok := goOnly(t)
	if !ok {
		return
	}
	w := newWorld(t, s)
	root := w.root("sampler")
	long := strings.Repeat("x", 900_000)
	w.expect(`rejected: ["too long"]`, root, "echo", 1, long, []byte{}, true, root)
	w.expect(`rejected: ["want put(key, value)"]`, root, "put", make([]byte, 70), []byte{})
	if len(w.ended) > 0 {
		t.Fatalf("ended: %v", w.ended)
	}
}
