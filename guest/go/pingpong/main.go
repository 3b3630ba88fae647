// Command pingpong is one of two vats, or of a ring of them, that pass a number on.
// EXAMPLES.md has its messages.
package main

import "vat"

// waitingMax bounds the pings under way: answers this vat waits for.
const waitingMax = 256

type player struct {
	peer           vat.Ref
	pings, volleys uint64
	waiting        int
}

func init() {
	vat.Serve(func(*vat.Data) vat.Object {
		p := &player{}
		return vat.Methods{"peer": p.meet, "ping": p.ping, "volley": p.volley, "read": p.read}
	})
}

func (p *player) meet(m *vat.Message) {
	m.List(1)
	ref := m.Ref()
	if !m.Taken() || ref.IsPromise() {
		m.Reject("want peer(object)")
		return
	}
	p.peer = ref
	m.Answer()
}

func (p *player) ping(m *vat.Message) {
	m.List(1)
	n := m.Uint()
	if !m.Taken() {
		m.Reject("want ping(n)")
		return
	}
	p.pings++
	switch {
	case n == 0:
		m.Answer(0)
	case p.peer == "":
		m.Reject("no peer")
	case p.waiting == waitingMax:
		m.Reject("too many pings under way")
	default:
		p.waiting++
		vat.Ask(p.peer, "ping", n-1).Then(
			func(d *vat.Data) { p.answered(m, d) },
			func(why *vat.Data) {
				p.waiting--
				m.Relay(why)
			})
	}
}

// answered passes a ping's answer back, one higher.
func (p *player) answered(m *vat.Message, d *vat.Data) {
	p.waiting--
	d.List(1)
	n := d.Uint()
	if !d.Taken() {
		m.Reject("the peer answered no number")
		return
	}
	m.Answer(n + 1)
}

func (p *player) volley(m *vat.Message) {
	m.List(1)
	n := m.Uint()
	if !m.Taken() {
		m.Reject("want volley(n)")
		return
	}
	p.volleys++
	if n > 0 {
		if p.peer == "" {
			m.Reject("no peer")
			return
		}
		vat.Send(p.peer, "volley", n-1)
	}
	m.Answer(n)
}

func (p *player) read(m *vat.Message) {
	if !m.Empty() {
		m.Reject("want read()")
		return
	}
	m.Answer(p.pings, p.volleys)
}

func main() {}
