package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vatwarehouse/swing"
)

// audit asks what the scenario wants to know, unless that was done already and
// nothing has happened since.
func (r *run) audit(ctx context.Context) error {
	if r.s.audit.asked() == 0 {
		return nil
	}
	was, ok, err := read(r.h, noteAnswers, decodeAnswered)
	if err != nil || ok && was.deliveries == r.done {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if r.over != nil {
		r.over()
	}
	if err := r.ask(ctx); err != nil {
		return err
	}
	return r.finishAudit(ctx)
}

// finishAudit waits for the answers, if there are questions under way: of this
// Run, or of one that was stopped just then.
func (r *run) finishAudit(ctx context.Context) error {
	promises, asked, err := read(r.h, noteAsked, decodeRefs)
	if err != nil || !asked {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.keep(ctx, promises)
}

// settle runs until all is quiet.
func (r *run) settle(ctx context.Context) error {
	quiet, err := r.quiet(ctx, r.done+r.drain)
	if err == nil && !quiet {
		return fmt.Errorf("the vats did not come to rest in %d deliveries, "+
			"so they cannot be audited", r.drain)
	}
	return err
}

// ask sends the audit's questions and notes the promises of the answers.
func (r *run) ask(ctx context.Context) error {
	var promises []swing.KRef
	err := r.s.questions(func(m *message) error {
		p, err := r.h.Send(ctx, r.roots[m.target], r.message(m))
		promises = append(promises, p)
		return err
	})
	if err != nil {
		return err
	}
	return r.h.SetNote(ctx, noteAsked, encodeRefs(promises))
}

// questions makes the messages of the audit, in order.
func (s *Scenario) questions(send func(*message) error) error {
	var m message
	sc := &scope{draw: new(draw)}
	for k, q := range s.audit.asks {
		for i := range q.group.count {
			m.target, m.method = q.group.first+i, q.method
			sc.index, sc.count, sc.cycle = i, q.group.count, uint64(i)
			sc.draw.seed(s.Seed, fmt.Sprintf("audit.%d", k), uint64(i))
			m.write(q.args, sc)
			if err := send(&m); err != nil {
				return err
			}
		}
	}
	for k := range s.audit.asserts {
		s.fillAssert(&m, sc, k)
		if err := send(&m); err != nil {
			return err
		}
	}
	return nil
}

// keep notes the answers and lets go of their promises.
func (r *run) keep(ctx context.Context, promises []swing.KRef) error {
	note := answered{deliveries: r.done}
	for _, p := range promises {
		one, err := r.answer(p)
		if err != nil {
			return err
		}
		note.answers = append(note.answers, one)
		if err := r.h.Release(ctx, p); err != nil {
			return err
		}
	}
	return errors.Join(
		r.h.SetNote(ctx, noteAnswers, note.encode()),
		r.h.SetNote(ctx, noteAsked, nil),
		r.h.Commit(ctx),
	)
}

// problemBytesMax bounds what is kept of a rejection.
const problemBytesMax = 200

// answer reads one answer. A promise that is not settled by now, when all is
// quiet, will not be: its vat is held, or keeps it for ever.
func (r *run) answer(p swing.KRef) (a answer, err error) {
	state, err := r.h.Promise(p)
	if err != nil {
		return a, err
	}
	switch state.State.String() {
	case "unresolved":
		return answer{problem: "no answer"}, nil
	case "rejected":
		text := "rejected: " + Show(state.Data.Body)
		return answer{problem: strings.ToValidUTF8(text[:min(len(text), problemBytesMax)], "")}, nil
	}
	a.body = state.Data.Body
	a.parse()
	return a, nil
}
