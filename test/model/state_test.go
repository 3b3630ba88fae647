package model

import (
	"slices"
	"strings"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

type (
	kref     = swing.KRef
	vref     = swing.VRef
	vatID    = swing.VatID
	kcap     = swing.CapData[swing.KRef]
	vcap     = swing.CapData[swing.VRef]
	vcall    = swing.Syscall[swing.VRef]
	delivery = swing.Delivery[swing.VRef]
)

// model is the whole state of a kernel. Slices inside its parts are never
// changed in place but by their one owner, so that clone can share them.
type model struct {
	rules
	objects    []object  // by number
	promises   []promise // by number
	vats       []vat     // by number
	acceptance []event
	run        []event
	pins       []kref // what the embedder holds, once for each time
	actions    []action
	reaps      []vatID
	chores     []vatID // who is to be told of the actions or reaped, in turn
	dues       []vatID // who joins the chores at the end of the crank
	runNext    bool    // the run-queue comes before the next chore
	dying      []vatID // of whom rows are left, in the order in which they ended
	names      []string
	services   []service    // by number
	devices    []device     // by name
	programs   []swing.Hash // sorted
	titles     []title      // by name
	unworded   bool         // some words of the kernel's are missing

	nextObject, nextPromise uint64
	time                    uint64
	sinceCleanup            uint64
	sends                   uint64 // made so far
	arrived                 []sent // the latest of each sender and target
	cranks, deliveries      uint64
}

// rules are what does not change while a run goes on.
type rules struct {
	limits       swing.Limits
	reap         dirt // after how much vats are reaped
	cleanup      struct{ rows, every uint64 }
	share, most  uint64         // of what one vat has caused: in the run-queue, and in all
	reached      map[string]int // how often each rule was
	every        int            // steps between comparisons of everything
	planted      string         // the fault that this model has on purpose
	plantedCount *int
}

// dirt is what a vat has had.
type dirt struct{ deliveries, refs, fuel uint64 }

// changed is the dirt with other numbers, but for those that are 0.
func (d dirt) changed(to dirt) dirt {
	if to.deliveries > 0 {
		d.deliveries = to.deliveries
	}
	if to.refs > 0 {
		d.refs = to.refs
	}
	if to.fuel > 0 {
		d.fuel = to.fuel
	}
	return d
}

type object struct {
	ref   kref
	owner vatID // "" is an orphan
	told  bool  // it is an orphan nobody reaches, and those that recognize it have actions
}

// service is what an object of the kernel's own is.
type service struct {
	ref     kref
	kind    string
	vat     vatID      // of a node
	program swing.Hash // of a program
	device  string     // of a device

	remaining, threshold, used uint64 // of a meter
	unlimited                  bool
	waiting                    []kref // promises for word of the meter, in the order of their spelling
	gone                       bool   // nobody reaches it any more
}

// The kinds of service.
const (
	admin     = "admin"
	aNode     = "node"
	aProgram  = "program"
	aDevice   = "device"
	aMeter    = "meter"
	kernelOwn = vatID("kernel") // owns them
)

// device is what a device keeps.
type device struct {
	name  string
	ref   kref
	state []pair // in the order of the keys
	holds []kref // once for each time
}

// title is a program's name.
type title struct {
	name string
	hash swing.Hash
}

type promise struct {
	ref         kref
	state       int // 0 unresolved, 1 fulfilled, 2 rejected
	decider     vatID
	subscribers []vatID // in the order in which they asked
	waiting     []event
	data        kcap
}

type entry struct {
	kref      kref
	vref      vref
	reachable bool
}

type vat struct {
	id          vatID
	pipelining  bool
	critical    bool   // nothing goes on when it fails
	quarantine  bool   // it is held, not ended, when it fails
	quarantined string // why it is held
	incarnation uint64
	code        swing.Hash
	meter       kref    // "" once it has ended
	birth       *birth  // who waits for its start
	mourners    []kref  // promises for how it ends, in the order of their spelling
	clist       []entry // in the order of the krefs' spelling
	store       []pair  // in the order of the keys
	imports     struct{ object, promise uint64 }
	position    uint64
	dirt, reap  dirt // since its last reap; after how much the next is due

	held     bool
	heldBack []event
	outbox   []event
	params   kcap // of this incarnation; none once it has ended

	ended   bool
	failure bool
	info    kcap
	cleaned bool
}

type pair struct{ key, value string }

// birth is what is due to whom when a vat that was made for another has started.
type birth struct{ result, root, node kref }

// event is something in a queue: a send if it has a target, a notify if it has
// a promise, and what it says otherwise, or the start of a vat.
type event struct {
	target kref
	method string
	args   kcap
	result kref

	vat     vatID
	promise kref
	params  kcap

	reap    bool // before an upgrade
	upgrade bool // with params, and result
	text    string
	code    swing.Hash

	after []vatID // a notify: who is notified next
	sent  sent
}

// sent is who sent a message, to what, as the sender named it, and when.
type sent struct {
	from vatID
	to   kref
	n    uint64
}

// The kinds of GC action, in the order in which they are taken.
const (
	dropExport = iota
	retireExport
	retireImport
)

type action struct {
	vat  vatID
	kind int
	ref  kref
}

func newModel(r rules) *model {
	return &model{
		rules: r, nextObject: 20, nextPromise: 40, time: 946684800e9,
		objects: []object{{ref: kernel.AdminRef, owner: kernelOwn}}, pins: []kref{kernel.AdminRef},
		services: []service{{ref: kernel.AdminRef, kind: admin}},
	}
}

func (m *model) clone() *model {
	c := *m
	c.objects = slices.Clone(m.objects)
	c.promises = slices.Clone(m.promises)
	c.vats = slices.Clone(m.vats)
	for i := range c.vats {
		c.vats[i].clist = slices.Clone(c.vats[i].clist)
	}
	c.acceptance, c.run = slices.Clone(m.acceptance), slices.Clone(m.run)
	c.pins, c.actions = slices.Clone(m.pins), slices.Clone(m.actions)
	c.reaps, c.chores, c.dying = slices.Clone(m.reaps), slices.Clone(m.chores), slices.Clone(m.dying)
	c.arrived = slices.Clone(m.arrived)
	c.services, c.devices = slices.Clone(m.services), slices.Clone(m.devices)
	return &c
}

// mark counts that a rule was reached.
func (m *model) mark(rule string) { m.reached[rule]++ }

// fault reports whether the planted fault is this one, every other time it is asked,
// the first time, too.
func (m *model) fault(name string) bool {
	if m.planted != name {
		return false
	}
	*m.plantedCount++
	return *m.plantedCount%2 == 1
}

// with returns s with one more item, leaving s as it is.
func with[T any](s []T, item ...T) []T { return append(slices.Clip(s), item...) }

func (m *model) object(ref kref) *object {
	i, ok := slices.BinarySearchFunc(m.objects, ref.Number(), func(o object, n uint64) int {
		return int(o.ref.Number()) - int(n)
	})
	if !ok {
		return nil
	}
	return &m.objects[i]
}

func (m *model) promise(ref kref) *promise {
	i, ok := slices.BinarySearchFunc(m.promises, ref.Number(), func(p promise, n uint64) int {
		return int(p.ref.Number()) - int(n)
	})
	if !ok {
		return nil
	}
	return &m.promises[i]
}

// service is what an object of the kernel's is, or nil.
func (m *model) service(ref kref) *service {
	for i := range m.services {
		if m.services[i].ref == ref {
			return &m.services[i]
		}
	}
	return nil
}

func (m *model) exists(ref kref) bool {
	if ref.Kind() == swing.Promise {
		return m.promise(ref) != nil
	}
	return m.object(ref) != nil
}

// vat returns a vat that was ever made, or nil.
func (m *model) vat(id vatID) *vat {
	if id == "" || id == kernelOwn {
		return nil
	}
	if n := id.Number(); n <= uint64(len(m.vats)) {
		return &m.vats[n-1]
	}
	return nil
}

func (m *model) alive(id vatID) bool {
	v := m.vat(id)
	return v != nil && !v.ended
}

func (m *model) pinned(ref kref) bool { return slices.Contains(m.pins, ref) }

func (v *vat) byKRef(ref kref) *entry {
	i, ok := slices.BinarySearchFunc(v.clist, ref, func(e entry, r kref) int {
		return strings.Compare(string(e.kref), string(r))
	})
	if !ok {
		return nil
	}
	return &v.clist[i]
}

func (v *vat) byVRef(ref vref) *entry {
	for i := range v.clist {
		if v.clist[i].vref == ref {
			return &v.clist[i]
		}
	}
	return nil
}

func (v *vat) add(e entry) {
	i, _ := slices.BinarySearchFunc(v.clist, e.kref, func(e entry, r kref) int {
		return strings.Compare(string(e.kref), string(r))
	})
	v.clist = slices.Insert(v.clist, i, e)
}

func (v *vat) remove(ref kref) {
	v.clist = slices.DeleteFunc(v.clist, func(e entry) bool { return e.kref == ref })
}

// tally is who refers to what, found by looking everywhere.
type tally struct {
	reachable, recognizable, promises []int // by number
}

func (t *tally) hold(ref kref) {
	if ref.Kind() == swing.Promise {
		t.promises[ref.Number()]++
		return
	}
	t.reachable[ref.Number()]++
	t.recognizable[ref.Number()]++
}

func (t *tally) events(evs []event) {
	for i := range evs {
		ev := &evs[i]
		for _, ref := range [...]kref{ev.target, ev.result, ev.promise} {
			if ref != "" {
				t.hold(ref)
			}
		}
		t.data(ev.args)
		t.data(ev.params)
	}
}

func (t *tally) data(c kcap) {
	for _, ref := range c.Slots {
		t.hold(ref)
	}
}

// recount asks every holder.
func (m *model) recount() tally {
	n := make([]int, 2*m.nextObject+m.nextPromise)
	t := tally{
		reachable:    n[:m.nextObject],
		recognizable: n[m.nextObject : 2*m.nextObject],
		promises:     n[2*m.nextObject:],
	}
	t.events(m.acceptance)
	t.events(m.run)
	for _, ref := range m.pins {
		if !m.fault("a pin that does not count") {
			t.hold(ref)
		}
	}
	for i := range m.promises {
		t.events(m.promises[i].waiting)
		t.data(m.promises[i].data)
	}
	for i := range m.services {
		t.also(m.services[i].waiting...)
	}
	for i := range m.devices {
		if !m.fault("a device's reference that does not count") {
			t.also(m.devices[i].holds...)
		}
	}
	for i := range m.vats {
		v := &m.vats[i]
		t.events(v.heldBack)
		t.events(v.outbox)
		t.data(v.info)
		if !m.fault("parameters that do not count") {
			t.data(v.params)
		}
		t.also(v.meter)
		t.also(v.mourners...)
		if v.birth != nil {
			t.also(v.birth.result, v.birth.root, v.birth.node)
		}
		for _, e := range v.clist {
			t.entry(e)
		}
	}
	return t
}

// also counts what is held one by one; "" is nothing.
func (t *tally) also(refs ...kref) {
	for _, ref := range refs {
		if ref != "" {
			t.hold(ref)
		}
	}
}

// entry counts what an entry of a c-list holds: promises always, objects if
// they are imported.
func (t *tally) entry(e entry) {
	switch {
	case e.kref.Kind() == swing.Promise:
		t.promises[e.kref.Number()]++
	case !e.vref.Exported():
		t.recognizable[e.kref.Number()]++
		if e.reachable {
			t.reachable[e.kref.Number()]++
		}
	}
}
