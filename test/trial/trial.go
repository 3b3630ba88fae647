// Package trial has what the tests that span rooms share: small scenarios with
// everything in them, and the trace of a run that nothing private may change.
package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
)

// Mixed is the built-in scenario with a bit of everything.
var Mixed = mixed()

func mixed() string {
	text, ok := sim.BuiltinText("mixed")
	if !ok {
		panic("trial: there is no scenario mixed")
	}
	return string(text)
}

// Parse parses a scenario.
func Parse(t testing.TB, text string) *sim.Scenario {
	t.Helper()
	s, err := sim.Parse("trial.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Trace is all that must not differ between two runs of a scenario.
type Trace struct {
	Activityhash swing.Hash
	Transcripts  string // every entry of every incarnation that is the latest of its vat
	Outputs      string
}

// Diff says where two traces differ, or "".
func (a Trace) Diff(b Trace) string {
	for _, part := range []struct{ name, a, b string }{
		{"transcripts", a.Transcripts, b.Transcripts}, {"outputs", a.Outputs, b.Outputs},
		{"activityhash", a.Activityhash.String(), b.Activityhash.String()},
	} {
		if part.a == part.b {
			continue
		}
		as, bs := strings.Split(part.a, "\n"), strings.Split(part.b, "\n")
		for i := range as {
			if i == len(bs) || as[i] != bs[i] {
				other := bs[min(i, len(bs)-1)]
				return fmt.Sprintf("%s differ at line %d:\n%s\n%s", part.name, i, as[i], other)
			}
		}
		return part.name + " differ in length"
	}
	return ""
}

// outputsMax bounds the outputs of a trial.
const outputsMax = 1 << 20

// Take returns the trace of what a Host holds.
func Take(h *host.Host) (tr Trace, err error) {
	if tr.Activityhash, err = h.Activityhash(); err != nil {
		return tr, err
	}
	vats, err := h.Vats()
	if err != nil {
		return tr, err
	}
	var text strings.Builder
	for _, v := range vats {
		fmt.Fprintln(&text, v.ID, v.Name, v.Alive, v.End, v.Span)
		entries, err := h.Transcript(v.ID, v.Span.Start, v.Span.End)
		if err != nil {
			return tr, err
		}
		for _, e := range entries {
			fmt.Fprintf(&text, "%s@%d %x\n", v.ID, e.Position, e.Append(nil))
		}
	}
	tr.Transcripts = text.String()
	outputs, err := h.Outputs(0, outputsMax)
	tr.Outputs = fmt.Sprintf("%+v", outputs)
	return tr, err
}

// Run opens a directory, runs the scenario to its end, and takes the trace.
func Run(ctx context.Context, dir string, o host.Options, s *sim.Scenario) (tr Trace, err error) {
	o.Seed = s.Seed
	h, err := Open(ctx, dir, &o)
	if err != nil {
		return tr, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{}); err != nil {
		return tr, err
	}
	return Take(h)
}
