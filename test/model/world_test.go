package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

// world is the model and the kernel, side by side.
type world struct {
	m *model
	b *buffer
	k *kernel.Kernel
	w weights

	every     int // cranks between comparisons of everything
	recount   bool
	log       *[]string
	discarded []vatID
	// What the kernel's next delivery is played, and how it went.
	expect report
	played int
	asked  bool
}

// failure is a difference between the two sides. Shrinking keeps where.
type failure struct {
	where, text string
}

func (f *failure) fail(where, format string, args ...any) {
	if f.where == "" {
		f.where, f.text = where, fmt.Sprintf(format, args...)
	}
}

var errWorld = errors.New("the world failed")

func newWorld(r rules, w weights) *world {
	x := &world{m: newModel(r), b: newBuffer(), w: w, every: r.every, recount: true}
	x.b.plant = r.planted == sparedRow
	if err := kernel.Init(x.b, options(r)); err != nil {
		panic(err)
	}
	x.k = kernel.New(x.b, x, newDevices())
	return x
}

// Discard implements kernel.Vats.
func (x *world) Discard(id swing.VatID) { x.discarded = append(x.discarded, id) }

// Deliver implements kernel.Vats: it plays what the model's vat did.
func (x *world) Deliver(
	_ context.Context, id swing.VatID, position uint64, d []byte, fuel uint64, sys swing.Syscaller,
) (swing.Outcome, error) {
	x.asked = true
	e := x.expect
	if e.failed && !e.critical {
		return swing.Outcome{}, errWorld
	}
	if e.kind != delivers && e.kind != setback && !e.critical {
		return swing.Outcome{}, fmt.Errorf("%s is delivered %s, the model has %s",
			id, transcript.DescribeDelivery(d), e.kind)
	}
	if want := swing.AppendDelivery(nil, e.delivery); !bytes.Equal(d, want) || id != e.vat {
		return swing.Outcome{}, fmt.Errorf("%s is delivered %s, the model has %s %s", id,
			transcript.DescribeDelivery(d), e.vat, transcript.DescribeDelivery(want))
	}
	if fuel != e.turn.budget {
		return swing.Outcome{}, fmt.Errorf("%s: %d units of fuel, the model has %d",
			id, fuel, e.turn.budget)
	}
	if position != e.position {
		return swing.Outcome{}, fmt.Errorf("%s: position %d, the model has %d",
			id, position, e.position)
	}
	for x.played = 0; x.played < len(e.turn.calls); x.played++ {
		c := e.turn.calls[x.played]
		answer, ok := sys.Syscall(c.op, c.request)
		if !ok {
			return swing.Outcome{Status: swing.StatusIllegal, Fuel: e.turn.program.Fuel}, nil
		}
		if !bytes.Equal(answer, c.answer) {
			return swing.Outcome{}, fmt.Errorf("syscall %d (%v) answers %x, the model has %x",
				x.played, c.op, answer, c.answer)
		}
	}
	return e.turn.program, nil
}

// step is one thing that happens; what, its seed says, and the state it meets:
// so any list of steps can be played, and a failing one made shorter.
type step struct {
	seed  uint64
	calls []uint64 // the syscalls of the delivery, if it is a crank that makes one
	input bool     // it is the embedder's
}

// crank plays one crank on both sides and compares.
func (x *world) crank(s step, f *failure) {
	rng := rand.New(rand.NewPCG(s.seed, 13))
	broken := rng.IntN(1000) < x.w.world
	x.expect = x.m.crank(x.program(s, rng), broken)
	x.asked, x.discarded = false, nil
	got, err := x.k.Crank(context.Background(), x.b)
	x.note(s)
	if x.expect.disorder != "" {
		f.fail("order", "%s", x.expect.disorder)
	}
	x.compareCrank(got, err, f)
	if f.where == "" && x.expect.critical && rng.IntN(3) == 0 {
		e := embedder{x, rng, f}
		x.discarded = nil
		e.end(x.expect.stuck) // or nothing would ever get past it
	}
	if f.where == "" && x.expect.failed {
		return
	}
	if f.where == "" && x.expect.kind == idle {
		x.m.mark("idle")
		s.input = true
		x.input(s, f) // or nothing would happen any more
	}
}

// ends are how programs fail.
var ends = []swing.Outcome{
	{Status: swing.StatusTrapped, Problem: "unreachable"},
	{Status: swing.StatusFailed, Problem: "no luck \"today\""},
	{Status: swing.StatusTooDeep, Problem: "100 frames"},
	{Status: swing.StatusOutOfMemory},
}

// program is what the vat does that a crank delivers to.
func (x *world) program(s step, rng *rand.Rand) program {
	return func(t *turn) {
		t.program = swing.Outcome{Status: swing.StatusOK}
		if t.delivery.Kind == swing.DeliverReap {
			a := actor{t, rng}
			a.doDrop(x.w)
			a.doRetireImports(x.w)
			a.doRetireExports(x.w)
		}
		for _, seed := range s.calls {
			t.act(seed, x.w)
		}
		asked := len(t.report.posts) > 0 && rng.IntN(10) == 0
		if asked || rng.IntN(1000) < x.w.trap {
			t.program = ends[rng.IntN(len(ends))]
		}
		t.burn(rng)
	}
}

