package host_test

import (
	"errors"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// faulty is a device that panics at what it is told to.
type faulty struct{ at *string }

func (f faulty) fail(what string) {
	if *f.at == what {
		panic("the device's own fault")
	}
}

func (f faulty) Call(
	_ *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	f.fail(method)
	return args, nil
}

func (f faulty) Tick(*kernel.DeviceContext) { f.fail("tick") }

func (f faulty) Receive(*kernel.DeviceContext, swing.CapData[swing.KRef]) error {
	f.fail("receive")
	return nil
}

// panicRow is one way to meet a panic: at is what the device panics at, or "" if the
// observer does.
type panicRow struct {
	name, at string
	do       func(*host.Host) error
	stack    string
}

func runAll(h *host.Host) error {
	_, err := h.Run(ctx, host.Policy{})
	return err
}

func panicRows() []panicRow {
	called := func(h *host.Host) error {
		p, err := h.Vat("puppet")
		do := host.Message{Method: "do", Body: calls(callNow("o-50", "call", nil))}
		return errors.Join(err, h.SendOnly(ctx, p.Root, do), runAll(h))
	}
	sent := func(h *host.Host) error {
		d, err := h.Device("faulty")
		return errors.Join(err, h.SendOnly(ctx, d, host.Message{Method: "call"}), runAll(h))
	}
	told := func(h *host.Host) error { return h.SetTime(ctx, 2e18) }
	handed := func(h *host.Host) error { return h.Receive(ctx, "faulty", nil) }
	return []panicRow{
		{"asked by a vat", "call", called, "faulty.fail"},
		{"asked by the kernel", "call", sent, "faulty.fail"},
		{"told the time", "tick", told, "faulty.fail"},
		{"handed data", "receive", handed, "faulty.fail"},
		{"observer", "", called, "TestPanicStopsTheHost"},
	}
}

// TestPanicStopsTheHost: a panic in a device, asked by a vat from inside a host function
// or by the kernel, in an observer, or in an input, is a *PanicError that says what to do.
// The Host does nothing more, and the directory opens again with the state of the last
// block, from which all goes on as if nothing had happened.
func TestPanicStopsTheHost(t *testing.T) {
	t.Parallel()
	at, observed := "", false
	for _, r := range panicRows() {
		files := vfs.NewMem()
		o := host.Options{FS: files, Devices: map[string]kernel.Device{"faulty": faulty{&at}}}
		o.Observer.Crank = func(host.Crank) {
			if observed {
				panic("the observer's own fault")
			}
		}
		h := panicHost(t, o)
		before := activityhash(t, h)
		at, observed = r.at, r.at == ""
		err := r.do(h)
		var p *host.PanicError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), "own fault") ||
			!strings.Contains(err.Error(), "open it again") ||
			!strings.Contains(string(p.Stack), r.stack) {
			t.Errorf("%s: %v", r.name, err)
		}
		at, observed = "", false
		if err := runAll(h); !errors.Is(err, host.ErrPoisoned) || !errors.As(err, &p) {
			t.Errorf("%s: a poisoned host runs: %v", r.name, err)
		}
		if err := h.Close(ctx); !errors.As(err, &p) {
			t.Errorf("%s: closing says %v", r.name, err)
		}
		h = open(t, files, o)
		if got := activityhash(t, h); got != before {
			t.Errorf("%s: opened at %v, the last block was %v", r.name, got, before)
		}
		check(t, h)
		if err := r.do(h); err != nil {
			t.Errorf("%s: again: %v", r.name, err)
		}
	}
}

// panicHost is a Host with a puppet that has a faulty device.
func panicHost(t *testing.T, o host.Options) *host.Host {
	t.Helper()
	h, _ := deviceHost(t, o, "faulty")
	return h
}

// deviceHost is a Host with a puppet that has a device.
func deviceHost(t *testing.T, o host.Options, name string) (h *host.Host, puppet swing.KRef) {
	t.Helper()
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		t.Fatal(err)
	}
	device, err := h.AddDevice(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	_, root := vat(t, h, "puppet", "puppet")
	meet := host.Message{Method: "meet", Slots: []swing.KRef{device}}
	if err := h.SendOnly(ctx, root, meet); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	return h, root
}
