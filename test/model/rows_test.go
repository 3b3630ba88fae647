package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vatwarehouse/swing"
)

// Both sides' whole state is written out in the same lines: the model's from
// its slices, the kernel's from its rows, as kernel/doc.go and vatkeeper/doc.go
// describe them. A row that no line came from is a line of its own.

// text gathers lines.
type text struct{ b []byte }

func (x *text) line(words ...string) {
	for _, w := range words {
		x.b = append(append(x.b, w...), ' ')
	}
	x.b[len(x.b)-1] = '\n'
}

func (x *text) add(words ...string) {
	for _, w := range words {
		x.b = append(append(x.b, w...), ' ')
	}
}

func (x *text) end() { x.b[len(x.b)-1] = '\n' }

func (x *text) data(c kcap) {
	x.b = strconv.AppendQuote(x.b, string(c.Body))
	x.b = append(x.b, ' ')
	for _, s := range c.Slots {
		x.add(string(s))
	}
}

func (x *text) event(name string, ev event) {
	x.add("event in", name)
	switch {
	case ev.reap:
		x.add("reap", string(ev.vat))
	case ev.upgrade:
		x.add("upgrade", string(ev.vat), ev.code.String(), ev.text, string(ev.result))
		x.data(ev.params)
	case ev.target != "":
		x.add("send", string(ev.target), ev.method, string(ev.result), owner(ev.sent.from))
		x.data(ev.args)
	case ev.promise != "":
		x.add("notify", string(ev.vat), string(ev.promise))
	default:
		x.add("start", string(ev.vat))
		x.data(ev.params)
	}
	x.end()
}

func (x *text) events(name string, evs []event) {
	for _, ev := range evs {
		x.event(name, ev)
	}
}

func (x *text) entry(id vatID, e entry) {
	reachable := "dropped"
	if e.reachable {
		reachable = "reachable"
	}
	x.line("c-list of", string(id), string(e.kref), string(e.vref), reachable)
}

func number[T int | uint64](n T) string { return strconv.FormatInt(int64(n), 10) }

func owner(id vatID) string {
	if id == "" {
		return "nobody"
	}
	return string(id)
}

// lines is the model's state.
func (m *model) lines() []byte {
	x := &text{}
	x.line("cranks", number(m.cranks), "deliveries", number(m.deliveries))
	x.line("next", number(uint64(len(m.vats))+1), number(m.nextObject), number(m.nextPromise))
	x.line("time", number(m.time))
	living := 0
	for i := range m.vats {
		if !m.vats[i].ended {
			living++
		}
	}
	if living > 0 {
		x.line("living", number(living))
	}
	t := m.recount()
	for _, o := range m.objects {
		n := o.ref.Number()
		x.line("object", string(o.ref), owner(o.owner),
			number(t.reachable[n]), number(t.recognizable[n]))
		m.importerLines(x, o)
	}
	for _, p := range m.promises {
		m.promiseLines(x, p, t.promises[p.ref.Number()])
	}
	x.events("acceptance", m.acceptance)
	x.events("run", m.run)
	for i := range m.vats {
		m.vatLines(x, &m.vats[i])
	}
	m.pinLines(x)
	m.serviceLines(x)
	for _, a := range m.actions {
		x.line("action", string(a.vat), number(a.kind), string(a.ref))
	}
	for _, id := range m.reaps {
		x.line("reap", string(id))
	}
	for _, id := range m.chores {
		x.line("chore for", string(id))
	}
	if m.runNext {
		x.line("the run-queue is next")
	}
	for _, id := range m.dying {
		x.line("to clean", string(id))
	}
	return x.b
}

func (m *model) promiseLines(x *text, p promise, count int) {
	x.add("promise", string(p.ref), number(p.state), number(count))
	if p.state != 0 {
		x.data(p.data)
		x.end()
		for _, ev := range m.acceptance {
			if ev.promise == p.ref {
				x.chain(p.ref, append([]vatID{ev.vat}, ev.after...))
			}
		}
		return
	}
	first, last := vatID(""), vatID("")
	if n := len(p.subscribers); n > 0 {
		first, last = p.subscribers[0], p.subscribers[n-1]
	}
	x.line("decider", owner(p.decider), "subscribers", owner(first), owner(last))
	x.chain(p.ref, p.subscribers)
	x.events(string(p.ref), p.waiting)
}

