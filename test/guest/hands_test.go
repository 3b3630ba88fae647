package guest_test

import (
	"fmt"

	"vatwarehouse/swing"
)

// hands are a puppet, and what it has done so far.
type hands struct {
	w     *world
	id    swing.VatID
	root  kref
	asked int // promises made by ask
}

func newHands(w *world) *hands {
	h := &hands{w: w}
	h.id, h.root = w.vat("puppet")
	return h
}

// give makes the puppet acquainted with references.
func (h *hands) give(refs ...kref) {
	h.w.t.Helper()
	h.w.tell(h.root, "take", kcap{Slots: refs, Body: []byte("here")})
	h.w.run()
}

// name returns what the puppet calls a reference.
func (h *hands) name(ref kref) vref { return h.w.vref(h.id, ref) }

// do has the puppet perform a script that must be legal, and runs to quiescence.
func (h *hands) do(script ...any) {
	h.w.t.Helper()
	h.w.tell(h.root, "do", list[kref](script...))
	h.w.run()
	for _, e := range h.w.ended {
		if e.Vat == h.id && e.Failure {
			h.w.t.Fatalf("the puppet's script was not legal: %v", e)
		}
	}
}

// ask has the puppet send a message and returns how it was answered.
func (h *hands) ask(target vref, method string, args ...any) (answer swing.Resolution[vref]) {
	h.w.t.Helper()
	h.asked++
	promise := vref(fmt.Sprintf("p+%d", h.asked))
	h.do(sends(target, method, promise, args...), subscribes(promise))
	for _, d := range h.deliveries() {
		for _, r := range d.Resolutions {
			if r.Promise == promise {
				answer = r
			}
		}
	}
	return answer
}

// deliveries are all that the puppet was delivered.
func (h *hands) deliveries() (ds []swing.Delivery[vref]) {
	h.w.t.Helper()
	for i := range h.w.items[h.id] {
		d, err := swing.DecodeDelivery[vref](h.w.entry(h.id, i).Delivery)
		h.w.fatal(err)
		ds = append(ds, d)
	}
	return ds
}

// last is the latest delivery.
func (h *hands) last() swing.Delivery[vref] {
	h.w.t.Helper()
	ds := h.deliveries()
	return ds[len(ds)-1]
}

// notified are all notifies, for people: "p+1 = [5], p-61 rejected: […]".
func (h *hands) notified() (texts []string) {
	h.w.t.Helper()
	for _, d := range h.deliveries() {
		text := ""
		for i, r := range d.Resolutions {
			if i > 0 {
				text += ", "
			}
			text += string(r.Promise) + map[bool]string{true: " rejected: ", false: " = "}[r.Rejected]
			text += show(r.Data)
		}
		if d.Kind == swing.DeliverNotify {
			texts = append(texts, text)
		}
	}
	return texts
}

// heard are all messages but those to do something: "o+0.pay[5] p-60".
func (h *hands) heard() (texts []string) {
	h.w.t.Helper()
	for _, d := range h.deliveries() {
		if m := d.Message; d.Kind == swing.DeliverMessage && m.Method != "do" && m.Method != "take" {
			texts = append(texts, fmt.Sprintf("%s.%s%s %s", d.Target, m.Method, show(m.Args), m.Result))
		}
	}
	return texts
}
