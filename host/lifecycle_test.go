package host_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// lives is a Host that is closed and opened again, or not, between any two steps.
type lives struct {
	*testing.T
	files   *vfs.Mem
	options host.Options
	restart bool
	h       *host.Host
}

func (l *lives) step(do func(h *host.Host)) {
	l.Helper()
	if l.h == nil || l.restart {
		if l.h != nil {
			closeHost(l.T, l.h)
		}
		o := l.options
		o.FS = l.files
		h, err := host.Open(ctx, "", &o)
		if err != nil {
			l.Fatal(err)
		}
		l.h = h
	}
	do(l.h)
}

// settled runs, and returns how a promise is settled.
func settled(t *testing.T, h *host.Host, p swing.KRef, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	run(t, h)
	promise, err := h.Promise(p)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %q", promise.State, promise.Data.Body)
}

// scripted is the body of a message "do", or of a start, that makes a puppet trap.
func scripted(step string) []byte {
	b := swing.AppendArray(swing.AppendArray(nil, 1), 1)
	return swing.AppendText(b, step)
}

// TestUpgradesAndQuarantine: a vat is upgraded, in vain and then well, another fails, is
// kept, upgraded, and goes on; whatever is in memory, and however often all is closed.
func TestUpgradesAndQuarantine(t *testing.T) {
	t.Parallel()
	want := swing.Hash{}
	for i, style := range []struct {
		options host.Options
		restart bool
	}{
		{host.Options{}, false},
		{host.Options{MaxVats: 1, Snapshots: warehouse.Policy{Initial: 1, Interval: 1}}, false},
		{host.Options{MaxVats: 1, BlockCranks: 1, PauseOnEvict: true}, true},
		{host.Options{Interpreter: true, Inline: true}, true},
	} {
		l := &lives{T: t, files: vfs.NewMem(), options: style.options, restart: style.restart}
		upgradeAndQuarantine(l)
		got := activityhash(t, l.h)
		check(t, l.h)
		closeHost(t, l.h)
		if i == 0 {
			want = got
		} else if got != want {
			t.Errorf("style %d: activityhash %s, want %s", i, got, want)
		}
	}
}

// upgradeAndQuarantine has a counter and a puppet live through it.
func upgradeAndQuarantine(l *lives) {
	var counter, puppet swing.VatID
	var root, hands swing.KRef
	var counterCode, puppetCode swing.Hash
	l.step(func(h *host.Host) {
		var errs [4]error
		counterCode, errs[0] = h.Install(ctx, program(l.T, "counter"))
		puppetCode, errs[1] = h.InstallAs(ctx, "hands", program(l.T, "puppet"))
		counter, root, errs[2] = h.CreateVat(ctx, host.VatSpec{Name: "counter", Code: counterCode})
		puppet, hands, errs[3] = h.CreateVat(ctx, host.VatSpec{Code: puppetCode, Quarantine: true})
		if err := errors.Join(errs[:]...); err != nil {
			l.Fatal(err)
		}
	})
	l.counts(root, 1, 5)
	l.upgrades(counter, host.Upgrade{Code: puppetCode, Body: scripted("trap")}, "vat upgrade failed: trapped")
	l.counts(root, 6, 6)
	l.upgrades(counter, host.Upgrade{Code: counterCode, Message: "again"}, `fulfilled "\x81\x01"`)
	l.counts(root, 1, 4)
	l.step(func(h *host.Host) {
		m := host.Message{Method: "do", Body: scripted("trap")}
		if err := h.SendOnly(ctx, hands, m); err != nil {
			l.Fatal(err)
		}
		run(l.T, h)
		v, err := h.Vat(string(puppet))
		if err != nil || !v.Alive || !v.Held || v.Waiting != 1 || !strings.Contains(v.Quarantine, "trapped") {
			l.Errorf("%+v, %v", v, err)
		}
	})
	l.upgrades(puppet, host.Upgrade{Code: counterCode}, `fulfilled "\x81\x01"`)
	l.counts(hands, 1, 1)
	l.step(func(*host.Host) {})
}

// counts has a counter count from one number to another.
func (l *lives) counts(root swing.KRef, from, to uint64) {
	l.Helper()
	for n := from; n <= to; n++ {
		l.step(func(h *host.Host) {
			if got := ask(l.T, h, root, "incr", 1); got != n {
				l.Errorf("count %d, want %d", got, n)
			}
		})
	}
}

// upgrades upgrades a vat, and checks what comes of it.
func (l *lives) upgrades(vat swing.VatID, u host.Upgrade, says string) {
	l.Helper()
	l.step(func(h *host.Host) {
		p, err := h.Upgrade(ctx, vat, u)
		if got := settled(l.T, h, p, err); !strings.Contains(got, says) {
			l.Errorf("upgrade of %s: %s, want %s", vat, got, says)
		}
	})
}

// TestCriticalVatStops: a critical vat's failure is no crank: every Run stops there, and
// the state is the one before.
func TestCriticalVatStops(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), host.Options{})
	code, err := h.Install(ctx, program(t, "puppet"))
	if err != nil {
		t.Fatal(err)
	}
	id, hands, err := h.CreateVat(ctx, host.VatSpec{Code: code, Critical: true})
	if err != nil {
		t.Fatal(err)
	}
	run(t, h)
	if err := h.SendOnly(ctx, hands, host.Message{Method: "do", Body: scripted("trap")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := h.Run(ctx, host.Policy{})
		var critical *kernel.CriticalError
		if !errors.As(err, &critical) || critical.Vat != id || !strings.Contains(err.Error(), "trapped") {
			t.Fatalf("%v", err)
		}
		if v, err := h.Vat(string(id)); err != nil || !v.Alive {
			t.Errorf("%+v, %v", v, err)
		}
	}
	check(t, h)
}

// TestPolicies: a run ends where its policy says, and many short runs come to what one
// long one does.
func TestPolicies(t *testing.T) {
	t.Parallel()
	var want swing.Hash
	for i, p := range []host.Policy{
		{}, {Cranks: 3}, {Deliveries: 2}, {Fuel: 10_000}, {Time: 1}, {Vats: 1},
	} {
		h := open(t, vfs.NewMem(), host.Options{BlockCranks: 4})
		_, root := vat(t, h, "pingpong", "a")
		_, peer := vat(t, h, "pingpong", "b")
		for _, pair := range [][]swing.KRef{{root, peer}, {peer, root}} {
			introduce := host.Message{Method: "peer", Body: []byte{0x81, 0xf6}, Slots: pair[1:]}
			if err := h.SendOnly(ctx, pair[0], introduce); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.SendOnly(ctx, root, host.Message{Method: "volley", Body: list(30)}); err != nil {
			t.Fatal(err)
		}
		runs := 0
		for idle := false; !idle; runs++ {
			ran, err := h.Run(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			if p.Cranks > 0 && ran.Cranks > p.Cranks || p.Deliveries > 0 && ran.Deliveries > p.Deliveries ||
				p.Fuel > 0 && ran.Fuel > p.Fuel+10_000 || p.Time > 0 && ran.Blocks > 2 {
				t.Errorf("%+v: %+v", p, ran)
			}
			idle = ran.Idle
		}
		got := activityhash(t, h)
		if i == 0 {
			want = got
		} else if got != want || p.Vats == 0 && runs < 5 {
			t.Errorf("%+v: %d runs, activityhash %s, want %s", p, runs, got, want)
		}
	}
}
