package kernel

import (
	"fmt"
	"strconv"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// count adds n holders to a reference, or takes them away: for an object both
// counts move together.
func (c *crank) count(ref swing.KRef, n int) { c.change(ref, n, n) }

func (c *crank) change(ref swing.KRef, reachable, recognizable int) {
	if ref.Kind() == swing.Promise {
		p := readPromise(c.b, ref)
		p.count += reachable
		if p.count < 0 {
			panic(fmt.Sprintf("kernel: %s has count %d", ref, p.count))
		}
		p.write(c.b, ref)
		if p.count == 0 {
			c.zero = append(c.zero, ref)
		}
		return
	}
	o := readObject(c.b, ref)
	o.reachable += reachable
	o.recognizable += recognizable
	if o.reachable < 0 || o.recognizable < o.reachable {
		panic(fmt.Sprintf("kernel: %s has counts %d, %d", ref, o.reachable, o.recognizable))
	}
	o.write(c.b, ref)
}

// apply makes the changes that a translation returned.
func (c *crank) apply(vat swing.VatID, changes []vatkeeper.RefChange) {
	for _, ch := range changes {
		if ch.New && ch.Ref.Kind() == swing.Promise {
			promise{decider: vat}.write(c.b, ch.Ref)
		} else if ch.New {
			object{owner: vat}.write(c.b, ch.Ref)
		}
		if ch.Reachable != 0 || ch.Recognizable != 0 {
			c.change(ch.Ref, ch.Reachable, ch.Recognizable)
		}
	}
}

// collect deletes the promises nobody refers to any more. Letting go of one's
// data may free another, which then joins the list.
func (c *crank) collect() {
	for i := 0; i < len(c.zero); i++ {
		ref := c.zero[i]
		if !exists(c.b, ref) {
			continue
		}
		p := readPromise(c.b, ref)
		if p.count > 0 {
			continue
		}
		c.b.Delete(string(ref))
		for _, s := range p.data.Slots {
			c.count(s, -1)
		}
	}
	c.zero = c.zero[:0]
}

func pinKey(ref swing.KRef) string { return "pin." + string(ref) }

// pins returns how many times the embedder holds ref.
func pins(b vatkeeper.KV, ref swing.KRef) int {
	v, ok := b.Get(pinKey(ref))
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(string(v))
	if err != nil || n < 1 {
		panic(fmt.Sprintf("kernel: row %s: %q", pinKey(ref), v))
	}
	return n
}

func (c *crank) pin(ref swing.KRef, n int) {
	if total := pins(c.b, ref) + n; total > 0 {
		c.b.Set(pinKey(ref), strconv.AppendInt(nil, int64(total), 10))
	} else {
		c.b.Delete(pinKey(ref))
	}
	c.count(ref, n)
}
