package bench

import (
	"context"
	"fmt"
	"time"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// promiseChain measures messages each of which is sent to the answer of the one before,
// all in one delivery: each answer is a reference, by which the next message goes on.
// They wait for it in the kernel; or they wait in the vat that is to answer.
func promiseChain(ctx context.Context, r *Run) error {
	for _, v := range []struct {
		parts      string
		pipelining bool
	}{{"links", false}, {"pipelined links", true}} {
		spec := kernel.VatSpec{Pipelining: v.pipelining}
		err := growth(r, "promise-chain", v.parts, 10_000, func(n int) (time.Duration, error) {
			return onStage(r, func(g *stage) (time.Duration, error) {
				return chained(ctx, g, spec, n)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func chained(
	ctx context.Context, g *stage, spec kernel.VatSpec, n int,
) (d time.Duration, err error) {
	_, receiver, err := g.castAs(func(d delivery, call func(syscall)) {
		call(forwardTo(d.Message.Result, swing.RootVRef))
	}, spec)
	if err != nil {
		return 0, err
	}
	told := 0
	_, sender, err := g.cast(func(d delivery, call func(syscall)) {
		if told += len(d.Resolutions); d.Kind != swing.DeliverMessage {
			return
		}
		target := d.Message.Args.Slots[0]
		for i := range n {
			s := sendTo(target, "next")
			s.Message.Result = exported(swing.Promise, i+1)
			call(s)
			call(syscall{Op: swing.OpSubscribe, Target: s.Message.Result})
			target = s.Message.Result
		}
	})
	if err != nil {
		return 0, err
	}
	if _, err = g.play(ctx); err == nil {
		d, err = g.scene(ctx, sender, "begin", receiver)
	}
	if err == nil && told != n {
		err = fmt.Errorf("%d answers, want %d", told, n)
	}
	return d, err
}

// subscribers measures many vats asking about one promise, and being told.
func subscribers(ctx context.Context, r *Run) error {
	return growth(r, "subscribers", "subscribers", 10_000, func(n int) (time.Duration, error) {
		return onStage(r, func(g *stage) (time.Duration, error) { return notified(ctx, g, n) })
	})
}

func notified(ctx context.Context, g *stage, n int) (d time.Duration, err error) {
	told := 0
	roots, err := g.castMany(func(d delivery, call func(syscall)) {
		if told += len(d.Resolutions); d.Kind == swing.DeliverMessage {
			call(syscall{Op: swing.OpSubscribe, Target: d.Message.Args.Slots[0]})
		}
	}, n)
	if err != nil {
		return 0, err
	}
	promise := exported(swing.Promise, 1)
	_, decider, err := g.cast(func(d delivery, call func(syscall)) {
		switch d.Message.Method {
		case "give":
			for _, to := range d.Message.Args.Slots {
				call(sendTo(to, "take", promise))
			}
		case "settle":
			call(forwardTo(promise, swing.RootVRef))
		}
	})
	if err != nil {
		return 0, err
	}
	if _, err = g.play(ctx); err != nil {
		return 0, err
	}
	asked, err := g.scene(ctx, decider, "give", roots...)
	if err == nil {
		d, err = g.scene(ctx, decider, "settle")
	}
	if err == nil && told != n {
		err = fmt.Errorf("%d were told, want %d", told, n)
	}
	return asked + d, err
}