// burn has the program use fuel. Where it would use more than it may it is stopped, or
// comes to its end before anybody looks.
func (t *turn) burn(rng *rand.Rand) {
	t.program.Fuel = 500 + rng.Uint64N(1500)
	if rng.IntN(500) == 0 {
		t.program.Fuel += 3000
	}
	if t.program.Fuel > t.budget && rng.IntN(2) == 0 {
		t.program = swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: t.budget + rng.Uint64N(2)}
	}
}

func (x *world) note(s step) {
	if x.log == nil {
		return
	}
	e := x.expect
	line := fmt.Sprintf("crank: %s", e.kind)
	if e.failed {
		line = "crank: the world, or a critical vat, fails"
	}
	if e.kind != idle && e.vat != "" {
		line += " " + string(e.vat)
	}
	if e.kind == delivers || e.kind == setback {
		line += " " + transcript.DescribeDelivery(swing.AppendDelivery(nil, e.delivery))
		for _, c := range e.turn.calls {
			line += "\n        " + transcript.Describe(transcript.Exchange{
				Op: c.op, Request: c.request, Answer: c.answer})
		}
		if e.turn.status != swing.StatusOK {
			line += fmt.Sprintf("\n        ends: %v: %s", e.turn.status, e.turn.problem)
		}
	}
	*x.log = append(*x.log, line)
}

// compareCrank compares what a crank did on both sides.
func (x *world) compareCrank(got kernel.Report, err error, f *failure) {
	want := x.expect
	x.patch(got)
	switch {
	case want.critical && errors.As(err, new(*kernel.CriticalError)):
		if got.Vat != want.vat || !slices.Equal(x.discarded, want.discards) {
			f.fail("vat", "critical %s failed (discarded %v), the model has %s (%v)",
				got.Vat, x.discarded, want.vat, want.discards)
		}
		return
	case err != nil && (!want.failed || !errors.Is(err, errWorld)):
		f.fail("delivery", "%v", err)
		return
	case want.failed && err == nil:
		f.fail("delivery", "the kernel asked for no delivery, the model has one for %s", want.vat)
		return
	case want.failed:
		if got.Vat != want.vat {
			f.fail("vat", "the world failed for %s, the model has %s", got.Vat, want.vat)
		}
		return
	case got.Kind.String() != want.kind:
		f.fail("kind", "a crank of kind %v for %s, the model has %s for %s",
			got.Kind, got.Vat, want.kind, want.vat)
		return
	case got.Vat != want.vat:
		f.fail("vat", "%v of %s, the model has %s", got.Kind, got.Vat, want.vat)
	}
	if want.kind == delivers || want.kind == setback {
		x.compareDelivery(got, f)
	}
	if want.kind == cleanup {
		last := x.m.vat(want.vat).cleaned
		if got.Swept.Rows != want.swept || got.Swept.Last != last {
			f.fail("swept", "removed %+v of %s, the model has %d, last %v", got.Swept, got.Vat,
				want.swept, last)
		}
	}
	compareEnds(got, want, f)
	compareOutputs(got.Outputs, want.outputs, f)
	comparePosts(got.Posts, want.posts, f)
	if got.Made != want.made {
		f.fail("made", "%d vats made, the model has %d", got.Made, want.made)
	}
	if !slices.Equal(x.discarded, want.discards) {
		f.fail("discard", "discarded %v, the model has %v", x.discarded, want.discards)
	}
}

// patch gives the model the kernel's words, which are fixed nowhere, where they become
// part of the state: what a vat did wrong, and why a message to the kernel was refused.
func (x *world) patch(got kernel.Report) {
	if !x.m.unworded {
		return
	}
	x.m.unworded = false
	said := func(ref kref, data *kcap) {
		body := string(data.Body)
		if prefix, ok := strings.CutPrefix(body, theOutcome); ok {
			*data = errorData(prefix + got.Outcome.String())
		}
		if words, ok := x.b.wordsOf(ref); ok && body == theRefusal {
			*data = words
		}
	}
	for i := range x.m.promises {
		said(x.m.promises[i].ref, &x.m.promises[i].data)
	}
	for i := range x.expect.outputs {
		said(x.expect.outputs[i].promise, &x.expect.outputs[i].data)
	}
	for i := range x.m.vats {
		v := &x.m.vats[i]
		said("", &v.info)
		if v.quarantined == theOutcome {
			v.quarantined = got.Outcome.String()
		}
	}
}

