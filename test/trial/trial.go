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

// Mixed is a scenario in which vats of five programs start with parameters, are
// introduced, send, ask, wait for promises, keep state in memory, in the vatstore
// and in many pages, die of what they do, and are audited.
const Mixed = `about: a bit of everything
seed: mixed
vats:
  - {name: player, program: pingpong, count: 4}
  - {name: counter, program: counter, count: 2}
  - {name: glutton, program: glutton, count: 2, args: [131072, 512, 5, 2, 2048, 2, 30]}
  - {name: book, program: book, args: [gold, iron]}
  - {name: base, program: purse, count: 3}
  - {name: quote, program: purse, count: 3}
  - {name: trader, program: trader, count: 3, args: [{ref: book}, {ref: base.$i}, {ref: quote.$i}]}
  - {name: gold, program: mint, args: [gold, {each: base, then: [1000]}, {ref: book}, 0]}
  - {name: iron, program: mint, args: [iron, {each: quote, then: [100000]}, {ref: book}, 0]}
  - {name: mortal, program: puppet, count: 2}
setup:
  - {to: player, method: peer, args: [{ref: player.$i+1}]}
workload:
  - {to: player, method: ping, args: [{between: [1, 4]}], pattern: zipf, burst: 2}
  - {to: [counter, glutton], method: incr, args: [1], pattern: random, burst: 2}
  - {to: glutton, method: touch, burst: 1}
  - to: trader
    method: tick
    args: [{pick: [buy, sell]}, {between: [9, 11]}, {between: [1, 5]}]
    pattern: random
    burst: 2
  - {to: mortal, method: perform, args: [[trap]], messages: 2, burst: 1}
length: {deliveries: 260}
audit:
  ask:
    - {to: player, method: read, answers: [pings, volleys]}
    - {to: glutton, method: read, answers: [touches]}
    - {to: trader, method: audit, answers: [ticked, placed, failed]}
`

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
	o.CacheCompiled = dir != "" // it is opened often
	h, err := host.Open(ctx, dir, &o)
	if err != nil {
		return tr, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	if _, err := sim.Run(ctx, h, s, sim.RunOptions{}); err != nil {
		return tr, err
	}
	return Take(h)
}
