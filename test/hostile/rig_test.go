package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker/instrument"
)

var ctx = context.Background()

// style is one way to run a module. None may change what comes of it.
type style struct {
	name        string
	interpreter bool
	restart     bool // the host is closed and opened between any two steps
	// exposed has the hostile vat given the witness for a neighbour: a planted fault.
	exposed bool
}

var styles = []style{
	{name: "compiled"}, {name: "interpreted", interpreter: true}, {name: "restarted", interpreter: true, restart: true},
}

// What a hostile vat may use: little, so that loops are short.
const (
	fuelDefault = 2_000_000
	memoryMax   = 16 << 20
	// deliveriesMax bounds each run, so that a vat that sends itself two messages for
	// every one does not go on for ever.
	deliveriesMax = 60
)

// life is what can be told of a module.
type life struct {
	verdict string       // all refusals, or what it did
	status  swing.Status // of its last delivery; 0 if it was refused
	hash    swing.Hash   // the activityhash
	witness string       // all that the witness was delivered, asked and was answered
}

// arena is a host with a witness, a vat that the hostile one never hears of; a
// neighbour, which it is given; and the hostile one.
type arena struct {
	testing.TB
	style     style
	limits    swing.Limits
	files     *vfs.Mem
	h         *host.Host
	witness   swing.VatID
	hands     swing.KRef // of the witness
	neighbour swing.KRef
	hostile   swing.VatID
	root      swing.KRef // of the hostile vat

	lines  []string // what the hostile vat did
	status swing.Status
	logged int // bytes of its log
}

// live runs a module: its vat is started, and told to attack twice.
func live(t testing.TB, code []byte, fuel int, s style) life {
	t.Helper()
	a := &arena{TB: t, style: s, files: vfs.NewMem(), limits: swing.DefaultLimits()}
	a.limits.Fuel, a.limits.MemoryBytes = fuel, memoryMax
	a.open()
	defer func() { a.close() }()
	a.witness, a.hands = a.vat("witness", "puppet")
	_, a.neighbour = a.vat("neighbour", "puppet")
	if s.exposed {
		a.neighbour = a.hands
	}
	a.observe("before")
	refused := a.create(code)
	for _, when := range []string{"between", "after"} {
		a.step()
		if refused == "" && a.alive() {
			a.attack()
		}
		a.observe(when)
	}
	a.step()
	_, err := a.h.Check(ctx, func(f host.Fault) { a.Errorf("%s: %v", s.name, f) })
	a.fatal(err)
	l := life{verdict: refused, status: a.status, witness: a.testimony()}
	if l.hash, err = a.h.Activityhash(); err != nil {
		a.fatal(err)
	}
	if a.logged > 0 {
		a.lines = append(a.lines, fmt.Sprintf("logs %d bytes", a.logged))
	}
	if refused == "" {
		l.verdict = strings.Join(a.lines, "\n")
	}
	return l
}

func (a *arena) fatal(err error) {
	a.Helper()
	if err != nil {
		a.Fatalf("%s: %v", a.style.name, err)
	}
}

func (a *arena) open() {
	o := host.Options{
		FS: a.files, Seed: "hostile", Limits: a.limits, Inline: true, SegmentBytes: 2 << 20,
		Interpreter: a.style.interpreter, Logger: slog.New(ears{a}),
		Observer: host.Observer{Crank: a.crank},
	}
	if a.style.restart {
		o.MaxVats, o.Snapshots = 1, warehouse.Policy{Initial: 1, Interval: 1}
	}
	h, err := host.Open(ctx, "", &o)
	a.fatal(err)
	a.h = h
}

func (a *arena) close() { a.fatal(a.h.Close(ctx)) }

// step is where a host may be closed and opened.
func (a *arena) step() {
	if a.style.restart {
		a.close()
		a.open()
	}
}

// crank notes what the hostile vat does; the same again is noted by a mark.
func (a *arena) crank(c host.Crank) {
	if c.Kind != kernel.Delivery || c.Vat != a.hostile {
		return
	}
	a.status = c.Outcome.Status
	line := fmt.Sprintf("%v: %s", c.Delivery, outcome(c.Outcome))
	if c.Syscalls > 0 {
		line += fmt.Sprintf(", after %d syscalls", c.Syscalls)
	}
	if n := len(a.lines); n > 0 && strings.TrimSuffix(a.lines[n-1], " …") == line {
		a.lines[n-1] = line + " …"
		return
	}
	a.lines = append(a.lines, line)
}

