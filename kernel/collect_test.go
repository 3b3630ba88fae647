package kernel_test

import (
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// charging is a buffer that counts the deleted keys that Next passes over, as a store
// does that has them in its way until it writes its table.
type charging struct {
	*buffer
	gone   map[string]bool
	passed int
}

func (c *charging) Delete(key string) {
	c.gone[key] = true
	c.buffer.Delete(key)
}

func (c *charging) Next(after, end string) (string, bool) {
	key, ok := c.buffer.Next(after, end)
	for g := range c.gone {
		if _, back := c.rows[g]; !back && g > after && (ok && g < key || !ok && g < end) {
			c.passed++
		}
	}
	return key, ok
}

// TestSetsAreNotGoneThroughAgain: GC actions for many vats, each a delivery, do not have
// the kernel pass again and again over the rows of those that were told before.
func TestSetsAreNotGoneThroughAgain(t *testing.T) {
	const vats = 100
	w := newWorld(t)
	c := &charging{buffer: w.b, gone: map[string]bool{}}
	crank := func() kernel.CrankKind {
		r, err := w.k.Crank(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == kernel.Delivery {
			w.items[r.Vat] = append(w.items[r.Vat], r.Item)
		}
		return r.Kind
	}
	told := 0
	_, exporter := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		for _, v := range d.Message.Args.Slots {
			call(send(v, "take", "", "o+1"))
		}
		if len(d.Message.Args.Slots) == 0 {
			call(syscall{Op: swing.OpAbandonExports, Refs: []swing.VRef{"o+1"}})
		}
		return done
	}))
	var roots []swing.KRef
	for range vats {
		_, root := w.vat(func(d delivery, call func(syscall) []byte) outcome {
			switch d.Kind {
			case swing.DeliverMessage:
				call(syscall{Op: swing.OpDropImports, Refs: d.Message.Args.Slots})
			case swing.DeliverRetireImports:
				told++
			}
			return done
		})
		roots = append(roots, root)
	}
	w.send(exporter, "give", roots...)
	for crank() != kernel.Idle {
	}
	w.send(exporter, "abandon")
	clear(c.gone)
	c.passed = 0
	for crank() != kernel.Idle {
	}
	if told != vats || c.passed > 5*vats {
		t.Errorf("%d of %d vats were told, passing over %d deleted rows", told, vats, c.passed)
	}
	w.check()
}
