package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vatwarehouse/swing"
)

// gc measures a vat dropping many imports in one delivery, until their exporter has
// been told that they are dropped and retired, and they are gone.
func gc(ctx context.Context, r *Run) error {
	return growth(r, "gc", "references", 50_000, func(n int) (time.Duration, error) {
		return onStage(r, func(g *stage) (time.Duration, error) { return collected(ctx, g, n) })
	})
}

func collected(ctx context.Context, g *stage, n int) (d time.Duration, err error) {
	var holds []vref
	_, importer, err := g.cast(func(d delivery, call func(syscall)) {
		if d.Message.Method == "take" {
			holds = append(holds, d.Message.Args.Slots...)
			return
		}
		for _, op := range []swing.Op{swing.OpDropImports, swing.OpRetireImports} {
			for part := range parts(holds) {
				call(syscall{Op: op, Refs: part})
			}
		}
	})
	if err != nil {
		return 0, err
	}
	told := map[swing.DeliveryKind]int{}
	_, exporter, err := g.cast(func(d delivery, call func(syscall)) {
		told[d.Kind] += len(d.Refs)
		if d.Kind != swing.DeliverMessage {
			return
		}
		var objects []vref
		for i := range n {
			objects = append(objects, exported(swing.Object, i+1))
		}
		for part := range parts(objects) {
			call(sendTo(d.Message.Args.Slots[0], "take", part...))
		}
	})
	if err != nil {
		return 0, err
	}
	if _, err = g.scene(ctx, exporter, "give", importer); err == nil {
		d, err = g.scene(ctx, importer, "drop")
	}
	dropped, retired := told[swing.DeliverDropExports], told[swing.DeliverRetireExports]
	if err == nil && (dropped != n || retired != n) {
		err = fmt.Errorf("%d dropped, %d retired, want %d", dropped, retired, n)
	}
	return d, err
}

// terminate measures the cleanup of a vat with many rows in its vatstore.
func terminate(ctx context.Context, r *Run) error {
	var slowest []sample
	var sizes []int
	err := growth(r, "terminate", "rows", 1_000_000, func(n int) (time.Duration, error) {
		worst := time.Duration(0)
		d, err := onStage(r, func(g *stage) (d time.Duration, err error) {
			d, err = cleaned(ctx, g, n)
			worst = g.slowest
			return d, err
		})
		if !slices.Contains(sizes, n) {
			sizes, slowest = append(sizes, n), append(slowest, nil)
		}
		last := len(slowest) - 1
		slowest[last] = append(slowest[last], microseconds(worst))
		return d, err
	})
	for i, s := range slowest {
		variant := fmt.Sprintf("%d rows, slowest crank", sizes[i])
		r.Emit(result("terminate", variant, "µs", s, slowest[0], false))
	}
	return err
}

// fillKeys is how many keys a vat writes in one delivery.
const fillKeys = 5000

func cleaned(ctx context.Context, g *stage, n int) (d time.Duration, err error) {
	written := 0
	id, root, err := g.cast(func(_ delivery, call func(syscall)) {
		for end := min(written+fillKeys, n); written < end; written++ {
			call(syscall{
				Op:  swing.OpVatstoreSet,
				Key: fmt.Appendf(nil, "key%07d", written), Value: []byte("a value of a row"),
			})
		}
	})
	if err != nil {
		return 0, err
	}
	for written < n {
		if _, err = g.scene(ctx, root, "fill"); err != nil {
			return 0, err
		}
	}
	if _, err = g.Terminate(g.kv, id, "measured"); err != nil {
		return 0, err
	}
	if d, err = g.play(ctx); err != nil {
		return 0, err
	}
	if key, left := g.kv.Next(string(id)+".v.", string(id)+".w"); left {
		err = fmt.Errorf("key %q is left", key)
	}
	return d, err
}

// importers measures an object that many vats hold being abandoned by its exporter,
// until all have been told.
func importers(ctx context.Context, r *Run) error {
	return growth(r, "importers", "importers", 10_000, func(n int) (time.Duration, error) {
		return onStage(r, func(g *stage) (time.Duration, error) { return abandoned(ctx, g, n) })
	})
}

func abandoned(ctx context.Context, g *stage, n int) (d time.Duration, err error) {
	told := 0
	roots, err := g.castMany(func(d delivery, call func(syscall)) {
		switch d.Kind {
		case swing.DeliverRetireImports:
			told++
		default: // it goes on recognizing the object
			call(syscall{Op: swing.OpDropImports, Refs: d.Message.Args.Slots})
		}
	}, n)
	if err != nil {
		return 0, err
	}
	object := exported(swing.Object, 1)
	_, exporter, err := g.cast(func(d delivery, call func(syscall)) {
		switch d.Message.Method {
		case "give":
			for _, to := range d.Message.Args.Slots {
				call(sendTo(to, "take", object))
			}
		case "abandon":
			call(syscall{Op: swing.OpAbandonExports, Refs: []vref{object}})
		}
	})
	if err != nil {
		return 0, err
	}
	if _, err = g.scene(ctx, exporter, "give", roots...); err == nil {
		d, err = g.scene(ctx, exporter, "abandon")
	}
	if err == nil && told != n {
		err = fmt.Errorf("%d importers were told, want %d", told, n)
	}
	return d, err
}
