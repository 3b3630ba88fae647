package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	"vatwarehouse/devices"
	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/worker"
)

// Life is a directory's life under an embedder that does, at random, all that an embedder
// can do, at certain cranks, with vats that do all that vats can: puppets, whose scripts it
// writes by what their c-lists hold. What it does follows from its seed and from what the
// kernel's state is, so that two runs that differ in nothing hashed are alike; and it can be
// stopped at any block, and go on later, since it notes how far it is.
type Life struct {
	Seed   uint64
	Rounds int
	// Devices returns those named "timer" and "bridge"; nil stands for those of package
	// devices.
	Devices func() map[string]kernel.Device
}

// options makes reaps and cleanups frequent, so that they come between everything else,
// and fuel scarce, so that some deliveries run out of it.
func (l Life) options(o host.Options) host.Options {
	o.Seed = "life"
	o.ReapDeliveries, o.ReapRefs, o.CleanupRows, o.CleanupEvery = 6, 4, 2, 5
	o.ReapFuel, o.Limits = 50_000, swing.DefaultLimits()
	o.Limits.Fuel = 30_000
	if l.Devices == nil {
		l.Devices = func() map[string]kernel.Device {
			return map[string]kernel.Device{"timer": devices.Timer{}, "bridge": devices.Bridge{}}
		}
	}
	o.Devices = l.Devices()
	return o
}

// Open opens the directory of a life.
func (l Life) Open(ctx context.Context, dir string, o host.Options) (*host.Host, error) {
	o = l.options(o)
	return Open(ctx, dir, &o)
}

