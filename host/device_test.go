package host_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// calls is the body of a message "do" that has a puppet make these syscalls.
func calls(syscalls ...swing.Syscall[swing.VRef]) []byte {
	b := swing.AppendArray(nil, len(syscalls))
	for _, s := range syscalls {
		b = swing.AppendUint(swing.AppendArray(b, 2), uint64(s.Op))
		b = swing.AppendBytes(b, swing.AppendRequest(nil, s))
	}
	return b
}

func callNow(device swing.VRef, method string, body []byte, slots ...swing.VRef) swing.Syscall[swing.VRef] {
	s := swing.Syscall[swing.VRef]{Op: swing.OpCall, Target: device}
	s.Message.Method = method
	s.Message.Args = swing.CapData[swing.VRef]{Body: body, Slots: slots}
	return s
}

// someDevices are given to every Host of these tests.
func someDevices() map[string]kernel.Device {
	return map[string]kernel.Device{
		"timer": devices.Timer{}, "bridge": devices.Bridge{}, "command": devices.Command{},
	}
}

// inDeviceStyles has the same done with everything in memory, and with as little as can be
// and all closed between any two steps, and returns what came of it, which must be the same.
func inDeviceStyles(t *testing.T, use func(l *lives) (seen []string)) (want []string) {
	t.Helper()
	for i, style := range []struct {
		options host.Options
		restart bool
	}{
		{host.Options{}, false},
		{host.Options{MaxVats: 1, Snapshots: warehouse.Policy{Initial: 1, Interval: 1}}, true},
		{host.Options{MaxVats: 1, BlockCranks: 1, Interpreter: true}, true},
	} {
		style.options.Devices = someDevices()
		l := &lives{T: t, files: vfs.NewMem(), options: style.options, restart: style.restart}
		got := use(l)
		if i == 0 {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("style %d: %q, want %q", i, got, want)
		}
	}
	return want
}

// TestDevices: a vat sets a timer, posts, and registers for what comes in; it is woken,
// and told. Whatever is in memory, and however often all is closed, the same happens, and
// every post comes out once.
func TestDevices(t *testing.T) {
	t.Parallel()
	seen := inDeviceStyles(t, useDevices)
	if len(seen) != 5 || seen[0] != "bridge 0x818103" {
		t.Errorf("%q", seen)
	}
}

// useDevices returns what came of it: outputs, deliveries, the activityhash.
func useDevices(l *lives) (seen []string) {
	var hands, timer, bridge swing.KRef
	body := func(values ...func([]byte) []byte) []byte {
		b := swing.AppendArray(nil, len(values))
		for _, v := range values {
			b = v(b)
		}
		return b
	}
	number := func(n uint64) func([]byte) []byte {
		return func(b []byte) []byte { return swing.AppendUint(b, n) }
	}
	l.step(func(h *host.Host) {
		var errs [2]error
		_, hands = vat(l.T, h, "puppet", "hands")
		vat(l.T, h, "puppet", "other")
		timer, errs[0] = h.AddDevice(ctx, "timer")
		bridge, errs[1] = h.AddDevice(ctx, "bridge")
		if err := errors.Join(errs[:]...); err != nil {
			l.Fatal(err)
		}
		if _, err := h.AddDevice(ctx, "timer"); !errors.Is(err, host.ErrRefused) {
			l.Errorf("a device twice: %v", err)
		}
	})
	l.step(func(h *host.Host) {
		hello := host.Message{Method: "hello", Slots: []swing.KRef{timer, bridge}}
		m := host.Message{Method: "do", Body: calls(
			callNow("o-50", "repeat", body(number(3e18), number(10), swing.AppendNull), "o+7"),
			callNow("o-51", "register", body(swing.AppendNull), "o+0"),
			callNow("o-51", "post", body(func(b []byte) []byte { return append(b, 0x81, 3) })),
		)}
		err := errors.Join(h.SendOnly(ctx, hands, hello), h.SendOnly(ctx, hands, m))
		if err != nil {
			l.Fatal(err)
		}
		run(l.T, h)
	})
	for _, now := range []uint64{3e18 - 1, 3e18 + 5, 3e18 + 31} {
		l.step(func(h *host.Host) {
			if err := h.SetTime(ctx, now); err != nil {
				l.Fatal(err)
			}
			run(l.T, h)
		})
	}
	l.step(func(h *host.Host) {
		if err := h.Receive(ctx, "bridge", body(number(5))); err != nil {
			l.Fatal(err)
		}
		run(l.T, h)
		if err := h.Receive(ctx, "timer", nil); !errors.Is(err, host.ErrRefused) {
			l.Errorf("a timer receives: %v", err)
		}
	})
	l.step(func(h *host.Host) {
		seen = whatWasSeen(l.T, h)
		check(l.T, h)
	})
	closeHost(l.T, l.h)
	return seen
}

// whatWasSeen returns the outputs, what the first vat was delivered, and the activityhash.
func whatWasSeen(t *testing.T, h *host.Host) (seen []string) {
	t.Helper()
	outputs, err := h.Outputs(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outputs {
		seen = append(seen, o.Device+fmt.Sprintf(" 0x%x", o.Data.Body))
	}
	entries, err := h.Transcript("v1", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if d, _ := e.Describe(); e.Position > 2 {
			seen = append(seen, d)
		}
	}
	return append(seen, activityhash(t, h).String())
}

// TestDeviceIsMissing: a directory that has a device is not opened without it.
func TestDeviceIsMissing(t *testing.T) {
	t.Parallel()
	files := vfs.NewMem()
	h, err := host.Open(ctx, "", &host.Options{FS: files, Devices: someDevices()})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := h.AddDevice(ctx, "timer")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Device("timer"); got != ref || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := h.Device("bridge"); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("a device that was not added: %v", err)
	}
	closeHost(t, h)
	if _, err := host.Open(ctx, "", &host.Options{FS: files}); !errors.Is(err, host.ErrOptions) {
		t.Errorf("without its device: %v", err)
	}
}
