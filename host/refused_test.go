package host_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// refusals are calls that must be refused, each with the error it must be.
type refusals struct {
	t    *testing.T
	h    *host.Host
	live swing.VatID
	dead swing.VatID
	root swing.KRef
	code swing.Hash
	all  []refusal
}

type refusal struct {
	what string
	want error
	call func() error
}

func (r *refusals) add(want error, call func() error, format string, args ...any) {
	r.all = append(r.all, refusal{fmt.Sprintf(format, args...), want, call})
}

// badVats name no vat; of none there could be one by name, since names have no such letters.
var badVats = []swing.VatID{
	"", "v", "v0", "v01", "v99", "v1 ", " v1", "v-1", "v1.o", "V1", "v1\x00", "ko20", "kernel",
	swing.VatID(strings.Repeat("v1", 1000)), "v99999999999999999999",
}

// badRefs are malformed, or name nothing.
var badRefs = []swing.KRef{
	"", "k", "ko", "ko99", "kp99", "kp", "ko020", "ko20.i.v1", "ko-1", "kx1", "o+0", "v1", "KO20",
	"ko99999999999999999999", swing.KRef(strings.Repeat("ko20", 1000)),
}

// vats are calls with vats that there are not; those that need a live one, with a dead one.
func (r *refusals) vats() {
	h := r.h
	inputs := map[string]func(id swing.VatID) error{
		"Upgrade": func(id swing.VatID) error {
			_, err := h.Upgrade(ctx, id, host.Upgrade{Code: r.code})
			return err
		},
		"Terminate": func(id swing.VatID) error { return h.Terminate(ctx, id, "why") },
		"Hold":      func(id swing.VatID) error { return h.Hold(ctx, id) },
		"Unhold":    func(id swing.VatID) error { return h.Unhold(ctx, id) },
		"ChangeOptions": func(id swing.VatID) error {
			return h.ChangeOptions(ctx, id, host.OptionChange{ReapDeliveries: 5})
		},
	}
	for name, call := range inputs {
		for _, id := range append([]swing.VatID{r.dead}, badVats...) {
			r.add(host.ErrRefused, func() error { return call(id) }, "%s %.20q", name, id)
		}
	}
	queries := map[string]func(id swing.VatID) error{
		"Vat":        func(id swing.VatID) error { _, err := h.Vat(string(id)); return err },
		"CList":      func(id swing.VatID) error { _, _, err := h.CList(id, 1); return err },
		"Transcript": func(id swing.VatID) error { _, err := h.Transcript(id, 0, 1); return err },
		"Replay":     func(id swing.VatID) error { _, err := h.Replay(ctx, id, host.ReplayOptions{}); return err },
		"Rehearse":   func(id swing.VatID) error { _, err := h.Rehearse(ctx, id, nil, nil); return err },
		"ExportVat":  func(id swing.VatID) error { _, err := h.ExportVat(ctx, id, &bytes.Buffer{}); return err },
		"Pin":        func(id swing.VatID) error { return h.Pin(ctx, id, true) },
		"Evict":      func(id swing.VatID) error { return h.Evict(ctx, id) },
	}
	for name, call := range queries {
		for _, id := range badVats {
			r.add(host.ErrNotFound, func() error { return call(id) }, "%s %.20q", name, id)
		}
	}
}

// references are calls with references that there are not.
func (r *refusals) references() {
	h := r.h
	for _, ref := range badRefs {
		r.add(host.ErrRefused, func() error { return h.Retain(ctx, ref) }, "Retain %.20q", ref)
		r.add(host.ErrRefused, func() error { return h.Release(ctx, ref) }, "Release %.20q", ref)
		r.add(host.ErrRefused, func() error { return h.SendOnly(ctx, ref, host.Message{}) }, "SendOnly to %.20q", ref)
		r.add(host.ErrNotFound, func() error { _, err := h.Promise(ref); return err }, "Promise %.20q", ref)
		r.add(host.ErrNotFound, func() error { _, err := h.Object(ref, 1); return err }, "Object %.20q", ref)
		r.add(host.ErrNotFound, func() error { _, err := h.Meter(ref); return err }, "Meter %.20q", ref)
		r.data("slot", host.Message{Slots: []swing.KRef{r.root, ref}})
		if ref != "" { // that is no meter, and may be
			r.create(host.VatSpec{Code: r.code, Meter: ref}, "with meter %.20q", ref)
		}
	}
	for _, ref := range []swing.KRef{r.root, kernel.AdminRef} {
		r.create(host.VatSpec{Code: r.code, Meter: ref}, "with meter %s", ref)
		r.add(host.ErrNotFound, func() error { _, err := h.Meter(ref); return err }, "Meter %s", ref)
		r.add(host.ErrNotFound, func() error { _, err := h.Promise(ref); return err }, "Promise %s", ref)
	}
	r.add(host.ErrRefused, func() error { return h.Release(ctx, kernel.AdminRef) }, "Release of the kernel's own")
}