// chain is who is notified after whom.
func (x *text) chain(ref kref, vats []vatID) {
	for i := 1; i < len(vats); i++ {
		x.line("after", string(vats[i-1]), "is told of", string(ref), string(vats[i]))
	}
}

func (m *model) vatLines(x *text, v *vat) {
	if name := m.names[v.id.Number()-1]; name != "" {
		x.line("name", name, string(v.id))
	}
	x.line("options of", string(v.id), v.code.String(), strconv.FormatBool(v.pipelining),
		strconv.FormatBool(v.critical), strconv.FormatBool(v.quarantine))
	m.bondLines(x, v)
	if v.ended {
		x.add("end of", string(v.id), strconv.FormatBool(v.failure))
		x.data(v.info)
		x.end()
	}
	if !v.cleaned {
		x.line("counters of", string(v.id), number(v.imports.object), number(v.imports.promise))
		m.dirtLine(x, v)
	}
	x.line("deliveries of", string(v.id), number(v.position))
	x.line("incarnation of", string(v.id), number(v.incarnation))
	if v.held {
		x.line("held", string(v.id))
	}
	x.events(string(v.id), v.heldBack)
	m.shareLines(x, v)
	if v.quarantined != "" {
		x.line("quarantined", string(v.id), v.quarantined)
	}
	for _, e := range v.clist {
		x.entry(v.id, e)
	}
	if used := v.storeBytes(); !v.ended && used > 0 {
		x.line("vatstore of", string(v.id), "has", number(used), "bytes")
	}
	for _, p := range v.store {
		x.line("vatstore of", string(v.id), strconv.Quote(p.key), strconv.Quote(p.value))
	}
}

// storeBytes is what is in its vatstore.
func (v *vat) storeBytes() (n int) {
	for _, p := range v.store {
		n += len(p.key) + len(p.value)
	}
	return n
}

func (m *model) pinLines(x *text) {
	held := map[kref]int{}
	for _, ref := range m.pins {
		held[ref]++
	}
	for n := range m.nextObject {
		if ref := swing.KRefOf(swing.Object, n); held[ref] > 0 {
			x.line("pin", string(ref), number(held[ref]))
		}
	}
	for n := range m.nextPromise {
		if ref := swing.KRefOf(swing.Promise, n); held[ref] > 0 {
			x.line("pin", string(ref), number(held[ref]))
		}
	}
}

// rows reads the kernel's rows.
type rows struct {
	text
	b    *buffer
	seen map[string]bool
	vats uint64
}

// kernelLines is the kernel's state. What does not decode is a panic.
func kernelLines(b *buffer) []byte {
	r := &rows{b: b, seen: map[string]bool{
		"setup": true, "cleaned": true,
	}}
	c := r.fields("crank", 2)
	r.line("cranks", number(c.Uint()), "deliveries", number(c.Uint()))
	ids := r.fields("ids", 3)
	vats, objects, promises := ids.Uint(), ids.Uint(), ids.Uint()
	r.vats = vats
	r.line("next", number(vats), number(objects), number(promises))
	r.line("time", number(r.get("time").Uint()))
	if r.has("vats") {
		r.seen["vats"] = true
		r.line("living", string(r.b.rows["vats"]))
	}
	for n := range objects {
		r.object(swing.KRefOf(swing.Object, n))
	}
	for n := range promises {
		r.promise(swing.KRefOf(swing.Promise, n))
	}
	r.queue("acceptance", "acceptance")
	r.queue("run", "run")
	for n := range vats {
		if n > 0 {
			r.vat(swing.VatIDOf(n))
		}
	}
	for n := range objects {
		r.pin(swing.KRefOf(swing.Object, n))
	}
	for n := range promises {
		r.pin(swing.KRefOf(swing.Promise, n))
	}
	r.services(objects)
	r.collection()
	for _, key := range b.keys {
		if !r.seen[key] {
			r.line("stray row", key, fmt.Sprintf("%x", b.rows[key]))
		}
	}
	return r.text.b
}

