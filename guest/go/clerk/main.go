// Command clerk writes down how promises were settled, across upgrades. EXAMPLES.md has
// its messages.
package main

import (
	"strings"

	"vat"
)

const (
	entriesMax  = 16 // kept in the vatstore
	labelMax    = 32 // bytes
	promisesMax = 8  // made by promise and not settled
)

type clerk struct {
	entries  byte
	promises []*vat.Resolver // wait for settle, the oldest first
}

func init() {
	c := &clerk{}
	vat.Durable(vat.Handlers{
		"followed": c.followed,
		"noted":    c.noted,
		"told":     c.told,
	})
	vat.Serve(func(*vat.Data) vat.Object {
		each(func([]byte) { c.entries++ }) // what earlier incarnations have written down
		return vat.Methods{
			"watch":  func(m *vat.Message) { watch(m, "noted") },
			"follow": func(m *vat.Message) { watch(m, "followed") },
			"tell":   tell, "ask": ask,
			"read": c.read, "promise": c.promise, "settle": c.settle,
		}
	})
}

// each calls do with the key of every entry.
func each(do func(key []byte)) {
	key, ok := vat.Next(nil)
	for ; ok; key, ok = vat.Next(key) {
		do(key)
	}
}

// note writes down which handler was called, for which label, and how it went.
func (c *clerk) note(handler, label string, rejected bool) {
	if c.entries == entriesMax {
		return
	}
	c.entries++
	how := " fulfilled"
	if rejected {
		how = " rejected"
	}
	vat.Set([]byte{c.entries}, []byte(handler+" "+label+how))
}

func (c *clerk) noted(settled, saved *vat.Data) {
	saved.List(1)
	c.note("noted", saved.Text(), settled.Rejected)
}

// told tells the object that was saved, too: of the number, or of 1000 if it is none.
func (c *clerk) told(settled, saved *vat.Data) {
	saved.List(2)
	c.note("told", saved.Text(), settled.Rejected)
	settled.List(1)
	n := settled.Uint()
	if !settled.Taken() {
		n = 1000
	}
	vat.Send(saved.Ref(), "incr", n)
}

// followed watches the promise in the data as well.
func (c *clerk) followed(settled, saved *vat.Data) {
	saved.List(1)
	label := saved.Text()
	c.note("followed", label, settled.Rejected)
	settled.List(1)
	if next := settled.Ref(); settled.Taken() && next.IsPromise() {
		vat.Watch(next, "noted", label)
	}
}

// watch has one of the handlers called that save nothing but a label.
func watch(m *vat.Message, handler string) {
	m.List(2)
	promise, label := m.Ref(), m.Text()
	if !m.Taken() || !promise.IsPromise() || len(label) > labelMax {
		m.Reject("want a promise and a label")
		return
	}
	vat.Watch(promise, handler, label)
	m.Answer()
}

// tell has an object of another vat told, too.
func tell(m *vat.Message) {
	m.List(3)
	promise, label, object := m.Ref(), m.Text(), m.Ref()
	others := strings.HasPrefix(string(object), "o-")
	if !m.Taken() || !promise.IsPromise() || len(label) > labelMax || !others {
		m.Reject("want tell(promise, label, object)")
		return
	}
	vat.Watch(promise, "told", label, object)
	m.Answer()
}

// ask asks another vat, and writes down what it answers.
func ask(m *vat.Message) {
	m.List(2)
	object, label := m.Ref(), m.Text()
	if !m.Taken() || len(label) > labelMax {
		m.Reject("want ask(object, label)")
		return
	}
	vat.Watch(vat.Request(object, "read"), "noted", label)
	m.Answer()
}

// promise answers with a promise of its own, which it watches itself.
func (c *clerk) promise(m *vat.Message) {
	if len(c.promises) == promisesMax {
		m.Reject("too many promises")
		return
	}
	ref, resolver := vat.NewPromise()
	c.promises = append(c.promises, resolver)
	vat.Watch(ref, "noted", "own")
	m.Answer(ref)
}

func (c *clerk) settle(m *vat.Message) {
	m.List(1)
	n := m.Uint()
	if !m.Taken() || len(c.promises) == 0 {
		m.Reject("want settle(n), after promise()")
		return
	}
	oldest := c.promises[0]
	c.promises = c.promises[1:]
	oldest.Answer(n)
	m.Answer()
}

// read answers what is written down.
func (c *clerk) read(m *vat.Message) {
	if !m.Empty() {
		m.Reject("want read()")
		return
	}
	var found []any
	each(func(key []byte) {
		entry, _ := vat.Get(key)
		found = append(found, string(entry))
	})
	m.Answer(found...)
}

func main() {}
