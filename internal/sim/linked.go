package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// nodeNames are the names of two linked kernels, as they know each other, and as a plan's
// faults name them.
var nodeNames = []string{"a", "b"}

// linkedVatsMax bounds the vats of a scenario that is spread over two kernels: each has an
// index on the link.
const linkedVatsMax = 999

// ErrUnlinkable is of a scenario that cannot be spread over two kernels.
var ErrUnlinkable = errors.New("it cannot be spread over two kernels")

// Linkable reports why a scenario cannot be spread over two kernels: devices, meters and a
// time are of one kernel only.
func (s *Scenario) Linkable() error {
	switch {
	case len(s.things) > 0 || s.clock.step != 0:
		return fmt.Errorf("%w: it has devices, meters or a time", ErrUnlinkable)
	case len(s.members) > linkedVatsMax:
		return fmt.Errorf("%w: it has %d vats, at most %d can be", ErrUnlinkable, len(s.members),
			linkedVatsMax)
	case len(s.audit.asks) == 0:
		return fmt.Errorf("%w: it has no audit to compare", ErrUnlinkable)
	}
	return nil
}

// pair is a simulated run of two linked kernels in progress. The scenario's vats are spread
// over them, and its messages are sent one at a time: only when all that came of one is over
// on both sides comes the next.
type pair struct {
	s        *Scenario
	p        *Plan
	machines *Simulator
	out      *Simulated
	sides    [2]*node
	wire     wire
	calm     bool // it is the twin
	// rng says how far a side runs before the other does, and what it says again.
	rng *rand.Rand
}

// linked simulates a run of two linked kernels, beside an undisturbed one.
func linked(ctx context.Context, r *Simulator, with *Scenario, p *Plan, out *Simulated) error {
	if err := with.Linkable(); err != nil {
		return err
	}
	m := pair{s: with, p: p, machines: r, out: out}
	want, err := m.play(ctx, true)
	if err != nil {
		return fmt.Errorf("the undisturbed pair: %w", err)
	}
	got, err := m.play(ctx, false)
	if err == nil && !reflect.DeepEqual(got, want) {
		err = fmt.Errorf("%w: the audit's answers are %+v, want %+v", ErrOtherEnd, got, want)
	}
	return err
}

// play makes the two, sends what the scenario sends, and asks what it asks.
func (m *pair) play(ctx context.Context, calm bool) (answers []answer, err error) {
	m.calm, m.wire = calm, wire{}
	seed := swing.Sum("vatwarehouse linked simulation", []byte(m.p.Seed))
	m.rng = rand.New(rand.NewChaCha8(seed))
	defer func() {
		for _, x := range m.sides {
			if x != nil && x.h != nil {
				err = errors.Join(err, unexpected(x.h.Close(context.WithoutCancel(ctx))))
			}
		}
	}()
	if err := m.make(ctx); err != nil {
		return nil, fmt.Errorf("make and link two kernels: %w", err)
	}
	sent := uint64(0)
	for k, more := uint64(0), true; more; k++ {
		more, err = m.s.step(k, func(msg *message) error {
			sent++
			return m.send(ctx, msg, sent)
		})
		if err != nil {
			return nil, err
		}
	}
	err = m.s.questions(func(msg *message) error {
		sent++
		one, err := m.ask(ctx, msg, sent)
		answers = append(answers, one)
		return err
	})
	if err == nil {
		err = m.end(ctx)
	}
	return answers, err
}

