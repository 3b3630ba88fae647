package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
	"vatwarehouse/warehouse"
)

// killer is a device that kills the worker process in the middle of the delivery that
// calls it, as often as it is told to.
type killer struct {
	h     **host.Host
	times *int
}

func (k killer) Call(
	d *kernel.DeviceContext, _ string, args swing.CapData[swing.KRef],
) (swing.CapData[swing.KRef], error) {
	was, _ := d.Get("calls")
	d.Set("calls", append(was[:len(was):len(was)], 'x'))
	if *k.times > 0 {
		*k.times--
		p, err := os.FindProcess(host.WorkerPID(*k.h))
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			panic(err)
		}
	}
	return args, nil
}

// isolated opens a Host with a puppet that has the killer, and returns what was told.
func isolated(t *testing.T, o host.Options, times *int) (h *host.Host, puppet swing.KRef, told *[]error) {
	t.Helper()
	told = new([]error)
	o.Observer.Fault = func(err error) { *told = append(*told, err) }
	o.Devices = map[string]kernel.Device{"killer": killer{&h, times}}
	h, puppet = deviceHost(t, o, "killer")
	return h, puppet, told
}

// deadly has the puppet write, call the killer, and write again.
func deadly(t *testing.T, h *host.Host, puppet swing.KRef) {
	t.Helper()
	set := swing.Syscall[swing.VRef]{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: []byte("v")}
	body := calls(set, callNow("o-50", "kill", nil), set)
	if err := h.SendOnly(ctx, puppet, host.Message{Method: "do", Body: body}); err != nil {
		t.Fatal(err)
	}
}

// TestDeadWorkersAreTriedAgain: a delivery in which the worker process dies is made again
// from its start, once or twice, on images that are files and that are not; it leaves no
// trace but the report, and the same hash as without a process at all.
func TestDeadWorkersAreTriedAgain(t *testing.T) {
	t.Parallel()
	var want swing.Hash
	for i, row := range []struct {
		isolate, disk bool
		times         int
	}{{false, false, 0}, {true, false, 0}, {true, false, 1}, {true, true, 2}} {
		o := host.Options{
			Isolate: row.isolate, Snapshots: warehouse.Policy{Initial: 1, Interval: 1},
			FS: vfs.NewMem(),
		}
		if row.disk {
			dir, err := vfs.Open(filepath.Join(t.TempDir(), "state"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { dir.Close() })
			o.FS = dir
		}
		times := 0
		h, root, told := isolated(t, o, &times)
		times = row.times
		deadly(t, h, root)
		run(t, h)
		check(t, h)
		s, err := h.Stats()
		if err != nil || s.Vats.Lost != uint64(row.times) || len(*told) != row.times {
			t.Errorf("%+v: lost %d, told %v, %v", row, s.Vats.Lost, *told, err)
		}
		for _, err := range *told {
			if !errors.As(err, new(*warehouse.LostError)) || !strings.Contains(err.Error(), "killed") {
				t.Errorf("told: %v", err)
			}
		}
		if got := activityhash(t, h); i == 0 {
			want = got
		} else if got != want {
			t.Errorf("%+v: activityhash %v, want %v", row, got, want)
		}
		if _, err := h.Replay(ctx, "v1", host.ReplayOptions{}); err != nil {
			t.Error(err)
		}
		closeHost(t, h)
	}
}

// TestLethalDelivery: a delivery in which the worker process dies three times stops the
// run, and has not happened; when it is let be, it does.
func TestLethalDelivery(t *testing.T) {
	t.Parallel()
	times := 0
	h, root, told := isolated(t, host.Options{Isolate: true}, &times)
	defer closeHost(t, h)
	before := activityhash(t, h)
	times = 4
	deadly(t, h, root)
	queued := activityhash(t, h)
	if queued == before {
		t.Error("nothing was queued")
	}
	_, err := h.Run(ctx, host.Policy{})
	var lethal *host.LethalError
	if !errors.As(err, &lethal) || lethal.Vat != "v1" || lethal.Tries != 3 ||
		!strings.Contains(err.Error(), "killed") || len(*told) != 3 {
		t.Errorf("%v; told %v", err, *told)
	}
	v, err := h.Vat("v1")
	if err != nil || !v.Alive || v.Span.End != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	run(t, h) // dies once more, and then does not
	if v, err := h.Vat("v1"); v.Span.End != 3 || len(*told) != 4 || err != nil {
		t.Errorf("%+v, %v", v, err)
	}
	check(t, h)
}

// TestPanicInIsolation: a panic of ours while the process waits for an answer is still a
// panic, and the Host can be closed.
func TestPanicInIsolation(t *testing.T) {
	t.Parallel()
	at := ""
	h := panicHost(t, host.Options{
		Isolate: true, Devices: map[string]kernel.Device{"faulty": faulty{&at}},
	})
	at = "call"
	p, err := h.Vat("puppet")
	if err != nil {
		t.Fatal(err)
	}
	do := host.Message{Method: "do", Body: calls(callNow("o-50", "call", nil))}
	if err := h.SendOnly(ctx, p.Root, do); err != nil {
		t.Fatal(err)
	}
	var fault *host.PanicError
	if _, err := h.Run(ctx, host.Policy{}); !errors.As(err, &fault) {
		t.Errorf("ran: %v", err)
	}
	if err := h.Close(ctx); !errors.As(err, &fault) {
		t.Errorf("closed: %v", err)
	}
}

// TestNoWorkerProcess: a binary that is not there, or does not serve, is an error of the
// world that names it.
func TestNoWorkerProcess(t *testing.T) {
	t.Parallel()
	for binary, says := range map[string]string{"/no/such/binary": "/no/such/binary", "/bin/true": "worker process"} {
		h := open(t, vfs.NewMem(), host.Options{Isolate: true, WorkerBinary: binary})
		_, err := h.Install(ctx, program(t, "counter"))
		if err == nil || errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", binary, err)
		}
	}
	h := open(t, vfs.NewMem(), host.Options{Isolate: true})
	if _, err := h.Install(ctx, []byte("no program")); !errors.Is(err, host.ErrRefused) {
		t.Errorf("no program: %v", err)
	}
}
