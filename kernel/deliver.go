package kernel

import (
	"context"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// deliver runs an event's vat and settles what it asked for. An error is the
// world's, and the caller rolls back.
func (c *crank) deliver(ctx context.Context, vat swing.VatID, ev event) error {
	vk := vatkeeper.New(vat, c.b)
	kd := c.delivery(vat, ev)
	vd, changes := vk.In(kd)
	c.apply(vat, changes)
	c.drop(ev)

	span := vk.Span()
	entry := transcript.Entry{Position: span.End, Delivery: swing.AppendDelivery(nil, vd)}
	rec := transcript.NewRecorder(vk.Vatstore(c.options.Limits.StoreBytes), c.options.Limits)
	rec.SetRoom(c.room(vat))
	j := &judgement{vk: vk}
	if metered(ev) {
		j.meter = meterOf(c.b, vat)
	}
	j.budget = c.budget(j.meter)
	rec.OnCall(func(request []byte) ([]byte, string) {
		return c.callDevice(j, rec.Exchanges(), request)
	})
	out, err := c.vats.Deliver(ctx, vat, span.End, entry.Delivery, j.budget, rec)
	if err != nil {
		return err
	}
	entry.Exchanges = rec.Exchanges()
	entry.Outcome = c.settle(j, ev, rec, out)
	c.deduct(j.meter, out.Fuel)
	c.report.Delivery, c.report.Syscalls = vd.Kind, len(entry.Exchanges)
	c.report.Outcome = entry.Outcome
	if c.report.Kind == Setback || c.stop != nil {
		return nil
	}
	item := entry.Append(nil)
	vk.SetSpan(span.Extend(item))
	c.report.Kind, c.report.Position, c.report.Item = Delivery, span.End, item
	if len(c.report.Ended) == 0 { // it lives
		c.soil(vk, vd, out.Fuel, span.End+1)
	}
	return nil
}

// delivery turns an event into what its vat is told. The receiver of a message
// becomes the decider of its result.
func (c *crank) delivery(vat swing.VatID, ev event) swing.Delivery[swing.KRef] {
	d := swing.Delivery[swing.KRef]{Time: readTime(c.b)}
	switch ev.kind {
	case eventSend:
		if ev.message.Result != "" {
			c.setDecider(ev.message.Result, "", vat)
			c.hasten(ev.message.Result, vat)
		}
		d.Kind, d.Target, d.Message = swing.DeliverMessage, ev.target, ev.message
	case eventNotify:
		d.Kind, d.Resolutions = swing.DeliverNotify, c.closure(ev.target)
	case eventStart:
		d.Kind, d.Params = swing.DeliverStartVat, ev.params
	case eventUpgrade:
		c.reincarnate(vatkeeper.New(vat, c.b), ev)
		d.Kind, d.Params = swing.DeliverStartVat, ev.params
	case eventCollect:
		d.Kind, d.Refs = ev.gc, ev.gcRefs
		c.retire(ev)
	case eventReap:
		d.Kind = swing.DeliverReap
	}
	return d
}

// settle makes the delivery's syscalls take effect, or, if the vat failed, rolls
// everything back. Then the vat is ended, and the event that killed it is back in the
// queue and will find it dead; or the vat has a setback, and goes on.
func (c *crank) settle(
	j *judgement, ev event, rec *transcript.Recorder, out swing.Outcome,
) swing.Outcome {
	vk, vat := j.vk, j.vk.ID()
	fuel := out.Fuel
	out = c.verdict(j, rec, out)
	out.Fuel = fuel
	if out.OK() {
		c.begun(vk, ev)
		if j.exit != nil {
			c.vats.Discard(vat)
			c.end(vat, vatkeeper.End{Info: j.exit.Info}, "exited")
		}
		return out
	}
	c.vats.Discard(vat)
	if c.setBack(vk, ev, out) {
		return out
	}
	c.rollback(c.start)
	end := vatkeeper.End{Failure: true, Info: errorData(out.String())}
	if out.Status == swing.StatusExited {
		// Its slots may name what the rollback undid; its words remain.
		end.Info = swing.CapData[swing.KRef]{Body: j.exit.Info.Body}
	}
	c.end(vat, end, out.String())
	return out
}

func (c *crank) rollback(savepoint int) {
	c.b.Rollback(savepoint)
	c.loose, c.circles, c.dues, c.meters = nil, nil, nil, nil
	c.report.Outputs, c.report.Posts = nil, nil
}

// judgement is how far a delivery's syscalls have taken effect.
type judgement struct {
	vk      vatkeeper.Keeper
	next    int                        // the first that has not
	exit    *swing.Syscall[swing.KRef] // the vat's request to exit, if there was one
	illegal string                     // the rule that one of them broke
	meter   swing.KRef                 // what the delivery uses is taken off it; "" is none
	budget  uint64                     // units of fuel that the delivery may use
}

// judge makes syscalls take effect, in order, until one breaks a rule.
func (c *crank) judge(j *judgement, exchanges []transcript.Exchange) {
	ids := readIDs(c.b)
	before := ids
	for ; j.next < len(exchanges) && j.illegal == ""; j.next++ {
		x := exchanges[j.next]
		if x.Op.Vatstore() || x.Op == swing.OpCall {
			continue // answered while the delivery ran
		}
		if x.Refused() {
			continue
		}
		s, changes, err := j.vk.Out(j.next, x, c.options.Limits, &ids.Allocation)
		if err == nil {
			c.apply(j.vk.ID(), changes)
			err = c.perform(j.vk.ID(), j.next, s)
		}
		if err != nil {
			j.illegal = err.Error()
			return
		}
		if s.Op == swing.OpExit && j.exit == nil {
			j.exit = &s
		}
	}
	if ids != before {
		ids.write(c.b)
	}
}

// verdict returns the delivery's outcome, given how the program ended it.
func (c *crank) verdict(
	j *judgement, rec *transcript.Recorder, out swing.Outcome,
) swing.Outcome {
	if why := rec.Illegal(); why != "" {
		return swing.Outcome{Status: swing.StatusIllegal, Problem: why}
	}
	if out.Status == swing.StatusOutOfFuel || out.OK() && out.Fuel > j.budget {
		return c.exhausted(j)
	}
	if !out.OK() {
		return out
	}
	c.judge(j, rec.Exchanges())
	if j.illegal != "" {
		return swing.Outcome{Status: swing.StatusIllegal, Problem: j.illegal}
	}
	if j.exit != nil && j.exit.Failure {
		problem := transcript.Text(j.exit.Info.Body)
		return swing.Outcome{Status: swing.StatusExited, Problem: problem}
	}
	return out
}

// perform makes one syscall take effect. An error is a
// [*vatkeeper.IllegalError].
func (c *crank) perform(vat swing.VatID, i int, s swing.Syscall[swing.KRef]) error {
	switch s.Op {
	case swing.OpSend:
		if result := s.Message.Result; result != "" {
			if p := readPromise(c.b, result); p.state != Unresolved || p.decider != vat {
				return &vatkeeper.IllegalError{
					Syscall: i, Op: s.Op, Rule: "the vat does not decide the result",
				}
			}
			c.setDecider(result, vat, "")
		}
		c.enqueue(event{kind: eventSend, target: s.Target, message: s.Message, sender: vat})
	case swing.OpSubscribe:
		c.subscribe(vat, s.Target)
	case swing.OpResolve:
		if rule := c.mayResolve(vat, s.Resolutions); rule != "" {
			return &vatkeeper.IllegalError{Syscall: i, Op: s.Op, Rule: rule}
		}
		for _, r := range s.Resolutions {
			c.resolve(r)
		}
	case swing.OpExit: // takes effect when the delivery is settled
	case swing.OpCall:
		panic("kernel: a call is answered, not judged")
	case swing.OpDropImports, swing.OpRetireImports, swing.OpRetireExports,
		swing.OpAbandonExports: // their changes are all there is to them
	}
	return nil
}

// mayResolve returns the rule that a batch of resolutions breaks, or "".
func (c *crank) mayResolve(vat swing.VatID, rs []swing.Resolution[swing.KRef]) string {
	for _, r := range rs {
		p := readPromise(c.b, r.Promise)
		if p.state != Unresolved {
			return "the promise is already " + p.state.String()
		}
		if p.decider != vat {
			return "the vat does not decide the promise"
		}
		if ref, ok := r.Data.Reference(); ok && ref.Kind() == swing.Promise && !r.Rejected {
			return "a promise cannot be fulfilled with a promise"
		}
	}
	return ""
}
