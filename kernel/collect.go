package kernel

import (
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// The sets of what is to be done for vats. A row's key has the vat's number first, in
// 16 hex digits, so that the sets are in the order of vats.
const (
	actionsPrefix = "gc."
	reapsPrefix   = "reap."
	endedPrefix   = "ended."
)

// actionsMax bounds the references of one GC delivery.
const actionsMax = 1000

// action is one row of the set of GC actions: a vat is to be told something of an
// object. Its key is gc.VAT.KIND.OBJECT, the numbers in hex.
type action struct {
	vat  swing.VatID
	kind swing.DeliveryKind
	ref  swing.KRef
}

func (a action) group() string {
	return actionsPrefix + hex16(a.vat.Number()) + "." + string('0'+byte(a.kind)) + "."
}

func (a action) key() string { return a.group() + hex16(a.ref.Number()) }

func readAction(key string) action {
	fields := strings.Split(strings.TrimPrefix(key, actionsPrefix), ".")
	return action{
		vat: swing.VatIDOf(parseHex(fields[0])), kind: swing.DeliveryKind(fields[1][0] - '0'),
		ref: swing.KRefOf(swing.Object, parseHex(fields[2])),
	}
}

func (c *crank) act(vat swing.VatID, kind swing.DeliveryKind, ref swing.KRef) {
	c.add(actionsPrefix, action{vat, kind, ref}.key())
}

// orphan takes its owner from an object.
func (c *crank) orphan(ref swing.KRef) {
	o := readObject(c.b, ref)
	o.owner = ""
	o.write(c.b, ref)
	c.loose = append(c.loose, ref)
}

// judgeObject sees who must be told that an object has lost its last holder. An orphan
// that nobody recognizes is deleted.
func (c *crank) judgeObject(ref swing.KRef) {
	o := readObject(c.b, ref)
	switch {
	case o.reachable > 0:
	case o.owner == ServiceOwner: // nobody can ask it anything any more
		c.b.Delete(serviceKey(ref))
		c.forgetMeter(ref)
		c.orphan(ref)
	case o.owner == "" && o.recognizable == 0:
		c.b.Delete(string(ref))
		c.b.Delete(toldKey(ref))
	case o.owner == "" && !has(c.b, toldKey(ref)):
		for vat := range importers(c.b, ref) {
			c.act(vat, swing.DeliverRetireImports, ref)
		}
		c.b.Set(toldKey(ref), nil)
	case o.owner == "":
	case c.alive(o.owner): // else its cleanup makes orphans of what it exported
		if e, ok := vatkeeper.New(o.owner, c.b).ByKRef(ref); ok && e.Reachable {
			c.act(o.owner, swing.DeliverDropExports, ref)
		}
		if o.recognizable == 0 {
			c.act(o.owner, swing.DeliverRetireExports, ref)
		}
	}
}

// toldKey is the row that says that the importers of an unreachable orphan have been
// given their GC actions: they are not gone through again for each that leaves.
func toldKey(ref swing.KRef) string { return string(ref) + ".told" }

// holds reports whether an action is still what the vat must be told.
func (c *crank) holds(a action) bool {
	if !exists(c.b, a.ref) {
		return false
	}
	o := readObject(c.b, a.ref)
	e, known := vatkeeper.New(a.vat, c.b).ByKRef(a.ref)
	if !known || !c.alive(a.vat) || o.reachable > 0 {
		return false
	}
	switch a.kind {
	case swing.DeliverDropExports:
		return o.owner == a.vat && e.Reachable
	case swing.DeliverRetireExports:
		return o.owner == a.vat && o.recognizable == 0 && !e.Reachable
	}
	return o.owner == "" && !e.Reachable
}

// nextCollection takes the first vat's and kind's GC actions off their set, and judges
// each as things are now: with none left that holds, the event has no references.
func (c *crank) nextCollection() (ev event, ok bool) {
	key, ok := c.nextUnheld(actionsPrefix)
	if !ok {
		return event{}, false
	}
	first := readAction(key)
	ev = event{kind: eventCollect, vat: first.vat, gc: first.kind}
	for taken := 0; ok && taken < actionsMax && strings.HasPrefix(key, first.group()); taken++ {
		if a := readAction(key); c.holds(a) {
			ev.gcRefs = append(ev.gcRefs, a.ref)
		}
		c.b.Delete(key)
		key, ok = c.b.Next(key, endOf(actionsPrefix))
	}
	return ev, true
}

// retire deletes the objects of a retireExports delivery: nobody has them any more.
func (c *crank) retire(ev event) {
	if ev.gc != swing.DeliverRetireExports {
		return
	}
	for _, ref := range ev.gcRefs {
		c.b.Delete(string(ref))
	}
}

// nextUnheld returns the first key of a set that is of no held vat.
func (c *crank) nextUnheld(prefix string) (key string, ok bool) {
	const digits = 16
	key, ok = c.first(prefix)
	for ok {
		number := key[len(prefix) : len(prefix)+digits]
		if !held(c.b, swing.VatIDOf(parseHex(number))) {
			return key, true
		}
		key, ok = c.b.Next(endOf(prefix+number+"."), endOf(prefix))
	}
	return "", false
}

// first returns the first key of a set.
func (c *crank) first(prefix string) (key string, ok bool) {
	from, known := c.least[prefix]
	switch {
	case !known:
		from = prefix
	case from == endOf(prefix):
		return "", false
	case has(c.b, from):
		return from, true
	}
	key, ok = c.b.Next(from, endOf(prefix))
	if !ok {
		key = endOf(prefix)
	}
	c.least[prefix] = key
	return key, ok
}

// add puts a row into a set.
func (c *crank) add(prefix, key string) {
	c.b.Set(key, nil)
	if from, known := c.least[prefix]; known && key < from {
		c.least[prefix] = key
	}
}

// nextReap takes the first vat off the set of those to be reaped.
func (c *crank) nextReap() (ev event, ok bool) {
	key, ok := c.nextUnheld(reapsPrefix)
	if !ok {
		return event{}, false
	}
	c.b.Delete(key)
	return event{kind: eventReap, vat: swing.VatIDOf(parseHex(key[len(reapsPrefix):]))}, true
}

// soil adds what a delivery brought to the vat's dirt, and sees to a reap when it is due.
func (c *crank) soil(vk vatkeeper.Keeper, d swing.Delivery[swing.VRef], position uint64) {
	dirt := vk.Dirt()
	switch {
	case d.Kind == swing.DeliverReap:
		dirt.Reaped, dirt.Refs = position, 0
		vk.SetDirt(dirt)
	case d.Kind.GC():
		dirt.Refs += uint64(len(d.Refs))
		vk.SetDirt(dirt)
	}
	if dirt.Due(position) {
		c.add(reapsPrefix, reapsPrefix+hex16(vk.ID().Number()))
	}
}

func has(b vatkeeper.KV, key string) bool {
	_, ok := b.Get(key)
	return ok
}

// cleanedKey is the row with the number of the last cleanup crank.
const cleanedKey = "cleaned"

func readCleaned(b vatkeeper.KV) (n uint64) {
	if !has(b, cleanedKey) {
		return 0
	}
	r := row(b, cleanedKey)
	n = r.Uint()
	done(r, cleanedKey)
	return n
}

// cleanupDue reports whether it is a cleanup's turn.
func (c *crank) cleanupDue() bool {
	if c.least[endedPrefix] == endOf(endedPrefix) {
		return false
	}
	cranks, _ := readCrank(c.b)
	return cranks-readCleaned(c.b) >= c.options.CleanupEvery
}

// cleanup removes rows of the first of the ended vats, and reports whether there was one.
func (c *crank) cleanup() bool {
	key, ok := c.first(endedPrefix)
	if !ok {
		return false
	}
	vat := swing.VatIDOf(parseHex(key[len(endedPrefix):]))
	vk := vatkeeper.New(vat, c.b)
	after, _ := c.b.Get(key)
	changes, rows, next := vk.Sweep(string(after), int(c.options.CleanupRows))
	c.apply(vat, changes)
	if next == "" {
		c.b.Delete(key)
		vk.Forget()
		c.forgetInfo(vk)
	} else {
		c.b.Set(key, []byte(next))
	}
	cranks, _ := readCrank(c.b)
	c.b.Set(cleanedKey, swing.AppendUint(nil, cranks+1))
	c.report.Kind, c.report.Vat = Cleanup, vat
	c.report.Swept = Swept{Rows: rows, Last: next == ""}
	return true
}

// forgetInfo lets go of the references in a vat's last words. The words stay.
func (c *crank) forgetInfo(vk vatkeeper.Keeper) {
	e, _ := vk.End()
	for _, s := range e.Info.Slots {
		c.count(s, -1)
	}
	e.Info.Slots = nil
	vk.SetEnd(e)
}