func (r *rows) has(key string) bool {
	_, ok := r.b.rows[key]
	return ok
}

func (r *rows) get(key string) *swing.Reader {
	r.seen[key] = true
	v, ok := r.b.rows[key]
	if !ok {
		panic("no row " + key)
	}
	return swing.NewReader(v)
}

func (r *rows) fields(key string, n int) *swing.Reader {
	x := r.get(key)
	x.Fields(n)
	if x.Err() != nil {
		panic(fmt.Sprintf("row %s: %v", key, x.Err()))
	}
	return x
}

func optional(x *swing.Reader) vatID {
	if x.Null() {
		return ""
	}
	return vatID(x.Text())
}

func (r *rows) object(ref kref) {
	if !r.has(string(ref)) {
		return
	}
	x := r.fields(string(ref), 3)
	r.line("object", string(ref), owner(optional(x)), number(x.Uint()), number(x.Uint()))
	r.importers(ref)
}

func (r *rows) promise(ref kref) {
	if !r.has(string(ref)) {
		return
	}
	if key := string(ref) + ".n"; r.has(key) {
		r.seen[key] = true // how many are in the run-queue: kernel.Check counts them
	}
	x := r.get(string(ref))
	fields, state := x.Array(), x.Uint()
	r.add("promise", string(ref), number(state), number(x.Uint()))
	if state != 0 && fields == 4 {
		r.data(swing.ReadCapData[kref](x))
		r.end()
		r.chain(ref, r.head(ref))
		return
	}
	if fields != 5 {
		panic("row " + string(ref))
	}
	first := vatID("")
	r.add("decider", owner(optional(x)), "subscribers")
	first = optional(x)
	r.line(owner(first), owner(optional(x)))
	r.chain(ref, first)
	r.queue(string(ref), string(ref)+".q")
}

// head is the vat that is notified first: it comes after none.
func (r *rows) head(ref kref) (head vatID) {
	prefix := string(ref) + ".s."
	var after []string
	r.each(prefix, func(k string) { after = append(after, string(r.b.rows[k])) })
	r.each(prefix, func(k string) {
		if vat := k[len(prefix):]; !slices.Contains(after, vat) {
			head = vatID(vat)
		}
	})
	return head
}

// chain reads who is notified after a vat, as far as it goes; what it does not lead to
// are stray rows.
func (r *rows) chain(ref kref, from vatID) {
	for {
		key := string(ref) + ".s." + string(from)
		if !r.has(key) || r.seen[key] {
			return
		}
		r.seen[key] = true
		next := vatID(r.b.rows[key])
		r.text.chain(ref, []vatID{from, next})
		from = next
	}
}

// queue reads a queue's events, in order.
func (r *rows) queue(name, key string) {
	r.list(key, func(row string) { r.event(name, row) })
}

// list reads the keys of a queue's rows, in order.
func (r *rows) list(key string, f func(row string)) {
	if !r.has(key) {
		return
	}
	x := r.fields(key, 2)
	head, tail := x.Uint(), x.Uint()
	for n := head; n < tail; n++ {
		row := fmt.Sprintf("%s.%016x", key, n)
		r.seen[row] = true
		f(row)
	}
}