// Run opens a directory, goes on with the life in it to its end, and takes the trace.
func (l Life) Run(ctx context.Context, dir string, o host.Options) (tr Trace, err error) {
	h, err := l.Open(ctx, dir, o)
	if err != nil {
		return tr, err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	if err := l.Live(ctx, h); err != nil {
		return tr, err
	}
	return Take(h)
}

// The notes of a life: how many rounds' inputs were made, and at which crank the next
// are due.
const (
	roundNote = "round"
	dueNote   = "due"
)

// Live goes on with the life in an open directory to its end.
func (l Life) Live(ctx context.Context, h *host.Host) error {
	for {
		round, due, err := progress(h)
		if err != nil {
			return err
		}
		if round > 0 {
			if err := until(ctx, h, due); err != nil {
				return err
			}
		}
		if round == l.Rounds {
			return until(ctx, h, due+cranksMax)
		}
		if err := l.round(ctx, h, round); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
}

// cranksMax is how many cranks a life goes on for after its last inputs, at most: it need not
// become idle by itself.
const cranksMax = 2000

func progress(h *host.Host) (round int, due uint64, err error) {
	for name, to := range map[string]func(n uint64){
		roundNote: func(n uint64) { round = int(n) }, dueNote: func(n uint64) { due = n },
	} {
		value, ok, noteErr := h.Note(name)
		if noteErr != nil || !ok {
			err = errors.Join(err, noteErr)
			continue
		}
		n, parseErr := strconv.ParseUint(string(value), 10, 64)
		to(n)
		err = errors.Join(err, parseErr)
	}
	return round, due, err
}

// until runs to a certain crank, or as far as it goes.
func until(ctx context.Context, h *host.Host, due uint64) error {
	for {
		s, err := h.Stats()
		if err != nil || s.Kernel.Cranks >= due {
			return err
		}
		ran, err := h.Run(ctx, host.Policy{Cranks: due - s.Kernel.Cranks})
		if critical := (*kernel.CriticalError)(nil); errors.As(err, &critical) {
			err = h.Terminate(ctx, critical.Vat, "critical, and failed")
		}
		if err != nil || ran.Idle {
			return err
		}
	}
}

// day is one round of inputs.
type day struct {
	ctx     context.Context
	h       *host.Host
	rng     *rand.Rand
	round   int
	vats    []host.Vat // that live
	objects []host.Object
	fresh   int // exports that the round's scripts have named
}

// lookMax is how much of the kernel's tables a day looks at.
const lookMax = 10_000

func (l Life) round(ctx context.Context, h *host.Host, round int) error {
	d := &day{ctx: ctx, h: h, rng: rand.New(rand.NewPCG(l.Seed, uint64(round))), round: round}
	if round == 0 {
		if err := d.found(); err != nil {
			return err
		}
	}
	if err := d.look(); err != nil {
		return err
	}
	for range 1 + d.rng.IntN(5) {
		if err := d.input(); err != nil && !errors.Is(err, host.ErrRefused) {
			return err
		}
	}
	s, err := h.Stats()
	if err != nil {
		return err
	}
	due := s.Kernel.Cranks + 2 + d.rng.Uint64N(16)
	return errors.Join(
		h.SetNote(ctx, roundNote, strconv.AppendInt(nil, int64(round)+1, 10)),
		h.SetNote(ctx, dueNote, strconv.AppendUint(nil, due, 10)))
}

// programs are the guests of a life, by their names in the kernel, too.
var programs = []string{"puppet", "counter"}

// found makes what a life begins with.
func (d *day) found() error {
	for _, name := range programs {
		code, _ := guest.Program(name)
		if _, err := d.h.InstallAs(d.ctx, name, code); err != nil {
			return err
		}
	}
	for _, name := range []string{"timer", "bridge"} {
		if _, err := d.h.AddDevice(d.ctx, name); err != nil {
			return err
		}
	}
	if _, err := d.h.CreateMeter(d.ctx, 60_000, 20_000, false); err != nil {
		return err
	}
	if err := d.look(); err != nil {
		return err
	}
	for range 5 {
		if err := d.create(); err != nil {
			return err
		}
	}
	return nil
}

// look sees which vats live, and which objects there are.
func (d *day) look() error {
	vats, err := d.h.Vats()
	if err != nil {
		return err
	}
	for _, v := range vats {
		if v.Alive {
			d.vats = append(d.vats, v)
		}
	}
	d.objects, _, err = d.h.Objects(lookMax)
	return err
}

// The number of live vats is kept between these.
const (
	liveMin = 3
	liveMax = 8
)

// input does one thing that an embedder can do.
func (d *day) input() error {
	v := d.vats[d.rng.IntN(len(d.vats))]
	n := d.rng.IntN(100)
	switch {
	case len(d.vats) < liveMin, n < 5 && len(d.vats) < liveMax:
		return d.create()
	case n < 10:
		return d.upgrade(v)
	case n < 12 && len(d.vats) > liveMin:
		return d.h.Terminate(d.ctx, v.ID, "by the embedder")
	case n < 14:
		return d.h.Hold(d.ctx, v.ID)
	case n < 24:
		return d.unhold()
	case n < 32:
		return d.passTime()
	case n < 36:
		return d.h.Receive(d.ctx, "bridge", list(uint64(d.round)), d.object())
	case n < 39:
		return d.meter()
	case n < 43:
		return d.h.Release(d.ctx, d.object())
	case n < 46:
		return d.releaseAnswers()
	case n < 49:
		return d.send(v.Root, "report")
	case n < 54:
		return d.send(v.Root, "incr", uint64(n))
	case n < 58:
		return d.send(d.object(), "hello")
	case n < 66:
		return d.send(v.Root, "hello")
	}
	return d.perform(v)
}

// object returns one that is there.
func (d *day) object() swing.KRef { return d.objects[d.rng.IntN(len(d.objects))].Ref }

// useful returns an object of the kernel's, or a vat's root.
func (d *day) useful() swing.KRef {
	if d.rng.IntN(5) == 0 {
		return kernel.AdminRef
	}
	for range 20 {
		o := d.objects[d.rng.IntN(len(d.objects))]
		if o.Owner == kernel.ServiceOwner {
			return o.Ref
		}
	}
	return d.object()
}

// codeOf returns the hash of a program that was installed.
func codeOf(program string) swing.Hash {
	code, _ := guest.Program(program)
	return worker.CodeHash(code)
}

// create makes a vat: mostly a puppet that is quarantined when it fails.
func (d *day) create() error {
	program := programs[d.rng.IntN(10)/9]
	s := host.VatSpec{
		Name: fmt.Sprintf("%s-%d-%d", program, d.round, d.rng.IntN(1000)), Code: codeOf(program),
		Quarantine: d.rng.IntN(4) > 0, Pipelining: d.rng.IntN(4) == 0,
		Critical: d.rng.IntN(15) == 0,
	}
	if meter := d.someMeter(); d.rng.IntN(3) == 0 && meter != "" {
		s.Meter = meter
	}
	for range d.rng.IntN(6) {
		s.Slots = append(s.Slots, d.useful())
	}
	_, _, err := d.h.CreateVat(d.ctx, s)
	return err
}

// someMeter returns a meter, or "".
func (d *day) someMeter() (ref swing.KRef) {
	n := 0
	for _, o := range d.objects {
		if _, err := d.h.Meter(o.Ref); err == nil {
			if n++; d.rng.IntN(n) == 0 {
				ref = o.Ref
			}
		}
	}
	return ref
}

func (d *day) meter() error {
	if ref := d.someMeter(); ref != "" && d.rng.IntN(3) > 0 {
		switch d.rng.IntN(3) {
		case 0:
			return d.send(ref, "notify")
		case 1:
			return d.send(ref, "get")
		}
		return d.send(ref, "addRemaining", d.rng.Uint64N(60_000))
	}
	_, err := d.h.CreateMeter(
		d.ctx,
		d.rng.Uint64N(60_000),
		d.rng.Uint64N(40_000),
		d.rng.IntN(4) == 0,
	)
	return err
}

// upgrade makes a vat's next incarnation a puppet, whose start goes well or not, or,
// at times, a counter.
func (d *day) upgrade(v host.Vat) error {
	program := programs[d.rng.IntN(10)/9]
	u := host.Upgrade{Code: codeOf(program), Message: fmt.Sprint("round ", d.round)}
	switch d.rng.IntN(3) {
	case 0:
		u.Body = list([]any{"trap"})
	case 1:
		s, err := d.script(v)
		if err != nil {
			return err
		}
		u.Body = list(s.steps...)
	}
	_, err := d.h.Upgrade(d.ctx, v.ID, u)
	return err
}

// unhold lets the held go on; what is quarantined for good is upgraded or ended.
func (d *day) unhold() error {
	for _, v := range d.vats {
		if !v.Held {
			continue
		}
		switch d.rng.IntN(6) {
		case 0, 1:
			return d.upgrade(v)
		case 2:
			return d.h.Terminate(d.ctx, v.ID, "held too long")
		}
		return d.h.Unhold(d.ctx, v.ID)
	}
	return nil
}

func (d *day) passTime() error {
	s, err := d.h.Stats()
	if err != nil {
		return err
	}
	return d.h.SetTime(d.ctx, s.Kernel.Time+d.rng.Uint64N(2000))
}

// releaseAnswers lets go of what the embedder was answered.
func (d *day) releaseAnswers() error {
	promises, _, err := d.h.Promises("", lookMax)
	for _, p := range promises {
		if p.State != kernel.Unresolved && d.rng.IntN(2) == 0 {
			if err := d.h.Release(d.ctx, p.Ref); err != nil && !errors.Is(err, host.ErrRefused) {
				return err
			}
		}
	}
	return err
}

// send sends a message with some objects, mostly asking for an answer.
func (d *day) send(to swing.KRef, method string, values ...any) error {
	if to == "" {
		return nil
	}
	m := host.Message{Method: method}
	if len(values) > 0 {
		m.Body = list(values...)
	} else if method == "hello" {
		m.Slots = []swing.KRef{d.useful(), d.useful(), d.object()}
	}
	if d.rng.IntN(3) > 0 {
		return d.h.SendOnly(d.ctx, to, m)
	}
	_, err := d.h.Send(d.ctx, to, m)
	return err
}

// perform has a puppet do something.
func (d *day) perform(v host.Vat) error {
	if v.Root == "" || v.Held {
		return nil
	}
	s, err := d.script(v)
	if err != nil {
		return err
	}
	m := host.Message{Method: "do", Body: list(s.steps...)}
	if d.rng.IntN(2) == 0 {
		return d.h.SendOnly(d.ctx, v.Root, m)
	}
	_, err = d.h.Send(d.ctx, v.Root, m)
	return err
}
