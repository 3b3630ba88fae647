package guest_test

import (
	"strings"
	"testing"

	"vatwarehouse/kernel"
)

// flooders send "tick" to themselves as often as they are told, as far as there is room,
// and answer how often that was.
const flooderInC = `
#include "vat.h"
VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[1024];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind != VAT_MESSAGE || vat_is(d.method, "tick")) return 0;
	vat_take_list(&d.args, 1);
	uint64_t n = vat_take_uint(&d.args), sent = 0;
	VAT_WRITER(none, 8);
	vat_put_list(&none, 0);
	while (sent < n && vat_try_send(VAT_ROOT, "tick", &none, VAT_NONE)) sent++;
	VAT_WRITER(answer, 16);
	vat_put_list(&answer, 1);
	vat_put_uint(&answer, sent);
	return vat_answer(d.result, &answer);
}
`

const flooderInGo = `package main

import "vat"

func init() {
	vat.Serve(func(*vat.Data) vat.Object {
		return vat.Methods{
			"tick": func(*vat.Message) {},
			"flood": func(m *vat.Message) {
				m.List(1)
				n, sent := m.Uint(), uint64(0)
				for sent < n && vat.TrySend("o+0", "tick") {
					sent++
				}
				m.Answer(sent)
			},
		}
	})
}

func main() {}
`

// TestNoRoom: without room what the kits' plain functions ask for ends the vat; in C with a
// trap, in Go with a word of why.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	for _, s := range styles(t) {
		w := newWorld(t, s)
		player, other := w.root("pingpong"), w.root("pingpong")
		w.expect("[]", player, "peer", other)
		setMax := func(n uint64) {
			if err := w.k.SetSchedule(w.b, kernel.Schedule{QueueMax: n}); err != nil {
				t.Fatal(err)
			}
		}
		setMax(2)
		w.expect("[1]", player, "ping", 1) // a message, and a notify
		setMax(1)
		if got := w.ask(player, "ping", 1); !strings.Contains(got, "vat terminated") {
			t.Errorf("%v: without room: %s", s, got)
		}
		want := map[string]string{"c": "trapped", "go": "failed: panic: vat: no room for a notify"}
		if len(w.ended) != 1 || !strings.HasPrefix(w.ended[0].Reason, want[s.language]) {
			t.Errorf("%v: ended %+v", s, w.ended)
		}
	}
}

// TestFlood: a program that looks sends as much as there is room for, and no more.
func TestFlood(t *testing.T) {
	t.Parallel()
	programs := map[string][]byte{}
	if code, ok := compileC(t, flooderInC); ok {
		programs["c"] = code
	}
	if _, ok := goOnly(t); ok {
		programs["go"] = buildGo(t, flooderInGo)
	}
	for language, code := range programs {
		for _, restart := range []bool{false, true} {
			w := newWorld(t, style{language: language, restart: restart})
			root := w.rootOf(code)
			w.expect("[5]", root, "flood", 5)
			if err := w.k.SetSchedule(w.b, kernel.Schedule{QueueMax: 7}); err != nil {
				t.Fatal(err)
			}
			w.expect("[7]", root, "flood", 100)
			w.expect("[7]", root, "flood", 100)
			w.expect("[3]", root, "flood", 3)
		}
	}
}
