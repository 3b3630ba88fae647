package host_test

import (
	"context"
	"errors"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

var ctx = context.Background()

// open opens a Host over files and closes it when the test ends.
func open(t *testing.T, files vfs.FS, o host.Options) *host.Host {
	t.Helper()
	o.FS = files
	h, err := host.Open(ctx, "", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

func closeHost(t *testing.T, h *host.Host) {
	t.Helper()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func program(t *testing.T, name string) []byte {
	t.Helper()
	code, ok := guest.Program(name)
	if !ok {
		t.Fatalf("no guest %q", name)
	}
	return code
}

// vat makes a vat of a built-in program.
func vat(t *testing.T, h *host.Host, program_, name string, slots ...swing.KRef) (swing.VatID, swing.KRef) {
	t.Helper()
	code, err := h.Install(ctx, program(t, program_))
	if err != nil {
		t.Fatal(err)
	}
	id, root, err := h.CreateVat(ctx, host.VatSpec{Name: name, Code: code, Slots: slots})
	if err != nil {
		t.Fatal(err)
	}
	return id, root
}

// list encodes numbers as the example vats take arguments.
func list(args ...uint64) []byte {
	b := swing.AppendArray(nil, len(args))
	for _, a := range args {
		b = swing.AppendUint(b, a)
	}
	return b
}

func send(t *testing.T, h *host.Host, to swing.KRef, method string, args ...uint64) swing.KRef {
	t.Helper()
	result, err := h.Send(ctx, to, host.Message{Method: method, Body: list(args...)})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func run(t *testing.T, h *host.Host) host.Ran {
	t.Helper()
	ran, err := h.Run(ctx, host.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return ran
}

// ask sends a message, runs, and returns the number answered.
func ask(t *testing.T, h *host.Host, to swing.KRef, method string, args ...uint64) uint64 {
	t.Helper()
	result := send(t, h, to, method, args...)
	run(t, h)
	p, err := h.Promise(result)
	if err != nil || p.State != kernel.Fulfilled {
		t.Fatalf("%s: %v %s, %v", method, p.State, p.Data.Body, err)
	}
	r := swing.NewReader(p.Data.Body)
	r.Fields(1)
	n := r.Uint()
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	return n
}

// check fails the test for every fault that Check finds.
func check(t *testing.T, h *host.Host) host.Checked {
	t.Helper()
	done, err := h.Check(ctx, func(f host.Fault) { t.Errorf("check: %v", f) })
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func activityhash(t *testing.T, h *host.Host) swing.Hash {
	t.Helper()
	hash, err := h.Activityhash()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

var errDisk = errors.New("bad disk")