// outcome is an outcome as text, cut if it is long. It leaves out the fuel, whose prices
// are no part of a verdict.
func outcome(o swing.Outcome) string {
	const shown = 200
	o.Fuel = 0
	text := transcript.Text([]byte(o.String()))
	if len(text) > shown {
		text = fmt.Sprintf("%s… of %d bytes", text[:shown], len(o.Problem))
	}
	return text
}

// ears hear what the hostile vat logs.
type ears struct{ a *arena }

func (e ears) Enabled(context.Context, slog.Level) bool { return true }
func (e ears) WithAttrs([]slog.Attr) slog.Handler       { return e }
func (e ears) WithGroup(string) slog.Handler            { return e }

// Handle implements slog.Handler.
func (e ears) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(at slog.Attr) bool {
		if r.Message == "vat says" && at.Key == "text" {
			e.a.logged += len(at.Value.String())
		}
		return true
	})
	return nil
}

func (a *arena) vat(name, program string) (swing.VatID, swing.KRef) {
	code, ok := guest.Program(program)
	if !ok {
		a.Fatalf("no program %s", program)
	}
	hash, err := a.h.Install(ctx, code)
	a.fatal(err)
	id, root, err := a.h.CreateVat(ctx, host.VatSpec{Name: name, Code: hash})
	a.fatal(err)
	return id, root
}

// create installs the module and starts it as a vat, or returns why it is refused.
// What lint says must be what comes of it.
func (a *arena) create(code []byte) (refused string) {
	a.step()
	found, err := a.h.Lint(ctx, code)
	a.fatal(err)
	hash, err := a.h.Install(ctx, code)
	if err != nil {
		first := found.Refusals[0].Error()
		if !errors.Is(err, host.ErrRefused) || !errors.Is(err, instrument.ErrRefused) ||
			!strings.HasSuffix(err.Error(), first) {
			a.Errorf("%s: lint says %s, install %v", a.style.name, first, err)
		}
		for _, r := range found.Refusals {
			refused += "\n" + r.Error()
		}
		return refused[1:]
	}
	if len(found.Refusals) > 0 {
		a.Errorf("%s: lint says %v, and it was installed", a.style.name, found.Refusals[0])
	}
	a.hostile, a.root, err = a.h.CreateVat(ctx, host.VatSpec{
		Name: "hostile", Code: hash, Body: []byte{0x80}, Slots: []swing.KRef{a.neighbour},
	})
	a.fatal(err)
	a.run()
	return ""
}

func (a *arena) run() host.Ran {
	a.Helper()
	ran, err := a.h.Run(ctx, host.Policy{Deliveries: deliveriesMax})
	a.fatal(err)
	return ran
}

func (a *arena) alive() bool {
	v, err := a.h.Vat(string(a.hostile))
	a.fatal(err)
	return v.Alive
}

// attack has the hostile vat do what it does, with the neighbour in its hands and an
// answer to give.
func (a *arena) attack() {
	_, err := a.h.Send(ctx, a.root, host.Message{
		Method: "attack", Body: []byte{0x81, 0x01}, Slots: []swing.KRef{a.neighbour},
	})
	a.fatal(err)
	a.run()
}

// observe has the witness set a key of its own, and walk over all of them. However
// much the hostile vat has queued, its turn comes.
func (a *arena) observe(key string) {
	body := swing.AppendArray(nil, 4)
	step := func(op swing.Op, parts ...string) {
		request := swing.AppendArray(nil, len(parts))
		for _, p := range parts {
			request = swing.AppendBytes(request, []byte(p))
		}
		body = swing.AppendUint(swing.AppendArray(body, 2), uint64(op))
		body = swing.AppendBytes(body, request)
	}
	step(swing.OpVatstoreSet, key, "what the witness saw")
	for _, prior := range []string{"", "before", "between"} {
		step(swing.OpVatstoreNextKey, prior)
	}
	m := host.Message{Method: "do", Body: body}
	a.fatal(a.h.SendOnly(ctx, a.hands, m))
	was := a.position()
	for range 1000 {
		if a.run(); a.position() > was {
			return
		}
	}
	a.Fatalf("%s: the witness has no turn", a.style.name)
}

func (a *arena) position() uint64 {
	v, err := a.h.Vat(string(a.witness))
	a.fatal(err)
	return v.Span.End
}

// testimony is the witness's transcript, as text.
func (a *arena) testimony() string {
	entries, err := a.h.Transcript(a.witness, 0, math.MaxUint64)
	a.fatal(err)
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&b, transcript.DescribeDelivery(e.Delivery))
		for _, x := range e.Exchanges {
			fmt.Fprintln(&b, " ", transcript.Describe(x))
		}
		fmt.Fprintln(&b, " ", e.Outcome)
	}
	return b.String()
}