// make makes two kernels, links them, makes the vats on one and the other by turns, and
// gives each side all that is on the other. Only then faults can come.
func (m *pair) make(ctx context.Context) error {
	for i, name := range nodeNames {
		x := &node{m: m, name: name, peer: nodeNames[1-i], number: i, settings: m.p.Settings}
		m.sides[i] = x
		if m.calm {
			x.settings = x.settings.calm(m.s)
		}
		if err := x.begin(ctx); err != nil {
			return err
		}
	}
	for i, member := range m.s.members {
		if err := m.makeVat(ctx, i, member); err != nil {
			return err
		}
	}
	if err := m.settle(ctx); err != nil || m.calm {
		return err
	}
	for _, x := range m.sides {
		for i := range m.p.Faults {
			if f := &m.p.Faults[i]; f.Side == x.name {
				x.coming = append(x.coming, f)
			}
		}
		if err := x.reopen(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sideOf returns the side that a vat is on.
func (m *pair) sideOf(vat int) *node { return m.sides[vat%len(m.sides)] }

// makeVat makes a vat on its side, and gives it to the other.
func (m *pair) makeVat(ctx context.Context, i int, member member) error {
	here, there := m.sideOf(i), m.sideOf(i+1)
	var start message
	m.s.fillStart(&start, &scope{draw: new(draw)}, i)
	program := m.s.programs[member.group.program]
	code, err := here.h.Install(ctx, program.code)
	if err != nil {
		return fmt.Errorf("program %s: %w", program.name, err)
	}
	spec := (&run{s: m.s}).vatSpec(member)
	spec.Code, spec.Body, spec.Slots = code, start.body, here.of(start.slots)
	_, root, err := here.h.CreateVat(ctx, spec)
	if err != nil {
		return err
	}
	index := uint64(i + 1)
	if err := here.link.Give(ctx, there.name, index, string(root)); err != nil {
		return err
	}
	far, err := there.link.Take(ctx, here.name, index)
	here.refs, there.refs = append(here.refs, root), append(there.refs, far)
	return err
}

// send sends a message, the n-th of all from 1, from the side that its target is on, once,
// whatever happens to that side; and sees through what comes of it.
func (m *pair) send(ctx context.Context, msg *message, n uint64) error {
	x := m.sideOf(msg.target)
	return m.input(ctx, x, n, func() error {
		return x.h.SendOnly(ctx, x.refs[msg.target], x.message(msg))
	})
}

// ask is send for a question, and returns the answer.
func (m *pair) ask(ctx context.Context, msg *message, n uint64) (one answer, err error) {
	x := m.sideOf(msg.target)
	err = m.input(ctx, x, n, func() error {
		promise, err := x.h.Send(ctx, x.refs[msg.target], x.message(msg))
		if err != nil {
			return err
		}
		return x.h.SetNote(ctx, noteAsked, encodeRefs([]swing.KRef{promise}))
	})
	for done := false; err == nil && !done; {
		done, err = x.do(ctx, func() error {
			promises, _, err := read(x.h, noteAsked, decodeRefs)
			if err != nil || len(promises) != 1 {
				return errors.Join(err, fmt.Errorf("%d promises are noted", len(promises)))
			}
			one, err = (&run{h: x.h}).answer(promises[0])
			return err
		})
	}
	return one, err
}

// input makes an input with its number noted, in one block, unless that is noted already,
// and sees through what comes of it.
func (m *pair) input(ctx context.Context, x *node, n uint64, enter func() error) error {
	for done := false; !done; {
		var err error
		done, err = x.do(ctx, func() error {
			noted, _, err := read(x.h, noteSteps, decodeSteps)
			if err != nil || noted >= n {
				return err
			}
			if err := enter(); err != nil {
				return err
			}
			if err := x.h.SetNote(ctx, noteSteps, encodeSteps(n)); err != nil {
				return err
			}
			return x.h.Commit(ctx)
		})
		if err != nil {
			return fmt.Errorf("input %d, on side %s: %w", n, x.name, err)
		}
	}
	return m.settle(ctx)
}

// settleRoundsMax bounds the rounds in which two kernels must come to rest.
const settleRoundsMax = 20_000

// settle runs both sides, and carries what they say, until both are quiet and each has
// taken in all that the other has said, and knows it.
func (m *pair) settle(ctx context.Context) error {
	for range settleRoundsMax {
		busy := false
		for _, x := range m.sides {
			most := host.Policy{}
			if !m.calm {
				most.Cranks = 1 + m.rng.Uint64N(12)
			}
			var ran host.Ran
			done, err := x.do(ctx, func() (err error) {
				ran, err = x.h.Run(ctx, most)
				return err
			})
			if err != nil {
				return fmt.Errorf("side %s: %w", x.name, err)
			}
			news, err := m.post(ctx, x)
			if err != nil {
				return fmt.Errorf("what side %s says: %w", x.name, err)
			}
			busy = busy || !done || !ran.Idle || news
		}
		if !busy {
			return nil
		}
	}
	return fmt.Errorf("the two did not come to rest in %d rounds", settleRoundsMax)
}

// end lets what is still on its way arrive, long after it was wanted, and checks both.
func (m *pair) end(ctx context.Context) error {
	for _, late := range slices.Clone(m.wire.flying) {
		if err := m.land(ctx, late); err != nil {
			return err
		}
	}
	m.wire.flying = nil
	if err := m.settle(ctx); err != nil {
		return err
	}
	for _, x := range m.sides {
		x.faulty.Arm(vfs.Fault{}) // what has not come by now is not to come of the checks
	}
	for i, x := range m.sides {
		ours, err := x.link.Correspondence(ctx, x.peer)
		if err != nil {
			return err
		}
		theirs, err := m.sides[1-i].link.Correspondence(ctx, x.name)
		if err != nil {
			return err
		}
		if want := (devices.Correspondence{
			Sent: ours.Sent, Acknowledged: ours.Sent, Taken: theirs.Sent,
		}); ours != want {
			return fmt.Errorf("side %s has %+v, want %+v", x.name, ours, want)
		}
		if err := sound(ctx, x.h); err != nil {
			return fmt.Errorf("side %s: %w", x.name, err)
		}
	}
	return nil
}