func (r *refusals) create(s host.VatSpec, format string, args ...any) {
	r.add(host.ErrRefused, func() error {
		_, _, err := r.h.CreateVat(ctx, s)
		return err
	}, "CreateVat "+format, args...)
}

// data are calls with capdata, or a method, that must not be.
func (r *refusals) data(what string, m host.Message) {
	h := r.h
	r.add(host.ErrRefused, func() error { _, err := h.Send(ctx, r.root, m); return err }, "Send: %s", what)
	r.add(host.ErrRefused, func() error { return h.SendOnly(ctx, r.root, m) }, "SendOnly: %s", what)
	if m.Method != "" {
		return
	}
	r.create(host.VatSpec{Code: r.code, Body: m.Body, Slots: m.Slots}, "with parameters: %s", what)
	r.add(host.ErrRefused, func() error {
		_, err := h.Upgrade(ctx, r.live, host.Upgrade{Code: r.code, Body: m.Body, Slots: m.Slots})
		return err
	}, "Upgrade: %s", what)
	r.add(host.ErrRefused, func() error { return h.Receive(ctx, "bridge", m.Body, m.Slots...) }, "Receive: %s", what)
}

// limits are calls beyond a limit.
func (r *refusals) limits() {
	h, l := r.h, r.h.Options().Limits
	long := strings.Repeat("x", l.MethodBytes+1)
	r.data("a large body", host.Message{Body: make([]byte, l.BodyBytes+1)})
	r.data("many slots", host.Message{Slots: slots(r.root, l.Slots+1)})
	r.data("a long method", host.Message{Method: long})
	r.add(host.ErrRefused, func() error {
		_, err := h.Upgrade(ctx, r.live, host.Upgrade{Code: r.code, Message: long})
		return err
	}, "Upgrade: a long message")
	r.add(host.ErrRefused, func() error { return h.Terminate(ctx, r.live, strings.Repeat("x", l.BodyBytes+1)) }, "Terminate: a long reason")
	r.create(host.VatSpec{Code: r.code, ReapDeliveries: host.Never + 1}, "reaped beyond Never")
	r.create(host.VatSpec{Code: r.code, ReapRefs: 1<<64 - 1}, "reaped beyond Never")
	for _, o := range []host.OptionChange{{ReapDeliveries: host.Never + 1}, {ReapRefs: 1<<64 - 1}} {
		r.add(host.ErrRefused, func() error { return h.ChangeOptions(ctx, r.live, o) }, "ChangeOptions %+v", o)
	}
	for _, s := range []kernel.Schedule{{QueueMax: host.Never + 1}, {CleanupRows: 7, ReapRefs: 1<<64 - 1}} {
		r.add(host.ErrRefused, func() error { return h.SetSchedule(ctx, s) }, "SetSchedule %+v", s)
	}
	r.add(host.ErrRefused, func() error { return h.SetTime(ctx, 1) }, "SetTime back")
	r.add(host.ErrRefused, func() error { return h.SetNote(ctx, "", []byte("x")) }, "SetNote without a name")
	r.add(host.ErrRefused, func() error { return h.SetNote(ctx, long, []byte("x")) }, "SetNote with a long name")
	r.add(host.ErrRefused, func() error { return h.SetNote(ctx, "n", make([]byte, 2<<20)) }, "SetNote, large")
}

// slots is one reference so many times.
func slots(ref swing.KRef, n int) (all []swing.KRef) {
	for range n {
		all = append(all, ref)
	}
	return all
}

