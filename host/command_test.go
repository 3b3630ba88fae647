package host_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// commander is a puppet that has a command device, as o-50.
type commander struct {
	*lives
	hands swing.KRef
}

func newCommander(l *lives) *commander {
	c := &commander{lives: l}
	l.step(func(h *host.Host) {
		_, c.hands = vat(l.T, h, "puppet", "hands")
		device, err := h.AddDevice(ctx, "command")
		hello := host.Message{Method: "hello", Slots: []swing.KRef{device}}
		if err = errors.Join(err, h.SendOnly(ctx, c.hands, hello)); err != nil {
			l.Fatal(err)
		}
		run(l.T, h)
	})
	return c
}

// call has the puppet call the device, and returns the answer.
func (c *commander) call(method string, body []byte, slots ...swing.VRef) (text string) {
	c.Helper()
	c.step(func(h *host.Host) {
		m := host.Message{Method: "do", Body: calls(callNow("o-50", method, body, slots...))}
		if err := h.SendOnly(ctx, c.hands, m); err != nil {
			c.Fatal(err)
		}
		run(c.T, h)
		entries, err := h.Transcript("v1", 0, 10_000)
		if err != nil {
			c.Fatal(err)
		}
		last := len(entries) - 1
		for len(entries[last].Exchanges) == 0 { // told of what others let go of
			last--
		}
		a, err := swing.DecodeCallAnswer[swing.VRef](entries[last].Exchanges[0].Answer)
		if err != nil {
			c.Fatal(err)
		}
		text = fmt.Sprintf("%x", a.Data.Body)
		if a.Failed {
			text = "failed: " + string(a.Data.Body)
		}
	})
	return text
}

// receive hands a command in, and returns whether it was taken.
func (c *commander) receive(body []byte, slots ...swing.KRef) (err error) {
	c.step(func(h *host.Host) {
		err = h.Receive(ctx, "command", body, slots...)
		if err != nil && !errors.Is(err, host.ErrRefused) {
			c.Fatal(err)
		}
		run(c.T, h)
	})
	return err
}

// responses are all outputs of the device so far, for people.
func (c *commander) responses() (all []string) {
	c.Helper()
	outputs, err := c.h.Outputs(0, 1000)
	if err != nil {
		c.Fatal(err)
	}
	for _, o := range outputs {
		r, err := devices.ReadResponse(o.Data)
		if err != nil || o.Device != "command" {
			c.Errorf("an output of %s: %v", o.Device, err)
		}
		text := fmt.Sprintf("%d %v %x %s", r.Number, r.Rejected, r.Values.Body, r.Values.Slots)
		all = append(all, text)
	}
	return all
}

// answering is the body of respond: a number, whether it is rejected, and numbers.
func answering(n uint64, rejected bool, values ...uint64) []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 2+len(values)), n)
	b = swing.AppendBool(b, rejected)
	for _, v := range values {
		b = swing.AppendUint(b, v)
	}
	return b
}

// TestCommand: commands reach whoever has registered, in their order, and answers come out
// once, with their numbers and references, in whatever order they are given; what is no
// command, and no answer to one, is refused and changes nothing.
func TestCommand(t *testing.T) {
	t.Parallel()
	seen := inDeviceStyles(t, func(l *lives) []string {
		c := newCommander(l)
		if err := c.receive(list(7)); err == nil || !strings.Contains(err.Error(), "handler") {
			t.Errorf("a command for nobody: %v", err)
		}
		if got := c.call("register", []byte{0x81, 0xf6}, "o+0"); got != "80" {
			t.Errorf("register answered %s", got)
		}
		for _, body := range [][]byte{list(7, 70), list(9), list(8, 80, 81)} {
			if err := c.receive(body); err != nil {
				t.Error(err)
			}
		}
		for _, body := range [][]byte{list(7), list(0, 1), list(), nil, {0x81, 0x61, 'x'}, {0x82, 1}, {1}} {
			if err := c.receive(body); err == nil {
				t.Errorf("%x was taken", body)
			}
		}
		for _, want := range [][2]string{
			{c.call("open", list(0)), "83070809"}, {c.call("open", list(7)), "820809"},
			{c.call("respond", answering(8, false, 88)), "80"},
			{c.call("respond", answering(8, false)), "failed: "},
			{c.call("respond", answering(6, false)), "failed: "},
			{c.call("respond", list(7)), "failed: "},
			{c.call("respond", append(answering(7, false), 0)), "failed: "},
			{c.call("broadcast", []byte{0x82, 0xf6, 5}, "o+7"), "80"},
			{c.call("respond", []byte{0x83, 7, 0xf5, 0x62, 'n', 'o'}), "80"},
			{c.call("open", list(0)), "8109"}, {c.call("close", nil), "failed: "},
		} {
			if got, ok := strings.CutPrefix(want[0], want[1]); !ok ||
				(got != "") != (want[1] == "failed: ") {
				t.Errorf("answer %s, want %s", want[0], want[1])
			}
		}
		if err := c.receive(list(8)); err != nil {
			t.Errorf("a number that is free again: %v", err)
		}
		seen := append(c.responses(), whatWasSeen(t, c.h)...)
		check(t, c.h)
		closeHost(t, c.h)
		return seen
	})
	want := []string{"8 false 811858 []", "0 false 82f605 [ko22]", "7 true 81626e6f []"}
	if len(seen) < 3 || !slices.Equal(seen[:3], want) {
		t.Errorf("responses %q, want %q", seen, want)
	}
	var heard []string
	for _, d := range seen {
		if strings.Contains(d, "inbound") {
			heard = append(heard, d)
		}
	}
	told := []string{
		"message o+0.inbound([7, 70])", "message o+0.inbound([9])", "message o+0.inbound([8, 80, 81])",
		"message o+0.inbound([8])",
	}
	if !slices.Equal(heard, told) {
		t.Errorf("the handler heard %q, want %q", heard, told)
	}
}

// TestCommandIsItsTwin: commands and answers at random are taken or refused as a set of
// numbers has it.
func TestCommandIsItsTwin(t *testing.T) {
	t.Parallel()
	const seed = 3
	l := &lives{T: t, files: vfs.NewMem(), options: host.Options{Devices: someDevices()}}
	c := newCommander(l)
	c.call("register", []byte{0x81, 0xf6}, "o+0")
	rng := rand.New(rand.NewPCG(seed, 1))
	open := map[uint64]bool{}
	var want []string
	for range 300 {
		n := rng.Uint64N(200) + 1
		if rng.IntN(3) > 0 {
			if err := c.receive(list(n)); (err == nil) == open[n] {
				t.Fatalf("seed %d: command %d: %v", seed, n, err)
			}
			open[n] = true
			continue
		}
		answer := c.call("respond", answering(n, n%2 == 0, n))
		if (answer == "80") != open[n] {
			t.Fatalf("seed %d: answer to %d: %s", seed, n, answer)
		}
		if open[n] {
			want = append(want, fmt.Sprintf("%d %v %x []", n, n%2 == 0, list(n)))
		}
		delete(open, n)
	}
	if got := c.responses(); !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("seed %d: %q, want %q", seed, got, want)
	}
	var left []uint64
	for n := range open {
		left = append(left, n)
	}
	slices.Sort(left)
	if got := c.call("open", list(0)); got != fmt.Sprintf(
		"%x",
		list(left[:min(100, len(left))]...),
	) {
		t.Errorf("seed %d: open %s, want %v", seed, got, left)
	}
	closeHost(t, c.h)
}
