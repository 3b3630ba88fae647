package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/warehouse"
	"vatwarehouse/worker"
)

// Rehearsed is what a Rehearse found.
type Rehearsed struct {
	Vat        swing.VatID
	From, To   uint64 // positions of the entries that were delivered to the new program
	Deliveries uint64
	Differing  uint64 // deliveries that it dealt with otherwise
	// Died is how the new program failed at the last of them, if it did.
	Died swing.Outcome
}

// Rehearsal is one delivery that a new program dealt with otherwise than the vat did.
type Rehearsal struct {
	Position uint64
	Delivery string
	Was, Is  []string // the syscalls, for people
	Died     string   // how the new program failed, or ""
}

// Rehearse delivers a vat's history, from the birth of its incarnation on, to another
// program, and reports each delivery of which the syscalls differ. It changes nothing,
// and stops where the program fails.
//
// What the program reads of the vatstore is what it wrote, or else what the vat read of
// the same key in the same delivery; a device answers it what it answered the vat, if
// the call is the same, and else an error. So what comes after a difference is what might
// have been.
func (h *Host) Rehearse(
	ctx context.Context, vat swing.VatID, code []byte, report func(Rehearsal),
) (Rehearsed, error) {
	return read(h, func() (done Rehearsed, err error) {
		v, err := h.vatState(vat)
		if err == nil {
			err = h.whole(vat)
		}
		if err != nil {
			return done, fmt.Errorf("rehearse: %w", err)
		}
		p, err := h.machine.Compile(ctx, code)
		if err != nil {
			return done, fmt.Errorf("rehearse: %w: %w", ErrRefused, err)
		}
		r := rehearsal{h: h, report: report, store: map[string]*[]byte{}}
		r.done = Rehearsed{Vat: vat, From: v.Span.Start, To: v.Span.Start}
		err = errors.Join(r.run(ctx, v, p), p.Close(ctx))
		if err != nil {
			return r.done, fmt.Errorf("rehearse vat %s: %w", vat, damaged(err))
		}
		return r.done, nil
	})
}

// rehearsal is a Rehearse in progress.
type rehearsal struct {
	h      *Host
	report func(Rehearsal)
	done   Rehearsed
	store  map[string]*[]byte // what the program wrote; nil is what it deleted
}

func (r *rehearsal) run(ctx context.Context, v Vat, p warehouse.Program) (err error) {
	options, _ := vatkeeper.New(v.ID, r.h.kv).Options()
	heap, data := p.Genesis()
	w, err := p.Start(ctx, heap, worker.NewBirth(heap, data), options.Seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	born := transcript.Span{
		Incarnation: v.Span.Incarnation, Start: v.Span.Start, End: v.Span.Start,
	}
	items := r.h.items(string(v.ID), v.Span.Start, v.Span.End)
	for e, err := range v.Span.Verified(born, items) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if !e.Outcome.OK() {
			continue
		}
		if err := r.step(ctx, w, e); err != nil || !r.done.Died.OK() && r.done.Differing > 0 {
			return err
		}
	}
	return nil
}

// step makes one delivery and compares what came of it.
func (r *rehearsal) step(ctx context.Context, w warehouse.Worker, e transcript.Entry) error {
	s := &stage{r: r, entry: e}
	out, err := w.Deliver(ctx, e.Delivery, e.Budget(r.h.options.Limits), s, nil)
	if err != nil {
		return err
	}
	r.done.To = e.Position + 1
	r.done.Deliveries++
	r.done.Died = out
	if out.OK() && s.same() {
		return nil
	}
	r.done.Differing++
	d := Rehearsal{Position: e.Position}
	d.Delivery, d.Was = e.Describe()
	for _, x := range s.kept {
		d.Is = append(d.Is, transcript.Describe(x))
	}
	if !out.OK() {
		d.Died = out.String()
	}
	r.report(d)
	return nil
}

// stage is the Syscaller of one rehearsed delivery.
type stage struct {
	r     *rehearsal
	entry transcript.Entry
	kept  []transcript.Exchange
}

// Syscall implements swing.Syscaller.
func (s *stage) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	x := transcript.Exchange{Op: op, Request: bytes.Clone(request)}
	switch {
	case op.Vatstore():
		x.Answer = s.vatstore(x)
	case op == swing.OpCall:
		failed := swing.CallAnswer[swing.VRef]{Failed: true}
		failed.Data.Body = []byte("this call was not recorded")
		x.Answer = s.recorded(x, swing.AppendCallAnswer(nil, failed))
	}
	s.kept = append(s.kept, x)
	return x.Answer, true
}

// recorded returns what the vat was answered to the same request, or else otherwise.
func (s *stage) recorded(x transcript.Exchange, otherwise []byte) []byte {
	for _, was := range s.entry.Exchanges {
		if was.Op == x.Op && bytes.Equal(was.Request, x.Request) {
			return was.Answer
		}
	}
	return otherwise
}

func (s *stage) vatstore(x transcript.Exchange) []byte {
	q, err := swing.DecodeRequest[swing.VRef](x.Op, x.Request)
	none := swing.AppendAnswer(nil, nil, false)
	if err != nil {
		return none
	}
	switch x.Op {
	case swing.OpVatstoreSet:
		value := bytes.Clone(q.Value)
		s.r.store[string(q.Key)] = &value
		return nil
	case swing.OpVatstoreDelete:
		s.r.store[string(q.Key)] = nil
		return nil
	case swing.OpVatstoreGet:
		if value, wrote := s.r.store[string(q.Key)]; wrote && value != nil {
			return swing.AppendAnswer(nil, *value, true)
		} else if wrote {
			return none
		}
	}
	return s.recorded(x, none)
}

// same reports whether the program asked for what the vat asked for.
func (s *stage) same() bool {
	if len(s.kept) != len(s.entry.Exchanges) {
		return false
	}
	for i, was := range s.entry.Exchanges {
		if was.Op != s.kept[i].Op || !bytes.Equal(was.Request, s.kept[i].Request) {
			return false
		}
	}
	return true
}