func (x *world) compareDelivery(got kernel.Report, f *failure) {
	e, t := x.expect, x.expect.turn
	calls := t.recorded()
	if x.played < len(calls) {
		f.fail("syscalls", "only %d of %d syscalls were made", x.played, len(t.calls))
	}
	if got.Syscalls != len(calls) {
		f.fail("syscalls", "%d syscalls reported, the model has %d", got.Syscalls, len(calls))
	}
	problem := got.Outcome.Problem
	if got.Outcome.Fuel != t.program.Fuel {
		f.fail("fuel", "%d units used, the model has %d", got.Outcome.Fuel, t.program.Fuel)
	}
	if t.vague || t.refused != "" || t.broken != "" && t.status == swing.StatusIllegal {
		problem = problem[:min(len(problem), len(t.problem))] // the rule has no fixed words
	}
	if got.Outcome.Status != t.status || problem != t.problem {
		f.fail("outcome", "%s %v: %q, the model has %v: %q",
			got.Vat, got.Outcome.Status, got.Outcome.Problem, t.status, t.problem)
	}
	if got.Delivery != e.delivery.Kind {
		f.fail("delivery", "reported as %v, the model has %v", got.Delivery, e.delivery.Kind)
	}
	if e.kind == setback {
		if got.Item != nil {
			f.fail("item", "a setback has an item")
		}
		return
	}
	compareItem(got, e, calls, f)
}

func compareItem(got kernel.Report, e report, calls []exchange, f *failure) {
	item, err := transcript.Decode(got.Item)
	if err != nil {
		f.fail("item", "%v", err)
		return
	}
	same := slices.EqualFunc(item.Exchanges, calls, func(a transcript.Exchange, b exchange) bool {
		return a.Op == b.op && bytes.Equal(a.Request, b.request) && bytes.Equal(a.Answer, b.answer)
	})
	if !same || item.Position != e.position || item.Outcome != got.Outcome {
		f.fail("item", "the item at %d has %d syscalls, the model has %d at %d",
			item.Position, len(item.Exchanges), len(calls), e.position)
	}
}

func compareEnds(got kernel.Report, want report, f *failure) {
	same := slices.EqualFunc(got.Ended, want.ended, func(a kernel.Ended, b ended) bool {
		reason := b.reason
		if reason == theOutcome {
			reason = got.Outcome.String()
		}
		return a.Vat == b.vat && a.Failure == b.failure && a.Reason == reason
	})
	if !same {
		f.fail("ended", "ended %+v, the model has %+v", got.Ended, want.ended)
	}
}

func compareOutputs(got []kernel.Output, want []output, f *failure) {
	same := slices.EqualFunc(got, want, func(a kernel.Output, b output) bool {
		return a.Promise == b.promise && a.Rejected == b.rejected &&
			bytes.Equal(a.Data.Body, b.data.Body) && slices.Equal(a.Data.Slots, b.data.Slots)
	})
	if !same {
		f.fail("outputs", "outputs %v, the model has %v", got, want)
	}
}

func comparePosts(got []kernel.Post, want []post, f *failure) {
	same := slices.EqualFunc(got, want, func(a kernel.Post, b post) bool {
		return a.Device == b.device && bytes.Equal(a.Data.Body, b.data.Body) &&
			slices.Equal(a.Data.Slots, b.data.Slots)
	})
	if !same {
		f.fail("posts", "posts %v, the model has %v", got, want)
	}
}

// compareAll compares everything there is, and has the kernel recount itself.
func (x *world) compareAll(f *failure) {
	if f.where != "" {
		return
	}
	got, want := kernelLines(x.b), x.m.lines()
	if !bytes.Equal(got, want) {
		text := difference(got, want)
		words := strings.Fields(text)
		f.fail("state of "+words[1], "%s", text)
	}
	if !x.recount {
		return
	}
	for _, bad := range kernel.Check(x.b) {
		f.fail("recount", "%v", bad)
	}
}

// difference is the lines that only one side has, or where their order parts.
func difference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	inG, inW := map[string]bool{}, map[string]bool{}
	for _, l := range g {
		inG[l] = true
	}
	for _, l := range w {
		inW[l] = true
	}
	var out []string
	for _, l := range g {
		if !inW[l] {
			out = append(out, "kernel: "+l)
		}
	}
	for _, l := range w {
		if !inG[l] {
			out = append(out, "model:  "+l)
		}
	}
	for i := range g {
		if len(out) == 0 && (i >= len(w) || g[i] != w[i]) {
			out = append(out, "kernel: "+g[i], "model has it elsewhere")
		}
	}
	return strings.Join(out, "\n")
}

// play plays steps until they are over or the sides differ. It returns how many
// were played and how many syscalls were made.
func (x *world) play(steps []step) (played, calls int, f failure) {
	defer func() {
		if r := recover(); r != nil {
			f.fail("panic", "%v\n%s", r, debug.Stack())
		}
	}()
	for i, s := range steps {
		played = i + 1
		if s.input {
			x.input(s, &f)
		} else {
			x.crank(s, &f)
			if t := x.expect.turn; t != nil {
				calls += len(t.calls)
			}
		}
		if (i+1)%x.every == 0 || i == len(steps)-1 {
			x.compareAll(&f)
		}
		if f.where != "" {
			return played, calls, f
		}
	}
	return played, calls, f
}
