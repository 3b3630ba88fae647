package kernel

import (
	"slices"
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// What the kernel has to tell vats, beside what others send them, are their chores: GC
// actions, and reaps. A vat that has any is in the queue of chores once, with a row
// chore.VAT, but for one that is held.
const (
	actionsPrefix = "gc."
	reapsPrefix   = "reap."
	choresPrefix  = "chore."

	choreQueue queue = "chores"
	// turnKey is the row that says that the run-queue comes before the next chore.
	turnKey = "turn"
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
	key := action{vat, kind, ref}.key()
	c.b.Set(key, nil)
	if place, in := c.b.Get(choreKey(vat)); in && key <= string(place) {
		c.b.Set(choreKey(vat), nil)
	}
	c.due(vat, "")
}

func choreKey(vat swing.VatID) string { return choresPrefix + hex16(vat.Number()) }
func reapKey(vat swing.VatID) string  { return reapsPrefix + hex16(vat.Number()) }
func actionsKey(vat swing.VatID) string {
	return actionsPrefix + hex16(vat.Number()) + "."
}

// due has a vat put into the queue of chores at the end of the crank. All its actions are
// after a place: those before it are not looked for again, since a store may charge for
// what is gone.
func (c *crank) due(vat swing.VatID, place string) {
	if has(c.b, choreKey(vat)) || held(c.b, vat) {
		return
	}
	c.b.Set(choreKey(vat), []byte(place))
	c.dues = append(c.dues, vat)
}

// queueDues puts the vats that are due into the queue of chores, in the order of their
// numbers.
func (c *crank) queueDues() {
	slices.SortFunc(c.dues, compareVats)
	for _, vat := range c.dues {
		choreQueue.push(c.b, []byte(vat))
	}
	c.dues = c.dues[:0]
}

// resume puts a vat that was held back into the queue of chores, if it has any.
func (c *crank) resume(vat swing.VatID) {
	_, acts := c.b.Next(actionsKey(vat), endOf(actionsKey(vat)))
	if acts || has(c.b, reapKey(vat)) {
		c.due(vat, "")
	}
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

// nextChore takes the first vat off the queue of chores: its event is of the first kind of
// its GC actions, each judged as things are now; with none left that holds it has no
// references. If there are no actions it is a reap. A vat with more to do queues again.
func (c *crank) nextChore() (ev event) {
	row, _ := choreQueue.pop(c.b)
	vat := swing.VatID(row)
	place, _ := c.b.Get(choreKey(vat))
	c.b.Delete(choreKey(vat))
	ev = event{kind: eventCollect, vat: vat}
	if held(c.b, vat) {
		return ev
	}
	end := endOf(actionsKey(vat))
	key, more := c.b.Next(max(actionsKey(vat), string(place)), end)
	if !more && has(c.b, reapKey(vat)) {
		c.b.Delete(reapKey(vat))
		ev.kind = eventReap
		return ev
	}
	if more {
		ev.gc = readAction(key).kind
	}
	last := ""
	for taken := 0; more && taken < actionsMax; taken++ {
		a := readAction(key)
		if a.kind != ev.gc {
			break
		}
		if c.holds(a) {
			ev.gcRefs = append(ev.gcRefs, a.ref)
		}
		c.b.Delete(key)
		last = key
		key, more = c.b.Next(key, end)
	}
	if more || has(c.b, reapKey(vat)) {
		c.due(vat, last)
	}
	return ev
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

// soil adds what a delivery brought to the vat's dirt, and sees to a reap when it is due.
func (c *crank) soil(
	vk vatkeeper.Keeper, d swing.Delivery[swing.VRef], fuel, position uint64,
) {
	dirt := vk.Dirt()
	before := dirt
	if d.Kind == swing.DeliverReap {
		dirt.Reaped, dirt.Refs, dirt.Fuel = position, 0, 0
	} else if dirt.FuelMax < Never { // else it would be a row more to write each time
		dirt.Fuel += fuel
	}
	if d.Kind.GC() {
		dirt.Refs += uint64(len(d.Refs))
	}
	if dirt != before {
		vk.SetDirt(dirt)
	}
	if dirt.Due(position) {
		c.b.Set(reapKey(vk.ID()), nil)
		c.due(vk.ID(), "")
	}
}