// words are calls with names, programs, modes and states that there are not.
func (r *refusals) words() {
	h := r.h
	for _, name := range []string{"a b", "a/b", "é", "a\x00", strings.Repeat("x", 1000), "live"} {
		r.create(host.VatSpec{Code: r.code, Name: name}, "named %.20q", name)
		if name != "live" {
			r.add(host.ErrRefused, func() error {
				_, err := h.InstallAs(ctx, name, program(r.t, "pingpong"))
				return err
			}, "InstallAs %.20q", name)
		}
	}
	for _, code := range [][]byte{nil, []byte("not wasm"), program(r.t, "counter")[:100]} {
		r.add(host.ErrRefused, func() error { _, err := h.Install(ctx, code); return err }, "Install %.20q", code)
		r.add(host.ErrRefused, func() error {
			_, err := h.Rehearse(ctx, r.live, code, nil)
			return err
		}, "Rehearse %.20q", code)
	}
	r.create(host.VatSpec{}, "of no program")
	r.create(host.VatSpec{Code: swing.Sum("none")}, "of a program that is not installed")
	r.add(host.ErrRefused, func() error {
		_, err := h.Upgrade(ctx, r.live, host.Upgrade{Code: swing.Sum("none")})
		return err
	}, "Upgrade to a program that is not installed")
	for _, name := range []string{"", "none", "bridge", "a b", "timer.v"} {
		r.add(host.ErrRefused, func() error { _, err := h.AddDevice(ctx, name); return err }, "AddDevice %q", name)
	}
	for _, name := range []string{"", "none", "timer", "bridge.v"} {
		r.add(host.ErrRefused, func() error { return h.Receive(ctx, name, nil) }, "Receive %q", name)
		r.add(host.ErrNotFound, func() error { _, err := h.Device(name); return err }, "Device %q", name)
	}
	r.add(host.ErrRefused, func() error { return h.Hold(ctx, "v3") }, "Hold what is held")
	r.add(host.ErrRefused, func() error { return h.Unhold(ctx, r.live) }, "Unhold what is not held")
	r.add(host.ErrRefused, func() error { _, _, err := h.Promises("settled", 1); return err }, "Promises")
	for _, mode := range []host.Mode{"", "all"} {
		r.add(host.ErrRefused, func() error { _, err := h.Export(ctx, mode, &bytes.Buffer{}); return err }, "Export %q", mode)
	}
	r.add(host.ErrFormat, func() error {
		_, err := h.Apply(ctx, strings.NewReader("no feed"), swing.Hash{})
		return err
	}, "Apply")
}

// TestBadInputIsRefused: whatever an embedder can call with what makes no sense, or is too
// large, or of what there is not, is refused with an error he can tell, and nothing has
// changed: neither the activityhash nor a byte of an export.
func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	o := stepOptions()
	o.Devices = someDevices()
	h := open(t, vfs.NewMem(), o)
	r := &refusals{t: t, h: h}
	r.live, r.root = vat(t, h, "counter", "live")
	r.dead, _ = vat(t, h, "counter", "dead")
	held, _ := vat(t, h, "counter", "held")
	_, err := h.AddDevice(ctx, "bridge")
	err = errors.Join(err, h.Terminate(ctx, r.dead, "why"), h.Hold(ctx, held))
	if err != nil || held != "v3" {
		t.Fatal(held, err)
	}
	if r.code, err = h.Install(ctx, program(t, "counter")); err != nil {
		t.Fatal(err)
	}
	ask(t, h, r.root, "incr", 1)
	before := activityhash(t, h)
	whole, _ := export(t, h, host.Debug)
	r.vats()
	r.references()
	r.limits()
	r.words()
	for _, one := range r.all {
		err := one.call()
		if !errors.Is(err, one.want) {
			t.Errorf("%s: %v, want %v", one.what, err, one.want)
		} else if len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes: %.200s", one.what, len(err.Error()), err)
		}
		if activityhash(t, h) != before {
			t.Fatalf("%s: the activityhash has changed", one.what)
		}
	}
	if again, _ := export(t, h, host.Debug); !bytes.Equal(whole, again) {
		t.Error("what was refused has changed the export")
	}
	if n := ask(t, h, r.root, "read"); n != 1 {
		t.Errorf("it went on to %d", n)
	}
	check(t, h)
	t.Logf("%d calls", len(r.all))
}