func (r *rows) event(name, key string) {
	x := r.get(key)
	fields, kind := x.Array(), x.Uint()
	var ev event
	switch {
	case fields == 7 && kind == 1:
		to, msg := swing.ReadMessage[kref](x)
		ev = event{target: to, method: msg.Method, args: msg.Args, result: msg.Result}
		ev.sent.from = optional(x)
	case fields == 3 && kind == 2:
		ev = event{vat: vatID(x.Text()), promise: kref(x.Text())}
	case fields == 4 && kind == 3:
		ev = event{vat: vatID(x.Text()), params: swing.ReadCapData[kref](x)}
	case fields == 7 && kind == 4:
		ev = event{upgrade: true, vat: vatID(x.Text())}
		ev.code = x.Hash()
		ev.text, ev.result = x.Text(), kref(x.Text())
		ev.params = swing.ReadCapData[kref](x)
	case fields == 2 && kind == 5:
		ev = event{reap: true, vat: vatID(x.Text())}
	default:
		panic("row " + key + " is no event")
	}
	if x.Done() != nil {
		panic(fmt.Sprintf("row %s: %v", key, x.Done()))
	}
	r.text.event(name, ev)
}

func (r *rows) vat(id vatID) {
	key := func(s string) string { return string(id) + s }
	r.named(id)
	if r.has(key(".x")) {
		x := r.fields(key(".x"), 3)
		r.add("end of", string(id), strconv.FormatBool(x.Bool()))
		r.data(swing.ReadCapData[kref](x))
		r.end()
	}
	if r.has(key(".i")) {
		x := r.fields(key(".i"), 2)
		r.line("counters of", string(id), number(x.Uint()-50), number(x.Uint()-60))
	}
	x := r.fields(key(".s"), 4)
	incarnation, _, position := x.Uint(), x.Uint(), x.Uint()
	r.dirt(id, position)
	r.line("deliveries of", string(id), number(position))
	r.line("incarnation of", string(id), number(incarnation))
	for n := range incarnation {
		r.get(fmt.Sprintf("%s.p.%016x", id, n)) // its span
	}
	if r.has(key(".h")) {
		r.line("held", string(id))
		r.queue(string(id), key(".h"))
	}
	r.shares(id)
	if r.has(key(".q")) {
		r.seen[key(".q")] = true
		r.line("quarantined", string(id), string(r.b.rows[key(".q")]))
	}
	r.clist(id)
	if k := key(".u"); r.has(k) {
		if used := r.get(k).Uint(); !r.has(key(".x")) {
			r.line("vatstore of", string(id), "has", number(used), "bytes")
		}
	}
	prefix := key(".v.")
	r.each(prefix, func(k string) {
		r.seen[k] = true
		r.line("vatstore of", string(id), strconv.Quote(k[len(prefix):]),
			strconv.Quote(string(r.b.rows[k])))
	})
}

// clist reads a c-list by its krefs; a vref that does not lead back is a stray row.
func (r *rows) clist(id vatID) {
	prefix := string(id) + ".c."
	r.each(prefix, func(k string) {
		x := r.fields(k, 2)
		e := entry{kref: kref(k[len(prefix):]), vref: vref(x.Text()), reachable: x.Bool()}
		r.text.entry(id, e)
		if back := string(id) + ".r." + string(e.vref); string(r.b.rows[back]) == string(e.kref) {
			r.seen[back] = true
		}
	})
}

// named finds the name of a vat, and its options.
func (r *rows) named(id vatID) {
	x := r.fields(string(id)+".o", 7)
	x.Uint() // their version
	if name := x.Text(); name != "" {
		if string(r.b.rows["name."+name]) == string(id) {
			r.seen["name."+name] = true
		}
		r.line("name", name, string(id))
	}
	code := x.Hash()
	x.Hash() // its seed
	r.line("options of", string(id), code.String(), strconv.FormatBool(x.Bool()),
		strconv.FormatBool(x.Bool()), strconv.FormatBool(x.Bool()))
	r.bonds(id)
}

func (r *rows) each(prefix string, f func(key string)) {
	for k, ok := r.b.Next(prefix, ""); ok && strings.HasPrefix(k, prefix); k, ok = r.b.Next(k, "") {
		f(k)
	}
}

func (r *rows) pin(ref kref) {
	if key := "pin." + string(ref); r.has(key) {
		r.seen[key] = true
		r.line("pin", string(ref), string(r.b.rows[key]))
	}
}
