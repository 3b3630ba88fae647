package kernel

import (
	"fmt"
	"slices"

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
		switch {
		case p.count == 0:
			c.loose = append(c.loose, ref)
		case reachable < 0 && len(promisesIn(p.data)) > 0:
			c.circles = append(c.circles, ref)
		}
		return
	}
	o := readObject(c.b, ref)
	if o.owner == "" && o.reachable == 0 && reachable > 0 {
		c.b.Delete(toldKey(ref)) // the embedder has brought it back
	}
	o.reachable += reachable
	o.recognizable += recognizable
	if o.reachable < 0 || o.recognizable < o.reachable {
		panic(fmt.Sprintf("kernel: %s has counts %d, %d", ref, o.reachable, o.recognizable))
	}
	o.write(c.b, ref)
	if o.reachable == 0 {
		c.loose = append(c.loose, ref)
	}
}

// apply makes the changes that a translation returned.
func (c *crank) apply(vat swing.VatID, changes []vatkeeper.RefChange) {
	for _, ch := range changes {
		switch {
		case ch.New && ch.Ref.Kind() == swing.Promise:
			promise{decider: vat}.write(c.b, ch.Ref)
		case ch.New:
			object{owner: vat}.write(c.b, ch.Ref)
		case ch.Orphan:
			c.orphan(ch.Ref)
		case ch.Imports > 0:
			c.b.Set(importKey(ch.Ref, vat), nil)
		case ch.Imports < 0:
			c.b.Delete(importKey(ch.Ref, vat))
		}
		if ch.Reachable != 0 || ch.Recognizable != 0 {
			c.change(ch.Ref, ch.Reachable, ch.Recognizable)
		}
	}
}

// collect judges what may have lost its last holder. A promise that nobody refers to
// is deleted; letting go of its data may free another, which then joins the list. Who waits
// for word of a meter that is gone is told last: that frees nothing but what waited.
func (c *crank) collect() {
	for len(c.loose)+len(c.circles)+len(c.meters) > 0 {
		c.judgeLoose()
		if len(c.circles) > 0 {
			c.judgeCircles()
		} else {
			c.tellOfMeters()
		}
	}
}

// circleMax bounds the promises that are looked at to find a circle. One that is longer
// stays.
const circleMax = 1000

// judgeCircles deletes resolved promises that only each other's data refer to. Each of
// c.circles has lost a holder, and has another.
func (c *crank) judgeCircles() {
	suspects := c.circles
	c.circles = nil
	slices.SortFunc(suspects, compareRefs)
	for _, ref := range slices.Compact(suspects) {
		if exists(c.b, ref) {
			c.judgeCircle(ref)
		}
	}
}

// judgeCircle deletes what is unreachable of the resolved promises that a promise leads to
// by trial: of the references to each, those from the others' data are taken off, and
// what is left with none, and is not led to by one that has some, goes.
// (D. F. Bacon, V. T. Rajan: Concurrent Cycle Collection in Reference Counted Systems.)
func (c *crank) judgeCircle(ref swing.KRef) {
	all := map[swing.KRef]promise{ref: readPromise(c.b, ref)}
	outside := map[swing.KRef]int{}
	order := []swing.KRef{ref}
	for i := 0; i < len(order); i++ {
		outside[order[i]] += all[order[i]].count
		for _, s := range promisesIn(all[order[i]].data) {
			if _, known := all[s]; !known {
				p := readPromise(c.b, s)
				if p.state == Unresolved {
					continue
				}
				all[s], order = p, append(order, s)
			}
			outside[s]--
		}
		if len(order) > circleMax {
			return
		}
	}
	var reached []swing.KRef
	for _, s := range order {
		if outside[s] > 0 {
			reached = append(reached, s)
		}
	}
	for i := 0; i < len(reached); i++ {
		for _, s := range promisesIn(all[reached[i]].data) {
			if outside[s] == 0 {
				outside[s] = 1
				reached = append(reached, s)
			}
		}
	}
	for _, s := range order {
		if outside[s] == 0 {
			c.b.Delete(string(s))
		}
	}
	for _, s := range order {
		if outside[s] > 0 {
			continue
		}
		for _, slot := range all[s].data.Slots {
			if _, in := all[slot]; !in || outside[slot] > 0 {
				c.count(slot, -1)
			}
		}
	}
}

// promisesIn returns the promises that data mentions.
func promisesIn(data swing.CapData[swing.KRef]) (refs []swing.KRef) {
	for _, s := range data.Slots {
		if s.Kind() == swing.Promise {
			refs = append(refs, s)
		}
	}
	return refs
}

func (c *crank) judgeLoose() {
	for i := 0; i < len(c.loose); i++ {
		ref := c.loose[i]
		if !exists(c.b, ref) {
			continue
		}
		if ref.Kind() == swing.Object {
			c.judgeObject(ref)
			continue
		}
		p := readPromise(c.b, ref)
		if p.count > 0 {
			continue
		}
		c.b.Delete(string(ref))
		for vat := range p.subscribers(c.b, ref) { // they have all ended
			c.b.Delete(subscriberKey(ref, vat))
		}
		for _, s := range p.data.Slots {
			c.count(s, -1)
		}
	}
	c.loose = c.loose[:0]
}

func pinKey(ref swing.KRef) string { return "pin." + string(ref) }

// pins returns how many times the embedder holds ref.
func pins(b vatkeeper.KV, ref swing.KRef) int { return readCount(b, pinKey(ref)) }

func (c *crank) pin(ref swing.KRef, n int) {
	addCount(c.b, pinKey(ref), n)
	c.count(ref, n)
}
